//! Rebuilds the memory from the newest snapshot that is whole and the events behind it, one by one, while the log verifies itself;
//! nothing of the log is held.

use edge_config::Policy;
use gateway_core::Recorded;
use schemas::envelope::{self, Entry, EnvelopeError, Origin};
use schemas::event::Event;
use schemas::event::evidence::SnapshotTaken;
use schemas::time::Now;

use super::Memory;
use super::sweeps::Sweeps;
use crate::keys::KeyRing;
use crate::snapshot::{SnapshotStore, Unusable};

/// An event as read by a thread of the log.
#[derive(Debug)]
pub struct Read {
    entry: Result<Entry, EnvelopeError>,
    /// Its signed bytes, where no checkpoint vouches for them or they change the signing key.
    signed: Option<Vec<u8>>,
    covered: bool,
}

impl Read {
    /// Reads an event. `covered`: a checkpoint that was signed over it is compared with the tree.
    pub fn new(signed: &[u8], covered: bool) -> Self {
        let entry = envelope::read(signed);
        let rotates = matches!(&entry, Ok(entry) if matches!(entry.event, Event::KeyRotated(_)));
        Self {
            entry,
            signed: (rotates || !covered).then(|| signed.to_vec()),
            covered,
        }
    }
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    policy: Policy,
    memory: Memory,
    ring: KeyRing,
    origin: Origin,
    sweeps: Sweeps,
    /// When the last event was recorded.
    last: Option<Now>,
    unreadable: Option<ReplayError>,
}

/// An event of the log that this program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Not an event of the contract this program knows.
    #[error(
        "the event at index {index} cannot be read by this version ({source}): install the version that wrote it or a \
         newer one; nothing was changed"
    )]
    Unreadable {
        /// Its index.
        index: u64,
        /// Why.
        source: EnvelopeError,
    },
    /// Not signed by the key in force.
    #[error(
        "the event at index {index} is not signed by this station's key; nothing was changed; see \
         ops/docs/runbook/quarantine.md"
    )]
    Forged {
        /// Its index.
        index: u64,
    },
    /// Of another log, or in another place.
    #[error(
        "the event at index {index} belongs to another place or log; nothing was changed; see \
         ops/docs/runbook/quarantine.md"
    )]
    Foreign {
        /// Its index.
        index: u64,
    },
}

impl Replay {
    /// Of an empty log, so far.
    pub fn new(policy: &Policy, origin: Origin, ring: KeyRing, sweeps: Sweeps) -> Self {
        Self {
            policy: policy.clone(),
            memory: Memory::new(policy),
            ring,
            origin,
            sweeps,
            last: None,
            unreadable: None,
        }
    }

    /// Goes on from the snapshot that the event at `index` names, which the caller knows to be under a checkpoint. False, and nothing
    /// is changed, when it names none that can be used.
    pub fn restore(&mut self, index: u64, signed: &[u8], snapshots: &SnapshotStore) -> bool {
        let Ok(entry) = envelope::read(signed) else {
            return false;
        };
        let Event::SnapshotTaken(taken) = &entry.event else {
            return false;
        };
        if entry.index != index || entry.origin != self.origin || taken.size != index {
            return false;
        }
        match self.try_restore(taken, snapshots) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(index, %error, "the snapshot cannot be used: going further back");
                false
            }
        }
    }

    fn try_restore(
        &mut self,
        taken: &SnapshotTaken,
        snapshots: &SnapshotStore,
    ) -> Result<(), Unusable> {
        let contents = snapshots.read(taken, &self.origin)?;
        let (chain, rotations) = contents.chain(self.ring.first_chain())?;
        let named = &contents.memory.named;
        named.blobs().for_each(|blob| self.sweeps.blob_named(&blob));
        named.keys().for_each(|key| self.sweeps.key_named(&key));
        self.memory = Memory::from_kept(&self.policy, contents.memory, taken.size);
        self.ring.restore(chain, rotations);
        Ok(())
    }

    /// The next event. After one that cannot be read nothing more is taken in; the caller ends with [`Self::finish`].
    /// It was read ([`Read::new`]) by the caller, who may read several at a time.
    pub fn take(&mut self, index: u64, read: Read) {
        if self.unreadable.is_some() {
            return;
        }
        let Read {
            entry,
            signed,
            covered,
        } = read;
        let signed = signed.unwrap_or_default();
        // What no checkpoint vouches for must vouch for itself.
        if !covered && !self.ring.is_genuine(index, &signed) {
            self.stop(ReplayError::Forged { index });
            return;
        }
        match entry {
            Ok(entry) if entry.index == index && entry.origin == self.origin => {
                if let Event::KeyRotated(rotation) = &entry.event
                    && self.ring.follow(index, rotation, &signed).is_err()
                {
                    self.stop(ReplayError::Forged { index });
                    return;
                }
                self.sweeps.replayed(&entry.event);
                let recorded = Recorded {
                    index,
                    now: &entry.meta.now,
                    event: &entry.event,
                };
                self.memory.apply(recorded, entry.meta.cause.as_ref());
                self.last = Some(entry.meta.now);
            }
            Ok(_) => self.stop(ReplayError::Foreign { index }),
            Err(source) => self.stop(ReplayError::Unreadable { index, source }),
        }
    }

    /// The log is not gone on with: before anything is signed over it, the ring says so to whoever opens it.
    fn stop(&mut self, error: ReplayError) {
        self.ring.refuse(error.to_string());
        self.unreadable = Some(error);
    }

    /// When the last event was recorded that was taken in.
    pub fn last(&self) -> Option<&Now> {
        self.last.as_ref()
    }

    /// What the log says, and which files it names.
    pub fn finish(self) -> Result<(Memory, Sweeps), ReplayError> {
        self.unreadable.map_or(Ok((self.memory, self.sweeps)), Err)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use gateway_log::CheckpointSigner as _;
    use schemas::envelope::{KeyId, Meta, Source, seal};
    use schemas::ids::BootId;
    use schemas::time::ClockTrust;

    use super::*;
    use crate::testing;

    fn replay(place: &std::path::Path) -> (Replay, KeyRing, crate::keys::SigningKey) {
        let keys = crate::keys::open(&place.join("keys"), place, &place.join("marker")).unwrap();
        let ring = testing::ring(&keys);
        let origin = Origin::new(testing::ORIGIN).unwrap();
        let sweeps = testing::sweeps(place);
        let replay = Replay::new(&Policy::default(), origin, ring.clone(), sweeps);
        (replay, ring, keys.signing.current)
    }

    fn started(index: u64, sign: impl FnOnce(&[u8]) -> [u8; 64], key: [u8; 32]) -> Vec<u8> {
        let body = r#"{"software":"1","instance":"0190b7a2-1f00-7000-8000-000000000001"}"#;
        let event = Event::from_data("station.gateway.started.v1", body)
            .unwrap()
            .unwrap();
        let now = Now {
            wall_ms: 1,
            boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
            mono_ms: 1,
            trust: ClockTrust::Synchronised,
        };
        let meta = Meta {
            source: Source::Gateway,
            now,
            cause: None,
        };
        let origin = Origin::new(testing::ORIGIN).unwrap();
        seal(&origin, index, &meta, &event, KeyId::of(&key), sign).unwrap()
    }

    /// G3: an event that no checkpoint covers must be signed by the key in force; else the ring lets nobody sign over it.
    #[test]
    fn a_forged_event_behind_the_last_checkpoint_is_not_gone_on_with() {
        for (covered, forged, refused) in [
            (false, false, false),
            (false, true, true),
            // Under a checkpoint the tree vouches for it, and that is compared elsewhere.
            (true, true, false),
        ] {
            let place = tempfile::tempdir().unwrap();
            let (mut replay, ring, key) = replay(place.path());
            let sign = |bytes: &[u8]| if forged { [7; 64] } else { key.sign(bytes) };
            let event = started(0, sign, key.public_key());
            replay.take(0, Read::new(&event, covered));
            assert_eq!(ring.accepts(1).is_err(), refused);
            assert_eq!(
                matches!(replay.finish(), Err(ReplayError::Forged { index: 0 })),
                refused
            );
        }
    }
}

//! Rebuilds the memory from the log, event by event, while the log verifies itself; nothing of the log is held.

use edge_config::Policy;
use gateway_core::Recorded;
use schemas::envelope::{self, Entry, EnvelopeError, Origin};
use schemas::event::Event;

use super::Memory;
use super::sweeps::Sweeps;
use crate::keys::KeyRing;

/// An event as read by a thread of the log.
#[derive(Debug)]
pub struct Read {
    entry: Result<Entry, EnvelopeError>,
    /// Its signed bytes, where no checkpoint vouches for them.
    uncovered: Option<Vec<u8>>,
}

impl Read {
    /// Reads an event. `covered`: a checkpoint that was signed over it is compared with the tree.
    pub fn new(signed: &[u8], covered: bool) -> Self {
        Self {
            entry: envelope::read(signed),
            uncovered: (!covered).then(|| signed.to_vec()),
        }
    }
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    memory: Memory,
    ring: KeyRing,
    origin: Origin,
    sweeps: Sweeps,
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
            memory: Memory::new(policy),
            ring,
            origin,
            sweeps,
            unreadable: None,
        }
    }

    /// The next event. After one that cannot be read nothing more is taken in; the caller ends with [`Self::finish`].
    /// It was read ([`Read::new`]) by the caller, who may read several at a time.
    pub fn take(&mut self, index: u64, read: Read) {
        if self.unreadable.is_some() {
            return;
        }
        let Read { entry, uncovered } = read;
        // What no checkpoint vouches for must vouch for itself.
        if uncovered.is_some_and(|signed| !self.ring.is_genuine(index, &signed)) {
            self.unreadable = Some(ReplayError::Forged { index });
            return;
        }
        match entry {
            Ok(entry) if entry.index == index && entry.origin == self.origin => {
                if let Event::KeyRotated(rotation) = &entry.event
                    && self.ring.follow(index, rotation).is_err()
                {
                    self.unreadable = Some(ReplayError::Forged { index });
                    return;
                }
                self.sweeps.replayed(&entry.event);
                let recorded = Recorded {
                    index,
                    now: &entry.meta.now,
                    event: &entry.event,
                };
                self.memory.apply(recorded, entry.meta.cause.as_ref());
            }
            Ok(_) => self.unreadable = Some(ReplayError::Foreign { index }),
            Err(source) => self.unreadable = Some(ReplayError::Unreadable { index, source }),
        }
    }

    /// What the log says, and which files it names.
    pub fn finish(self) -> Result<(Memory, Sweeps), ReplayError> {
        self.unreadable.map_or(Ok((self.memory, self.sweeps)), Err)
    }
}

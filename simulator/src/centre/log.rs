//! One log of one station, verified event by event as it stands in the store.
//!
//! It knows neither the store nor the disk. Given the same events it comes to the same state, so after a crash the same events
//! may be taken again from the last state that was saved.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use schemas::chain::KeyChain;
use schemas::envelope::{EnvelopeError, Signed};
use schemas::event::Event;
use schemas::event::evidence::KeyRotated;
use schemas::proof::{Frontier, Hash};
use schemas::uplink::{Metadata, event_id, signed_bytes};
use serde::{Deserialize, Serialize};

use super::checkpoints::{Checkpoints, Fork, Refused};
use super::fault::{Fault, Located};
use super::figures::Figures;
use super::office::Heard;
use super::registration::Registration;
use super::stored::Stored;

/// The version of the saved form.
const VERSION: u32 = 1;

/// A log as far as it was verified.
#[derive(Debug, Clone)]
pub(super) struct Log {
    registration: Registration,
    chain: KeyChain,
    frontier: Frontier,
    kept: Kept,
    /// What the office has not taken yet; never saved, since it is taken before the log is.
    news: Vec<Heard>,
}

/// What is saved beside the tree and the keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// The id of the last event in the store.
    last_id: Option<String>,
    rotations: Vec<(u64, KeyRotated)>,
    checkpoints: Checkpoints,
    /// Events of types that this program does not know. They are in the tree, and in no figure.
    unknown_types: u64,
    figures: Figures,
    /// The largest size that the station was told.
    acknowledged: u64,
    fault: Option<Located>,
}

/// The saved form.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    registration: Registration,
    frontier: String,
    kept: Kept,
}

/// Why a saved form is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the saved state of the log {0}")]
pub(super) struct NotUsable(&'static str);

/// Ed25519 (RFC 8032).
pub(super) fn check(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key)
        .verify(message, signature)
        .is_ok()
}

impl Log {
    /// What concerns the office, since the last time.
    pub(super) fn take_news(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.news)
    }

    /// Nothing of it was seen yet.
    pub(super) fn new(registration: Registration) -> Self {
        let first = registration.first_key.to_raw();
        Self {
            chain: KeyChain::new(registration.origin.clone(), first),
            registration,
            frontier: Frontier::new(),
            kept: Kept::default(),
            news: Vec::new(),
        }
    }

    /// As it was saved.
    pub(super) fn restore(registration: Registration, saved: Saved) -> Result<Self, NotUsable> {
        let known = saved.registration;
        if saved.version != VERSION {
            return Err(NotUsable("is of another version"));
        }
        if known.origin != registration.origin || known.first_key != registration.first_key {
            return Err(NotUsable("is of another log"));
        }
        let mut log = Self::new(registration);
        for (index, event) in &saved.kept.rotations {
            let rotated = log.chain.rotate(*index, event, &check);
            rotated.map_err(|_damaged| NotUsable("has a rotation that is not genuine"))?;
        }
        let frontier = hex::decode(saved.frontier).unwrap_or_default();
        let frontier = Frontier::from_bytes(&frontier);
        log.frontier = frontier.map_err(|_damaged| NotUsable("has no tree"))?;
        log.kept = saved.kept;
        Ok(log)
    }

    /// To be saved.
    pub(super) fn save(&self) -> Saved {
        Saved {
            version: VERSION,
            registration: self.registration.clone(),
            frontier: hex::encode(self.frontier.to_bytes()),
            kept: self.kept.clone(),
        }
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// Events verified, from 0 on.
    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Root of the tree over them.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The id of the last of them in the store: a UUID without hyphens.
    pub(super) fn last_id(&self) -> Option<&str> {
        self.kept.last_id.as_deref()
    }

    /// How often its key was rotated.
    pub(super) fn rotations(&self) -> usize {
        self.kept.rotations.len()
    }

    pub(super) fn chain(&self) -> &KeyChain {
        &self.chain
    }

    pub(super) fn checkpoints(&self) -> &Checkpoints {
        &self.kept.checkpoints
    }

    pub(super) fn figures(&self) -> &Figures {
        &self.kept.figures
    }

    pub(super) fn figures_mut(&mut self) -> &mut Figures {
        &mut self.kept.figures
    }

    pub(super) fn unknown_types(&self) -> u64 {
        self.kept.unknown_types
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.kept.acknowledged
    }

    pub(super) fn set_acknowledged(&mut self, size: u64) {
        self.kept.acknowledged = self.kept.acknowledged.max(size);
    }

    pub(super) fn fault(&self) -> Option<&Located> {
        self.kept.fault.as_ref()
    }

    /// Stops it: nothing more of it is read or acknowledged.
    pub(super) fn stop(&mut self, revision: u64, fault: Fault) {
        let stream = self.registration.stream();
        let located = Located {
            stream,
            revision,
            fault,
        };
        tracing::error!(fault = %located, "the station is stopped: nothing more of it is acknowledged");
        self.kept.fault = Some(located);
    }

    /// A person has looked, and says that it may go on from where it was right.
    pub(super) fn resume(&mut self) {
        self.kept.fault = None;
    }

    /// Takes events that follow each other. At the first that is wrong it stops, with everything before it taken, and answers
    /// what proves a fork, if that is what is wrong.
    pub(super) fn take_all(&mut self, events: &[Stored]) -> Option<Fork> {
        let before = self.clone();
        let mut wrong = None;
        for (at, stored) in events.iter().enumerate() {
            if let Err(refused) = self.take(stored) {
                wrong = Some((at, refused));
                break;
            }
        }
        let (at, refused) = wrong?;
        // The wrong event may have left something of itself: those before it are taken once more.
        let revision = before.size() + u64::try_from(at).unwrap_or_default();
        *self = before;
        for stored in events.iter().take(at) {
            if let Err(refused) = self.take(stored) {
                tracing::error!(fault = %refused.fault, "an event was right and is wrong now");
            }
        }
        self.stop(revision, refused.fault);
        refused.fork
    }

    fn take(&mut self, stored: &Stored) -> Result<(), Refused> {
        let index = self.size();
        let found = stored.revision;
        if found != index {
            return Err(Fault::Gap { found }.into());
        }
        let not_an_event = |why: &dyn std::fmt::Display| Fault::NotAnEvent {
            why: why.to_string(),
        };
        let (bytes, metadata) =
            signed_bytes(&stored.data, &stored.metadata).map_err(|e| not_an_event(&e))?;
        let signed = Signed::read(&bytes).map_err(|e| not_an_event(&e))?;
        self.is_own(&signed, &metadata, index)?;
        let leaf = Hash::leaf(&bytes);
        is_named(stored, event_id(&leaf), signed.payload())?;
        let entry = match signed.into_entry() {
            Ok(entry) => Some(entry),
            // Signed by the station: this program is the older one.
            Err(EnvelopeError::UnknownType(_)) if index > 0 || !self.is_successor() => None,
            Err(error) => {
                let why = error.to_string();
                return Err(Fault::Unreadable { why }.into());
            }
        };
        if let Some(entry) = &entry {
            self.follow(index, &entry.event)?;
        }
        self.frontier.append_leaf(leaf);
        self.kept.last_id = Some(hex::encode(stored.id));
        match &entry {
            Some(entry) => {
                self.kept.figures.apply(entry);
                self.news.extend(Heard::of(index, entry));
            }
            None => self.kept.unknown_types += 1,
        }
        self.compare(&metadata)
    }

    /// For this log, this place, and by the key in force there.
    fn is_own(&self, signed: &Signed<'_>, metadata: &Metadata, index: u64) -> Result<(), Fault> {
        if signed.origin() != self.chain.origin() {
            let origin = signed.origin().to_string();
            return Err(Fault::OtherOrigin { origin });
        }
        if signed.index() != index {
            let index = signed.index();
            return Err(Fault::OtherPlace { index });
        }
        if metadata.index != index {
            let index = metadata.index;
            return Err(Fault::OtherPlace { index });
        }
        if !self.chain.is_by(signed.key_id(), index) {
            let key = hex::encode(signed.key_id().0);
            return Err(Fault::OtherKey { key });
        }
        let key = self.chain.in_force(index);
        if !signed.is_genuine(|message, signature| check(key, message, signature)) {
            return Err(Fault::Signature);
        }
        Ok(())
    }

    /// The events that change how the log is read.
    fn follow(&mut self, index: u64, event: &Event) -> Result<(), Fault> {
        if index == 0 && self.is_successor() && !self.begins(event) {
            return Err(Fault::Beginning);
        }
        if let Event::KeyRotated(rotation) = event {
            let rotated = self.chain.rotate(index, rotation, &check);
            rotated.map_err(|error| Fault::Rotation {
                why: error.to_string(),
            })?;
            self.kept.rotations.push((index, rotation.clone()));
            self.kept.checkpoints.rotated(&self.chain, &check);
        }
        Ok(())
    }

    fn is_successor(&self) -> bool {
        self.registration.incarnation() > 1
    }

    fn begins(&self, event: &Event) -> bool {
        let Event::LogIncarnated(beginning) = event else {
            return false;
        };
        let station = &self.registration.station;
        let own = format!("/station/{station}/");
        let before = beginning.old_origin.split_once(&own);
        let before: Option<u32> = before.and_then(|(_, number)| number.parse().ok());
        let incarnation = self.registration.incarnation();
        beginning.incarnation == incarnation && before.is_some_and(|before| before < incarnation)
    }

    fn compare(&mut self, metadata: &Metadata) -> Result<(), Refused> {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let checkpoints = &mut self.kept.checkpoints;
        checkpoints.reached(size, root, &self.chain, &check)?;
        match &metadata.checkpoint {
            Some(note) => checkpoints.take(note, size, &self.chain, &check),
            None => Ok(()),
        }
    }
}

/// The store's own names of the event are the event's.
fn is_named(stored: &Stored, id: [u8; 16], payload: &[u8]) -> Result<(), Fault> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        event_type: &'a str,
    }
    if stored.id != id {
        let id = hex::encode(stored.id);
        return Err(Fault::OtherId { id });
    }
    let typed: Typed<'_> = serde_json::from_slice(payload).map_err(|error| Fault::Unreadable {
        why: error.to_string(),
    })?;
    if typed.event_type == stored.event_type {
        Ok(())
    } else {
        let found = stored.event_type.clone();
        Err(Fault::OtherType { found })
    }
}

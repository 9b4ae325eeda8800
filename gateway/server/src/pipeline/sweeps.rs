//! Orphans: sealed files that nothing in the log names. What the log names is learned while it is replayed.

use gateway_core::State;
use schemas::event::Event;
use schemas::ids::BlobHash;
use schemas::key::SealingKeyId;
use schemas::time::Now;

use crate::blobs::{self, BlobStore};
use crate::sealing::{self, KeyStore};

/// The sweeps of both folders.
#[derive(Debug)]
pub struct Sweeps {
    blobs: blobs::Sweep,
    keys: sealing::Sweep,
}

/// What stays and what went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that stay.
    pub blobs: u64,
    /// Blobs that went.
    pub orphan_blobs: u64,
    /// Sealed session keys that stay.
    pub keys: u64,
    /// Sealed session keys that went.
    pub orphan_keys: u64,
}

impl Sweeps {
    /// Everything counts as an orphan until an event names it. Changes nothing yet: only when the log is open is it
    /// certain that no other process writes here.
    pub fn begin(blobs: &BlobStore, keys: &KeyStore) -> std::io::Result<Self> {
        Ok(Self {
            blobs: blobs.sweep()?,
            keys: keys.sweep()?,
        })
    }

    /// A snapshot names this blob.
    pub(super) fn blob_named(&mut self, blob: &BlobHash) {
        self.blobs.named(blob);
    }

    /// A snapshot names this session key.
    pub(super) fn key_named(&mut self, key: &SealingKeyId) {
        self.keys.named(key);
    }

    pub(super) fn replayed(&mut self, event: &Event) {
        let Some(sealed) = event.sealed() else { return };
        sealed.blobs.iter().for_each(|blob| self.blobs.named(blob));
        sealed.keys.iter().for_each(|key| self.keys.named(key));
    }

    /// Removes the orphans, as it stands at `now`. What belongs to a session that is open, or is being erased, stays.
    pub fn finish(self, state: &State, now: &Now) -> std::io::Result<Swept> {
        let Self { blobs, keys } = self;
        let (blobs, orphan_blobs) = blobs.finish(|key| keys.is_foreign(key))?;
        keys.keep_window_forms(|session| state.may_come_to_window(session, now))?;
        let (keys, orphan_keys) = keys.finish(
            |session| state.pickups().any(|(open, _)| open == session),
            |session| state.erasures().contains(session),
        );
        Ok(Swept {
            blobs,
            orphan_blobs,
            keys,
            orphan_keys,
        })
    }
}

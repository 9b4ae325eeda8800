//! Orphan keys: made for something that was never recorded. Found while the log is replayed, removed when it is open.

use std::collections::HashSet;
use std::path::PathBuf;

use schemas::ids::SessionId;
use schemas::key::SealingKeyId;

use super::store::{KeyStore, remove};

/// A sweep under way. Only names are held: a station may have very many keys that wait to go up.
#[derive(Debug)]
pub struct Sweep {
    store: KeyStore,
    orphans: HashSet<[u8; 16]>,
    notes: Vec<SealingKeyId>,
    /// Keys that may be at the centre.
    sent: Vec<SealingKeyId>,
    /// Half-written files of a life that ended in the middle.
    halves: Vec<PathBuf>,
    named: u64,
}

impl Sweep {
    pub(super) fn new(store: KeyStore) -> Self {
        Self {
            store,
            orphans: HashSet::new(),
            notes: Vec::new(),
            sent: Vec::new(),
            halves: Vec::new(),
            named: 0,
        }
    }

    pub(super) fn found(&mut self, key: &SealingKeyId) {
        self.orphans.insert(key.to_raw());
    }

    pub(super) fn note(&mut self, key: SealingKeyId) {
        self.notes.push(key);
    }

    pub(super) fn sent(&mut self, key: SealingKeyId) {
        self.sent.push(key);
    }

    pub(super) fn half(&mut self, path: PathBuf) {
        self.halves.push(path);
    }

    /// An event names this key.
    pub fn named(&mut self, key: &SealingKeyId) {
        if self.orphans.remove(&key.to_raw()) {
            self.named += 1;
        }
    }

    /// Whether the key is of an earlier log of this station. Its events are not replayed, so nothing is known against what is
    /// sealed under it.
    pub fn is_foreign(&self, key: &SealingKeyId) -> bool {
        self.orphans.contains(&key.to_raw()) && self.store.session_of(key).is_none()
    }

    /// Removes the forms for the window but those of these sessions.
    pub fn keep_window_forms(&self, keep: impl Fn(&SessionId) -> bool) -> std::io::Result<()> {
        self.store.keep_window_forms(keep)
    }

    /// Removes the keys of this log that no event named and whose session is not open, and the notes of erasures that are
    /// over. Answers how many keys stay and how many went.
    pub fn finish(
        self,
        is_open: impl Fn(&SessionId) -> bool,
        is_being_erased: impl Fn(&SessionId) -> bool,
    ) -> (u64, u64) {
        let (mut stay, mut went) = (self.named, 0);
        for half in self.halves {
            remove(&half);
        }
        for key in self.notes {
            let session = self.store.session_of_note(&key);
            if !session.is_some_and(|session| is_being_erased(&session)) {
                self.store.forget_notes(&[key]);
            }
        }
        for key in self.orphans {
            let key = SealingKeyId::of(&key);
            let is_orphan = |session| !is_open(&session) && !is_being_erased(&session);
            if self.store.session_of(&key).is_some_and(is_orphan) {
                self.store.remove_key(&key);
                went += 1;
            } else {
                stay += 1;
            }
        }
        for key in self.sent {
            self.store.forget_sent(&key);
        }
        (stay, went)
    }
}

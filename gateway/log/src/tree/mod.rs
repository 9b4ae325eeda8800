//! The tree's hashes, kept as C2SP tlog-tiles has them, so that any proof is a few reads.
//!
//! They are derived: every one follows from the events. So they are written after the events are durable, never synced, compared with
//! the events at each start and rewritten where they differ ([`CatchUp`]); those of closed epochs are compared with the tree that
//! the next epoch began with ([`StoredHashes`]). Where events were pruned the hashes are all that is left, so they are synced when an
//! epoch ends. A failure here must never fail the log; it only means that there are no proofs until the next start.

mod catch_up;
mod closed;
mod files;

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use schemas::proof::{Frontier, Hash, TILE_HEIGHT, TreeHashes};

use crate::proofs::ProofError;
use files::LevelFiles;

pub(crate) use catch_up::CatchUp;
pub use closed::StoredHashes;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// The same, to count with in files.
const HASH_LEN: u64 = 32;
/// A 64-bit size has no more tile levels.
const LEVELS_MAX: usize = 8;

/// Every stored hash of the tree. The committer writes, every handle reads.
#[derive(Debug)]
pub(crate) struct StoredTree {
    place: Place,
    /// The tree up to which all hashes are there.
    grown: Mutex<Frontier>,
    /// Why there are no proofs any more.
    failed: OnceLock<String>,
}

#[derive(Debug)]
enum Place {
    Disk(LevelFiles),
    /// The same bytes, a level each.
    Memory(Mutex<Vec<Vec<u8>>>),
}

impl StoredTree {
    pub(crate) fn in_memory() -> Self {
        Self {
            place: Place::Memory(Mutex::default()),
            grown: Mutex::default(),
            failed: OnceLock::new(),
        }
    }

    /// The tree that was caught up with, or why it could not be.
    fn on_disk(files: io::Result<LevelFiles>, tree: &Frontier, folder: &Path) -> Self {
        let failed = OnceLock::new();
        let files = files.unwrap_or_else(|error| {
            give_up(&failed, &error, folder);
            LevelFiles::none(folder)
        });
        Self {
            place: Place::Disk(files),
            grown: Mutex::new(tree.clone()),
            failed,
        }
    }

    /// Appends durable events to `tree` and stores the hashes that become known by it.
    pub(crate) fn grow(&self, tree: &mut Frontier, events: &[Vec<u8>]) {
        let first = tree.size();
        let mut levels: [Vec<u8>; LEVELS_MAX] = Default::default();
        for event in events {
            tree.append_leaf_storing(Hash::leaf(event), |level, hash| {
                if let Some(level) = levels.get_mut(usize::from(level)) {
                    level.extend_from_slice(&hash.0);
                }
            });
        }
        if self.failed.get().is_some() {
            return;
        }
        for (level, bytes) in (0..).zip(&levels) {
            if bytes.is_empty() {
                break;
            }
            if let Err(error) = self.write(level, stored_count(first, level), bytes) {
                give_up(&self.failed, &error, Path::new("tree"));
                return;
            }
        }
        self.lock().clone_from(tree);
    }

    /// Makes what is stored durable. A failure means that there are no proofs.
    pub(crate) fn sync(&self) {
        if let Place::Disk(files) = &self.place
            && self.failed.get().is_none()
            && let Err(error) = files.sync()
        {
            give_up(&self.failed, &error, Path::new("tree"));
        }
    }

    /// Whether the hashes that are stored of the first events are those of `tree`. Reads all of them.
    pub(crate) fn holds(&self, tree: &Frontier) -> Result<bool, ProofError> {
        self.available()?;
        closed::holds(self, tree)
    }

    /// The tree whose hashes are all stored.
    pub(crate) fn grown(&self) -> Frontier {
        self.lock().clone()
    }

    /// Whether there are proofs at all.
    pub(crate) fn available(&self) -> Result<(), ProofError> {
        let failed = self.failed.get().cloned();
        failed.map_or(Ok(()), |failed| Err(ProofError::Unavailable(failed)))
    }

    /// Hashes as they are stored. Those that are not there are an error.
    pub(crate) fn bytes(&self, level: u8, first: u64, count: usize) -> Result<Vec<u8>, ProofError> {
        self.available()?;
        match &self.place {
            Place::Disk(files) => files.read(level, first, count),
            Place::Memory(levels) => {
                let levels = levels.lock().unwrap_or_else(PoisonError::into_inner);
                let bytes = levels.get(usize::from(level)).and_then(|bytes| {
                    let from = usize::try_from(first).ok()?.checked_mul(HASH_BYTES)?;
                    bytes.get(from..from.checked_add(count * HASH_BYTES)?)
                });
                bytes.map(<[u8]>::to_vec).ok_or(ProofError::Damaged)
            }
        }
    }

    fn write(&self, level: u8, first: u64, bytes: &[u8]) -> io::Result<()> {
        match &self.place {
            Place::Disk(files) => files.write(level, first, bytes),
            Place::Memory(levels) => {
                let mut levels = levels.lock().unwrap_or_else(PoisonError::into_inner);
                let level = usize::from(level);
                if levels.len() <= level {
                    levels.resize_with(level + 1, Vec::new);
                }
                if let Some(stored) = levels.get_mut(level) {
                    stored.extend_from_slice(bytes);
                }
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Frontier> {
        // One assignment is made under this lock.
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TreeHashes for StoredTree {
    type Error = ProofError;

    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, ProofError> {
        self.bytes(level, first, count)
            .map(|bytes| hashes_of(&bytes))
    }
}

fn hashes_of(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
    hashes.iter().map(|hash| Hash(*hash)).collect()
}

/// How many hashes a level holds of a tree of `size` leaves.
pub(crate) fn stored_count(size: u64, level: u8) -> u64 {
    let shift = u32::from(level) * u32::from(TILE_HEIGHT);
    size.checked_shr(shift).unwrap_or(0)
}

/// Said once: from then on every question is answered with it.
fn give_up(failed: &OnceLock<String>, error: &io::Error, place: &Path) {
    if failed.set(error.to_string()).is_ok() {
        let place = place.display();
        tracing::error!(%error, %place, "the tree's hashes cannot be stored: no proofs until the next start");
    }
}

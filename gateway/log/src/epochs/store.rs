//! The epochs together, as one store.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use schemas::proof::{Frontier, NoteKey};

use super::walk::Walk;
use super::{Copies, EpochList, EpochPlace};
use crate::error::{LogFailed, Quarantine};
use crate::group::Space;
use crate::scratch;
use crate::store::{EpochsStore, Events, SledStore, Store, Write};

/// Closed epochs that are kept open for whoever reads them next: the log and the blobs on their way up, an auditor, a search for alerts. Each
/// of them comes back for its next events, and would have the epoch copied again for every few of them.
const READING_MAX: usize = 4;

/// What an epoch says of itself, under these names.
const ORIGIN: &str = "origin";
const TREE: &str = "tree";

/// Every epoch of a log. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct EpochStore(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    place: EpochPlace,
    /// None where the epochs are only read, of a copy of the log.
    owner: Option<Owner>,
    cache_bytes: u64,
    present: RwLock<Present>,
    /// Held while a closed epoch is opened, which copies it, or removed. Locked before `reading`, so that whoever begins an epoch waits for
    /// no copy.
    opening: Mutex<()>,
    /// Closed epochs that are open for reading, the one asked for last at the end. Locked before `present`.
    reading: Mutex<VecDeque<(u64, Arc<SledStore>)>>,
    /// How often a closed epoch was opened to be read.
    closed_opened: AtomicU64,
}

#[derive(Debug, Clone)]
struct Present {
    list: EpochList,
    /// The newest epoch.
    newest: Arc<SledStore>,
}

/// What whoever writes the log has beside it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// Whose log it is.
    pub(crate) identity: NoteKey,
    /// Where closed epochs are copied to, to be read.
    pub(crate) copies: Copies,
}

/// An epoch that was looked for.
enum Found {
    /// It is open; the index behind its last event, where it is closed to new ones.
    Open(Arc<SledStore>, Option<u64>),
    /// It is to be opened.
    Closed { first: u64, end: u64 },
}

/// What is behind these locks is whole after each statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreadable(failed: LogFailed) -> Quarantine {
    Quarantine::Unreadable(failed.to_string())
}

/// What makes an empty sled an epoch: whose it is, and the tree before its first event.
pub(crate) fn write_beginning(
    store: &SledStore,
    identity: &NoteKey,
    tree: &Frontier,
) -> Result<(), LogFailed> {
    let (origin, tree) = (identity.to_vkey(), tree.to_bytes());
    store.set_meta(&[(ORIGIN, origin.as_bytes()), (TREE, &tree)])
}

/// Each epoch says itself whose it is.
pub(crate) fn check_origin(store: &SledStore, identity: &NoteKey) -> Result<(), Quarantine> {
    let origin = store.meta(ORIGIN).map_err(unreadable)?;
    let origin = origin.ok_or(Quarantine::Missing("the log's own record of its origin"))?;
    if origin != identity.to_vkey().as_bytes() {
        return Err(Quarantine::Origin {
            part: "log",
            found: String::from_utf8_lossy(&origin).into_owned(),
            expected: identity.to_vkey(),
        });
    }
    Ok(())
}

/// The tree before an epoch's first event.
fn frontier_of(store: &SledStore, first: u64) -> Result<Frontier, Quarantine> {
    // The first epoch of an older format has none to say.
    let tree = match store.meta(TREE).map_err(unreadable)? {
        None if first == 0 => Some(Frontier::new()),
        None => None,
        Some(bytes) => Frontier::from_bytes(&bytes).ok(),
    };
    tree.filter(|tree| tree.size() == first)
        .ok_or(Quarantine::Missing(
            "an epoch's own record of the tree before it",
        ))
}

impl EpochStore {
    /// Of these epochs; `newest` is the last of them, opened.
    pub(crate) fn new(
        data: &Path,
        owner: Option<Owner>,
        cache_bytes: u64,
        list: EpochList,
        newest: SledStore,
    ) -> Self {
        let newest = Arc::new(newest);
        Self(Arc::new(Inner {
            place: EpochPlace::of(data),
            owner,
            cache_bytes,
            present: RwLock::new(Present { list, newest }),
            opening: Mutex::default(),
            reading: Mutex::default(),
            closed_opened: AtomicU64::default(),
        }))
    }

    /// The newest epoch.
    pub(crate) fn newest(&self) -> Arc<SledStore> {
        self.0.present().newest
    }

    /// Where the epochs lie.
    pub(crate) fn place(&self) -> &EpochPlace {
        &self.0.place
    }

    /// An epoch by its first index, open for reading.
    pub(crate) fn epoch(&self, first: u64) -> Result<Arc<SledStore>, LogFailed> {
        self.0.epoch_of(first).map(|(store, _)| store)
    }
}

impl Inner {
    fn present(&self) -> Present {
        self.present
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, present: Present) {
        // One assignment is made under this lock.
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = present;
    }

    /// The epoch of an event, and the index behind its last one.
    pub(super) fn epoch_of(&self, index: u64) -> Result<(Arc<SledStore>, Option<u64>), LogFailed> {
        let Present { list, newest } = self.present();
        if list.newest() <= index {
            // Whoever reads what is new does not wait for those who open what is old.
            if let Ok(mut reading) = self.reading.try_lock() {
                leave(&mut reading, &list, list.newest(), index);
            }
            return Ok((newest, None));
        }
        if let Found::Open(store, end) = self.found(index)? {
            return Ok((store, end));
        }
        let _opening = lock(&self.opening);
        // Somebody else may have opened it meanwhile, or removed it.
        match self.found(index)? {
            Found::Open(store, end) => Ok((store, end)),
            Found::Closed { first, end } => {
                let store = Arc::new(self.open_closed(first)?);
                keep(&mut lock(&self.reading), first, Arc::clone(&store));
                Ok((store, Some(end)))
            }
        }
    }

    /// How the epoch of an event is found.
    fn found(&self, index: u64) -> Result<Found, LogFailed> {
        let mut reading = lock(&self.reading);
        let Present { list, newest } = self.present();
        let Some(first) = list.epoch_of(index) else {
            let first_index = list.oldest();
            return Err(LogFailed::Pruned { index, first_index });
        };
        let Some(end) = list.end_of(first) else {
            return Ok(Found::Open(newest, None));
        };
        let known = reading.iter().position(|(known, _)| *known == first);
        if let Some((_, store)) = known.and_then(|at| reading.remove(at)) {
            keep(&mut reading, first, Arc::clone(&store));
            return Ok(Found::Open(store, Some(end)));
        }
        leave(&mut reading, &list, first, index);
        Ok(Found::Closed { first, end })
    }

    fn open_closed(&self, first: u64) -> Result<SledStore, LogFailed> {
        self.closed_opened.fetch_add(1, Ordering::Relaxed);
        let prepared = self.place.remove_half_snapshots(first);
        prepared.map_err(|error| failed("read a closed epoch", &error))?;
        let epoch = self.place.epoch(first);
        let Some(owner) = &self.owner else {
            // It is a copy already.
            let _kept = scratch::kept();
            return SledStore::open(&epoch, self.cache_bytes);
        };
        SledStore::open_for_reading(&owner.copies, &epoch)
    }

    /// Makes the epoch after `tree` and all that is in it durable. The list does not name it yet.
    fn make(&self, tree: &Frontier, before: &SledStore) -> Result<SledStore, LogFailed> {
        let (first, doing) = (tree.size(), "begin an epoch");
        // What an attempt that failed left behind.
        self.place
            .remove(first)
            .map_err(|error| failed(doing, &error))?;
        let store = SledStore::open(&self.place.epoch(first), self.cache_bytes)?;
        store.copy_pairs(before)?;
        let owner = self.owner.as_ref().ok_or(LogFailed::Closed)?;
        write_beginning(&store, &owner.identity, tree)?;
        if !store.reaches_our_sync()? {
            return Err(LogFailed::Sync(
                "a flush did not reach this program's own sync".to_owned(),
            ));
        }
        self.place
            .sync(first)
            .map_err(|error| failed(doing, &error))?;
        Ok(store)
    }
}

/// Whoever comes to the first event of an epoch is done with the one before it, which is closed unless somebody else reads it.
fn leave(reading: &mut VecDeque<(u64, Arc<SledStore>)>, list: &EpochList, first: u64, index: u64) {
    if index == first {
        let is_left = |known, store: &Arc<SledStore>| {
            list.end_of(known) == Some(first) && Arc::strong_count(store) == 1
        };
        reading.retain(|(known, store)| !is_left(*known, store));
    }
}

/// An epoch that nobody reads is closed when others were asked for since. It is closed under the lock, because sled lets a folder
/// be opened only once at a time.
fn keep(reading: &mut VecDeque<(u64, Arc<SledStore>)>, first: u64, store: Arc<SledStore>) {
    reading.push_back((first, store));
    while reading.len() > READING_MAX {
        let unused = reading
            .iter()
            .position(|(_, store)| Arc::strong_count(store) == 1);
        let Some(at) = unused else { return };
        drop(reading.remove(at));
    }
}

fn failed(doing: &str, error: &io::Error) -> LogFailed {
    LogFailed::Store(format!("cannot {doing}: {error}"))
}

impl Store for EpochStore {
    fn write(&self, write: &Write) -> Result<(), LogFailed> {
        self.newest().write(write)
    }

    fn events(&self, range: Range<u64>) -> Events {
        Box::new(Walk::new(Arc::clone(&self.0), range))
    }

    fn kv_load(&self, space: Space) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed> {
        self.newest().kv_load(space)
    }
}

impl EpochsStore for EpochStore {
    fn begin_epoch(&self, tree: &Frontier) -> Result<(), LogFailed> {
        let mut reading = lock(&self.0.reading);
        let Present { list, newest } = self.0.present();
        if list.newest() == tree.size() {
            // It holds no event yet, so it is the one.
            return Ok(());
        }
        let (closed, list) = (list.newest(), list.with(tree.size()));
        let made = self.0.make(tree, &newest)?;
        // From here on the epoch is part of the log.
        let written = list.write(&self.0.place.list());
        written.map_err(|error| failed("write EPOCHS", &error))?;
        self.0.set(Present {
            list,
            newest: Arc::new(made),
        });
        keep(&mut reading, closed, newest);
        Ok(())
    }

    fn epochs(&self) -> Vec<u64> {
        self.0.present().list.firsts().collect()
    }

    fn frontier(&self, first: u64) -> Result<Frontier, LogFailed> {
        let store = self.epoch(first)?;
        frontier_of(&store, first).map_err(|reason| LogFailed::Store(reason.to_string()))
    }

    fn drop_before(&self, first: u64) -> Result<(), LogFailed> {
        let _opening = lock(&self.0.opening);
        let mut reading = lock(&self.0.reading);
        let Present { list, newest } = self.0.present();
        let left = list.from(first);
        let written = left.write(&self.0.place.list());
        written.map_err(|error| failed("write EPOCHS", &error))?;
        self.0.set(Present { list: left, newest });
        // Whoever reads one keeps it open; its room is free when they are done.
        reading.retain(|(known, _)| *known >= first);
        for gone in list.firsts().filter(|known| *known < first) {
            let removed = self.0.place.remove(gone);
            removed.map_err(|error| failed("remove a pruned epoch", &error))?;
        }
        Ok(())
    }

    fn closed_opened(&self) -> u64 {
        self.0.closed_opened.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
#[path = "store_tests.rs"]
mod tests;

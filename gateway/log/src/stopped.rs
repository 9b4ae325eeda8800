//! A log whose station does not run, looked at without being touched: sled writes when it opens, so it is opened on a copy.

use std::io;
use std::path::Path;

use schemas::proof::Frontier;

use crate::copying;
use crate::epochs::{EpochList, EpochPlace, EpochStore};
use crate::error::{LogFailed, OpenError, Quarantine};
use crate::limits::Limits;
use crate::open::lock_stopped;
use crate::room;
use crate::scratch::{self, Scratch};
use crate::store::{EpochsStore as _, Events, SledStore, Store as _};
use crate::tree::StoredHashes;

/// What must be free beside a copy for its failure to open to say something about the log, in bytes.
const ROOM_BYTES: u64 = 8 << 20;

/// The copy of a log. Removed when dropped.
#[derive(Debug)]
pub struct StoppedLog {
    store: EpochStore,
    head: String,
    /// Last: the folder goes after the store in it.
    scratch: Scratch,
}

impl StoppedLog {
    /// Copies the log of `folder` into a new folder under `scratch` and opens the copy. `progress` hears how many bytes of how many
    /// are copied. A station that runs is refused; one that starts meanwhile finds its log in use.
    pub fn copy(
        folder: &Path,
        scratch: &Path,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, OpenError> {
        let _held = lock_stopped(folder)?;
        let head = match std::fs::read_to_string(folder.join("HEAD")) {
            Ok(head) => head,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Quarantine::Missing("HEAD").into());
            }
            // Not text: whoever parses it says so.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            Err(source) => return Err(OpenError::io("read HEAD")(source)),
        };
        let (place, list) = (EpochPlace::of(folder), list_of(folder)?);
        let scratch =
            Scratch::make(scratch).map_err(OpenError::io("make a folder for the copy"))?;
        let copied = EpochPlace::of(scratch.path());
        // An older format has its one epoch in the place of all.
        let mut sources = match &list {
            Some(list) => list
                .firsts()
                .map(|first| (place.epoch(first), copied.epoch(first)))
                .collect(),
            None => vec![(place.all(), copied.epoch(0))],
        };
        sources.push((folder.join("tree"), scratch.path().join("tree")));
        copying::folders(&sources, progress).map_err(OpenError::io("copy the log"))?;
        let list = list.unwrap_or_else(EpochList::first);
        let cache_bytes = Limits::default().cache_bytes;
        let newest = {
            let _kept = scratch::kept();
            SledStore::open(&copied.epoch(list.newest()), cache_bytes)
        };
        let newest = newest.map_err(|failed| unreadable(failed, scratch.path()))?;
        Ok(Self {
            store: EpochStore::new(scratch.path(), None, cache_bytes, list, newest),
            head,
            scratch,
        })
    }

    /// The signed note of `HEAD`, as it was found.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The first index of each epoch that is there, the oldest first. What comes before the oldest was pruned.
    pub fn epochs(&self) -> Vec<u64> {
        self.store.epochs()
    }

    /// The tree before the epoch that begins with this index, as the epoch says.
    pub fn frontier(&self, first: u64) -> Result<Frontier, LogFailed> {
        let frontier = self.store.frontier(first);
        frontier.map_err(|failed| with_room(plain(failed), self.scratch.path()))
    }

    /// The stored hashes of the tree. They are not checked.
    pub fn hashes(&self) -> io::Result<StoredHashes> {
        StoredHashes::of(self.scratch.path())
    }

    /// The events of these indexes, in order; ends after the first that is missing, pruned or cannot be read.
    pub fn read(&self, range: std::ops::Range<u64>) -> Events {
        let place = self.scratch.path().to_owned();
        let events = self.store.events(range);
        Box::new(events.map(move |event| event.map_err(|failed| with_room(plain(failed), &place))))
    }

    /// Every event from `first` on, in order; ends after the first that is missing, pruned or cannot be read.
    pub fn into_events(self, first: u64) -> Events {
        let events = self.read(first..u64::MAX);
        // The copy lives as long as it is read.
        Box::new(events.inspect(move |_| {
            let _kept: &Self = &self;
        }))
    }
}

/// The epochs of a stopped log; none where its format is older and has no list of them.
fn list_of(folder: &Path) -> Result<Option<EpochList>, OpenError> {
    let place = EpochPlace::of(folder);
    let list = EpochList::read(&place.list())?;
    if list.is_none() && !place.all().join("db").exists() {
        return Err(Quarantine::Missing("the log's folder").into());
    }
    // One that is missing shows when it is read.
    Ok(list)
}

/// sled writes when it opens, a closed epoch too: where the copy has no room for that, nothing is known of the log.
fn with_room(failed: LogFailed, copy: &Path) -> LogFailed {
    if matches!(failed, LogFailed::Store(_)) {
        full(copy).unwrap_or(failed)
    } else {
        failed
    }
}

/// That the disk of the copy has too little room, if so.
fn full(copy: &Path) -> Option<LogFailed> {
    let free_bytes = room::free_bytes(copy).ok()?;
    (free_bytes < ROOM_BYTES).then_some(LogFailed::NoRoom { free_bytes })
}

/// The same of the newest epoch, with which the copy begins.
fn unreadable(failed: LogFailed, copy: &Path) -> OpenError {
    if full(copy).is_some() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        return OpenError::io(format!("open the copy in {}", copy.display()))(full);
    }
    Quarantine::Unreadable(plain(failed).to_string()).into()
}

/// sled's own words end in a trace that is never there, and name a place in its files as it is stored.
fn plain(failed: LogFailed) -> LogFailed {
    let LogFailed::Store(text) = &failed else {
        return failed;
    };
    let place = text.strip_prefix("Read corrupted data at file offset ");
    match place.map(|place| place.trim_end_matches(" backtrace ()")) {
        Some("None") => LogFailed::Store("bytes on the disk are damaged".to_owned()),
        Some(place) => LogFailed::Store(format!("bytes on the disk are damaged, at {place}")),
        None => failed,
    }
}

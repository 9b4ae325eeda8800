//! A log whose station does not run, looked at without being touched: sled writes when it opens, so it is opened on a copy.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use schemas::proof::Frontier;

use crate::epochs::{EpochList, EpochPlace, EpochStore};
use crate::error::{LogFailed, OpenError, Quarantine};
use crate::limits::Limits;
use crate::open::lock_stopped;
use crate::store::{EpochsStore as _, Events, SledStore, Store as _};
use crate::tree::StoredHashes;

/// Copied at once, in bytes; progress is told after each.
const PIECE_BYTES: u64 = 4 << 20;

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
        let copied = EpochPlace::of(&scratch.0);
        // An older format has its one epoch in the place of all.
        let mut sources = match &list {
            Some(list) => list
                .firsts()
                .map(|first| (place.epoch(first), copied.epoch(first)))
                .collect(),
            None => vec![(place.all(), copied.epoch(0))],
        };
        sources.push((folder.join("tree"), scratch.0.join("tree")));
        copy_folders(&sources, progress).map_err(OpenError::io("copy the log"))?;
        let list = list.unwrap_or_else(EpochList::first);
        let unreadable = |failed: LogFailed| Quarantine::Unreadable(failed.to_string());
        let cache_bytes = Limits::default().cache_bytes;
        let newest = SledStore::open(&copied.epoch(list.newest()), cache_bytes);
        let newest = newest.map_err(unreadable)?;
        Ok(Self {
            store: EpochStore::new(&scratch.0, None, cache_bytes, list, newest),
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
        self.store.frontier(first)
    }

    /// The stored hashes of the tree. They are not checked.
    pub fn hashes(&self) -> io::Result<StoredHashes> {
        StoredHashes::of(&self.scratch.0)
    }

    /// The events of these indexes, in order; ends after the first that is missing, pruned or cannot be read.
    pub fn read(&self, range: std::ops::Range<u64>) -> Events {
        self.store.events(range)
    }

    /// Every event from `first` on, in order; ends after the first that is missing, pruned or cannot be read.
    pub fn into_events(self, first: u64) -> Events {
        let events = self.store.events(first..u64::MAX);
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

/// A folder that is removed with its content.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn make(under: &Path) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let id = std::process::id();
        for attempt in 0..1000 {
            let path = under.join(format!("station-log-copy-{id}-{attempt}"));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(path)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a copy of the log is left behind");
        }
    }
}

/// Folders with their files and folders; anything else in them is not the log's. One that is missing is empty.
fn copy_folders(
    folders: &[(PathBuf, PathBuf)],
    mut progress: impl FnMut(u64, u64),
) -> io::Result<()> {
    let mut files = Vec::new();
    for (from, to) in folders.iter().filter(|(from, _)| from.is_dir()) {
        let mut inner = Vec::new();
        list(from, Path::new(""), &mut inner)?;
        let pairs = inner.into_iter();
        files.extend(pairs.map(|(path, len)| (from.join(&path), to.join(path), len)));
    }
    let total = files.iter().map(|(_, _, len)| len).sum();
    let mut done = 0;
    for (source, target, _) in files {
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let (source, mut target) = (File::open(source)?, File::create_new(target)?);
        loop {
            let mut piece = io::Read::take(&source, PIECE_BYTES);
            let copied = io::copy(&mut piece, &mut target)?;
            done += copied;
            progress(done, total);
            if copied == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// What sled was cut off from writing, and does not survive finding.
fn is_half_snapshot(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "generating")
}

fn list(root: &Path, inner: &Path, files: &mut Vec<(PathBuf, u64)>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(inner))? {
        let entry = entry?;
        let (path, kind) = (inner.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            list(root, &path, files)?;
        } else if kind.is_file() && !is_half_snapshot(&path) {
            files.push((path, entry.metadata()?.len()));
        }
    }
    Ok(())
}

//! A log whose station does not run, looked at without being touched: sled writes when it opens, so it is opened on a copy.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{LogFailed, OpenError, Quarantine};
use crate::limits::Limits;
use crate::open::lock_stopped;
use crate::store::{Events, SledStore, Store as _};

/// Copied at once, in bytes; progress is told after each.
const PIECE_BYTES: u64 = 4 << 20;

/// The copy of a log. Removed when dropped.
#[derive(Debug)]
pub struct StoppedLog {
    store: SledStore,
    head: String,
    /// Last: the folder goes after the store in it.
    _scratch: Scratch,
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
        let from = folder.join("log");
        if !from.is_dir() {
            return Err(Quarantine::Missing("the log's folder").into());
        }
        let scratch =
            Scratch::make(scratch).map_err(OpenError::io("make a folder for the copy"))?;
        copy_folder(&from, &scratch.0, progress).map_err(OpenError::io("copy the log"))?;
        let unreadable = |failed: LogFailed| Quarantine::Unreadable(failed.to_string());
        let store =
            SledStore::open(&scratch.0, Limits::default().cache_bytes).map_err(unreadable)?;
        Ok(Self {
            store,
            head,
            _scratch: scratch,
        })
    }

    /// The signed note of `HEAD`, as it was found.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Every event, in order; ends after the first that is missing or cannot be read.
    pub fn into_events(self) -> Events {
        let events = self.store.events(0..u64::MAX);
        // The copy lives as long as it is read.
        Box::new(events.inspect(move |_| {
            let _kept: &Self = &self;
        }))
    }
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

/// A folder with its files and folders; anything else in it is not sled's.
fn copy_folder(from: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> io::Result<()> {
    let mut files = Vec::new();
    list(from, Path::new(""), &mut files)?;
    let total = files.iter().map(|(_, len)| len).sum();
    let mut done = 0;
    for (file, _) in files {
        let target = to.join(&file);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let (source, mut target) = (File::open(from.join(&file))?, File::create_new(target)?);
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

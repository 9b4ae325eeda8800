//! The folder that a copy lies in, of a whole log or of an epoch. It goes when it is dropped, or, at a signal, by [`remove_copies`]. A process
//! that was killed leaves it behind for the next one that sweeps the same place: the lock on the folder says that nobody lives in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::FlockOperation;

const PREFIX: &str = "station-log-copy-";
/// Names that are tried, of which others may be taken.
const ATTEMPTS: u32 = 1000;

/// The copies of this process. Locked while one is made and while one is removed.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this is held no copy is removed by [`remove_copies`], and once that began it is never given: whoever makes files in a copy holds it, so
/// that none is made again behind the removal.
pub(crate) fn kept() -> impl Drop {
    live()
}

/// Removes every copy of a log that this process holds, whoever still reads it, and calls `then`. No other copy is made or dropped
/// before `then` returns: it is meant to end the process.
pub fn remove_copies<T>(then: impl FnOnce() -> T) -> T {
    let copies = live();
    for copy in copies.iter() {
        remove(copy);
    }
    let result = then();
    drop(copies);
    result
}

/// A folder that is removed with its content.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    /// Held as long as the folder is used; it ends with the process, however that ends.
    _lock: File,
}

impl Scratch {
    /// A new folder under `under`, after what dead processes left there is gone.
    pub(crate) fn make(under: &Path) -> io::Result<Self> {
        let mut copies = live();
        sweep(under)?;
        let id = std::process::id();
        for attempt in 0..ATTEMPTS {
            let path = under.join(format!("{PREFIX}{id}-{attempt}"));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            // Another process may sweep it before the lock is taken.
            if let Some(lock) = lock(&path)? {
                copies.insert(path.clone());
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut copies = live();
        copies.remove(&self.path);
        remove(&self.path);
    }
}

/// The lock on a folder. `None`: another process has it, or the folder is gone.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let folder = match File::open(path) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    }
    // What was locked may have been removed just before.
    let there = std::fs::symlink_metadata(path);
    let same = there.is_ok_and(|there| {
        folder
            .metadata()
            .is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
    });
    Ok(same.then_some(folder))
}

/// Removes the copies of processes that are dead. A place that was never used has none.
pub(crate) fn sweep(under: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(under) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !named || !is_own_folder(&entry) {
            continue;
        }
        // One that cannot be locked is somebody's, and no reason not to go on.
        if let Ok(Some(_lock)) = lock(&entry.path()) {
            remove(&entry.path());
        }
    }
    Ok(())
}

/// Temporary folders are shared: what others put there under such a name is not touched, and no link is followed.
fn is_own_folder(entry: &std::fs::DirEntry) -> bool {
    let own = rustix::process::geteuid().as_raw();
    entry
        .metadata()
        .is_ok_and(|found| found.is_dir() && found.uid() == own)
}

/// As far as it can be done: what is left is removed by the next sweep. Nobody makes files in it meanwhile, see [`kept`].
fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_dir_all(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %path.display(), %error, "a copy of the log is left behind");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// G3: what a dead process left is removed when the next copy is made; what a living one holds, and what is no copy, is not.
    #[test]
    fn only_what_nobody_holds_is_swept() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = place.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("db"), "x").unwrap();
            path
        };
        let (dead, living, other) = (
            make("station-log-copy-1-0"),
            make("station-log-copy-1-1"),
            make("somebody-else"),
        );
        let link = place.path().join("station-log-copy-1-2");
        std::os::unix::fs::symlink(&other, &link).unwrap();
        // A lock belongs to the open file, so this process can stand for another one.
        let held = lock(&living).unwrap().unwrap();
        let own = Scratch::make(place.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.join("db").exists() && other.join("db").exists() && link.is_symlink());
        let second = Scratch::make(place.path()).unwrap();
        assert!(own.path().exists() && own.path() != second.path());
        drop((own, held));
        assert!(second.path().exists());
    }
}

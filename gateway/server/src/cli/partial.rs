//! A file or folder that has another name until it is whole: a full disk or a damaged log leaves no part under the name that was asked
//! for. A signal that ends the process leaves no part either.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;

use super::interrupt;

/// How often a folder is removed again in which files are still being made.
const REMOVALS: u32 = 100;

/// What this process has under way. Locked while something is begun, named or removed.
static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn live() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all that is under way and calls `then`. Nothing is begun or gets its name before `then` returns: it is meant to end the process.
pub(super) fn remove_all<T>(then: impl FnOnce() -> T) -> T {
    let parts = live();
    for part in parts.iter() {
        remove(part);
    }
    let result = then();
    drop(parts);
    result
}

/// Under way. Removed when dropped, unless it was kept.
#[derive(Debug)]
pub(super) struct Partial {
    part: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Partial {
    /// A new file for `target`, where nothing may be yet.
    pub(super) fn file(target: &Path) -> anyhow::Result<(Self, File)> {
        interrupt::leave_nothing_at_signals()?;
        let part = part_of(target)?;
        let mut parts = live();
        let file = File::create_new(&part);
        let file = file.with_context(|| format!("cannot make {}", part.display()))?;
        parts.insert(part.clone());
        Ok((Self::begun(part, target), file))
    }

    /// A new folder for `target`, where nothing may be yet.
    pub(super) fn folder(target: &Path) -> anyhow::Result<Self> {
        interrupt::leave_nothing_at_signals()?;
        let part = part_of(target)?;
        let mut parts = live();
        std::fs::create_dir(&part)
            .with_context(|| format!("cannot make the folder {}", part.display()))?;
        parts.insert(part.clone());
        Ok(Self::begun(part, target))
    }

    fn begun(part: PathBuf, target: &Path) -> Self {
        Self {
            part,
            target: target.to_owned(),
            kept: false,
        }
    }

    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        &self.part
    }

    /// It is whole, its files are on the disk: it gets its name, which is on the disk when this returns.
    pub(super) fn keep(mut self) -> anyhow::Result<()> {
        if self.part.is_dir() {
            synced(&self.part)?;
        }
        let mut parts = live();
        std::fs::rename(&self.part, &self.target)
            .with_context(|| format!("cannot give {} its name", self.part.display()))?;
        parts.remove(&self.part);
        drop(parts);
        self.kept = true;
        let above = self.target.parent().unwrap_or_else(|| Path::new(""));
        synced(if above.as_os_str().is_empty() {
            Path::new(".")
        } else {
            above
        })
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut parts = live();
        remove(&self.part);
        parts.remove(&self.part);
    }
}

/// What cannot be removed has a name that says what it is.
fn remove(part: &Path) {
    for _ in 0..REMOVALS {
        let removed = match std::fs::remove_file(part) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => std::fs::remove_dir_all(part),
            removed => removed,
        };
        if removed.is_ok() || !part.exists() {
            return;
        }
    }
}

fn synced(folder: &Path) -> anyhow::Result<()> {
    gateway_durable::sync_folder(folder)
        .with_context(|| format!("cannot write to {}", folder.display()))
}

/// The name for now; nothing that is there is written over.
fn part_of(target: &Path) -> anyhow::Result<PathBuf> {
    anyhow::ensure!(
        target.symlink_metadata().is_err(),
        "{} is there already: name another one",
        target.display()
    );
    let name = target.file_name();
    let mut name = name
        .with_context(|| format!("{} names no file", target.display()))?
        .to_owned();
    name.push(".part");
    Ok(target.with_file_name(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G3: what was not finished is not there, under no name; what was is not written over.
    #[test]
    fn only_what_is_whole_gets_its_name() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (place.path().join("one"), place.path().join("other"));
        drop(Partial::file(&one).unwrap());
        let folder = Partial::folder(&other).unwrap();
        std::fs::write(folder.path().join("events"), "x").unwrap();
        drop(folder);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
        Partial::file(&one).unwrap().0.keep().unwrap();
        Partial::folder(&other).unwrap().keep().unwrap();
        assert!(one.is_file() && other.is_dir());
        assert!(Partial::file(&one).is_err() && Partial::folder(&other).is_err());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
    }
}

//! The folder of sealed blobs. A file is there whole and durable, or not at all.

use std::collections::HashSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use schemas::ids::BlobHash;
use schemas::key::SealingKeyId;

use super::seal::{HEAD_LEN, hash, key_of};

/// What is in a blob's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// What was sealed.
    Whole(Vec<u8>),
    /// Something else: the disk changed it.
    Damaged,
    /// There is no such file.
    Missing,
}

impl Kept {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Whole(_) => "whole",
            Self::Damaged => "damaged",
            Self::Missing => "missing",
        }
    }
}

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BlobStore {
    folder: PathBuf,
}

impl BlobStore {
    /// Makes the folder if need be.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        if let Some(parent) = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            gateway_durable::sync_folder(parent)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Writes a sealed file: temporary name, fsync, rename, fsync of the folder. Blocks.
    pub fn write(&self, sealed: &[u8]) -> std::io::Result<BlobHash> {
        let name = hash(sealed).ok_or_else(|| std::io::Error::other("a hash is 64 digits"))?;
        let temporary = self.folder.join(format!("{name}.tmp"));
        let written = self.write_as(&temporary, &self.path(&name), sealed);
        if written.is_err() {
            // What is left of it would only take room; the sweep at the next start finds it otherwise.
            drop(std::fs::remove_file(&temporary));
        }
        written.map(|()| name)
    }

    fn write_as(&self, temporary: &Path, path: &Path, sealed: &[u8]) -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(temporary)?;
        file.write_all(sealed)?;
        gateway_durable::sync_file(&file)?;
        std::fs::rename(temporary, path)?;
        gateway_durable::sync_folder(&self.folder)
    }

    /// Removes a file that no event names, or that is at the centre and whose events were pruned. A file that is gone already is no failure.
    pub fn remove(&self, name: &BlobHash) -> std::io::Result<()> {
        match std::fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A sealed file, checked against its name. Blocks.
    pub fn read(&self, name: &BlobHash) -> std::io::Result<Kept> {
        match std::fs::read(self.path(name)) {
            Ok(bytes) if hash(&bytes).as_ref() == Some(name) => Ok(Kept::Whole(bytes)),
            Ok(_) => Ok(Kept::Damaged),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::Missing),
            Err(error) => Err(error),
        }
    }

    /// Whether a file of that name is there.
    pub fn holds(&self, name: &BlobHash) -> bool {
        self.path(name).exists()
    }

    /// The length of a file, in bytes; none: there is no such file.
    pub fn len_of(&self, name: &BlobHash) -> std::io::Result<Option<usize>> {
        match std::fs::metadata(self.path(name)) {
            Ok(meta) => Ok(usize::try_from(meta.len()).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key that a file is sealed under, as its head says.
    pub fn key_of(&self, name: &BlobHash) -> Option<SealingKeyId> {
        let mut head = [0; HEAD_LEN];
        let mut file = std::fs::File::open(self.path(name)).ok()?;
        file.read_exact(&mut head).ok()?;
        key_of(&head)
    }

    /// The files that are there whole.
    pub fn names(&self) -> std::io::Result<Vec<BlobHash>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            names.extend(BlobHash::new(entry?.file_name().to_string_lossy()).ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Begins a sweep: everything in the folder counts as an orphan until an event names it. Changes nothing yet: only
    /// when the log is open is it certain that no other process writes here.
    pub fn sweep(&self) -> std::io::Result<Sweep> {
        let (mut orphans, mut halves) = (HashSet::new(), Vec::new());
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            if let Some(hash) = name.strip_suffix(".tmp").map(BlobHash::new) {
                halves.extend(hash.is_ok().then(|| self.folder.join(&*name)));
            } else if let Ok(hash) = BlobHash::new(&*name) {
                orphans.insert(key(&hash));
            }
        }
        Ok(Sweep {
            store: self.clone(),
            orphans,
            halves,
            files: 0,
        })
    }

    fn path(&self, name: &BlobHash) -> PathBuf {
        self.folder.join(name.as_str())
    }
}

/// A sweep under way, while the log is replayed.
#[derive(Debug)]
pub struct Sweep {
    store: BlobStore,
    orphans: HashSet<[u8; 32]>,
    /// Half-written files of a life that ended in the middle.
    halves: Vec<PathBuf>,
    files: u64,
}

impl Sweep {
    /// An event names this blob.
    pub fn named(&mut self, hash: &BlobHash) {
        if self.orphans.remove(&key(hash)) {
            self.files += 1;
        }
    }

    /// Removes what no event named, unless `is_kept` says so of the key that it is sealed under. Answers how many blobs
    /// stay and how many orphans went.
    pub fn finish(self, is_kept: impl Fn(&SealingKeyId) -> bool) -> std::io::Result<(u64, u64)> {
        let (mut stay, mut went) = (self.files, 0);
        for half in self.halves {
            std::fs::remove_file(half)?;
        }
        for orphan in self.orphans {
            let Ok(name) = BlobHash::new(hex::encode(orphan)) else {
                continue;
            };
            if self.store.key_of(&name).is_some_and(|key| is_kept(&key)) {
                stay += 1;
            } else {
                self.store.remove(&name)?;
                went += 1;
            }
        }
        Ok((stay, went))
    }
}

fn key(hash: &BlobHash) -> [u8; 32] {
    let mut key = [0; 32];
    // A blob hash is 64 hexadecimal digits by construction.
    match hex::decode_to_slice(hash.as_str(), &mut key) {
        Ok(()) | Err(_) => key,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// evidence.md 6: orphans are swept, what an event names stays.
    #[test]
    fn the_sweep_removes_what_no_event_names() {
        let place = tempfile::tempdir().unwrap();
        let store = BlobStore::open(&place.path().join("blobs")).unwrap();
        let kept = store.write(b"kept").unwrap();
        let orphan = store.write(b"orphan").unwrap();
        let half = place.path().join("blobs").join(format!("{kept}.tmp"));
        std::fs::write(&half, b"half").unwrap();
        let mut sweep = store.sweep().unwrap();
        sweep.named(&kept);
        assert_eq!(sweep.finish(|_| false).unwrap(), (1, 1));
        assert!(store.holds(&kept) && !store.holds(&orphan) && !half.exists());
    }
}

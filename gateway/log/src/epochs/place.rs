//! Where the epochs lie, and the care their folders need.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::EpochList;
use crate::error::Quarantine;

const FOLDER_MODE: u32 = 0o700;

/// The epochs' place in a data folder.
#[derive(Debug, Clone)]
pub(crate) struct EpochPlace(PathBuf);

impl EpochPlace {
    pub(crate) fn of(data: &Path) -> Self {
        Self(data.to_owned())
    }

    /// The folder of all of them.
    pub(crate) fn all(&self) -> PathBuf {
        self.0.join("log")
    }

    /// sled's folder of the epoch that begins with this index.
    pub(crate) fn epoch(&self, first: u64) -> PathBuf {
        self.all().join(first.to_string())
    }

    /// The file that says which there are.
    pub(crate) fn list(&self) -> PathBuf {
        self.0.join("EPOCHS")
    }

    pub(crate) fn make_all(&self) -> io::Result<()> {
        gateway_durable::make_folder(&self.all(), FOLDER_MODE)
    }

    /// sled makes what it does not find; so what must be there is looked for first. Its `conf` is 8 bytes and more.
    pub(crate) fn require(&self, first: u64) -> Result<(), Quarantine> {
        let folder = self.epoch(first);
        let is_there = |name: &str, bytes_min: u64| {
            let metadata = folder.join(name).metadata();
            metadata.is_ok_and(|metadata| metadata.len() >= bytes_min)
        };
        for (part, bytes_min) in [("db", 1), ("conf", 9)] {
            if !is_there(part, bytes_min) {
                return Err(Quarantine::EpochMissing { first, part });
            }
        }
        Ok(())
    }

    /// A crash while sled writes a snapshot leaves it half-written under this name, and sled would read it.
    pub(crate) fn remove_half_snapshots(&self, first: u64) -> io::Result<()> {
        let folder = self.epoch(first);
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("snap.") && name.ends_with(".generating") {
                std::fs::remove_file(entry.path())?;
            }
        }
        gateway_durable::sync_folder(&folder)
    }

    /// Everything that sled made for an epoch: its files, its folders, and the entry of its own folder.
    pub(crate) fn sync(&self, first: u64) -> io::Result<()> {
        let folder = self.epoch(first);
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                gateway_durable::sync_folder(&path)?;
            } else {
                gateway_durable::sync_file(&File::open(&path)?)?;
            }
        }
        gateway_durable::sync_folder(&folder)?;
        gateway_durable::sync_folder(&self.all())
    }

    /// Removes the folder of an epoch that the list does not name. None is as good.
    pub(crate) fn remove(&self, first: u64) -> io::Result<()> {
        match std::fs::remove_dir_all(self.epoch(first)) {
            Ok(()) => gateway_durable::sync_folder(&self.all()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Epochs whose folders are there although the list does not name them: begun or removed by half.
    pub(crate) fn unlisted(&self, list: &EpochList) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.all())? {
            let name = entry?.file_name();
            let first = name.to_str().and_then(|name| name.parse::<u64>().ok());
            found.extend(first.filter(|first| list.firsts().all(|listed| listed != *first)));
        }
        Ok(found)
    }
}

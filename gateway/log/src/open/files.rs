//! The data folder: what is where, what must be there, and making all of it durable.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{OpenError, Quarantine};

/// Whether a folder holds a log or a part of one. A caller that finds no keys asks this before it makes new ones.
pub fn holds_log(folder: &Path) -> bool {
    ["HEAD", "log"]
        .iter()
        .any(|part| folder.join(part).exists())
}

/// The data folder is its owner's alone.
const FOLDER_MODE: u32 = 0o700;

/// The log's data folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it if need be.
    pub(super) fn prepare(folder: &Path) -> Result<Self, OpenError> {
        let doing = || OpenError::io(format!("make the data folder {}", folder.display()));
        gateway_durable::make_folder(folder, FOLDER_MODE).map_err(doing())?;
        Ok(Self(folder.canonicalize().map_err(doing())?))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// sled's folder.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    pub(super) fn format(&self) -> PathBuf {
        self.0.join("FORMAT")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("LOCK")
    }

    /// sled makes what it does not find; so what must be there is looked for first. Its `conf` is 8 bytes and more.
    pub(super) fn require_log(&self) -> Result<(), Quarantine> {
        let log = self.log();
        let bytes = |name| {
            log.join(name)
                .metadata()
                .map_or(0, |metadata| metadata.len())
        };
        if bytes("db") == 0 {
            return Err(Quarantine::Missing("log/db"));
        }
        if bytes("conf") <= 8 {
            return Err(Quarantine::Missing("log/conf"));
        }
        Ok(())
    }

    /// A crash while sled writes a snapshot leaves it half-written under this name, and sled would read it.
    pub(super) fn remove_half_snapshots(&self) -> Result<(), OpenError> {
        let log = self.log();
        let remove = || -> std::io::Result<()> {
            for entry in std::fs::read_dir(&log)? {
                let entry = entry?;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with("snap.") && name.ends_with(".generating") {
                    std::fs::remove_file(entry.path())?;
                }
            }
            gateway_durable::sync_folder(&log)
        };
        remove().map_err(OpenError::io("remove sled's half-written snapshots"))
    }

    /// Everything that sled and we made: its files, its folders, our folder and the one above.
    pub(super) fn sync_all(&self) -> Result<(), OpenError> {
        let log = self.log();
        let sync = || -> std::io::Result<()> {
            for entry in std::fs::read_dir(&log)? {
                let path = entry?.path();
                if path.is_dir() {
                    gateway_durable::sync_folder(&path)?;
                } else {
                    gateway_durable::sync_file(&File::open(&path)?)?;
                }
            }
            gateway_durable::sync_folder(&log)?;
            gateway_durable::sync_folder(&self.0)?;
            self.0.parent().map_or(Ok(()), gateway_durable::sync_folder)
        };
        sync().map_err(OpenError::io("make the data folder durable"))
    }
}

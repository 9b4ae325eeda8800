//! The data folder: what is where, what must be there, and making all of it durable.

use std::path::{Path, PathBuf};

use crate::epochs::EpochPlace;
use crate::error::OpenError;

/// Whether a folder holds a log or a part of one. A caller that finds no keys asks this before it makes new ones.
pub fn holds_log(folder: &Path) -> bool {
    ["HEAD", "EPOCHS", "log"]
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

    /// Where the epochs lie.
    pub(super) fn epochs(&self) -> EpochPlace {
        EpochPlace::of(&self.0)
    }

    pub(super) fn format(&self) -> PathBuf {
        self.0.join("FORMAT")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("LOCK")
    }

    /// Everything that sled and we made: the newest epoch's files, its folders, our folder and the one above.
    pub(super) fn sync_all(&self, newest: u64) -> Result<(), OpenError> {
        let sync = || -> std::io::Result<()> {
            self.epochs().sync(newest)?;
            gateway_durable::sync_folder(&self.0)?;
            self.0.parent().map_or(Ok(()), gateway_durable::sync_folder)
        };
        sync().map_err(OpenError::io("make the data folder durable"))
    }
}

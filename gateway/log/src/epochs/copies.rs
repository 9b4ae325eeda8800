//! Copies of epochs, for whoever only looks. sled mends what it opens: it drops what follows a damaged record, in place, so that an epoch that is
//! damaged is more so afterwards. A copy is opened where the epoch itself must stay as it was found.

use std::io;
use std::path::{Path, PathBuf};

use crate::copying::Listed;
use crate::room;
use crate::scratch::{self, Scratch};

const FOLDER: &str = "log-copies";

/// Where copies of a log's epochs are made.
#[derive(Debug, Clone)]
pub(crate) struct Copies {
    folder: PathBuf,
    room_bytes: u64,
}

impl Copies {
    /// Within the data folder. A copy leaves at least `room_bytes` on the disk.
    pub(crate) fn within(data: &Path, room_bytes: u64) -> Self {
        Self {
            folder: data.join(FOLDER),
            room_bytes,
        }
    }

    /// Copies an epoch's folder; none if the disk has too little room, so that the epoch itself is opened, which is told.
    pub(crate) fn make(&self, epoch: &Path) -> io::Result<Option<Scratch>> {
        let copy = self.try_make(epoch)?;
        if copy.is_none() {
            tracing::warn!(
                epoch = %epoch.display(),
                "too little room for a copy of an epoch: it is opened in place, and sled mends what is damaged there"
            );
        }
        Ok(copy)
    }

    fn try_make(&self, epoch: &Path) -> io::Result<Option<Scratch>> {
        gateway_durable::make_folder(&self.folder, 0o700)?;
        let files = Listed::of(epoch)?;
        if room::free_bytes(&self.folder)? < files.bytes().saturating_add(self.room_bytes) {
            return Ok(None);
        }
        let copy = Scratch::make(&self.folder)?;
        match files.copy_to(copy.path()) {
            Ok(()) => Ok(Some(copy)),
            // Others write to the disk too.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what a process that was killed left behind.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        scratch::sweep(&self.folder)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
#[path = "copies_tests.rs"]
mod tests;

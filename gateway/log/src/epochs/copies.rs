//! Copies of epochs, for whoever only looks. sled mends what it opens: it drops what follows a damaged record, in place, so that an epoch that is
//! damaged is more so afterwards. A copy is opened where the epoch itself must stay as it was found.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::copying;
use crate::room;

const FOLDER: &str = "log-copies";
/// A copy leaves at least so much room on the disk, in bytes; it is not worth more than what the station records.
const ROOM_KEPT_BYTES: u64 = 1 << 30;
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The copy of an epoch's folder. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Copy(PathBuf);

impl Copy {
    /// Copies `epoch` within the data folder; none if the disk has too little room for it.
    pub(crate) fn of(data: &Path, epoch: &Path) -> io::Result<Option<Self>> {
        let needed = copying::bytes(epoch)?;
        if room::free_bytes(data)? < needed.saturating_add(ROOM_KEPT_BYTES) {
            return Ok(None);
        }
        let all = data.join(FOLDER);
        gateway_durable::make_folder(&all, 0o700)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let copy = Self(all.join(number.to_string()));
        let copied = copying::folders(&[(epoch.to_owned(), copy.0.clone())], |_, _| {});
        match copied {
            Ok(()) => Ok(Some(copy)),
            // Others write to the disk too.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The copied folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes what a process that was killed left behind. Only whoever holds the log's lock may.
    pub(crate) fn sweep(data: &Path) -> io::Result<()> {
        match std::fs::remove_dir_all(data.join(FOLDER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a copy of an epoch is left behind until the next start");
        }
    }
}

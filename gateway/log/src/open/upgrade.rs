//! From one layout of the data folder to the next.

use std::io;

use super::files::Folder;
use crate::epochs::EpochList;
use crate::error::OpenError;

/// Version 1 had one sled folder, `log`. It becomes the first epoch, `log/0`, by renames: not a byte of it is written.
pub(super) fn into_epochs(folder: &Folder) -> Result<(), OpenError> {
    let upgrade = || -> io::Result<()> {
        let place = folder.epochs();
        let (all, aside) = (place.all(), folder.path().join("log-of-version-1"));
        // A crash in between leaves the log at one of three places: where it was, aside, or where it shall be.
        let is_old = all.join("db").exists() || all.join("conf").exists();
        if is_old {
            std::fs::rename(&all, &aside)?;
            gateway_durable::sync_folder(folder.path())?;
        }
        if aside.exists() {
            place.make_all()?;
            std::fs::rename(&aside, place.epoch(0))?;
            gateway_durable::sync_folder(&all)?;
            gateway_durable::sync_folder(folder.path())?;
        }
        if place.list().exists() {
            return Ok(());
        }
        EpochList::first().write(&place.list())
    };
    upgrade().map_err(OpenError::io("bring the data folder into epochs"))
}

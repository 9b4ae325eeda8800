//! The folder of what stations have sent beside their events: `<station>/blobs/<hash>` and `<station>/session-keys/<key>.json`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use schemas::ids::{BlobHash, SessionId, StationId};
use serde::Deserialize;

use super::folder::sync_folder;

/// The folder of one station.
#[derive(Debug, Clone)]
pub(super) struct Received(PathBuf);

#[derive(Deserialize)]
struct KeyFile {
    session: SessionId,
    origin: String,
}

impl Received {
    pub(super) fn of(folder: &Path, station: &StationId) -> Self {
        Self(folder.join(station.as_str()))
    }

    /// Makes the station's folder. A share that is not mounted lacks it, and a station sends nothing to a folder that is not there.
    /// Where the folder of all stations is not there, nothing is made.
    pub(super) fn make(&self) -> io::Result<()> {
        match std::fs::create_dir(&self.0) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound
                ) =>
            {
                Err(error)
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Whether the blob's file is there, whole.
    pub(super) fn has(&self, blob: &BlobHash) -> io::Result<bool> {
        Ok(self.read(blob)?.is_some())
    }

    /// The blob's file, if it is there, whole.
    pub(super) fn read(&self, blob: &BlobHash) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.0.join("blobs").join(blob.as_str())) {
            Ok(bytes) => {
                let is_whole = hex::encode(digest(&SHA256, &bytes)) == blob.as_str();
                Ok(is_whole.then_some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Destroys the sealed keys of these sessions of a log; how many. They are gone from the disk when this returns.
    pub(super) fn destroy_keys(
        &self,
        origin: &str,
        sessions: &BTreeSet<SessionId>,
    ) -> io::Result<usize> {
        if sessions.is_empty() {
            return Ok(0);
        }
        let folder = self.0.join("session-keys");
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut destroyed = 0;
        for entry in entries {
            let path = entry?.path();
            let Ok(file) = serde_json::from_slice::<KeyFile>(&std::fs::read(&path)?) else {
                continue;
            };
            if sessions.contains(&file.session) && file.origin == origin {
                std::fs::remove_file(&path)?;
                destroyed += 1;
            }
        }
        if destroyed > 0 {
            sync_folder(&folder)?;
        }
        Ok(destroyed)
    }
}

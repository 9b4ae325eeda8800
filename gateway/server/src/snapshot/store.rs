//! The folder of snapshots. A file is there whole and durable, under the name of its SHA-256, or not at all.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use schemas::envelope::{self, Origin};
use schemas::event::Event;
use schemas::event::evidence::SnapshotTaken;
use schemas::ids::SnapshotHash;

use super::contents::{Contents, ContentsError};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SnapshotStore(PathBuf);

/// Why there is no going on from a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The event names none.
    #[error("the event names no snapshot")]
    NotNamed,
    /// Its file is missing or cannot be read.
    #[error("its file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Its file is not the one that was named.
    #[error("its file is damaged")]
    Damaged,
    /// Its content is of no use.
    #[error(transparent)]
    Contents(#[from] ContentsError),
}

impl SnapshotStore {
    /// In a data folder. Nothing is made before the first snapshot.
    pub fn of(data: &Path) -> Self {
        Self(data.join("snapshots"))
    }

    /// Writes a snapshot: temporary name, fsync, rename, fsync of the folder. Blocks.
    pub fn write(&self, bytes: &[u8]) -> io::Result<SnapshotHash> {
        let name = hash(bytes)?;
        gateway_durable::make_folder(&self.0, FOLDER_MODE)?;
        gateway_durable::replace_file(&self.path(&name), bytes, FILE_MODE)?;
        Ok(name)
    }

    /// The snapshot that an event of the log `origin` names, if its file is the one that was written.
    pub fn read(&self, taken: &SnapshotTaken, origin: &Origin) -> Result<Contents, Unusable> {
        Ok(Contents::from_bytes(
            &self.bytes(taken)?,
            origin,
            taken.size,
        )?)
    }

    /// The snapshot that this signed event of the log names.
    pub fn of_event(&self, signed: &[u8], origin: &Origin) -> Result<Contents, Unusable> {
        let entry = envelope::read(signed).map_err(ContentsError::from)?;
        let Event::SnapshotTaken(taken) = entry.event else {
            return Err(Unusable::NotNamed);
        };
        self.read(&taken, origin)
    }

    /// Whether there is such a file, whole.
    pub fn holds(&self, taken: &SnapshotTaken) -> bool {
        self.bytes(taken).is_ok()
    }

    /// Removes every file but these.
    pub fn keep<'a>(
        &self,
        names: impl Iterator<Item = &'a SnapshotHash> + Clone,
    ) -> io::Result<()> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if !names
                .clone()
                .any(|kept| name.to_str() == Some(kept.as_str()))
            {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn bytes(&self, taken: &SnapshotTaken) -> Result<Vec<u8>, Unusable> {
        let path = self.path(&taken.state);
        if path.metadata()?.len() != taken.state_len {
            return Err(Unusable::Damaged);
        }
        let bytes = std::fs::read(path)?;
        if hash(&bytes)? == taken.state {
            Ok(bytes)
        } else {
            Err(Unusable::Damaged)
        }
    }

    fn path(&self, name: &SnapshotHash) -> PathBuf {
        self.0.join(name.as_str())
    }
}

fn hash(bytes: &[u8]) -> io::Result<SnapshotHash> {
    SnapshotHash::new(hex::encode(digest(&SHA256, bytes))).map_err(io::Error::other)
}

//! The centre's folder: what is written into it is on the disk, whole, when the call returns.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The folder and the names in it.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// Held by the one program that follows the logs in this folder.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, never read")] File);

impl Folder {
    /// Makes what is missing.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let folder = Self(path.to_owned());
        for path in [
            folder.0.clone(),
            folder.registrations(),
            folder.offers(),
            folder.keys(),
            folder.logs(),
            folder.forks(),
        ] {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(&path)?;
        }
        sync_folder(&folder.0)?;
        Ok(folder)
    }

    /// Keeps others from following with the same folder.
    pub(super) fn lock(&self) -> io::Result<Lock> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::other("another centre runs with this folder"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// A file for each registered log.
    pub(super) fn registrations(&self) -> PathBuf {
        self.0.join("stations")
    }

    /// Registrations that nobody has confirmed.
    pub(super) fn offers(&self) -> PathBuf {
        self.0.join("offers")
    }

    /// The centre's signing keys.
    pub(super) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// How far each log has been verified.
    pub(super) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// Checkpoints that contradict each other or the log.
    pub(super) fn forks(&self) -> PathBuf {
        self.0.join("forks")
    }

    /// What the office knows. It names people.
    pub(super) fn office(&self) -> PathBuf {
        self.0.join("office.json")
    }

    /// The chips of the cards that were made, by serial.
    pub(super) fn made(&self) -> PathBuf {
        self.0.join("made")
    }

    /// What has been seen of the store as a whole.
    pub(super) fn seen(&self) -> PathBuf {
        self.0.join("seen.json")
    }
}

/// The files of a folder whose name ends in `.json`, by the name before it.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Reads a JSON file. `None`: there is none.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(path, &error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| named(path, &error))
}

/// Writes a JSON file in place of the one before it; durable when this returns.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(value).map_err(io::Error::other)?;
    bytes.push(b'\n');
    replace(path, &bytes)
}

/// Writes a file in place of the one before it; durable when this returns.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_aside(path, bytes)?;
    std::fs::rename(&temporary, path)?;
    sync_folder(path.parent().unwrap_or(path))
}

/// Writes a file that is not there yet; durable when this returns. False: it is there, and stays as it is.
pub(super) fn create(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    let temporary = write_aside(path, bytes)?;
    let linked = std::fs::hard_link(&temporary, path);
    std::fs::remove_file(&temporary)?;
    match linked {
        Ok(()) => sync_folder(path.parent().unwrap_or(path)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// A whole file under a name that nobody else writes to.
fn write_aside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let temporary = path.with_extension(format!("{:016x}.new", fastrand::u64(..)));
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(FILE_MODE)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(temporary)
}

/// A name is an entry of its folder, which is on the disk only after this.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

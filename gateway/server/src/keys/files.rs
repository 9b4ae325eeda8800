//! The files of the keys folder: their modes, and that they are durable before anything depends on them.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeysError;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// No file of ours comes near this.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The keys folder, its mode checked.
#[derive(Debug)]
pub(super) struct KeyFolder {
    path: PathBuf,
    may_make: bool,
}

impl KeyFolder {
    /// `may_make`: this is the first start, so what is missing is made.
    pub(super) fn open(path: &Path, may_make: bool) -> Result<Self, KeysError> {
        let make = || -> std::io::Result<()> {
            DirBuilder::new()
                .recursive(true)
                .mode(FOLDER_MODE)
                .create(path)?;
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            gateway_durable::sync_folder(parent.unwrap_or_else(|| Path::new(".")))
        };
        if may_make && !path.exists() {
            make().map_err(io(format!("make the keys folder {}", path.display())))?;
        }
        let folder = Self {
            path: path.to_owned(),
            may_make,
        };
        if path.exists() {
            check_mode(path, FOLDER_MODE)?;
        }
        Ok(folder)
    }

    /// That nobody else can read any file here, whoever wrote it.
    pub(super) fn check_modes(&self) -> Result<(), KeysError> {
        let doing = || format!("list the keys folder {}", self.path.display());
        for entry in std::fs::read_dir(&self.path).map_err(io(doing()))? {
            let entry = entry.map_err(io(doing()))?;
            if entry.file_type().map_err(io(doing()))?.is_file() {
                check_mode(&entry.path(), FILE_MODE)?;
            }
        }
        Ok(())
    }

    /// The bytes of `part`; made by `make` where this is the first start.
    pub(super) fn read_or_make(
        &self,
        part: &'static str,
        make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, KeysError>,
    ) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let path = self.path.join(part);
        match path.metadata() {
            Ok(metadata) if metadata.len() > FILE_BYTES_MAX => Err(self.damaged(part)),
            Ok(_) => {
                check_mode(&path, FILE_MODE)?;
                let bytes = std::fs::read(&path).map_err(io(format!("read {}", path.display())))?;
                Ok(Zeroizing::new(bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.may_make => {
                let bytes = make()?;
                gateway_durable::replace_file(&path, &bytes, FILE_MODE)
                    .map_err(io(format!("write {}", path.display())))?;
                Ok(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(KeysError::Missing {
                part,
                folder: self.path.clone(),
            }),
            Err(source) => Err(io(format!("look at {}", path.display()))(source)),
        }
    }

    /// The bytes of a part that need not be there.
    pub(super) fn read(&self, part: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeysError> {
        let path = self.path.join(part);
        match std::fs::read(&path) {
            Ok(bytes) => {
                check_mode(&path, FILE_MODE)?;
                Ok(Some(Zeroizing::new(bytes)))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io(format!("read {}", path.display()))(source)),
        }
    }

    /// Puts a part there, durable when this returns.
    pub(super) fn replace(&self, part: &str, bytes: &[u8]) -> Result<(), KeysError> {
        let path = self.path.join(part);
        gateway_durable::replace_file(&path, bytes, FILE_MODE)
            .map_err(io(format!("write {}", path.display())))
    }

    /// Gives a part the name of another, which is gone then; durable when this returns.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), KeysError> {
        let path = self.path.join(from);
        std::fs::rename(&path, self.path.join(to))
            .and_then(|()| gateway_durable::sync_folder(&self.path))
            .map_err(io(format!("rename {}", path.display())))
    }

    /// Moves a part into another folder; durable when this returns.
    pub(super) fn move_to(&self, part: &str, folder: &Path) -> Result<(), KeysError> {
        let path = self.path.join(part);
        std::fs::rename(&path, folder.join(part))
            .and_then(|()| gateway_durable::sync_folder(folder))
            .and_then(|()| gateway_durable::sync_folder(&self.path))
            .map_err(io(format!("move {}", path.display())))
    }

    /// Removes a part, if it is there; durable when this returns.
    pub(super) fn remove(&self, part: &str) -> Result<(), KeysError> {
        let path = self.path.join(part);
        match std::fs::remove_file(&path) {
            Ok(()) => gateway_durable::sync_folder(&self.path)
                .map_err(io(format!("sync {}", self.path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(io(format!("remove {}", path.display()))(source)),
        }
    }

    /// Where `part` is.
    pub(super) fn file(&self, part: &str) -> PathBuf {
        self.path.join(part)
    }

    pub(super) fn damaged(&self, part: &'static str) -> KeysError {
        KeysError::Damaged {
            part,
            folder: self.path.clone(),
        }
    }
}

fn check_mode(path: &Path, wanted: u32) -> Result<(), KeysError> {
    let metadata = path
        .metadata()
        .map_err(io(format!("look at {}", path.display())))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Permissions {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    Ok(())
}

fn io(doing: String) -> impl FnOnce(std::io::Error) -> KeysError {
    move |source| KeysError::Io { doing, source }
}

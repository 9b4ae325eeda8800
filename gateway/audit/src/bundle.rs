//! A whole log in a folder, as `gateway export` writes it: three files that anybody can check.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::anchor::{Anchor, AnchorError};
use crate::sequence::Sequence;

/// Every signed event in order: a CBOR sequence (RFC 8742).
pub const EVENTS_FILE: &str = "events.cose";
/// The signed checkpoint over all of them.
pub const CHECKPOINT_FILE: &str = "checkpoint";
/// The verifier key of the log's first key.
pub const VKEY_FILE: &str = "vkey";

const SMALL_FILE_LEN_MAX: u64 = 64 * 1024;

/// Such a folder.
#[derive(Debug)]
pub struct Bundle {
    folder: PathBuf,
    /// What the folder itself says the first key is. Whoever does not know it from elsewhere trusts the folder.
    pub anchor: Anchor,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why a folder is not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file is missing or cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its verifier key is not one.
    #[error("{path}: {source}")]
    Anchor {
        /// The file.
        path: PathBuf,
        /// Why.
        source: AnchorError,
    },
}

impl Bundle {
    /// Reads the two small files.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let vkey = small_text(&folder.join(VKEY_FILE))?;
        let anchor = Anchor::from_vkey(&vkey).map_err(|source| BundleError::Anchor {
            path: folder.join(VKEY_FILE),
            source,
        })?;
        let checkpoint = small_text(&folder.join(CHECKPOINT_FILE))?;
        Ok(Self {
            folder: folder.to_owned(),
            anchor,
            checkpoint,
        })
    }

    /// The events, from index 0 on.
    pub fn events(&self) -> Result<Sequence<BufReader<File>>, BundleError> {
        let path = self.folder.join(EVENTS_FILE);
        match File::open(&path) {
            Ok(file) => Ok(Sequence::new(BufReader::new(file))),
            Err(source) => Err(BundleError::Io { path, source }),
        }
    }
}

fn small_text(path: &Path) -> Result<String, BundleError> {
    let read = || {
        let mut text = String::new();
        File::open(path)?
            .take(SMALL_FILE_LEN_MAX)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|source| BundleError::Io {
        path: path.to_owned(),
        source,
    })
}

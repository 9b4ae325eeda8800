//! `tree/0`, `tree/1`, …: one file for each tile level, its hashes one after the other, so that tile `N` of a level is the
//! 8,192 bytes from `N`·8,192 on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use schemas::proof::{Hash, TreeHashes};

use super::{HASH_BYTES, HASH_LEN, LEVELS_MAX, hashes_of};
use crate::proofs::ProofError;

/// The files, each open from its first hash on.
#[derive(Debug)]
pub(super) struct LevelFiles {
    folder: PathBuf,
    levels: [OnceLock<File>; LEVELS_MAX],
}

impl LevelFiles {
    /// No file yet.
    pub(super) fn none(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            levels: Default::default(),
        }
    }

    /// Those that are there; nothing is made.
    pub(super) fn existing(folder: &Path) -> io::Result<Self> {
        let files = Self::none(folder);
        for level in (0..).take(LEVELS_MAX) {
            match File::open(Self::path(folder, level)) {
                Ok(file) => files.put(level, file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    /// Makes all of them durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        for file in self.levels.iter().filter_map(OnceLock::get) {
            gateway_durable::sync_file(file)?;
        }
        gateway_durable::sync_folder(&self.folder)
    }

    pub(super) fn path(folder: &Path, level: u8) -> PathBuf {
        folder.join(level.to_string())
    }

    /// Opens a level's file, or makes it.
    pub(super) fn open(folder: &Path, level: u8) -> io::Result<File> {
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(Self::path(folder, level))
    }

    /// Takes over a file that is open.
    pub(super) fn put(&self, level: u8, file: File) {
        if let Some(slot) = self.levels.get(usize::from(level)) {
            // Each level is put once; were it twice, the first would be as good.
            slot.set(file).ok();
        }
    }

    /// Writes hashes from number `first` on.
    pub(super) fn write(&self, level: u8, first: u64, bytes: &[u8]) -> io::Result<()> {
        if self.file(level).is_none() {
            self.put(level, Self::open(&self.folder, level)?);
        }
        let file = self.file(level).ok_or(io::ErrorKind::InvalidInput)?;
        file.write_all_at(bytes, offset(first))
    }

    pub(super) fn read(&self, level: u8, first: u64, count: usize) -> Result<Vec<u8>, ProofError> {
        let file = self.file(level).ok_or(ProofError::Damaged)?;
        let mut bytes = vec![0; count.saturating_mul(HASH_BYTES)];
        match file.read_exact_at(&mut bytes, offset(first)) {
            Ok(()) => Ok(bytes),
            // Cut short behind our back.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ProofError::Damaged),
            Err(error) => Err(ProofError::Unavailable(error.to_string())),
        }
    }

    fn file(&self, level: u8) -> Option<&File> {
        self.levels.get(usize::from(level))?.get()
    }
}

impl TreeHashes for LevelFiles {
    type Error = ProofError;

    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, ProofError> {
        self.read(level, first, count)
            .map(|bytes| hashes_of(&bytes))
    }
}

fn offset(first: u64) -> u64 {
    first.saturating_mul(HASH_LEN)
}

//! The hashes of closed epochs at start: whether they are those of the tree that the next epoch began with.

use std::io;
use std::path::Path;

use schemas::proof::{Frontier, Hash, TreeHashes};

use super::files::LevelFiles;
use super::{LEVELS_MAX, stored_count};
use crate::proofs::ProofError;

/// Hashes read at once.
const READ_LEN: usize = 4096;

/// The hashes of a log's tree, read where they lie and never written.
#[derive(Debug)]
pub struct StoredHashes(LevelFiles);

impl StoredHashes {
    /// Of the log in `data`.
    pub(crate) fn of(data: &Path) -> io::Result<Self> {
        LevelFiles::existing(&data.join("tree")).map(Self)
    }

    /// Whether every hash that is stored of the first events is that of `tree`. Reads all of them.
    pub fn holds(&self, tree: &Frontier) -> Result<bool, ProofError> {
        holds(&self.0, tree)
    }
}

impl TreeHashes for StoredHashes {
    type Error = ProofError;

    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, ProofError> {
        self.0.hashes(level, first, count)
    }
}

/// Builds the tree again from its leaves and compares each hash that is stored on the way.
pub(super) fn holds<T: TreeHashes<Error = ProofError>>(
    stored: &T,
    tree: &Frontier,
) -> Result<bool, ProofError> {
    let mut levels: Vec<Reader<'_, T>> = (0..)
        .take(LEVELS_MAX)
        .map(|level| Reader::new(stored, level, stored_count(tree.size(), level)))
        .collect();
    let (mut built, mut outcome) = (Frontier::new(), Ok(true));
    while built.size() < tree.size() && matches!(outcome, Ok(true)) {
        let Some(leaf) = levels.first_mut().map(Reader::next).transpose()?.flatten() else {
            return Ok(false);
        };
        built.append_leaf_storing(leaf, |level, hash| {
            if level > 0
                && let Some(reader) = levels.get_mut(usize::from(level))
            {
                match reader.next() {
                    Ok(found) if found == Some(hash) => {}
                    Ok(_) => outcome = Ok(false),
                    Err(error) => outcome = Err(error),
                }
            }
        });
    }
    outcome.map(|same| same && built == *tree)
}

/// The hashes of one level in order.
struct Reader<'a, T> {
    stored: &'a T,
    level: u8,
    at: u64,
    end: u64,
    read: std::vec::IntoIter<Hash>,
}

impl<'a, T: TreeHashes<Error = ProofError>> Reader<'a, T> {
    fn new(stored: &'a T, level: u8, end: u64) -> Self {
        Self {
            stored,
            level,
            at: 0,
            end,
            read: Vec::new().into_iter(),
        }
    }

    fn next(&mut self) -> Result<Option<Hash>, ProofError> {
        if self.read.as_slice().is_empty() {
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let count = left.min(READ_LEN);
            if count == 0 {
                return Ok(None);
            }
            let hashes = self.stored.hashes(self.level, self.at, count)?;
            self.at += u64::try_from(count).unwrap_or(u64::MAX);
            self.read = hashes.into_iter();
        }
        Ok(self.read.next())
    }
}

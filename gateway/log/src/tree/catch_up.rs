//! Bringing `tree/` up to the log in the pass that verifies it: what is on disk is compared, a tile at a time, with what the
//! events say, and written only where it differs. Takes a tile of memory for each level, however long the log is. The pass may
//! begin at a later event, where the hashes before it are known to be right.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use schemas::proof::{Frontier, Hash, TILE_WIDTH};

use super::files::LevelFiles;
use super::{HASH_BYTES, HASH_LEN, LEVELS_MAX, StoredTree, stored_count};

/// What is compared at once, in bytes.
const TILE_BYTES: usize = TILE_WIDTH * HASH_BYTES;
const FOLDER_MODE: u32 = 0o700;

/// The pass over every level.
#[derive(Debug)]
pub(crate) struct CatchUp {
    folder: PathBuf,
    levels: io::Result<Vec<Level>>,
}

#[derive(Debug)]
struct Level {
    file: File,
    number: u8,
    /// The length that it was found with.
    found_bytes: u64,
    /// How much of it is compared and right, in bytes.
    right_bytes: u64,
    /// Where it was first found wrong.
    wrong_at: Option<u64>,
    tile: Vec<u8>,
}

impl CatchUp {
    /// Of the log in `data`, behind the `size` events whose hashes are right. Nothing is changed before a hash differs.
    pub(crate) fn begin(data: &Path, size: u64) -> Self {
        let folder = data.join("tree");
        let levels = open_levels(&folder, size);
        Self { folder, levels }
    }

    /// Of a log whose hashes are gone for events that are gone too: nothing is written, and there are no proofs.
    pub(crate) fn hopeless(data: &Path) -> Self {
        let why = "hashes of pruned events are damaged";
        Self {
            folder: data.join("tree"),
            levels: Err(io::Error::other(why)),
        }
    }

    /// The next hash of a level. A failure is kept until [`CatchUp::finish`].
    pub(crate) fn push(&mut self, level: u8, hash: Hash) {
        if let Ok(levels) = &mut self.levels
            && let Err(error) = push(&self.folder, levels, level, hash)
        {
            self.levels = Err(error);
        }
    }

    /// The last hash of `tree` was pushed: what is beyond is cut off.
    pub(crate) fn finish(self, tree: &Frontier) -> StoredTree {
        let Self { folder, levels } = self;
        let files = levels.and_then(|levels| finish(&folder, levels));
        StoredTree::on_disk(files, tree, &folder)
    }
}

/// Every level that has a hash at that size.
fn open_levels(folder: &Path, size: u64) -> io::Result<Vec<Level>> {
    (0..)
        .map(|number| (number, stored_count(size, number)))
        .take_while(|(_, count)| *count > 0)
        .map(|(number, count)| {
            let right_bytes = count.saturating_mul(HASH_LEN);
            Level::open(folder, number, right_bytes)
        })
        .collect()
}

fn push(folder: &Path, levels: &mut Vec<Level>, number: u8, hash: Hash) -> io::Result<()> {
    let at = usize::from(number);
    if levels.len() <= at {
        gateway_durable::make_folder(folder, FOLDER_MODE)?;
        levels.push(Level::open(folder, number, 0)?);
    }
    let level = levels.get_mut(at).ok_or(io::ErrorKind::InvalidInput)?;
    level.tile.extend_from_slice(&hash.0);
    if level.tile.len() >= TILE_BYTES {
        level.settle()?;
    }
    Ok(())
}

fn finish(folder: &Path, levels: Vec<Level>) -> io::Result<LevelFiles> {
    // A log without events is given its folder too.
    gateway_durable::make_folder(folder, FOLDER_MODE)?;
    let files = LevelFiles::none(folder);
    for number in levels.len()..LEVELS_MAX {
        let path = LevelFiles::path(folder, u8::try_from(number).unwrap_or(u8::MAX));
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::warn!(level = number, "a level that the tree has not was removed"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    for mut level in levels {
        level.settle()?;
        if level.found_bytes > level.right_bytes {
            level.file.set_len(level.right_bytes)?;
            level.wrong_at.get_or_insert(level.right_bytes);
        }
        level.tell();
        files.put(level.number, level.file);
    }
    Ok(files)
}

impl Level {
    fn open(folder: &Path, number: u8, right_bytes: u64) -> io::Result<Self> {
        let file = LevelFiles::open(folder, number)?;
        let found_bytes = file.metadata()?.len();
        Ok(Self {
            file,
            number,
            found_bytes,
            right_bytes,
            wrong_at: None,
            tile: Vec::with_capacity(TILE_BYTES),
        })
    }

    /// Compares what was gathered, writes it if it differs, and goes on behind it.
    fn settle(&mut self) -> io::Result<()> {
        let mut found = vec![0; self.tile.len()];
        let is_right = match self.file.read_exact_at(&mut found, self.right_bytes) {
            Ok(()) => found == self.tile,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        if !is_right {
            self.wrong_at.get_or_insert(self.right_bytes);
            self.file.write_all_at(&self.tile, self.right_bytes)?;
        }
        self.right_bytes += u64::try_from(self.tile.len()).unwrap_or(u64::MAX);
        self.tile.clear();
        Ok(())
    }

    /// A file that is made for the first time is no news.
    fn tell(&self) {
        if let Some(wrong_at) = self.wrong_at
            && self.found_bytes > 0
        {
            tracing::warn!(
                level = self.number,
                found_bytes = self.found_bytes,
                wrong_at,
                "the tree's stored hashes were not those of the log, and were written anew"
            );
        }
    }
}

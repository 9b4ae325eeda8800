//! Making of inclusion and consistency proofs (RFC 6962, 2.1.1 and 2.1.2) from stored tree hashes.
//!
//! The hashes are stored as C2SP tlog-tiles has them: of the whole tree only every eighth height. What lies between is
//! hashed again when it is asked for, so a proof reads a tile or two for each height stored and never the whole tree. It
//! judges nothing: whoever hands a proof out checks it first ([`super::verify_inclusion`], [`super::verify_consistency`]).

use super::Hash;

/// The height of a tile: a stored level lies this many heights above the one before.
pub const TILE_HEIGHT: u8 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;

/// Where the hashes of a tree are stored. Tile level `L` holds the roots of the perfect subtrees of 2^(8·L) leaves, in order;
/// level 0 is the leaves. Tile `N` of a level is the 256 hashes from number 256·`N` on.
pub trait TreeHashes {
    /// Why hashes could not be read.
    type Error;
    /// `count` hashes of this tile level, from number `first` on. Neither fewer nor more.
    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Self::Error>;
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The tree asked for has no such leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoSuchLeaf {
        /// The leaf asked for.
        index: u64,
        /// The size asked for.
        size: u64,
    },
    /// A tree is no prefix of a smaller one.
    #[error("a tree of {old_size} leaves is no prefix of one of {size}")]
    NotAPrefix {
        /// The size of the prefix.
        old_size: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The store answered with too few or too many hashes.
    #[error("the store answered with another number of hashes than it was asked for")]
    Count,
    /// The store could not answer.
    #[error(transparent)]
    Store(E),
}

/// The proof that leaf `index` is in the tree of the first `size` leaves: the siblings on its way up, the lowest first.
pub fn prove_inclusion<T: TreeHashes>(
    tree: &T,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError<T::Error>> {
    if index >= size {
        return Err(ProveError::NoSuchLeaf { index, size });
    }
    let (mut first, mut end) = (0, size);
    let mut path = Vec::new();
    while end - first > 1 {
        let middle = first + left_width(end - first);
        if index < middle {
            path.push(root_of(tree, middle, end)?);
            end = middle;
        } else {
            path.push(root_of(tree, first, middle)?);
            first = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of the first `old_size` leaves is a prefix of that of the first `size`. Empty when they are the same
/// and when the old one has no leaf.
pub fn prove_consistency<T: TreeHashes>(
    tree: &T,
    old_size: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError<T::Error>> {
    if old_size > size {
        return Err(ProveError::NotAPrefix { old_size, size });
    }
    let mut path = Vec::new();
    if old_size == 0 || old_size == size {
        return Ok(path);
    }
    let (mut first, mut end) = (0, size);
    while end != old_size {
        let middle = first + left_width(end - first);
        if old_size <= middle {
            path.push(root_of(tree, middle, end)?);
            end = middle;
        } else {
            path.push(root_of(tree, first, middle)?);
            first = middle;
        }
    }
    // The old tree's own root is known to who checks, unless it was cut out of the middle.
    if first > 0 {
        path.push(root_of(tree, first, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The root over the first `size` leaves (RFC 6962, 2.1).
pub fn root_at<T: TreeHashes>(tree: &T, size: u64) -> Result<Hash, ProveError<T::Error>> {
    if size == 0 {
        return Ok(Hash::empty_root());
    }
    root_of(tree, 0, size)
}

/// The largest power of two below `leaves`, which is at least 2: where RFC 6962 divides a tree.
fn left_width(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root over the leaves from `first` to before `end`, which begin where a subtree of that size may begin.
fn root_of<T: TreeHashes>(tree: &T, first: u64, end: u64) -> Result<Hash, ProveError<T::Error>> {
    let mut roots = Vec::new();
    let mut at = first;
    while at < end {
        let height = (end - at).ilog2();
        roots.push(perfect(tree, at, height)?);
        at += 1 << height;
    }
    let joined = roots.into_iter().rev();
    let root = joined.reduce(|right, left| Hash::node(&left, &right));
    root.ok_or(ProveError::Count)
}

/// The root of the perfect subtree of this height whose first leaf is `first`.
fn perfect<T: TreeHashes>(tree: &T, first: u64, height: u32) -> Result<Hash, ProveError<T::Error>> {
    let tile_height = u32::from(TILE_HEIGHT);
    let (level, above) = (height / tile_height, height % tile_height);
    // A height of a 64-bit size is below 64, so the level is below 8.
    let stored = u8::try_from(level).or(Err(ProveError::Count))?;
    let count = 1 << above;
    let mut hashes = tree
        .hashes(stored, first >> (level * tile_height), count)
        .map_err(ProveError::Store)?;
    if hashes.len() != count {
        return Err(ProveError::Count);
    }
    while hashes.len() > 1 {
        let (pairs, _) = hashes.as_chunks::<2>();
        hashes = pairs
            .iter()
            .map(|[left, right]| Hash::node(left, right))
            .collect();
    }
    hashes.pop().ok_or(ProveError::Count)
}

#[cfg(test)]
#[path = "prove_tests.rs"]
mod tests;

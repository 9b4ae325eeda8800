//! Proofs for those who were not there: that an event is in the log, and that the log only ever grew.
//!
//! A proof is made from the stored hashes, which are derived and may be damaged, so each one is checked against a root that
//! does not come from them before it is handed out: that of the stored checkpoint, or, past it, that of the committer's own tree. One
//! that does not hold is never handed out.

use schemas::proof::{
    Hash, ProveError, TILE_HEIGHT, TILE_WIDTH, TreeHashes, prove_consistency, prove_inclusion,
    root_at, verify_consistency, verify_inclusion,
};

use crate::handle::Log;
use crate::notary::SignedHead;
use crate::tree::{StoredTree, stored_count};

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The log, or the tree of the size asked for, has no such event.
    #[error("there is no event {index} among {size}")]
    NoSuchEvent {
        /// The event asked for.
        index: u64,
        /// The events there are.
        size: u64,
    },
    /// The event is durable, but no stored checkpoint covers it yet; one soon will.
    #[error("event {index} is not under a checkpoint yet; the last one covers {size} events")]
    NotYetCovered {
        /// The event asked for.
        index: u64,
        /// The events that the stored checkpoint covers.
        size: u64,
    },
    /// The tree is not that large, or its hashes are not stored yet.
    #[error("the tree holds {stored} events, not {size}")]
    NoSuchSize {
        /// The size asked for.
        size: u64,
        /// The size up to which hashes are stored.
        stored: u64,
    },
    /// The sizes are the wrong way round.
    #[error("a tree of {old_size} events is no prefix of one of {size}")]
    NotAPrefix {
        /// The size of the prefix.
        old_size: u64,
        /// The size of the tree.
        size: u64,
    },
    /// No such tile, or not as wide.
    #[error("there is no tile {index} of level {level} with {width} hashes")]
    NoSuchTile {
        /// The tile's level.
        level: u8,
        /// The tile's number.
        index: u64,
        /// The hashes asked for.
        width: usize,
    },
    /// What is stored is not what was signed.
    #[error("the stored tree is damaged; it is rebuilt at the next start")]
    Damaged,
    /// The stored tree cannot be used. The log goes on without it.
    #[error("there are no proofs before the next start: {0}")]
    Unavailable(String),
}

/// That an event is in the log, for who trusts the station's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The event's index.
    pub index: u64,
    /// The event's leaf.
    pub leaf: Hash,
    /// From the leaf up to the root of `head`.
    pub path: Vec<Hash>,
    /// A stored checkpoint that covers the event.
    pub head: SignedHead,
}

/// That an event is in the tree of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionIn {
    /// The event's index.
    pub index: u64,
    /// The event's leaf.
    pub leaf: Hash,
    /// The size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// From the leaf up to the root.
    pub path: Vec<Hash>,
}

/// That one tree is a prefix of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistency {
    /// The size of the prefix.
    pub old_size: u64,
    /// Its root.
    pub old_root: Hash,
    /// The size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// The proof.
    pub path: Vec<Hash>,
}

impl Log {
    /// The proof that an event is under the stored checkpoint. Reads the disk, a few tiles.
    pub fn inclusion(&self, index: u64) -> Result<Inclusion, ProofError> {
        let head = self.head();
        let (size, durable) = (head.checkpoint.size, self.size());
        if index >= durable {
            return Err(ProofError::NoSuchEvent {
                index,
                size: durable,
            });
        }
        if index >= size {
            return Err(ProofError::NotYetCovered { index, size });
        }
        let (leaf, path) = included(self.tree(), index, size, head.checkpoint.root)?;
        Ok(Inclusion {
            index,
            leaf,
            path,
            head,
        })
    }

    /// The proof that an event is in the tree of the first `size` events, which any checkpoint of that size signs.
    pub fn inclusion_in(&self, index: u64, size: u64) -> Result<InclusionIn, ProofError> {
        if index >= size {
            return Err(ProofError::NoSuchEvent { index, size });
        }
        let root = self.root_at(size)?;
        let (leaf, path) = included(self.tree(), index, size, root)?;
        Ok(InclusionIn {
            index,
            leaf,
            size,
            root,
            path,
        })
    }

    /// The proof that the tree of the first `old_size` events is a prefix of that of the first `size`.
    pub fn consistency(&self, old_size: u64, size: u64) -> Result<Consistency, ProofError> {
        if old_size > size {
            return Err(ProofError::NotAPrefix { old_size, size });
        }
        let root = self.root_at(size)?;
        let (old_root, path) = prefix(self.tree(), old_size, size, root)?;
        Ok(Consistency {
            old_size,
            old_root,
            size,
            root,
            path,
        })
    }

    /// The root over the first `size` events, shown to be the one that the stored checkpoint (or, past it, the log's own tree)
    /// grew from.
    pub fn root_at(&self, size: u64) -> Result<Hash, ProofError> {
        self.tree().available()?;
        let head = self.head().checkpoint;
        let (anchor_size, anchor) = if size <= head.size {
            (head.size, head.root)
        } else {
            let grown = self.tree().grown();
            (grown.size(), grown.root())
        };
        if size > anchor_size {
            return Err(ProofError::NoSuchSize {
                size,
                stored: anchor_size,
            });
        }
        prefix(self.tree(), size, anchor_size, anchor).map(|(root, _)| root)
    }

    /// The first `width` hashes of a tile (c2sp.org/tlog-tiles), as they are stored: 32 bytes each. Unlike a proof they are not
    /// checked; whoever uses tiles checks them against a checkpoint.
    pub fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<u8>, ProofError> {
        let missing = ProofError::NoSuchTile {
            level,
            index,
            width,
        };
        self.tree().available()?;
        let stored = stored_count(self.tree().grown().size(), level);
        let first = index.checked_mul(1 << TILE_HEIGHT);
        let end = first
            .zip(u64::try_from(width).ok())
            .and_then(|(first, width)| first.checked_add(width));
        match first.zip(end) {
            Some((first, end)) if (1..=TILE_WIDTH).contains(&width) && end <= stored => {
                self.tree().bytes(level, first, width)
            }
            _ => Err(missing),
        }
    }
}

/// Leaf and path of an event, checked against a root that is known.
fn included(
    tree: &StoredTree,
    index: u64,
    size: u64,
    root: Hash,
) -> Result<(Hash, Vec<Hash>), ProofError> {
    let path = prove_inclusion(tree, index, size)?;
    let leaf = tree.hashes(0, index, 1)?.pop().ok_or(ProofError::Damaged)?;
    if !verify_inclusion(leaf, index, size, &path, root) {
        return Err(ProofError::Damaged);
    }
    Ok((leaf, path))
}

/// Root and path of a prefix, checked against a root that is known.
fn prefix(
    tree: &StoredTree,
    old_size: u64,
    size: u64,
    root: Hash,
) -> Result<(Hash, Vec<Hash>), ProofError> {
    if old_size == size {
        return Ok((root, Vec::new()));
    }
    let old_root = root_at(tree, old_size)?;
    let path = prove_consistency(tree, old_size, size)?;
    if !verify_consistency(old_size, old_root, size, root, &path) {
        return Err(ProofError::Damaged);
    }
    Ok((old_root, path))
}

impl From<ProveError<Self>> for ProofError {
    fn from(error: ProveError<Self>) -> Self {
        match error {
            ProveError::NoSuchLeaf { index, size } => Self::NoSuchEvent { index, size },
            ProveError::NotAPrefix { old_size, size } => Self::NotAPrefix { old_size, size },
            ProveError::Count => Self::Damaged,
            ProveError::Store(error) => error,
        }
    }
}

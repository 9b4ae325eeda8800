//! Proof that an event is genuine and in its place: the Merkle tree over the signed events (RFC 6962), and the signed
//! checkpoints over that tree (C2SP tlog-checkpoint and signed-note).
//!
//! It owns the formats. It knows no key store, signs nothing itself (signing is an argument), and must never read a
//! clock or a file.

mod checkpoint;
mod frontier;
mod inclusion;
mod note;
mod prove;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use frontier::{Frontier, FrontierError};
pub use inclusion::{verify_consistency, verify_inclusion};
pub use note::{NoteError, NoteKey, SignedNote};
pub use prove::{
    ProveError, TILE_HEIGHT, TILE_WIDTH, TreeHashes, prove_consistency, prove_inclusion, root_at,
};

use sha2::{Digest, Sha256};

/// A SHA-256 hash of the tree: a leaf, a node or a root. 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The root of the tree without leaves: SHA-256 of nothing (RFC 6962, 2.1).
    pub fn empty_root() -> Self {
        Self(Sha256::digest([]).into())
    }

    /// A leaf's hash: SHA-256(00 ‖ event) (RFC 6962, 2.1).
    pub fn leaf(event: &[u8]) -> Self {
        let mut sha = Sha256::new();
        sha.update([0x00]);
        sha.update(event);
        Self(sha.finalize().into())
    }

    /// An inner node's hash: SHA-256(01 ‖ left ‖ right) (RFC 6962, 2.1).
    pub fn node(left: &Self, right: &Self) -> Self {
        let mut sha = Sha256::new();
        sha.update([0x01]);
        sha.update(left.0);
        sha.update(right.0);
        Self(sha.finalize().into())
    }
}

impl std::fmt::Display for Hash {
    /// Lower-case hexadecimal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

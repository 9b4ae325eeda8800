//! The right edge of the tree: all that is needed to append leaves and to name the root, in at most 64 hashes.

use super::{Hash, TILE_HEIGHT};

/// Of each perfect subtree that the leaves so far make up, its root; the largest (leftmost) first. There is one for each
/// bit that is set in the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

/// Why bytes are not a frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// Not eight bytes of size and a hash for each bit set in it.
    #[error("a frontier of {size} leaves takes {expected_bytes} bytes, not {actual_bytes}")]
    Length {
        /// The number of leaves that the bytes claim; 0 when there are too few bytes to say.
        size: u64,
        /// The length that such a frontier has, in bytes.
        expected_bytes: usize,
        /// The length that was given, in bytes.
        actual_bytes: usize,
    },
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of leaves; also the index of the next one.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the leaf of this event's signed bytes.
    pub fn append(&mut self, event: &[u8]) {
        self.append_leaf(Hash::leaf(event));
    }

    /// Appends a leaf by its hash.
    pub fn append_leaf(&mut self, leaf: Hash) {
        self.append_leaf_storing(leaf, |_, _| {});
    }

    /// The same, and shows each hash that becomes known by it and that [`super::TreeHashes`] keeps, with its tile level.
    /// They come in the order in which each level keeps them.
    pub fn append_leaf_storing(&mut self, leaf: Hash, mut store: impl FnMut(u8, Hash)) {
        let mut root = leaf;
        let mut height = 0;
        store(0, leaf);
        // As many perfect subtrees close as the size has ones at its end: a binary carry.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                root = Hash::node(&left, &root);
                height += 1;
                if height % TILE_HEIGHT == 0 {
                    store(height / TILE_HEIGHT, root);
                }
            }
        }
        self.roots.push(root);
        self.size += 1;
    }

    /// The root over all leaves so far (RFC 6962, 2.1).
    pub fn root(&self) -> Hash {
        let mut from_right = self.roots.iter().rev();
        from_right.next().map_or_else(Hash::empty_root, |smallest| {
            from_right.fold(*smallest, |right, left| Hash::node(left, &right))
        })
    }

    /// Size (8 bytes, big-endian), then the subtree roots, the largest first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.roots.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for root in &self.roots {
            bytes.extend_from_slice(&root.0);
        }
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes
            .split_first_chunk::<8>()
            .map(|(size, rest)| (u64::from_be_bytes(*size), rest))
            .ok_or(FrontierError::Length {
                size: 0,
                expected_bytes: 8,
                actual_bytes: bytes.len(),
            })?;
        let (roots, odd) = rest.as_chunks::<32>();
        let expected = size.count_ones();
        if !odd.is_empty() || u32::try_from(roots.len()) != Ok(expected) {
            return Err(FrontierError::Length {
                size,
                expected_bytes: (0..expected).fold(8, |bytes, _| bytes + 32),
                actual_bytes: bytes.len(),
            });
        }
        Ok(Self {
            size,
            roots: roots.iter().map(|root| Hash(*root)).collect(),
        })
    }
}

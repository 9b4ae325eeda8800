//! The tree over leaves that were read one by one: for a stopped log, whose stored tree is not trusted.

use std::convert::Infallible;

use schemas::proof::{Frontier, Hash, TreeHashes};

/// Leaf hashes, in order.
#[derive(Debug, Default)]
pub struct Leaves(pub Vec<Hash>);

impl TreeHashes for Leaves {
    type Error = Infallible;

    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Infallible> {
        // A hash of this level stands for so many leaves.
        let width = 1usize
            .checked_shl(u32::from(level) * 8)
            .unwrap_or(usize::MAX);
        let begin = usize::try_from(first)
            .unwrap_or(usize::MAX)
            .saturating_mul(width);
        let leaves = self.0.get(begin..).unwrap_or_default();
        let roots = leaves.chunks_exact(width).take(count).map(|leaves| {
            let mut tree = Frontier::new();
            for leaf in leaves {
                tree.append_leaf(*leaf);
            }
            tree.root()
        });
        Ok(roots.collect())
    }
}

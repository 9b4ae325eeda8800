//! The prover against the recursion of RFC 6962 written out, and against our own checks.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::cell::Cell;

use super::super::{Frontier, verify_consistency, verify_inclusion};
use super::*;

/// The stored levels, and how much was read of them.
#[derive(Default)]
struct Stored {
    levels: Vec<Vec<Hash>>,
    reads: Cell<usize>,
}

impl TreeHashes for Stored {
    type Error = ();

    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, ()> {
        self.reads.set(self.reads.get() + 1);
        assert!(
            count < TILE_WIDTH,
            "a full tile is one hash of the next level"
        );
        let first = usize::try_from(first).unwrap();
        let level = self.levels.get(usize::from(level)).ok_or(())?;
        Ok(level.get(first..first + count).ok_or(())?.to_vec())
    }
}

fn leaf(index: u64) -> Hash {
    Hash::leaf(&index.to_be_bytes())
}

/// A tree's stored levels and its root at each size.
fn grown(size: u64) -> (Stored, Vec<Hash>) {
    let mut tree = Frontier::new();
    let mut stored = Stored::default();
    let mut roots = vec![tree.root()];
    for index in 0..size {
        tree.append_leaf_storing(leaf(index), |level, hash| {
            let level = usize::from(level);
            stored
                .levels
                .resize_with(stored.levels.len().max(level + 1), Vec::new);
            stored.levels[level].push(hash);
        });
        roots.push(tree.root());
    }
    (stored, roots)
}

/// MTH of RFC 6962, 2.1, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            Hash::node(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
        }
    }
}

/// PATH of RFC 6962, 2.1.1, word for word.
fn naive_path(at: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, last) = if at < k {
        (naive_path(at, &leaves[..k]), naive_root(&leaves[k..]))
    } else {
        (naive_path(at - k, &leaves[k..]), naive_root(&leaves[..k]))
    };
    path.push(last);
    path
}

/// SUBPROOF of RFC 6962, 2.1.2, word for word.
fn naive_subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![naive_root(leaves)]
        };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, last) = if old <= k {
        (
            naive_subproof(old, &leaves[..k], whole),
            naive_root(&leaves[k..]),
        )
    } else {
        (
            naive_subproof(old - k, &leaves[k..], false),
            naive_root(&leaves[..k]),
        )
    };
    path.push(last);
    path
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap()
}

/// G3: every leaf of every size up to 70, and every pair of sizes, has the proof that the recursion writes.
#[test]
fn proofs_are_those_of_the_recursion() {
    let (stored, _) = grown(70);
    let leaves: Vec<Hash> = (0..70).map(leaf).collect();
    for size in 0..=leaves.len() {
        let part = &leaves[..size];
        assert_eq!(root_at(&stored, wide(size)), Ok(naive_root(part)));
        for at in 0..size {
            let proof = prove_inclusion(&stored, wide(at), wide(size));
            assert_eq!(proof, Ok(naive_path(at, part)), "{at} in {size}");
            let proof = prove_consistency(&stored, wide(at + 1), wide(size));
            assert_eq!(
                proof,
                Ok(naive_subproof(at + 1, part, true)),
                "{at} in {size}"
            );
        }
    }
}

/// G3: around a full tile the recursion writes the same proofs too.
#[test]
fn proofs_across_a_tile_are_those_of_the_recursion() {
    let (stored, _) = grown(600);
    let leaves: Vec<Hash> = (0..600).map(leaf).collect();
    for size in [255, 256, 257, 511, 512, 513, 599, 600] {
        for at in [0, 1, 127, 128, 253, 254, 255, 256, 257, 300, 511, 512, 598] {
            if at < size {
                let proof = prove_inclusion(&stored, wide(at), wide(size));
                assert_eq!(proof, Ok(naive_path(at, &leaves[..size])), "{at} in {size}");
                let proof = prove_consistency(&stored, wide(at + 1), wide(size));
                let expected = naive_subproof(at + 1, &leaves[..size], true);
                assert_eq!(proof, Ok(expected), "{at} in {size}");
            }
        }
    }
}

fn assert_holds(stored: &Stored, roots: &[Hash], at: u64, size: u64) {
    let root = |size: u64| roots[usize::try_from(size).unwrap()];
    let path = prove_inclusion(stored, at, size).unwrap();
    assert!(
        verify_inclusion(leaf(at), at, size, &path, root(size)),
        "{at} in {size}"
    );
    let path = prove_consistency(stored, at, size).unwrap();
    assert!(
        verify_consistency(at, root(at), size, root(size), &path),
        "{at} of {size}"
    );
}

/// G3: every size up to 600 has its root, and leaves and older sizes all over it have proofs that our checks take.
#[test]
fn every_proof_up_to_600_holds() {
    let (stored, roots) = grown(600);
    for (size, root) in (0..).zip(&roots) {
        assert_eq!(root_at(&stored, size), Ok(*root));
        // Many indexes of the sizes near tiles; of the others some, other ones for each size.
        let step = if size % 256 < 3 { 5 } else { 97 };
        let indexes = (size % step..size).step_by(usize::try_from(step).unwrap());
        indexes.for_each(|at| assert_holds(&stored, &roots, at, size));
    }
}

/// G3: across 65,536 leaves, where the third stored level begins; and no proof reads more than a few tiles.
#[test]
fn proofs_across_65536_hold_and_read_little() {
    let (stored, roots) = grown(66_000);
    let edges = [
        1, 255, 256, 257, 511, 32_768, 65_279, 65_280, 65_535, 65_536, 65_537, 66_000,
    ];
    for size in edges {
        for at in edges.into_iter().chain([0, 254, 40_000, 65_534]) {
            if at < size {
                stored.reads.set(0);
                assert_holds(&stored, &roots, at, size);
                assert!(
                    stored.reads.get() <= 2 * 2 * 17,
                    "{} reads",
                    stored.reads.get()
                );
            }
        }
    }
}

/// What cannot be proved is refused, and a store that answers short is noticed.
#[test]
fn what_cannot_be_proved_is_refused() {
    struct Short;
    impl TreeHashes for Short {
        type Error = ();
        fn hashes(&self, _: u8, _: u64, _: usize) -> Result<Vec<Hash>, ()> {
            Ok(Vec::new())
        }
    }
    let (stored, _) = grown(3);
    let missing = ProveError::NoSuchLeaf { index: 3, size: 3 };
    assert_eq!(prove_inclusion(&stored, 3, 3), Err(missing));
    let smaller = ProveError::NotAPrefix {
        old_size: 3,
        size: 2,
    };
    assert_eq!(prove_consistency(&stored, 3, 2), Err(smaller));
    assert_eq!(prove_inclusion(&stored, 0, 5), Err(ProveError::Store(())));
    assert_eq!(prove_inclusion(&Short, 0, 3), Err(ProveError::Count));
    assert_eq!(prove_consistency(&stored, 0, 3), Ok(Vec::new()));
}

//! Stored hashes and proofs: right at every boundary, repaired when damaged, and never handed out wrong.

use std::fs;
use std::os::unix::fs::FileExt;

use crate::common::{Place, wait};
use gateway_log::{Group, Log, ProofError};
use schemas::proof::{Frontier, Hash, verify_consistency, verify_inclusion};

/// Small enough that many fit into a group.
fn tiny(index: u64) -> Vec<u8> {
    index.to_le_bytes().to_vec()
}

/// Grows the log to this size, and waits until the hashes are stored, which comes after the answer.
fn grow(log: &Log, size: u64) {
    while log.size() < size {
        let first = log.size();
        let events = (first..size.min(first + 4096)).map(tiny).collect();
        drop(wait(log.append(Group::new(first, ()).batch(events))).unwrap());
    }
    let began = std::time::Instant::now();
    while matches!(log.root_at(size), Err(ProofError::NoSuchSize { .. })) {
        assert!(began.elapsed().as_secs() < 30, "they never came");
        std::thread::yield_now();
    }
}

/// The root at each size up to this one.
fn roots(size: u64) -> Vec<Hash> {
    let mut tree = Frontier::new();
    let appended = (0..size).map(|index| {
        tree.append(&tiny(index));
        tree.root()
    });
    let appended: Vec<_> = appended.collect();
    [vec![Hash::empty_root()], appended].concat()
}

fn at(size: u64) -> usize {
    usize::try_from(size).unwrap()
}

fn assert_proofs(log: &Log, roots: &[Hash], sizes: &[u64]) {
    for &size in sizes {
        assert_eq!(log.root_at(size), Ok(roots[at(size)]), "{size}");
        for &index in sizes.iter().filter(|index| **index < size) {
            let proof = log.inclusion_in(index, size).unwrap();
            assert_eq!(proof.leaf, Hash::leaf(&tiny(index)));
            assert!(verify_inclusion(
                proof.leaf,
                index,
                size,
                &proof.path,
                roots[at(size)]
            ));
            let proof = log.consistency(index, size).unwrap();
            assert_eq!(
                (proof.old_root, proof.root),
                (roots[at(index)], roots[at(size)])
            );
            assert!(verify_consistency(
                index,
                proof.old_root,
                size,
                proof.root,
                &proof.path
            ));
        }
    }
}

/// G3: events are provable around full tiles of each level, while the log is open and after it was opened again.
#[test]
fn proofs_are_right_around_tiles() {
    let place = Place::new();
    let roots = roots(65_537);
    let (log, _) = place.open().unwrap();
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537] {
        grow(&log, size);
        let mut heads = log.heads();
        wait(heads.wait_for(|head| head.checkpoint.size == size))
            .map(drop)
            .unwrap();
        for index in [0, size / 2, size - 1] {
            let proof = log.inclusion(index).unwrap();
            assert_eq!((proof.index, proof.head.checkpoint.size), (index, size));
            let root = proof.head.checkpoint.root;
            assert_eq!(root, roots[at(size)]);
            assert!(verify_inclusion(
                Hash::leaf(&tiny(index)),
                index,
                size,
                &proof.path,
                root
            ));
        }
        assert_eq!(
            log.inclusion(size),
            Err(ProofError::NoSuchEvent { index: size, size })
        );
    }
    let sizes = [0, 1, 255, 256, 257, 65_280, 65_535, 65_536, 65_537];
    assert_proofs(&log, &roots, &sizes);
    let lengths = || {
        [0, 1, 2].map(|level| {
            fs::metadata(place.data().join(format!("tree/{level}")))
                .unwrap()
                .len()
        })
    };
    assert_eq!(lengths(), [65_537 * 32, 256 * 32, 32]);
    assert_tiles(&log);
    log.close().unwrap();
    drop(log);
    let (log, _) = place.open().unwrap();
    assert_proofs(&log, &roots, &sizes);
    assert_eq!(lengths(), [65_537 * 32, 256 * 32, 32]);
}

/// A tile is the hashes of its level, and what is past the tree is refused.
fn assert_tiles(log: &Log) {
    let tile = log.tile(0, 255, 256).unwrap();
    let leaves: Vec<Hash> = (65_280..65_536)
        .map(|index| Hash::leaf(&tiny(index)))
        .collect();
    assert_eq!(
        tile,
        leaves.iter().flat_map(|leaf| leaf.0).collect::<Vec<_>>()
    );
    let root = |hashes: &[u8]| {
        let mut tree = Frontier::new();
        hashes
            .chunks(32)
            .for_each(|hash| tree.append_leaf(Hash(hash.try_into().unwrap())));
        tree.root()
    };
    let above = log.tile(1, 0, 256).unwrap();
    assert_eq!(root(&tile).0, above[255 * 32..]);
    assert_eq!(log.tile(2, 0, 1).unwrap(), root(&above).0);
    assert_eq!(log.tile(0, 256, 1).unwrap(), Hash::leaf(&tiny(65_536)).0);
    for (level, index, width) in [
        (0, 256, 2),
        (0, 0, 0),
        (0, 0, 257),
        (2, 0, 2),
        (3, 0, 1),
        (255, 0, 1),
        (0, u64::MAX, 1),
    ] {
        let refused = log.tile(level, index, width);
        assert_eq!(
            refused,
            Err(ProofError::NoSuchTile {
                level,
                index,
                width
            })
        );
    }
}

/// G3: whatever happens to the stored hashes, the next start has them right again, and the log is never the worse for it.
#[test]
fn damaged_hashes_are_repaired() {
    const SIZE: u64 = 3_000;
    let write = |path: std::path::PathBuf| fs::File::options().write(true).open(path).unwrap();
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    grow(&log, SIZE);
    log.close().unwrap();
    drop(log);
    let tree = place.data().join("tree");
    let read = || [0, 1].map(|level| fs::read(tree.join(level.to_string())).unwrap());
    let (right, roots) = (read(), roots(SIZE));
    let flip = |level: u64, at: u64| {
        write(tree.join(level.to_string()))
            .write_all_at(&[0x5a], at)
            .unwrap();
    };
    let cut = |level: u64, bytes| write(tree.join(level.to_string())).set_len(bytes).unwrap();
    let damages: [&dyn Fn(); 12] = [
        &|| fs::remove_dir_all(&tree).unwrap(),
        &|| fs::remove_file(tree.join("0")).unwrap(),
        &|| fs::remove_file(tree.join("1")).unwrap(),
        &|| cut(0, 0),
        &|| cut(0, 8192 * 3 + 17),
        &|| cut(1, 11 * 32 - 1),
        &|| cut(0, SIZE * 32 + 1),
        &|| cut(1, 640),
        &|| flip(0, 2_000 * 32 + 5),
        &|| flip(1, 7 * 32),
        &|| flip(0, SIZE * 32 - 1),
        &|| fs::write(tree.join("2"), [7; 32]).unwrap(),
    ];
    for (number, damage) in (0..).zip(damages) {
        damage();
        let (log, recovered) = place.open().unwrap();
        assert_eq!(
            (recovered.size, recovered.root),
            (SIZE, roots[at(SIZE)]),
            "damage {number}"
        );
        assert!(read() == right, "damage {number}");
        assert!(!tree.join("2").exists(), "damage {number}");
        assert_proofs(&log, &roots, &[77, 2_000, SIZE]);
        log.close().unwrap();
    }
}

/// G3: a hash that is changed while the log is open is never handed out as a proof; the log itself goes on.
#[test]
fn a_damaged_proof_is_not_handed_out() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    grow(&log, 600);
    let file = fs::File::options()
        .write(true)
        .open(place.data().join("tree/0"))
        .unwrap();
    file.write_all_at(&[0x5a; 32], 300 * 32).unwrap();
    assert_eq!(log.inclusion_in(300, 600), Err(ProofError::Damaged));
    assert_eq!(log.inclusion_in(301, 600), Err(ProofError::Damaged));
    assert_eq!(log.consistency(301, 600), Err(ProofError::Damaged));
    assert!(
        log.inclusion_in(10, 256).is_ok(),
        "what does not need it is right"
    );
    file.set_len(100 * 32).unwrap();
    assert_eq!(log.inclusion_in(200, 600), Err(ProofError::Damaged));
    grow(&log, 700);
    log.close().unwrap();
    drop(log);
    let (log, recovered) = place.open().unwrap();
    assert_eq!(recovered.size, 700);
    assert!(log.inclusion_in(300, 600).is_ok());
}

/// Where hashes cannot be stored, the log goes on without proofs, and says why there are none.
#[test]
fn a_log_without_room_for_hashes_goes_on() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    grow(&log, 10);
    log.close().unwrap();
    drop(log);
    let tree = place.data().join("tree");
    fs::remove_dir_all(&tree).unwrap();
    fs::write(&tree, "not a folder").unwrap();
    let (log, _) = place.open().unwrap();
    grow(&log, 20);
    assert!(matches!(
        log.inclusion_in(1, 10),
        Err(ProofError::Unavailable(_))
    ));
    assert!(log.failure().is_none());
    log.close().unwrap();
    drop(log);
    fs::remove_file(&tree).unwrap();
    let (log, recovered) = place.open().unwrap();
    assert_eq!(recovered.size, 20);
    assert!(log.inclusion(19).is_ok());
    // A level that cannot be made while the log is open.
    fs::create_dir(tree.join("1")).unwrap();
    grow(&log, 300);
    assert!(log.failure().is_none());
    assert!(matches!(
        log.inclusion_in(1, 10),
        Err(ProofError::Unavailable(_))
    ));
    assert_eq!(log.size(), 300);
}

/// Sizes that are not there are refused by name.
#[test]
fn sizes_that_are_not_there_are_refused() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    assert_eq!(log.root_at(0), Ok(Hash::empty_root()));
    assert_eq!(
        log.inclusion(0),
        Err(ProofError::NoSuchEvent { index: 0, size: 0 })
    );
    grow(&log, 3);
    wait(log.heads().wait_for(|head| head.checkpoint.size == 3))
        .map(drop)
        .unwrap();
    assert_eq!(
        log.root_at(4),
        Err(ProofError::NoSuchSize { size: 4, stored: 3 })
    );
    assert_eq!(
        log.consistency(3, 2),
        Err(ProofError::NotAPrefix {
            old_size: 3,
            size: 2
        })
    );
    assert_eq!(
        log.inclusion_in(2, 2),
        Err(ProofError::NoSuchEvent { index: 2, size: 2 })
    );
    assert!(
        log.consistency(0, 3)
            .is_ok_and(|proof| proof.path.is_empty())
    );
}

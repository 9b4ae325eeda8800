//! Tree and checkpoints against judges: the recursion of RFC 6962 written out, and Go's `sumdb/note` and `sumdb/tlog`.

use std::path::Path;
use std::process::Command;

use crate::common::{self, Place, TestKey, event, wait};
use gateway_log::{Group, Limits, Log};
use proptest::prelude::*;
use schemas::proof::{
    Checkpoint, CheckpointError, Frontier, Hash, NoteKey, SignedNote, verify_consistency,
    verify_inclusion,
};
use sha2::{Digest, Sha256};

/// MTH(D) of RFC 6962, 2.1, word for word.
fn naive_root(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::digest([&[0], leaf.as_slice()].concat()).into(),
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            let (left, right) = (naive_root(&leaves[..k]), naive_root(&leaves[k..]));
            Sha256::digest([&[1], left.as_slice(), right.as_slice()].concat()).into()
        }
    }
}

proptest! {
    /// G3: the frontier's root is RFC 6962's at every size, also after it was stored and read again.
    #[test]
    fn the_frontier_is_the_recursion(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..70)) {
        let mut tree = Frontier::new();
        for (size, leaf) in leaves.iter().enumerate() {
            prop_assert_eq!(tree.root().0, naive_root(&leaves[..size]));
            tree = Frontier::from_bytes(&tree.to_bytes()).unwrap();
            tree.append(leaf);
        }
        prop_assert_eq!(tree.root().0, naive_root(&leaves));
    }

    /// Bytes that are no frontier are refused, whatever they are.
    #[test]
    fn other_bytes_are_no_frontier(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tree) = Frontier::from_bytes(&bytes) {
            prop_assert_eq!(tree.to_bytes(), bytes);
        }
    }

    /// No text makes the readers panic, and what they accept they write back the same.
    #[test]
    fn any_text_is_read_safely(text in "(\\PC|\n|—| |\\+|[0-9A-Za-z=/]){0,200}") {
        if let Ok(note) = SignedNote::parse(&text) {
            prop_assert_eq!(note.to_string(), text.clone());
        }
        let checkpoint = Checkpoint::parse_body(&text);
        prop_assert!(checkpoint.is_err() || text.matches('\n').count() >= 3);
        prop_assert!(NoteKey::from_vkey(&text).is_err());
    }
}

fn key() -> (TestKey, NoteKey) {
    let signer = TestKey::of_seed(7);
    let key = signer.note_key();
    (signer, key)
}

/// One bit changed anywhere in a checkpoint, and it is no longer accepted.
#[test]
fn a_changed_checkpoint_is_not_accepted() {
    let (signer, key) = key();
    let mut tree = Frontier::new();
    tree.append(b"event");
    let note = Checkpoint::of(common::ORIGIN, &tree)
        .sign(&key, |text| signer.sign_text(text))
        .unwrap();
    let note = note.to_string();
    let open = |note: &str| Checkpoint::open(note, &key, common::ed25519);
    assert_eq!(open(&note), Ok(Checkpoint::of(common::ORIGIN, &tree)));
    for position in 0..note.len() {
        for bit in 0..8 {
            let mut bytes = note.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(open(&changed).is_err(), "bit {bit} of byte {position}");
            }
        }
    }
    let other = NoteKey::new("another/origin", *key.public_key()).unwrap();
    let outcome = Checkpoint::open(&note, &other, common::ed25519);
    assert_eq!(outcome, Err(CheckpointError::Signature));
}

/// Runs the judge written in Go over the Debian package golang-golang-x-mod-dev.
fn go_judge(arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/judges/go");
    let output = Command::new("go")
        .args(["run", "main.go"])
        .args(arguments)
        .current_dir(&folder)
        .envs([
            ("GO111MODULE", "off"),
            ("GOPATH", "/usr/share/gocode"),
            ("GOFLAGS", ""),
        ])
        .output()
        .unwrap_or_else(|error| {
            panic!("the judge needs Go: install golang-go and golang-golang-x-mod-dev ({error})")
        });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the judge says no, or golang-golang-x-mod-dev is missing: {errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// G3: Go's note and tlog accept the `HEAD` that the log wrote and find the same root over its events; and a false one
/// is refused, so that the judge is known to judge.
#[test]
fn go_accepts_the_head_of_a_real_log() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let group = Group::new(0, ()).batch((0..37).map(event).collect());
    drop(wait(log.append(group)).unwrap());
    log.close().unwrap();
    let events: Vec<String> = log
        .read(0..37)
        .map(|read| hex::encode(read.unwrap().1))
        .collect();
    let events_file = place.0.path().join("events");
    std::fs::write(&events_file, events.join("\n")).unwrap();
    let head = place.data().join("HEAD");
    let vkey = log.key().to_vkey();
    let arguments = [
        "check",
        &vkey,
        head.to_str().unwrap(),
        events_file.to_str().unwrap(),
    ];
    assert_eq!(
        go_judge(&arguments).trim(),
        format!("{} 37", common::ORIGIN)
    );

    let changed = std::fs::read_to_string(&head)
        .unwrap()
        .replace("\n37\n", "\n36\n");
    std::fs::write(&head, changed).unwrap();
    let refused = std::panic::catch_unwind(|| go_judge(&arguments));
    assert!(refused.is_err(), "a changed checkpoint was accepted");
}

/// G3: the log's own proofs are byte for byte those that Go's tlog makes of the same events, across a full tile.
#[test]
fn the_logs_proofs_are_those_of_go() {
    const SIZE: u64 = 259;
    let key = TestKey::of_seed(7);
    let log = Log::in_memory(key.note_key(), Box::new(key), Limits::default()).unwrap();
    let leaves = (0..SIZE).map(|index| format!("leaf {index}").into_bytes());
    drop(wait(log.append(Group::new(0, ()).batch(leaves.collect()))).unwrap());
    let mut seen = 0;
    for line in go_judge(&["prove", &SIZE.to_string()]).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        let (small, size) = (number(1), number(2));
        // All of the last sizes, and here and there one of the others.
        if size < 257 && (small * 31 + size) % 211 != 0 {
            continue;
        }
        let path = match words[0] {
            "inclusion" => log.inclusion_in(small, size).unwrap().path,
            _ => log.consistency(small, size).unwrap().path,
        };
        let path: Vec<String> = path.iter().map(Hash::to_string).collect();
        assert_eq!(path, words[3..], "{line}");
        seen += 1;
    }
    assert!(seen > 1000, "{seen}");
}

/// The proofs that Go's tlog makes hold here, and those of any other place do not.
#[test]
fn proofs_made_by_go_hold() {
    const SIZE: usize = 23;
    let leaves: Vec<Vec<u8>> = (0..SIZE)
        .map(|index| format!("leaf {index}").into_bytes())
        .collect();
    let root = |size: usize| Hash(naive_root(&leaves[..size]));
    let mut seen = 0;
    for line in go_judge(&["prove", &SIZE.to_string()]).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        let (small, size) = (number(1), number(2));
        let proof: Vec<Hash> = words[3..]
            .iter()
            .map(|word| Hash(hex::decode(word).unwrap().try_into().unwrap()))
            .collect();
        let wide = |n: usize| u64::try_from(n).unwrap();
        let holds = |at: usize, from: usize, proof: &[Hash], root_to: Hash| match words[0] {
            "inclusion" => verify_inclusion(
                Hash::leaf(&leaves[from]),
                wide(at),
                wide(size),
                proof,
                root_to,
            ),
            _ => verify_consistency(wide(at), root(from), wide(size), root_to, proof),
        };
        assert!(holds(small, small, &proof, root(size)), "{line}");
        assert!(
            !holds(small, small, &proof, Hash([7; 32])),
            "{line}: another root"
        );
        assert!(!holds(
            small,
            small,
            &[proof.as_slice(), &[Hash([7; 32])]].concat(),
            root(size)
        ));
        if let [short @ .., _] = proof.as_slice() {
            assert!(
                !holds(small, small, short, root(size)),
                "{line}: one hash less"
            );
        }
        if small > 0 && words[0] == "inclusion" {
            assert!(
                !holds(small, small - 1, &proof, root(size)),
                "{line}: another leaf"
            );
        }
        seen += 1;
    }
    assert_eq!(
        seen,
        SIZE * (SIZE + 1),
        "every leaf of every size, and every pair of sizes"
    );
}

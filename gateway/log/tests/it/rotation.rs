//! Keys that are replaced: the checkpoint at the size of the change is exact and signed by both, and the log opens with nothing
//! but its first key and its own events.

use std::fs;

use crate::common::{KeyRing, Place, TestKey, ed25519, event, options, wait};
use gateway_log::{Group, Limits, Log, OpenError, Quarantine, Recovered, SignedHead};
use schemas::proof::{CheckpointError, Frontier, SignedNote};

/// Opens with a ring that knows the first key only, and is told of the others by the events.
fn open(place: &Place) -> Result<(Log, Recovered, KeyRing), OpenError> {
    let ring = KeyRing::starting_with(7);
    let mut options = options(&place.marker());
    options.signer = Box::new(ring.clone());
    let read = |_, event: &[u8]| event.to_vec();
    let apply = |index, event: Vec<u8>| ring.apply(index, &event);
    let (log, recovered) = Log::open_reading(&place.data(), options, read, apply)?;
    Ok((log, recovered, ring))
}

fn append(log: &Log, count: u64) {
    let first = log.next_index();
    let group = Group::new(first, ()).batch((first..first + count).map(event).collect());
    drop(wait(log.append(group)).unwrap());
}

/// The seeds among 7, 8 and 9 whose keys signed it.
fn signers(head: &SignedHead) -> Vec<u8> {
    let note = SignedNote::parse(&head.note).unwrap();
    let signed = |seed: &u8| note.verified_by(&TestKey::of_seed(*seed).note_key(), ed25519);
    let signers: Vec<u8> = (7..10).filter(signed).collect();
    assert_eq!(note.signature_count(), signers.len());
    signers
}

/// Replaces the key, with others' events before and after in the queue.
fn rotate(log: &Log, ring: &KeyRing, seed: u8) -> SignedHead {
    let first = log.next_index();
    let before = log.append(Group::new(first, ()).batch(vec![event(first)]));
    let rotation = KeyRing::rotation(seed);
    ring.apply(first + 1, &rotation);
    let sealed = log.append(Group::new(first + 1, ()).batch(vec![rotation]).sealed());
    let after = log.append(Group::new(first + 2, ()).batch(vec![event(first + 2)]));
    drop(wait(sealed).unwrap());
    let head = log.sealed_head().unwrap();
    drop((wait(before).unwrap(), wait(after).unwrap()));
    assert_eq!(head.checkpoint.size, first + 2);
    head
}

/// G3: a sealed group has a head at exactly its size, with both keys' signatures, whatever else is in the queue.
#[test]
fn a_rotation_is_signed_by_both_keys_at_its_size() {
    let place = Place::new();
    let (log, _, ring) = open(&place).unwrap();
    assert_eq!(log.sealed_head(), None);
    append(&log, 5);
    let head = rotate(&log, &ring, 8);
    assert_eq!(signers(&head), [7, 8]);
    let mut tree = Frontier::new();
    (0..6).for_each(|index| tree.append(&event(index)));
    tree.append(&KeyRing::rotation(8));
    assert_eq!(head.checkpoint.root, tree.root());
    append(&log, 5);
    let second = rotate(&log, &ring, 9);
    assert_eq!(signers(&second), [8, 9]);
    log.close().unwrap();
    assert_eq!(signers(&log.head()), [9]);
    assert_eq!(log.key(), &TestKey::of_seed(7).note_key());
    assert_eq!(
        log.consistency(head.checkpoint.size, log.size())
            .unwrap()
            .old_root,
        head.checkpoint.root
    );
    drop(log);
    let (log, recovered, _) = open(&place).unwrap();
    assert_eq!(recovered.size, log.size());
    assert_eq!(signers(&log.head()), [9]);

    // Whoever does not learn of the new key does not take its checkpoint.
    drop(log);
    let unknowing = place.open().map(drop);
    let Err(OpenError::Quarantine(reason)) = unknowing else {
        panic!("a checkpoint by an unknown key was taken: {unknowing:?}")
    };
    assert_eq!(reason, Quarantine::Head(CheckpointError::Signature));
}

/// G3: a power cut between a rotation and its checkpoint: the next start signs it, at that size, by both.
#[test]
fn a_rotation_that_was_cut_off_is_signed_at_the_next_start() {
    let place = Place::new();
    let (log, _, _) = open(&place).unwrap();
    append(&log, 5);
    log.close().unwrap();
    drop(log);
    let early = [place.data().join("HEAD"), place.witness()].map(|path| {
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    });
    let (log, _, ring) = open(&place).unwrap();
    ring.apply(5, &KeyRing::rotation(8));
    let rotation = Group::new(5, ()).batch(vec![KeyRing::rotation(8)]);
    drop(wait(log.append(rotation.sealed())).unwrap());
    drop(log);
    for (path, bytes) in early {
        fs::write(path, bytes).unwrap();
    }
    let (log, recovered, _) = open(&place).unwrap();
    assert_eq!((recovered.head_size, recovered.size), (5, 6));
    assert_eq!(signers(&log.head()), [7, 8]);
    assert_eq!(
        fs::read_to_string(place.witness()).unwrap(),
        log.head().note
    );
}

/// A sealed group is sealed in memory too, and one without events seals what is there.
#[test]
fn sealing_needs_no_disk_and_no_event() {
    let ring = KeyRing::starting_with(7);
    let identity = TestKey::of_seed(7).note_key();
    let twin = Log::in_memory(identity, Box::new(ring.clone()), Limits::default()).unwrap();
    let place = Place::new();
    let (disk, _, disk_ring) = open(&place).unwrap();
    for (log, ring) in [(&twin, &ring), (&disk, &disk_ring)] {
        append(log, 3);
        for _ in 0..2 {
            drop(wait(log.append(Group::new(3, ()).sealed())).unwrap());
            assert_eq!(log.sealed_head().unwrap().checkpoint.size, 3);
        }
        assert_eq!(signers(&rotate(log, ring, 8)), [7, 8]);
    }
    assert_eq!(twin.sealed_head(), disk.sealed_head());
}

/// A ring that does not accept what was read.
struct Refusing(KeyRing);

impl gateway_log::CheckpointSigner for Refusing {
    fn sign(&self, size: u64, text: &[u8]) -> Vec<(schemas::proof::NoteKey, [u8; 64])> {
        gateway_log::CheckpointSigner::sign(&self.0, size, text)
    }
    fn verify(&self, size: u64, note: &SignedNote) -> bool {
        gateway_log::CheckpointSigner::verify(&self.0, size, note)
    }
    fn accepts(&self, _: u64) -> Result<(), String> {
        Err("an event is forged".to_owned())
    }
}

/// G3: what the reader does not accept is never signed over: neither `HEAD` nor the witness moves, however often it is tried.
#[test]
fn nothing_is_signed_over_what_the_reader_refuses() {
    let place = Place::new();
    let (log, _, _) = open(&place).unwrap();
    append(&log, 5);
    log.close().unwrap();
    drop(log);
    // As after a power cut: the log is ahead of its checkpoints.
    let notes = [place.data().join("HEAD"), place.witness()];
    let covered = notes.clone().map(|path| fs::read(path).unwrap());
    let (log, _, _) = open(&place).unwrap();
    append(&log, 3);
    log.close().unwrap();
    drop(log);
    for (path, note) in notes.iter().zip(&covered) {
        fs::write(path, note).unwrap();
    }
    for _ in 0..2 {
        let mut options = options(&place.marker());
        options.signer = Box::new(Refusing(KeyRing::starting_with(7)));
        let refused = Log::open(&place.data(), options).err().unwrap();
        assert!(
            matches!(&refused, OpenError::Quarantine(Quarantine::Refused(why)) if why == "an event is forged"),
            "{refused}"
        );
        assert_eq!(notes.clone().map(|path| fs::read(path).unwrap()), covered);
    }
    let (log, recovered, _) = open(&place).unwrap();
    assert_eq!((recovered.size, recovered.head_size), (8, 5));
    drop(log);
}

use std::fs;

use super::*;
use crate::epochs::Copies;

const EPOCHS: u64 = 6;
const EPOCH_EVENTS: u64 = 10;
const CACHE_BYTES: u64 = 1 << 20;

fn event(index: u64) -> Vec<u8> {
    format!("event {index}").into_bytes()
}

fn owner(data: &Path) -> Owner {
    Owner {
        identity: NoteKey::new("gateway.demo/station/demo/1", [7; 32]).unwrap(),
        copies: Copies::within(data, 0),
    }
}

/// Full epochs, of which none is open but the newest.
fn several(data: &Path) -> EpochStore {
    gateway_durable::ensure_linked();
    let (place, owned) = (EpochPlace::of(data), owner(data));
    let mut tree = Frontier::new();
    place.make_all().unwrap();
    let newest = SledStore::open(&place.epoch(0), CACHE_BYTES).unwrap();
    write_beginning(&newest, &owned.identity, &tree).unwrap();
    let list = EpochList::first();
    let store = EpochStore::new(data, Some(owned), CACHE_BYTES, list, newest);
    for number in 0..EPOCHS {
        if number > 0 {
            store.begin_epoch(&tree).unwrap();
        }
        let first_index = tree.size();
        let events: Vec<_> = (first_index..first_index + EPOCH_EVENTS)
            .map(event)
            .collect();
        for event in &events {
            tree.append(event);
        }
        let write = Write {
            first_index,
            events,
            ..Write::default()
        };
        store.write(&write).unwrap();
    }
    let list = store.0.present().list;
    drop(store);
    let newest = SledStore::open(&place.epoch(list.newest()), CACHE_BYTES).unwrap();
    EpochStore::new(data, Some(owner(data)), CACHE_BYTES, list, newest)
}

/// Closed epochs that are open, and copies of epochs on the disk.
fn open(store: &EpochStore, data: &Path) -> (usize, usize) {
    let reading = store.0.reading.lock().unwrap().len();
    let copies = fs::read_dir(data.join("log-copies")).map_or(0, Iterator::count);
    (reading, copies)
}

/// G4: however many epochs a backlog has, whoever reads it from front to back has no more open at once, and no more copied, than few.
#[test]
fn while_a_backlog_is_read_few_epochs_are_open() {
    let data = tempfile::tempdir().unwrap();
    let store = several(data.path());
    assert_eq!(open(&store, data.path()), (0, 0));
    let mut next = 0;
    for read in store.events(0..u64::MAX) {
        assert_eq!(read.unwrap(), (next, event(next)));
        next += 1;
        let (reading, copies) = open(&store, data.path());
        assert_eq!(reading, copies, "event {next}");
        assert!(reading <= READING_MAX, "{reading} at event {next}");
        let is_closed = next <= (EPOCHS - 1) * EPOCH_EVENTS;
        assert!(!is_closed || reading > 0, "event {next} is read of a copy");
    }
    assert_eq!(next, EPOCHS * EPOCH_EVENTS);
}

/// G4: the same for who asks here and there; what somebody reads stays open as long as it is read.
#[test]
fn whoever_asks_here_and_there_leaves_few_epochs_open() {
    let data = tempfile::tempdir().unwrap();
    let store = several(data.path());
    let firsts = store.epochs();
    let closed = firsts.get(..firsts.len() - 1).unwrap();
    for first in closed.iter().chain(closed) {
        drop(store.epoch(*first).unwrap());
        assert!(open(&store, data.path()).0 <= READING_MAX, "epoch {first}");
    }
    let mut readers: Vec<_> = closed
        .iter()
        .map(|first| store.events(*first..first + EPOCH_EVENTS))
        .collect();
    for reader in &mut readers {
        reader.next().unwrap().unwrap();
    }
    assert_eq!(open(&store, data.path()).0, closed.len(), "all are read");
    for (reader, first) in readers.into_iter().zip(closed) {
        let rest: Vec<_> = reader.map(|read| read.unwrap().0).collect();
        assert!(rest.into_iter().eq(first + 1..first + EPOCH_EVENTS));
    }
    drop(store.epoch(0).unwrap());
    let (reading, copies) = open(&store, data.path());
    assert!(reading <= READING_MAX && copies == reading, "{reading}");
}

/// G2, G4: whoever begins an epoch, and with it every message that waits for its flush, does not wait for somebody's copy of a closed one.
#[test]
fn an_epoch_begins_while_a_closed_one_is_copied() {
    let data = tempfile::tempdir().unwrap();
    let store = several(data.path());
    let copying = store.0.opening.lock().unwrap();
    let reader = std::thread::spawn({
        let store = store.clone();
        move || store.epoch(0).map(drop)
    });
    let mut tree = Frontier::new();
    for index in 0..EPOCHS * EPOCH_EVENTS {
        tree.append(&event(index));
    }
    store.begin_epoch(&tree).unwrap();
    assert_eq!(store.epochs().last(), Some(&(EPOCHS * EPOCH_EVENTS)));
    assert!(!reader.is_finished(), "it waits for the copy");
    drop(copying);
    reader.join().unwrap().unwrap();
}

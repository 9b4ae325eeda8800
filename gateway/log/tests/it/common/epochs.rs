//! A log of several epochs, and ways to look at it.

use std::fs;
use std::path::Path;

use gateway_log::{Group, Log, OpenError, Quarantine, Recovered, Space};
use schemas::proof::{Frontier, Hash};

use super::{Place, event, options, wait};

/// Events in each epoch of [`several`].
const EPOCH: u64 = 300;

pub fn append(log: &Log, count: u64) {
    let first = log.next_index();
    let group = Group::new(first, ()).batch((first..first + count).map(event).collect());
    drop(wait(log.append(group)).unwrap());
}

pub fn begin_epoch(log: &Log) {
    let first = log.next_index();
    let group = Group::new(first, ()).batch(vec![event(first)]);
    drop(wait(log.append(group.beginning_epoch())).unwrap());
}

/// Epochs from 0, 300, 600 and 900 on, 1,200 events in all, closed.
pub fn several() -> Place {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let pair = vec![(b"session".to_vec(), Some(vec![7; 9_000]))];
    drop(wait(log.kv_apply(Space::BROKER, pair, ())).unwrap());
    append(&log, 100);
    append(&log, 200);
    for _ in 0..3 {
        begin_epoch(&log);
        append(&log, 99);
        append(&log, EPOCH - 100);
    }
    assert_eq!(log.size(), 4 * EPOCH);
    log.close().unwrap();
    place
}

pub fn root(size: u64) -> Hash {
    let mut tree = Frontier::new();
    (0..size).for_each(|index| tree.append(&event(index)));
    tree.root()
}

/// Opens it as somebody who knows the state before the epochs of `known`; what was shown and what was applied.
pub fn reopen(place: &Place, known: &[u64]) -> Result<(Log, Recovered, Vec<u64>), OpenError> {
    let mut applied = Vec::new();
    let restore = |index: u64, bytes: &[u8]| {
        assert_eq!(bytes, event(index));
        known.contains(&index)
    };
    let read = |place: gateway_log::Place, bytes: &[u8]| assert_eq!(bytes, event(place.index));
    let apply = |index, ()| applied.push(index);
    let options = options(&place.marker());
    let (log, recovered) = Log::open_restoring(&place.data(), options, restore, read, apply)?;
    Ok((log, recovered, applied))
}

pub fn quarantine(place: &Place) -> Quarantine {
    match reopen(place, &[]) {
        Err(OpenError::Quarantine(reason)) => reason,
        other => panic!("not quarantined: {other:?}"),
    }
}

pub fn reads_whole(log: &Log, from: u64) {
    let read: Vec<_> = log.read(from..u64::MAX).map(Result::unwrap).collect();
    let expected: Vec<_> = (from..log.size())
        .map(|index| (index, event(index)))
        .collect();
    assert!(read == expected);
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

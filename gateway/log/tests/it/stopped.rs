//! G3: a log whose station does not run is read from a copy: over epochs, behind pruned events, and in the layout of version 1. The
//! log itself is not touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::epochs::{append, copy, reopen, several};
use crate::common::{Place, event};
use gateway_log::{LogFailed, StoppedLog};
use schemas::proof::{Frontier, Hash, TreeHashes as _};

fn stopped(place: &Place) -> StoppedLog {
    StoppedLog::copy(&place.data(), place.0.path(), |_, _| {}).unwrap()
}

fn reads(log: StoppedLog, from: u64, size: u64) {
    let read: Vec<_> = log.into_events(from).map(Result::unwrap).collect();
    let expected: Vec<_> = (from..size).map(|index| (index, event(index))).collect();
    assert!(read == expected);
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

#[test]
fn a_stopped_log_is_read_over_its_epochs() {
    let place = several();
    let before = files(&place.data());
    let log = stopped(&place);
    assert_eq!(log.epochs(), [0, 300, 600, 900]);
    let some: Vec<_> = log.read(298..302).map(|read| read.unwrap().0).collect();
    assert_eq!(some, [298, 299, 300, 301]);
    reads(log, 0, 1_200);
    assert!(files(&place.data()) == before, "nothing was touched");
    assert_eq!(
        fs::read_dir(place.0.path()).unwrap().count(),
        2,
        "and no copy is left"
    );
}

#[test]
fn a_stopped_log_says_what_was_pruned_and_what_is_left_of_it() {
    let place = several();
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(log.prune(600, |_, _| true).unwrap(), 600);
    log.close().unwrap();
    drop(log);
    let log = stopped(&place);
    assert_eq!(log.epochs(), [600, 900]);
    let first = log.read(17..20).next();
    let pruned = LogFailed::Pruned {
        index: 17,
        first_index: 600,
    };
    assert_eq!(first, Some(Err(pruned)));
    let mut tree = Frontier::new();
    (0..600).for_each(|index| tree.append(&event(index)));
    assert_eq!(log.frontier(600).unwrap(), tree);
    let hashes = log.hashes().unwrap();
    assert!(hashes.holds(&tree).unwrap());
    assert_eq!(hashes.hashes(0, 17, 1).unwrap(), [Hash::leaf(&event(17))]);
    reads(log, 600, 1_200);
}

#[test]
fn a_stopped_log_of_version_1_is_read_as_it_lies() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    append(&log, 100);
    log.close().unwrap();
    drop(log);
    let old = place.data().join("old");
    copy(&place.data().join("log/0"), &old);
    fs::remove_dir_all(place.data().join("log")).unwrap();
    fs::rename(&old, place.data().join("log")).unwrap();
    fs::remove_file(place.data().join("EPOCHS")).unwrap();
    let log = stopped(&place);
    assert_eq!(log.epochs(), [0]);
    reads(log, 0, 100);
    assert!(
        place.data().join("log/db").exists(),
        "it is not upgraded by looking"
    );
}

//! Epochs at the log's boundary: reading over them, opening from the newest whose state is known, what a crash leaves of one, and
//! the upgrade from the time of a single folder.

use std::fs;

use crate::common::epochs::{
    append, begin_epoch, copy, quarantine, reads_whole, reopen, root, several,
};
use crate::common::{Place, event, wait};
use gateway_log::{Group, OpenError, Quarantine, Space};
use schemas::proof::Hash;

/// G2: epochs are one log: its events, root, proofs and pairs are what they would be in one folder.
#[test]
fn epochs_are_one_log() {
    let place = several();
    let (log, recovered) = place.open().unwrap();
    assert_eq!(log.epochs(), [0, 300, 600, 900]);
    assert_eq!((recovered.size, recovered.root), (1_200, root(1_200)));
    assert_eq!(recovered.read_from, 900);
    reads_whole(&log, 0);
    for range in [299..301, 250..950, 0..1, 899..900, 1_199..5_000] {
        let read: Vec<_> = log
            .read(range.clone())
            .map(|read| read.unwrap().0)
            .collect();
        assert_eq!(
            read,
            (range.start..range.end.min(1_200)).collect::<Vec<_>>()
        );
    }
    for index in [0, 299, 300, 899, 900, 1_199] {
        assert_eq!(
            log.inclusion(index).unwrap().leaf,
            Hash::leaf(&event(index))
        );
    }
    assert_eq!(log.consistency(299, 901).unwrap().old_root, root(299));
    let pairs = log.kv_load(Space::BROKER).unwrap();
    assert_eq!(pairs.get(b"session".as_slice()), Some(&vec![7; 9_000]));
    append(&log, 1);
    assert_eq!(log.size(), 1_201);
}

/// G4: the opening reads from the newest epoch whose state is known, and only that.
#[test]
fn opening_reads_from_the_newest_known_state() {
    let place = several();
    for (known, from) in [
        (&[300, 600, 900][..], 900),
        (&[300, 600], 600),
        (&[300], 300),
        (&[], 0),
    ] {
        let (log, recovered, applied) = reopen(&place, known).unwrap();
        assert_eq!(recovered.read_from, from);
        assert_eq!((recovered.size, recovered.root), (1_200, root(1_200)));
        assert!(applied.into_iter().eq(from..1_200));
        log.close().unwrap();
    }
}

/// G2: readers in several epochs at once, while another begins, each see their events.
#[test]
fn readers_in_several_epochs_do_not_disturb_each_other() {
    let place = several();
    let (log, _) = place.open().unwrap();
    let mut readers: Vec<_> = [0, 150, 300, 450, 600, 899]
        .map(|from| (from, log.read(from..1_200)))
        .into();
    begin_epoch(&log);
    loop {
        readers.retain_mut(|(next, events)| {
            let Some(read) = events.next() else {
                assert_eq!(*next, 1_200);
                return false;
            };
            assert_eq!(read.unwrap(), (*next, event(*next)));
            *next += 1;
            true
        });
        if readers.is_empty() {
            break;
        }
    }
    reads_whole(&log, 0);
}

/// G2: an epoch that is gone and was not pruned is quarantined, whichever it is; and putting it back heals the log.
#[test]
fn each_epoch_deleted_is_quarantined() {
    for first in [0, 300, 600, 900] {
        let place = several();
        let (path, aside) = (
            place.data().join(format!("log/{first}")),
            place.0.path().join("aside"),
        );
        fs::rename(&path, &aside).unwrap();
        assert_eq!(
            quarantine(&place),
            Quarantine::EpochMissing { first, part: "db" }
        );
        assert!(!path.exists(), "nothing was changed");
        fs::rename(&aside, &path).unwrap();
        assert_eq!(reopen(&place, &[900]).unwrap().1.size, 1_200);
    }
}

/// G2: another log's epoch, an epoch that is emptied, a list that is set back.
#[test]
fn epochs_that_do_not_belong_together_are_quarantined() {
    let place = several();
    fs::remove_dir_all(place.data().join("log/900")).unwrap();
    copy(&place.data().join("log/600"), &place.data().join("log/900"));
    let reason = quarantine(&place);
    assert!(matches!(reason, Quarantine::Gap { .. }), "{reason}");

    let (place, empty) = (several(), Place::new());
    drop(empty.open().unwrap());
    fs::remove_dir_all(place.data().join("log/900")).unwrap();
    copy(&empty.data().join("log/0"), &place.data().join("log/900"));
    let reason = quarantine(&place);
    assert_eq!(
        reason,
        Quarantine::Shorter {
            part: "HEAD",
            events: 900,
            covered: 1_200
        }
    );

    let place = several();
    copy(&place.data(), &place.0.path().join("old"));
    let (log, _) = place.open().unwrap();
    begin_epoch(&log);
    log.close().unwrap();
    drop(log);
    let old = place.0.path().join("old");
    fs::copy(old.join("EPOCHS"), place.data().join("EPOCHS")).unwrap();
    assert!(matches!(quarantine(&place), Quarantine::Shorter { .. }));
    // With what else bears witness set back too, the events are still not thrown away.
    fs::copy(old.join("HEAD"), place.data().join("HEAD")).unwrap();
    fs::copy(old.join("HEAD"), place.witness()).unwrap();
    assert_eq!(
        quarantine(&place),
        Quarantine::EpochUnlisted { first: 1_200 }
    );
    assert!(place.data().join("log/1200").exists());
}

/// G2: what a crash leaves of an epoch that was being begun is removed, and the log goes on in the epoch before.
#[test]
fn an_epoch_that_was_not_begun_is_given_up() {
    // Half-made: the list does not name it yet.
    let place = several();
    fs::create_dir_all(place.data().join("log/1200")).unwrap();
    fs::write(place.data().join("log/1200/conf"), "half").unwrap();
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(log.epochs(), [0, 300, 600, 900]);
    assert!(!place.data().join("log/1200").exists());
    begin_epoch(&log);
    assert_eq!(log.epochs(), [0, 300, 600, 900, 1_200]);
    drop(log);

    // Whole and named, but its first event never came.
    let place = several();
    copy(&place.data(), &place.0.path().join("before"));
    let (log, _) = place.open().unwrap();
    begin_epoch(&log);
    log.close().unwrap();
    drop(log);
    let before = place.0.path().join("before");
    fs::copy(before.join("HEAD"), place.data().join("HEAD")).unwrap();
    fs::copy(before.join("HEAD"), place.witness()).unwrap();
    let db = sled::Config::new()
        .path(place.data().join("log/1200"))
        .open()
        .unwrap();
    db.open_tree("log").unwrap().clear().unwrap();
    db.flush().unwrap();
    drop(db);
    let (log, recovered, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(
        (recovered.size, log.epochs()),
        (1_200, vec![0, 300, 600, 900])
    );
    append(&log, 1);
    log.close().unwrap();
    drop(log);
    assert_eq!(reopen(&place, &[900]).unwrap().1.root, root(1_201));
}

/// G3: a witness that is older than the epoch from which on events are read is compared all the same.
#[test]
fn an_old_witness_is_compared_with_the_stored_hashes() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    append(&log, 100);
    log.close().unwrap();
    drop(log);
    let witness = fs::read(place.witness()).unwrap();
    let (log, _) = place.open().unwrap();
    append(&log, 100);
    begin_epoch(&log);
    log.close().unwrap();
    drop(log);
    fs::write(place.witness(), &witness).unwrap();
    assert_eq!(reopen(&place, &[200]).unwrap().1.read_from, 200);

    let other = Place::new();
    let (log, _) = other.open().unwrap();
    let group = Group::new(0, ()).batch((0..100).map(|index| event(index + 1)).collect());
    drop(wait(log.append(group)).unwrap());
    log.close().unwrap();
    drop(log);
    fs::copy(other.witness(), place.witness()).unwrap();
    let Err(OpenError::Quarantine(reason)) = reopen(&place, &[200]) else {
        panic!("not quarantined")
    };
    assert!(
        matches!(reason, Quarantine::OtherRoot { size: 100, .. }),
        "{reason}"
    );
}

/// G2: a data folder of version 1 is brought into epochs by renames, wherever a crash cut that off before.
#[test]
fn a_folder_of_version_1_is_upgraded() {
    let used = Place::new();
    let (log, _) = used.open().unwrap();
    append(&log, 100);
    log.close().unwrap();
    drop(log);
    let (log, aside) = ("log", "log-of-version-1");
    for (at, has_list) in [
        (log, false),
        (aside, false),
        ("log/0", false),
        ("log/0", true),
    ] {
        let place = Place::new();
        copy(used.0.path(), place.0.path());
        fs::write(place.data().join("FORMAT"), "station-log 1\n").unwrap();
        if at != "log/0" {
            fs::rename(place.data().join("log/0"), place.data().join("0")).unwrap();
            fs::remove_dir(place.data().join("log")).unwrap();
            fs::rename(place.data().join("0"), place.data().join(at)).unwrap();
        }
        if !has_list {
            fs::remove_file(place.data().join("EPOCHS")).unwrap();
        }
        let (log, recovered, _) = reopen(&place, &[]).unwrap();
        assert_eq!((recovered.size, recovered.root), (100, root(100)), "{at}");
        assert_eq!(
            fs::read_to_string(place.data().join("FORMAT")).unwrap(),
            "station-log 2\n"
        );
        assert!(!place.data().join(aside).exists());
        begin_epoch(&log);
        assert_eq!(log.epochs(), [0, 100], "{at}");
    }
}

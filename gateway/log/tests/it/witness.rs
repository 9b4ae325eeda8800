//! The witness beside the keys: a data folder that was set back, as a whole or in part, is noticed, and the witness never
//! stands in the way of a log that is whole.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Place, event, options, wait};
use gateway_log::{Group, Log, OpenError, Quarantine};
use schemas::proof::CheckpointError;

fn append(log: &Log, count: u64) {
    let first = log.next_index();
    let group = Group::new(first, ()).batch((first..first + count).map(event).collect());
    drop(wait(log.append(group)).unwrap());
}

/// A closed log of 300 events, with a copy of its data folder at 200 in `old`.
fn used() -> Place {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    append(&log, 200);
    log.close().unwrap();
    drop(log);
    copy(&place.data(), &place.0.path().join("old"));
    let (log, _) = place.open().unwrap();
    append(&log, 100);
    log.close().unwrap();
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn quarantine(place: &Place) -> Quarantine {
    match place.open() {
        Err(OpenError::Quarantine(reason)) => reason,
        other => panic!("not quarantined: {other:?}"),
    }
}

/// G3: an older copy of the whole data folder, genuine in every part, is found by the witness.
#[test]
fn a_data_folder_that_was_set_back_is_quarantined() {
    let place = used();
    let (data, old) = (place.data(), place.0.path().join("old"));
    fs::rename(&data, place.0.path().join("new")).unwrap();
    fs::rename(&old, &data).unwrap();
    let reason = quarantine(&place);
    assert_eq!(
        reason,
        Quarantine::SetBack {
            events: 200,
            head_events: 200,
            witness_events: 300
        }
    );
    assert!(reason.to_string().contains("was set back"), "{reason}");
    fs::rename(&data, old).unwrap();
    fs::rename(place.0.path().join("new"), &data).unwrap();
    assert_eq!(
        place.open().unwrap().1.size,
        300,
        "putting it back heals it"
    );
}

/// G3: only `HEAD` set back: the log is long enough, and still somebody was there.
#[test]
fn an_older_genuine_head_is_quarantined() {
    let place = used();
    fs::copy(place.0.path().join("old/HEAD"), place.data().join("HEAD")).unwrap();
    assert_eq!(
        quarantine(&place),
        Quarantine::SetBack {
            events: 300,
            head_events: 200,
            witness_events: 300
        }
    );
}

/// G3: only the log set back.
#[test]
fn an_older_log_under_a_newer_head_is_quarantined() {
    let place = used();
    fs::remove_dir_all(place.data().join("log/0")).unwrap();
    copy(
        &place.0.path().join("old/log/0"),
        &place.data().join("log/0"),
    );
    assert_eq!(
        quarantine(&place),
        Quarantine::Shorter {
            part: "HEAD",
            events: 200,
            covered: 300
        }
    );
}

/// G3: the data folder of another station, or of another log of this one.
#[test]
fn another_stations_data_folder_is_quarantined() {
    let (place, other) = (used(), Place::new());
    let (log, _) = other.open().unwrap();
    for first in (0..400).step_by(50) {
        let group = (first..first + 50).map(|index| event(index + 1)).collect();
        drop(wait(log.append(Group::new(first, ()).batch(group))).unwrap());
    }
    log.close().unwrap();
    drop(log);
    // The same origin and key, as on a cloned disk: every part of it is genuine.
    fs::remove_dir_all(place.data()).unwrap();
    copy(&other.data(), &place.data());
    let reason = quarantine(&place);
    assert!(
        matches!(
            reason,
            Quarantine::OtherRoot {
                part: "the witness beside the keys",
                size: 300,
                ..
            }
        ),
        "{reason}"
    );
    let head = fs::read_to_string(other.data().join("HEAD")).unwrap();
    fs::write(place.data().join("HEAD"), head.replace("hz-01", "hz-02")).unwrap();
    assert!(matches!(
        quarantine(&place),
        Quarantine::Origin { part: "HEAD", .. }
    ));
}

/// The witness itself must be this log's.
#[test]
fn the_witness_must_be_this_logs() {
    let place = used();
    let genuine = fs::read_to_string(place.witness()).unwrap();
    assert_eq!(
        genuine,
        fs::read_to_string(place.data().join("HEAD")).unwrap()
    );
    let mode = place.witness().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::write(place.witness(), genuine.replace("hz-01", "hz-02")).unwrap();
    let reason = quarantine(&place);
    assert!(
        matches!(
            reason,
            Quarantine::Origin {
                part: "the witness beside the keys",
                ..
            }
        ),
        "{reason}"
    );
    fs::write(place.witness(), genuine.replace("\n300\n", "\n299\n")).unwrap();
    assert_eq!(
        quarantine(&place),
        Quarantine::Witness(CheckpointError::Signature)
    );
    fs::write(place.witness(), "").unwrap();
    assert!(matches!(
        quarantine(&place),
        Quarantine::Witness(CheckpointError::Note(_))
    ));
    fs::write(place.witness(), genuine).unwrap();
    assert_eq!(place.open().unwrap().1.size, 300);
}

/// Keys and marker of a new station, but a witness of a log that had events: nothing is made.
#[test]
fn a_witness_without_a_marker_is_no_first_start() {
    let place = used();
    fs::remove_dir_all(place.data()).unwrap();
    fs::remove_file(place.marker()).unwrap();
    assert_eq!(
        quarantine(&place),
        Quarantine::MarkerMissing {
            events: 0,
            head_events: 300
        }
    );
}

/// The witness is written at open, close and after a sealed group, and in between only when its time has come.
#[test]
fn the_witness_follows_in_its_time() {
    let place = Place::new();
    let witnessed = || {
        let note = fs::read_to_string(place.witness()).unwrap();
        note.lines().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let open = |every| {
        let mut options = options(&place.marker());
        options.limits.witness_every = every;
        options.limits.checkpoint_events_max = 10;
        Log::open(&place.data(), options).unwrap().0
    };
    let log = open(Duration::from_hours(1));
    append(&log, 10);
    wait(log.heads().wait_for(|head| head.checkpoint.size == 10))
        .map(drop)
        .unwrap();
    assert_eq!(witnessed(), 0);
    let sealed = Group::new(10, ()).batch(vec![event(10)]).sealed();
    drop(wait(log.append(sealed)).unwrap());
    assert_eq!(witnessed(), 11);
    append(&log, 10);
    log.close().unwrap();
    assert_eq!(witnessed(), 21);
    drop(log);

    // With nothing more to do it still comes up to `HEAD` when its time has come.
    let log = open(Duration::from_millis(200));
    append(&log, 10);
    let began = Instant::now();
    while witnessed() < 31 {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::yield_now();
    }
}

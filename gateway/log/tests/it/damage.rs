//! What damage does: each part of a log lost, cut or changed singly is quarantined, and an interrupted first start is not.

use std::fs;
use std::path::Path;

use crate::common::{Place, TestKey, event, options, wait};
use gateway_log::{Group, Log, OpenError, Quarantine, holds_log, is_initialised};

/// A log of 300 events under a checkpoint, closed.
fn used() -> Place {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    for first in (0..300).step_by(100) {
        let group = Group::new(first, ()).batch((first..first + 100).map(event).collect());
        drop(wait(log.append(group)).unwrap());
    }
    log.close().unwrap();
    place
}

fn quarantine(place: &Place) -> Quarantine {
    match place.open() {
        Err(OpenError::Quarantine(reason)) => reason,
        other => panic!("not quarantined: {other:?}"),
    }
}

fn missing(part: &'static str) -> Quarantine {
    Quarantine::EpochMissing { first: 0, part }
}

fn cut(path: &Path, bytes: u64) {
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(bytes)
        .unwrap();
}

/// Any part deleted: quarantined, with the part's name; never a new empty log; and putting the part back heals it.
#[test]
fn each_part_deleted_is_quarantined() {
    type Expected = fn(&Quarantine) -> bool;
    let parts: [(&str, Expected); 9] = [
        ("data/FORMAT", |reason| {
            *reason == Quarantine::Missing("FORMAT")
        }),
        ("data/HEAD", |reason| *reason == Quarantine::Missing("HEAD")),
        ("data/log/0/db", |reason| *reason == missing("db")),
        ("data/log/0/conf", |reason| *reason == missing("conf")),
        ("data/log/0", |reason| *reason == missing("db")),
        ("data/log", |reason| *reason == missing("db")),
        ("data/EPOCHS", |reason| {
            *reason == Quarantine::Missing("EPOCHS")
        }),
        ("keys/log-witness", |reason| {
            *reason == Quarantine::Missing("the witness beside the keys")
        }),
        ("keys/log-started", |reason| {
            // The log is not opened to count when HEAD says enough.
            *reason
                == Quarantine::MarkerMissing {
                    events: 0,
                    head_events: 300,
                }
        }),
    ];
    for (part, expected) in parts {
        let place = used();
        let (path, aside) = (place.0.path().join(part), place.0.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        assert!(
            holds_log(&place.data())
                && (part.starts_with("keys") || is_initialised(&place.marker()))
        );
        let reason = quarantine(&place);
        assert!(expected(&reason), "{part}: {reason:?}");
        assert_eq!(quarantine(&place), reason, "{part}: and again");
        fs::rename(&aside, &path).unwrap();
        assert_eq!(place.open().unwrap().1.size, 300, "{part}");
    }
}

/// The whole data folder gone while the keys remain is no first start.
#[test]
fn a_lost_data_folder_is_quarantined() {
    let place = used();
    fs::remove_dir_all(place.data()).unwrap();
    assert_eq!(quarantine(&place), Quarantine::Missing("HEAD"));
}

/// Any part cut to nothing or to a half.
#[test]
fn each_part_cut_short_is_quarantined() {
    for part in [
        "data/FORMAT",
        "data/HEAD",
        "data/EPOCHS",
        "data/log/0/db",
        "data/log/0/conf",
        "keys/log-started",
        "keys/log-witness",
    ] {
        for half in [false, true] {
            let place = used();
            let path = place.0.path().join(part);
            let bytes = if half {
                path.metadata().unwrap().len() / 2
            } else {
                0
            };
            cut(&path, bytes);
            let reason = quarantine(&place);
            println!("{part} cut to {bytes} bytes: {reason}");
        }
    }
}

/// Snapshots of sled are derived: without them, or with a half-written one, the log opens whole.
#[test]
fn snapshots_are_derived() {
    let place = used();
    drop(place.open().unwrap());
    let mut snapshots = 0;
    for entry in fs::read_dir(place.data().join("log/0")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("snap.")
        {
            let half = path.with_file_name("snap.00000000000FFFFF.generating");
            let bytes = fs::read(&path).unwrap();
            fs::write(&half, bytes.get(..bytes.len() / 2).unwrap()).unwrap();
            fs::remove_file(&path).unwrap();
            snapshots += 1;
        }
    }
    assert!(snapshots > 0, "sled writes a snapshot when it opens");
    assert_eq!(place.open().unwrap().1.size, 300);
}

fn with_sled<T>(place: &Place, change: impl FnOnce(&sled::Tree) -> sled::Result<T>) {
    let db = sled::Config::new()
        .path(place.data().join("log/0"))
        .open()
        .unwrap();
    change(&db.open_tree("log").unwrap()).map(drop).unwrap();
    db.flush().unwrap();
}

/// G3: an event changed, removed or cut off behind the log's back is found, and named by its index.
#[test]
fn changed_events_are_found() {
    let place = used();
    with_sled(&place, |log| log.insert(17_u64.to_be_bytes(), b"another"));
    assert!(matches!(
        quarantine(&place),
        Quarantine::OtherRoot { size: 300, .. }
    ));

    let place = used();
    with_sled(&place, |log| log.remove(17_u64.to_be_bytes()));
    assert_eq!(quarantine(&place), Quarantine::Gap { expected: 17 });

    let place = used();
    with_sled(&place, |log| log.remove(299_u64.to_be_bytes()));
    assert_eq!(
        quarantine(&place),
        Quarantine::Shorter {
            part: "HEAD",
            events: 299,
            covered: 300
        }
    );

    let place = used();
    with_sled(&place, |log| log.insert(b"stray", b"x"));
    assert_eq!(quarantine(&place), Quarantine::Gap { expected: 300 });
}

/// `HEAD` is of this station's key and origin, or it is none.
#[test]
fn head_must_be_this_stations() {
    let place = used();
    let head = fs::read_to_string(place.data().join("HEAD")).unwrap();
    fs::write(place.data().join("HEAD"), head.replace("hz-01", "hz-02")).unwrap();
    assert!(matches!(
        quarantine(&place),
        Quarantine::Origin { part: "HEAD", .. }
    ));
    fs::write(
        place.data().join("HEAD"),
        head.replace("\n300\n", "\n299\n"),
    )
    .unwrap();
    assert!(matches!(quarantine(&place), Quarantine::Head(_)));

    let mut other_key = options(&place.marker());
    other_key.identity = TestKey::of_seed(8).note_key();
    other_key.signer = Box::new(TestKey::of_seed(8));
    let Err(OpenError::Quarantine(Quarantine::Marker)) = Log::open(&place.data(), other_key) else {
        panic!("another key's marker was taken")
    };
}

/// A crash may leave `HEAD` behind the log: it is brought up to what is there.
#[test]
fn a_head_that_lags_is_brought_up() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let (early, witness) = (log.head().note, fs::read(place.witness()).unwrap());
    drop(wait(log.append(Group::new(0, ()).batch(vec![event(0), event(1)]))).unwrap());
    drop(log);
    fs::write(place.data().join("HEAD"), early).unwrap();
    fs::write(place.witness(), witness).unwrap();
    let (log, recovered) = place.open().unwrap();
    assert_eq!((recovered.head_size, recovered.size), (0, 2));
    assert_eq!(log.head().checkpoint.size, 2);
}

/// A newer folder is refused with both versions; nonsense is damage.
#[test]
fn a_newer_format_is_refused() {
    let place = used();
    fs::write(place.data().join("FORMAT"), "station-log 3\n").unwrap();
    let refused = place.open().unwrap_err();
    assert!(
        matches!(refused, OpenError::NewerFormat { found: 3, known: 2 }),
        "{refused}"
    );
    for nonsense in [
        "station-log 0\n",
        "station-log -1\n",
        "station-log 1",
        "\u{0}",
    ] {
        fs::write(place.data().join("FORMAT"), nonsense).unwrap();
        assert_eq!(quarantine(&place), Quarantine::Format);
    }
}

/// The error tells the operator where to read on.
#[test]
fn a_quarantine_names_the_runbook() {
    let place = used();
    fs::remove_file(place.data().join("HEAD")).unwrap();
    let text = place.open().unwrap_err().to_string();
    assert!(
        text.contains("HEAD is missing") && text.contains("ops/docs/runbook/quarantine.md"),
        "{text}"
    );
}

/// A first start that is cut off after any of its steps is done again, and the station is not bricked.
#[test]
fn an_interrupted_first_start_is_done_again() {
    let finished = Place::new();
    drop(finished.open().unwrap());
    // What each step leaves behind, in their order; the keys are there already, the marker never is.
    let steps: [&[(&str, Option<u64>)]; 8] = [
        &[],
        &[("FORMAT", None)],
        &[("FORMAT", None), ("HEAD", None)],
        &[("FORMAT", None), ("HEAD", None), ("log/0/conf", Some(5))],
        &[
            ("FORMAT", None),
            ("HEAD", None),
            ("log/0/conf", None),
            ("log/0/db", Some(700)),
        ],
        &[
            ("FORMAT", None),
            ("HEAD", None),
            ("log/0/conf", None),
            ("log/0/db", None),
        ],
        &[
            ("FORMAT", None),
            ("HEAD", None),
            ("log/0/conf", None),
            ("log/0/db", None),
            ("EPOCHS", None),
        ],
        &[
            ("FORMAT", None),
            ("HEAD", None),
            ("log/0/conf", None),
            ("log/0/db", None),
            ("EPOCHS", None),
            ("../keys/log-witness", None),
        ],
    ];
    for files in steps {
        let place = Place::new();
        for (name, bytes) in files {
            let path = place.data().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(finished.data().join(name), &path).unwrap();
            if let Some(bytes) = bytes {
                cut(&path, *bytes);
            }
        }
        let (log, recovered) = place.open().unwrap();
        assert!(recovered.first_start, "{files:?}");
        drop(wait(log.append(Group::new(0, ()).batch(vec![event(0)]))).unwrap());
        drop(log);
        let (_, recovered) = place.open().unwrap();
        assert_eq!(
            (recovered.size, recovered.first_start),
            (1, false),
            "{files:?}"
        );
    }
}

//! G2: the harness judged by programs whose answer is known, one of them not written here.
//!
//! A harness that finds nothing lost proves nothing until it has been seen to find a loss.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;

use crashfs::{Ack, Campaign, Tally, Workload};

fn two_words(line: &str) -> Option<Ack> {
    let (key, value) = line.split_once(' ')?;
    Some(Ack::Entry {
        key: key.to_owned(),
        value: value.to_owned(),
    })
}

fn appender(name: &str, option: Option<&'static str>) -> Workload {
    let command = |folder: &Path, option: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crashfs-appender"));
        command.arg(folder).args(option);
        command
    };
    Workload {
        name: name.to_owned(),
        folder: "data".to_owned(),
        command: Box::new(move |folder, _| command(folder, option)),
        verify: Box::new(move |folder| command(folder, Some("--verify"))),
        parse: Box::new(two_words),
    }
}

fn sqlite(synchronous: &'static str) -> Workload {
    let command = |folder: &Path, what: &str| {
        let mut command = Command::new("python3");
        command.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/sqlite_writer.py"
        ));
        command.arg(folder).arg(what);
        command
    };
    Workload {
        name: format!("SQLite {synchronous}"),
        folder: "data".to_owned(),
        command: Box::new(move |folder, _| command(folder, synchronous)),
        verify: Box::new(move |folder| command(folder, "verify")),
        parse: Box::new(two_words),
    }
}

fn assert_clean(tally: &Tally, images: u32) {
    assert_eq!(tally.images, images);
    assert!(tally.is_clean(), "{tally}");
    assert!(
        tally.acknowledged > 20 * usize::try_from(images).unwrap(),
        "{tally}"
    );
}

/// G2: append, fdatasync, acknowledge: nothing is lost, crashes after crashes included.
#[test]
fn a_synced_appender_loses_nothing() {
    for pages in [false, true] {
        let campaign = Campaign {
            again_share: 0.3,
            generations_max: 3,
            ..Campaign::plain(1, pages, 40)
        };
        let tally = campaign.run(&appender("synced appender", None)).unwrap();
        assert_clean(&tally, 40);
        assert!(tally.crashed_again >= 5, "{tally}");
    }
}

/// G2: the same without the sync: every strict image has lost what it acknowledged.
#[test]
fn an_appender_without_sync_is_caught() {
    let workload = appender("appender without sync", Some("--no-sync"));
    let strict = Campaign::plain(2, false, 40).run(&workload).unwrap();
    assert_eq!((strict.owing, strict.lost), (40, 40), "{strict}");
    let pages = Campaign::plain(2, true, 40).run(&workload).unwrap();
    assert!(pages.lost >= 30, "{pages}");
}

/// G2: SQLite with synchronous=FULL loses nothing.
#[test]
fn sqlite_full_loses_nothing() {
    for pages in [false, true] {
        let tally = Campaign::plain(3, pages, 20).run(&sqlite("FULL")).unwrap();
        assert_clean(&tally, 20);
    }
}

/// G2: SQLite with synchronous=NORMAL syncs at checkpoints only, and is caught in most images.
#[test]
fn sqlite_normal_is_caught() {
    let tally = Campaign::plain(4, false, 20)
        .run(&sqlite("NORMAL"))
        .unwrap();
    assert!(tally.lost >= 15, "{tally}");
}

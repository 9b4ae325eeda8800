//! G2: what the log has acknowledged survives a power cut, whatever the disk kept of the rest.
//!
//! `POWER_CUT_IMAGES` (default 40) is the number of images of each kind, `POWER_CUT_SEED` repeats the
//! harness's choices (the timing of the program under test is its own), `POWER_CUT_KEEP` names a
//! folder for the images that fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use crashfs::{Ack, Campaign, Tally, Workload, build};

/// A value from the environment; a value that cannot be read fails the test instead of being ignored.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not what it should be: {text:?}")),
    )
}

fn images() -> u32 {
    setting("POWER_CUT_IMAGES").unwrap_or(40)
}

fn seed() -> u64 {
    setting("POWER_CUT_SEED").unwrap_or_else(|| fastrand::u64(..))
}

/// The log's workload, built with or without the switch that gives sled its own sync back.
fn program(own_sync: bool) -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let common = ["--package", "gateway-log", "--example", "workload"];
    if own_sync {
        let switched = [
            common.as_slice(),
            &["--features", "gateway-log/sled-own-sync"],
        ]
        .concat();
        build::program(scratch, "log-workload-own-sync", &switched).unwrap()
    } else {
        build::program(scratch, "log-workload", &common).unwrap()
    }
}

/// `index hash`, the hash in hexadecimal digits of SHA-256.
fn index_and_hash(line: &str) -> Option<Ack> {
    let (index, hash) = line.split_once(' ')?;
    let index: u64 = index.parse().ok()?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| Ack {
        key: index.to_string(),
        value: hash.to_owned(),
    })
}

fn log(own_sync: bool) -> Workload {
    let program = program(own_sync);
    let verifier = program.clone();
    Workload {
        name: if own_sync {
            "log with sled's own sync"
        } else {
            "log"
        }
        .to_owned(),
        folder: "data".to_owned(),
        command: Box::new(move |folder| {
            let mut command = Command::new(&program);
            command.arg(folder);
            command
        }),
        verify: Box::new(move |folder| {
            let mut command = Command::new(&verifier);
            command.arg("--verify").arg(folder);
            command
        }),
        parse: Box::new(index_and_hash),
    }
}

fn assert_nothing_lost(pages: bool) {
    let campaign = Campaign {
        acks: 300..=3000,
        keep_failed: setting("POWER_CUT_KEEP"),
        ..Campaign::thorough(seed(), pages, images())
    };
    let tally = campaign.run(&log(false)).unwrap();
    assert_eq!(tally.images, images());
    assert!(tally.is_clean(), "{tally}");
    assert_worthwhile(&tally);
}

/// A campaign that owes nothing, or never crashes within recovery, would pass without showing anything.
fn assert_worthwhile(tally: &Tally) {
    assert!(tally.owing * 4 >= tally.images * 3, "{tally}");
    assert!(tally.crashed_again * 4 >= tally.images, "{tally}");
    assert!(
        tally.acknowledged >= 10 * usize::try_from(tally.images).unwrap(),
        "{tally}"
    );
}

/// G2: strict images: all that was not synced is gone.
#[test]
fn nothing_acknowledged_is_lost_in_strict_images() {
    assert_nothing_lost(false);
}

/// G2: page images: each 4 KB page keeps any of its versions.
#[test]
fn nothing_acknowledged_is_lost_in_page_images() {
    assert_nothing_lost(true);
}

/// G2: with sled's own `sync_file_range` the same log loses what it acknowledged, and the harness
/// sees it: in nearly all strict images, by a refusal to open or by missing events.
#[test]
fn sleds_own_sync_is_caught() {
    let campaign = Campaign {
        acks: 300..=3000,
        ..Campaign::plain(seed(), false, 40)
    };
    let tally = campaign.run(&log(true)).unwrap();
    assert_eq!(tally.owing, tally.images, "{tally}");
    assert!(tally.lost + tally.unopened >= 36, "{tally}");
}

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
    // With the features of the whole workspace, so that nothing is built a second time for it.
    let common = ["--workspace", "--example", "workload"];
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

/// `event <index> <leaf hash>`, `kv <key> <sha256 or ->`, or `pruned <first index>`: what was pruned may be gone, and no more.
fn event_or_pair(line: &str) -> Option<Ack> {
    if let Some(first) = line.strip_prefix("pruned ") {
        return Some(Ack::Latest {
            key: "pruned".to_owned(),
            value: Some(first.to_owned()),
        });
    }
    let (kind_and_key, hash) = line.rsplit_once(' ')?;
    let (kind, key) = kind_and_key.split_once(' ')?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = is_hash.then(|| hash.to_owned());
    let key_of_kind = kind_and_key.to_owned();
    match kind {
        "event" if key.parse::<u64>().is_ok() => Some(Ack::Entry {
            key: key_of_kind,
            value: value?,
        }),
        "kv" if is_hash || hash == "-" => Some(Ack::Latest {
            key: key_of_kind,
            value,
        }),
        _ => None,
    }
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
        // The log's folder and that of the keys are made in it by the program.
        folder: String::new(),
        command: Box::new(move |folder, turn| {
            // It ends by itself, so that all that was under way is known.
            let calls = if turn.generation == 0 {
                40 + turn.seed % 400
            } else {
                1 + turn.seed % 30
            };
            let mut command = Command::new(&program);
            command
                .arg(folder)
                .arg(turn.seed.to_string())
                .arg(calls.to_string());
            command
        }),
        verify: Box::new(move |folder| {
            let mut command = Command::new(&verifier);
            command.arg("--verify").arg(folder);
            command
        }),
        parse: Box::new(event_or_pair),
    }
}

fn assert_nothing_lost(pages: bool) {
    let campaign = Campaign {
        // Far more than it has: it is never killed.
        acks: 1_000_000..=1_000_000,
        acks_again: 1_000_000..=1_000_000,
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

/// G4: the load of the power cuts begins epochs and prunes them; else they would show nothing of either.
#[test]
fn the_load_begins_epochs_and_prunes_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program(false));
    let output = command.arg(folder.path()).args(["7", "240"]).output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let pruned = said.lines().filter(|line| line.starts_with("pruned "));
    assert!(pruned.count() >= 3, "{said}");
    let left = std::fs::read_dir(folder.path().join("data/log")).unwrap();
    assert!((2..=6).contains(&left.count()));
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
        // Far more than it has: it is never killed.
        acks: 1_000_000..=1_000_000,
        acks_again: 1_000_000..=1_000_000,
        ..Campaign::plain(seed(), false, 40)
    };
    let tally = campaign.run(&log(true)).unwrap();
    // An image cut before the first acknowledgement owes nothing and may be kept whole; few are.
    assert!(tally.owing >= 36, "{tally}");
    assert!(tally.lost + tally.unopened >= 36, "{tally}");
}

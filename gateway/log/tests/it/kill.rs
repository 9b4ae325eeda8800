//! Killed at any moment under load: every acknowledged event is there once, unchanged, and the log opens.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const ROUNDS: u64 = 10;

/// Built by cargo with the tests of this package.
fn workload() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/workload");
    assert!(
        path.exists(),
        "build the example first: cargo build -p gateway-log --example workload"
    );
    path
}

/// Lines of `event <index> <sha256>`. A line that was cut off by the kill was not acknowledged.
fn events(text: impl BufRead) -> BTreeMap<u64, String> {
    let lines = text.lines().map(Result::unwrap);
    lines
        .filter_map(|line| {
            let mut words = line.strip_prefix("event ")?.split(' ');
            let (index, hash) = (words.next()?.parse().ok()?, words.next()?);
            (hash.len() == 64).then(|| (index, hash.to_owned()))
        })
        .collect()
}

fn run_and_kill(folder: &Path, round: u64) -> BTreeMap<u64, String> {
    let mut child = Command::new(workload())
        .args([folder.as_os_str(), round.to_string().as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        events(output)
    });
    // The moment is meant to be arbitrary: the first rounds are cut off while they open the log.
    std::thread::sleep(Duration::from_millis(20 + 37 * round));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap_or_default()
}

/// G2.
#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost() {
    let place = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for round in 1..=ROUNDS {
        acknowledged.extend(run_and_kill(place.path(), round));
    }
    let output = Command::new(workload())
        .args(["--verify".as_ref(), place.path()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let there = events(output.stdout.as_slice());
    assert!(
        acknowledged.len() > 100,
        "too few to show anything: {}",
        acknowledged.len()
    );
    for (index, hash) in &acknowledged {
        assert_eq!(there.get(index), Some(hash), "event {index}");
    }
    // sled never syncs its blob files; that it makes none is what the limits are for.
    for epoch in std::fs::read_dir(place.path().join("data/log")).unwrap() {
        let blobs = epoch.unwrap().path().join("blobs");
        assert_eq!(std::fs::read_dir(blobs).unwrap().count(), 0);
    }
    println!("{} acknowledged, {} there", acknowledged.len(), there.len());
}

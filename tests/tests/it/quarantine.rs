//! evidence.md 3 and 4: a part of the station's records that is gone is never taken for a new station.

use std::path::Path;

use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left::copy_all;
use station_tests::station::Station;

const QUARANTINED: i32 = 3;

/// G2: each part of a station that has recorded something, deleted singly.
#[test]
fn g2_a_missing_part_is_quarantined_and_nothing_is_changed() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.start();
    drop(Kiosk::connect(station.layout.mqtt, "kiosk-1"));
    assert!(station.stop().success());
    let saved = tempfile::tempdir().unwrap();
    let (data, keys) = (station.layout.data(), station.layout.keys());
    copy_all(&data, &saved.path().join("data"));
    copy_all(&keys, &saved.path().join("keys"));
    let mut parts = vec![
        data.clone(),
        keys.clone(),
        data.join("log"),
        data.join("HEAD"),
        data.join("FORMAT"),
    ];
    parts.extend(
        std::fs::read_dir(&keys)
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    for part in parts {
        remove(&part);
        let before = listing(&data);
        station.spawn();
        let status = station.wait_end();
        assert_eq!(
            status.code(),
            Some(QUARANTINED),
            "without {}: {}",
            part.display(),
            station.output()
        );
        assert!(station.output().contains("ops/docs/runbook/quarantine.md"));
        assert_eq!(
            listing(&data),
            before,
            "without {}: something was changed",
            part.display()
        );
        for (from, to) in [("data", &data), ("keys", &keys)] {
            remove(to);
            copy_all(&saved.path().join(from), to);
        }
    }
    station.start();
    assert!(station.stop().success());
}

fn remove(part: &Path) {
    if part.is_dir() {
        std::fs::remove_dir_all(part).unwrap();
    } else if part.exists() {
        std::fs::remove_file(part).unwrap();
    }
}

/// Names and sizes of what is in a folder; the lock does not count.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "LOCK")
        .flat_map(|entry| {
            if entry.path().is_dir() {
                listing(&entry.path())
            } else {
                vec![(
                    entry.path().display().to_string(),
                    entry.metadata().unwrap().len(),
                )]
            }
        })
        .collect();
    all.sort();
    all
}

//! G4 on the real binaries: a log of several epochs, started from its snapshots, pruned, verified and proven.

use std::path::PathBuf;

use serde_json::{Value, json};
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left;
use station_tests::station::Station;
use station_tests::stock::Stocked;

const QUARANTINED: i32 = 3;
/// The fewest that a station may be configured with.
const EPOCH_EVENTS: u64 = 100;
/// A request that is refused and recorded.
const NOBODY: &str = "1101050012026110100001";

fn station(root: &std::path::Path) -> Station {
    let short = format!("epoch_events = {EPOCH_EVENTS}");
    Station::configured(Layout::new(root), |text| {
        assert!(text.contains("epoch_events = 100000"));
        text.replace("epoch_events = 100000", &short)
    })
}

fn body(id: &str) -> Value {
    json!({ "message_id": id, "deadline_ms": u64::MAX, "claim": { "voucher": NOBODY } })
}

/// One request, and its receipt.
fn asked(kiosk: &mut Kiosk, id: &str) -> Value {
    kiosk.request_as("start-pickup", id, &body(id))
}

fn epochs(station: &Station) -> Vec<u64> {
    let folders = std::fs::read_dir(station.layout.data().join("log")).unwrap();
    let mut firsts: Vec<u64> = folders
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    firsts.sort_unstable();
    firsts
}

fn snapshots(station: &Station) -> Vec<PathBuf> {
    let files = std::fs::read_dir(station.layout.data().join("snapshots")).unwrap();
    files.map(|entry| entry.unwrap().path()).collect()
}

fn said(station: &Station, args: &[&str]) -> (bool, String) {
    let output = station.tool(args, "");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// G2, G4: a station with several epochs starts from its newest snapshot, knows what it knew, goes further back when that is gone,
/// and, pruned, says what is gone and is verified all the same.
#[test]
fn g4_a_station_lives_in_epochs() {
    let root = tempfile::tempdir().unwrap();
    let Stocked {
        mut station,
        devices,
        mut kiosk,
        ..
    } = Stocked::with(station(root.path()), 1, &[]);
    let ids: Vec<String> = (0..330).map(|_| station_tests::new_id()).collect();
    let receipts: Vec<Value> = ids.iter().map(|id| asked(&mut kiosk, id)).collect();
    station.tool_ok(&["keys", "rotate"], "");
    let later: Vec<String> = (0..120).map(|_| station_tests::new_id()).collect();
    for id in &later {
        asked(&mut kiosk, id);
    }
    let firsts = epochs(&station);
    assert!(firsts.len() >= 4, "{firsts:?}");
    assert!(station.tool_ok(&["verify"], "").contains("whole"));
    drop((kiosk, devices));
    assert!(station.stop().success());
    assert!(station.tool_ok(&["verify"], "").contains("whole"));

    // From the newest snapshot: a repetition gets the receipt of its first copy, from whichever epoch.
    station.start();
    let read_from = format!("read_from={}", firsts.last().unwrap());
    assert!(
        station.output().contains(&read_from),
        "{}",
        station.output()
    );
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    for at in [0, 150, 329] {
        assert_eq!(asked(&mut kiosk, &ids[at]), receipts[at], "message {at}");
    }
    drop(kiosk);
    assert!(station.stop().success());

    // Without its file: from the one before. Without any: from the beginning.
    let kept = snapshots(&station);
    let aside = root.path().join("aside");
    std::fs::rename(station.layout.data().join("snapshots"), &aside).unwrap();
    station.start();
    assert!(
        station.output().contains("read_from=0"),
        "{}",
        station.output()
    );
    assert!(station.output().contains("going further back"));
    assert!(station.stop().success());
    // That start may have written one of its own.
    let folder = station.layout.data().join("snapshots");
    std::fs::create_dir_all(&folder).unwrap();
    for kept in std::fs::read_dir(&aside).unwrap() {
        let kept = kept.unwrap();
        std::fs::rename(kept.path(), folder.join(kept.file_name())).unwrap();
    }
    assert!(kept.len() >= 2, "{kept:?}");

    // Each start records what it finds, which may have filled an epoch.
    let firsts = epochs(&station);
    pruned(&mut station, &firsts);
}

/// How many custody records a new log would take over.
fn carried(station: &Station) -> String {
    let args = [
        "incarnate",
        "--reason",
        "cloned",
        "--approver",
        "operator-1",
        "--approver",
        "operator-2",
        "--dry-run",
    ];
    let told = station.tool_ok(&args, "");
    assert!(!told.contains("and no more"), "{told}");
    let line = told.lines().find(|line| line.starts_with("carried"));
    line.unwrap().to_owned()
}

fn pruned(station: &mut Station, firsts: &[u64]) {
    let newest = *firsts.last().unwrap();
    let whole = carried(station);
    assert!(!whole.contains(" 0 "), "{whole}");
    let first = left::prune(&station.layout, newest);
    assert_eq!(first, newest, "{firsts:?}");
    assert_eq!(epochs(station), [first]);
    assert_eq!(carried(station), whole, "from the snapshot");
    for running in [false, true] {
        if running {
            station.start();
        }
        let (whole, text) = said(station, &["verify"]);
        assert!(
            whole && text.contains(&format!("the first {first} events")),
            "{text}"
        );
        let index = (first + 1).to_string();
        let (proven, text) = said(station, &["prove", &index, "-o", "-"]);
        assert!(proven && text.contains("tlog-proof"), "{text}");
        for args in [
            &["prove", "17"][..],
            &["export", "json", "-"],
            &["export", "bundle", "bundle"],
        ] {
            let (done, text) = said(station, args);
            assert!(!done && text.contains("was pruned"), "{args:?}: {text}");
        }
        let (done, text) = said(
            station,
            &["export", "json", "-", "--from", &first.to_string()],
        );
        assert!(done && text.contains("snapshot-taken"), "{text}");
    }
    assert!(station.stop().success());
    // The state before the first event is nowhere else.
    for snapshot in snapshots(station) {
        std::fs::remove_file(snapshot).unwrap();
    }
    station.spawn();
    let status = station.wait_end();
    assert_eq!(status.code(), Some(QUARANTINED), "{}", station.output());
    assert!(
        station.output().contains("no whole snapshot"),
        "{}",
        station.output()
    );
}

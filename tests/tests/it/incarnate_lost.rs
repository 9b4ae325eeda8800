//! evidence.md 4: a new log where the old one is lost whole: after a change of its key, and with its keys.

use std::path::Path;

use schemas::event::Event;
use schemas::event::evidence::LogIncarnated;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::left;
use station_tests::station::{PIN, Station};
use station_tests::stock::Stocked;

const QUARANTINED: i32 = 3;
const APPROVED: [&str; 7] = [
    "incarnate",
    "--reason",
    "disk-lost",
    "--approver",
    "operator-1",
    "--approver",
    "operator-2",
];

/// Exit code, and what was said.
fn incarnate(station: &Station, more: &[&str]) -> (Option<i32>, String) {
    let output = station.tool(&[&APPROVED, more].concat(), &format!("{PIN}\n{PIN}\n"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The checkpoint that a running station would hand to the centre now.
fn checkpoint(station: &Station, name: &str) -> String {
    station.tool_ok(&["export", "bundle", name], "");
    std::fs::read_to_string(station.layout.root.join(name).join("checkpoint")).unwrap()
}

/// The first event of the log of a stopped station.
fn first_event(station: &Station) -> LogIncarnated {
    let first = left::entries(&station.layout).swap_remove(0);
    let Event::LogIncarnated(first) = first.event else {
        panic!("the log begins with {:?}", first.event);
    };
    first
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// G3: the disk with the log is lost after the key was changed. Checkpoints by the first key and by the last are known for what they
/// are, one by a stranger's key is not; the new log names them, under a key of its own.
#[test]
fn g3_a_log_lost_after_a_change_of_its_key_is_left() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    let station = &stocked.station;
    let by_first = checkpoint(station, "before");
    station.tool_ok(&["keys", "rotate"], "");
    let old_vkeys = station.tool_ok(&["keys", "vkey"], "");
    assert_eq!(old_vkeys.lines().count(), 2);
    let by_last = checkpoint(station, "after");
    assert!(stocked.station.stop().success());
    let witness = read(&stocked.station.layout.keys().join("witness"));
    std::fs::remove_dir_all(stocked.station.layout.data()).unwrap();
    stocked.station.spawn();
    assert_eq!(stocked.station.wait_end().code(), Some(QUARANTINED));

    let station = &stocked.station;
    let text = by_last.split("\n\n").next().unwrap();
    std::fs::write(root.path().join("unsigned"), format!("{text}\n\n")).unwrap();
    let stranger = by_first.replace("demo/1\n", "demo/7\n");
    std::fs::write(root.path().join("stranger"), stranger).unwrap();
    for file in ["unsigned", "stranger"] {
        let (code, said) = incarnate(station, &["--centre-checkpoint", file]);
        assert!(
            code == Some(1) && said.contains("not a checkpoint of"),
            "{said}"
        );
    }
    let (code, said) = incarnate(
        station,
        &["--centre-checkpoint", "before/checkpoint", "--dry-run"],
    );
    assert!(
        code == Some(0) && said.contains("nothing was changed"),
        "{said}"
    );
    assert!(!station.layout.keys().join("incarnation-1").exists());
    let (code, said) = incarnate(station, &["--centre-checkpoint", "after/checkpoint"]);
    assert!(
        code == Some(0) && said.contains("the new log is gateway.demo/station/demo/2"),
        "{said}"
    );

    stocked.station.start();
    let vkeys = stocked.station.tool_ok(&["keys", "vkey"], "");
    assert_eq!(vkeys.lines().count(), 1);
    assert!(
        !old_vkeys.contains(vkeys.trim()),
        "the new log has a key of the old one"
    );
    stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    assert_eq!(stocked.start_pickup(0)["reason"], "no-record");
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    assert!(stocked.station.stop().success());
    let first = first_event(&stocked.station);
    assert_eq!((first.incarnation, first.cards), (2, 0));
    assert_eq!(first.old_origin, "gateway.demo/station/demo/1");
    assert_eq!(first.old_checkpoint, Some(witness));
    assert_eq!(first.centre_checkpoint, Some(by_last));
    // What an auditor of the old log needs is still beside it.
    let aside = stocked.station.layout.keys().join("incarnation-1");
    for part in ["first-key", "witness", "last-rotation", "signing-key.p8"] {
        assert!(aside.join(part).exists(), "{part}");
    }
}

/// G3: where the keys are lost too, the number of the old log is the operators' to name: `--old`. It is asked for, and what cannot be
/// right is refused.
#[test]
fn g3_a_log_lost_with_its_keys_is_left_by_its_number() {
    let root = tempfile::tempdir().unwrap();
    let mut station = Station::new(Layout::new(root.path()));
    station.start();
    assert!(station.stop().success());
    let (code, said) = incarnate(&station, &["--old", "1"]);
    assert!(
        code == Some(1) && said.contains("leave out --old"),
        "{said}"
    );

    std::fs::remove_dir_all(station.layout.keys()).unwrap();
    station.spawn();
    assert_eq!(station.wait_end().code(), Some(QUARANTINED));
    let (code, said) = incarnate(&station, &[]);
    assert!(code == Some(1) && said.contains("--old"), "{said}");
    let (code, said) = incarnate(&station, &["--old", "0"]);
    assert!(code == Some(2) && said.contains("--old"), "{said}");
    // What is left of the log says itself which one it is.
    let (code, said) = incarnate(&station, &["--old", "3"]);
    assert!(
        code == Some(1) && said.contains("gateway.demo/station/demo/1"),
        "{said}"
    );
    let (code, said) = incarnate(&station, &["--old", "1", "--dry-run"]);
    assert!(
        code == Some(0) && said.contains("nothing was changed"),
        "{said}"
    );
    assert!(station.layout.data().join("HEAD").exists());
    let (code, said) = incarnate(&station, &["--old", "1"]);
    assert!(code == Some(0), "{said}");
    assert!(root.path().join("data.incarnation-1/HEAD").exists());
    begun(&mut station, 2);

    // Log and keys both: only the operators, and the centre, know that there was one.
    std::fs::remove_dir_all(station.layout.data()).unwrap();
    std::fs::remove_dir_all(station.layout.keys()).unwrap();
    let (code, said) = incarnate(&station, &["--old", "2", "--dry-run"]);
    assert!(
        code == Some(0) && said.contains("nothing was changed"),
        "{said}"
    );
    assert!(!station.layout.keys().exists(), "a dry run made something");
    let (code, said) = incarnate(&station, &["--old", "2"]);
    assert!(code == Some(0), "{said}");
    begun(&mut station, 3);
}

/// The station runs on log `number`, whose first event says that nothing of the old one could be proven.
fn begun(station: &mut Station, number: u32) {
    station.start();
    assert!(station.tool_ok(&["verify"], "").contains("whole"));
    assert!(station.stop().success());
    let first = first_event(station);
    assert_eq!(first.incarnation, number);
    let old = format!("gateway.demo/station/demo/{}", number - 1);
    assert_eq!((first.old_origin, first.old_checkpoint), (old, None));
}

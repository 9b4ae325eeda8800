//! G7 on the real binaries: `gateway erase` at a running station. What it answers, what it leaves in the log and on the disk, and
//! what the centre can still open.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemas::event::Event;
use schemas::key::SealingKeyId;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::stock::Stocked;
use station_tests::{left, sealed, wait_for};

const STEP: Duration = Duration::from_secs(20);
/// Longer than the pause after which the gateway tries again.
const RETRIED: Duration = Duration::from_secs(40);

fn pick_up(stocked: &mut Stocked, at: usize) -> String {
    let receipt = stocked.start_pickup(at);
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    assert_eq!(stocked.kiosk.prompt("done", STEP)["outcome"], "collected");
    receipt["session"].as_str().unwrap().to_owned()
}

/// Exit code, and what was said.
fn erase(station: &Station, args: &[&str]) -> (Option<i32>, String) {
    let output = station.tool(&[&["erase"], args].concat(), "");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn key_files(station: &Station) -> BTreeSet<PathBuf> {
    let folder = std::fs::read_dir(station.layout.data().join("session-keys")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

/// The one key file that is there now and was not before.
fn new_file(station: &Station, before: &BTreeSet<PathBuf>) -> PathBuf {
    let now = key_files(station);
    let new: Vec<_> = now.difference(before).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    new[0].clone()
}

fn key_of(file: &Path) -> SealingKeyId {
    SealingKeyId::new(file.file_stem().unwrap().to_str().unwrap()).unwrap()
}

/// What the log says of a session's erasure: how often it was asked, and which keys were destroyed each time it was done.
fn recorded(station: &Station, session: &str) -> (usize, Vec<Vec<SealingKeyId>>) {
    let (mut asked, mut done) = (0, Vec::new());
    for entry in left::entries(&station.layout) {
        match entry.event {
            Event::ErasureAsked(event) if event.session.as_str() == session => asked += 1,
            Event::ErasureDone(event) if event.session.as_str() == session => {
                assert!(!event.centre_asked);
                done.push(event.keys);
            }
            _ => {}
        }
    }
    (asked, done)
}

/// G7: the key is gone when the command answers, the log says so, the centre cannot open that session any more and the other
/// as before. What is not known is refused, and nothing is erased twice.
#[test]
fn g7_erase_destroys_what_is_personal_of_one_session() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    let one = pick_up(&mut stocked, 0);
    let file = new_file(&stocked.station, &BTreeSet::new());
    let two = pick_up(&mut stocked, 1);
    let before = key_files(&stocked.station);
    let station = &stocked.station;
    for (args, code, says) in [
        (&["s-999999"][..], 1, "s-999999"),
        (&["s-0"], 1, "s-0"),
        (&[&one, "--incarnation", "2"], 1, "this is log 1"),
        (&["no session"], 2, "session"),
    ] {
        let (status, said) = erase(station, args);
        assert!(
            status == Some(code) && said.contains(says),
            "{args:?}: {said}"
        );
        assert_eq!(key_files(station), before, "{args:?}");
    }

    let (code, said) = erase(station, &[&one]);
    assert!(
        code == Some(0) && said.contains("1 sealing keys destroyed"),
        "{said}"
    );
    let rest: BTreeSet<_> = before
        .iter()
        .filter(|path| **path != file)
        .cloned()
        .collect();
    assert_eq!(
        key_files(station),
        rest,
        "more or less is gone than its key"
    );
    let (code, said) = erase(station, &[&one, "--incarnation", "1"]);
    assert!(
        code == Some(0) && said.contains("erased already, by the station, since 20"),
        "{said}"
    );
    assert!(station.tool_ok(&["verify"], "").contains("whole"));

    assert!(stocked.station.stop().success());
    let (code, said) = erase(&stocked.station, &[&two]);
    assert!(
        code == Some(1) && said.contains("needs a running station"),
        "{said}"
    );
    let done = vec![vec![key_of(&file)]];
    assert_eq!(recorded(&stocked.station, &one), (1, done));
    for untouched in ["s-999999", "s-0", two.as_str()] {
        assert_eq!(recorded(&stocked.station, untouched), (0, Vec::new()));
    }
    let lines = sealed::open(&stocked.station.layout);
    for (session, what, opened) in [
        (&one, "key", (0, 0)),
        (&one, "field", (0, 1)),
        (&one, "photo", (0, 4)),
        (&two, "key", (1, 0)),
        (&two, "field", (1, 0)),
        (&two, "photo", (4, 0)),
    ] {
        assert_eq!(
            sealed::count(&lines, what, session),
            opened,
            "{what} of {session}"
        );
    }
}

/// G7: a key file that cannot be read is destroyed by the name that the log has for it.
#[test]
fn g7_an_unreadable_key_file_is_destroyed_by_its_name() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    let session = pick_up(&mut stocked, 0);
    let file = new_file(&stocked.station, &BTreeSet::new());
    std::fs::write(&file, b"\xff not a key file any more").unwrap();
    let (code, said) = erase(&stocked.station, &[&session]);
    assert!(
        code == Some(0) && said.contains("1 sealing keys destroyed"),
        "{said}"
    );
    assert!(key_files(&stocked.station).is_empty());
    assert!(stocked.station.stop().success());
    let done = vec![vec![key_of(&file)]];
    assert_eq!(recorded(&stocked.station, &session), (1, done));
}

/// Puts a folder with something in it in the file's place: no right to remove files removes that.
fn block(file: &Path) -> Vec<u8> {
    let bytes = std::fs::read(file).unwrap();
    std::fs::remove_file(file).unwrap();
    std::fs::create_dir_all(file.join("inside")).unwrap();
    bytes
}

fn unblock(file: &Path, bytes: &[u8]) {
    let beside = file.with_extension("again");
    std::fs::write(&beside, bytes).unwrap();
    std::fs::remove_dir_all(file).unwrap();
    std::fs::rename(&beside, file).unwrap();
}

/// G7: a key file that cannot be removed is told with its name and the reason, is never told as done, and is removed as soon as it
/// can be: by the same life of the station, or by a later one.
#[test]
fn g7_a_key_that_cannot_be_destroyed_is_told_and_destroyed_later() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    let one = pick_up(&mut stocked, 0);
    let first = new_file(&stocked.station, &BTreeSet::new());
    let before = key_files(&stocked.station);
    let two = pick_up(&mut stocked, 1);
    let second = new_file(&stocked.station, &before);
    let kept = [block(&first), block(&second)];
    for (session, file) in [(&one, &first), (&two, &second), (&one, &first)] {
        let (code, said) = erase(&stocked.station, &[session]);
        let names = said.contains(session.as_str()) && said.contains(file.to_str().unwrap());
        assert!(
            code == Some(1) && names && said.contains("not done"),
            "{said}"
        );
        assert!(said.contains("tries again"), "{said}");
    }
    // The same life of the station does it when it can.
    unblock(&first, &kept[0]);
    wait_for("the first key is destroyed", RETRIED, || {
        (!first.exists()).then_some(())
    });
    // A station starts although an erasure is held up, and goes on with it.
    assert!(stocked.station.stop().success());
    stocked.station.start();
    stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    assert!(second.is_dir());
    let (code, said) = erase(&stocked.station, &[&two]);
    assert!(code == Some(1) && said.contains("not done"), "{said}");
    unblock(&second, &kept[1]);
    wait_for("the second key is destroyed", RETRIED, || {
        (!second.exists()).then_some(())
    });
    wait_for("nothing is left of either", STEP, || {
        key_files(&stocked.station).is_empty().then_some(())
    });
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    assert!(stocked.station.stop().success());
    for (session, file) in [(&one, &first), (&two, &second)] {
        let done = vec![vec![key_of(file)]];
        assert_eq!(recorded(&stocked.station, session), (1, done));
    }
    let lines = sealed::open(&stocked.station.layout);
    for session in [&one, &two] {
        assert_eq!(sealed::count(&lines, "field", session), (0, 1));
        assert_eq!(sealed::count(&lines, "photo", session), (0, 4));
    }
}

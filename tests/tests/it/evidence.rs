//! G3 on the real binaries: the commands by which station IT and auditors check, prove and export what a station recorded.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use station_tests::left::copy_all;
use station_tests::station::Station;
use station_tests::stock::Stocked;

const STEP: Duration = Duration::from_secs(20);
const DAMAGED: i32 = 3;

/// A card is collected; the slip that the kiosk gets about it.
fn collected(stocked: &mut Stocked, at: usize) -> Value {
    assert_eq!(stocked.start_pickup(at)["outcome"], "accepted");
    stocked.kiosk.prompt("done", STEP);
    let slip = |channel: &str, value: &Value| (channel == "slip").then(|| value.clone());
    stocked.kiosk.until("the slip", STEP, slip)
}

fn verdict(station: &Station, args: &[&str]) -> (i32, String) {
    let output = station.tool(args, "");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

/// The one proof of a rotation that `prove` wrote beside this proof.
fn rotation_beside(folder: &Path, stem: &str) -> String {
    let begin = format!("{stem}.rotation-");
    let names = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap());
    let found: Vec<_> = names.filter(|name| name.starts_with(&begin)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// P7, G3: the slip leads to a proof that holds without the log, across a change of the signing key, while the station runs
/// and when it does not.
#[test]
fn p7_g3_a_slip_leads_to_a_proof() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    let slip = collected(&mut stocked, 0);
    let qr = slip["qr"].as_str().unwrap();
    assert!(slip["qr_svg"].as_str().unwrap().contains("<svg"));
    let station = &stocked.station;
    let vkey = station.tool_ok(&["keys", "vkey"], "");
    std::fs::write(root.path().join("vkey"), &vkey).unwrap();
    station.tool_ok(&["keys", "rotate"], "");
    station.tool_ok(&["prove", qr, "-o", "slip.tlog-proof"], "");
    let rotation = &rotation_beside(root.path(), "slip");
    let check = |args: &[&str]| {
        let output = std::process::Command::new(station_tests::station::binary("gateway"))
            .arg("check-proof")
            .args(args)
            .current_dir(root.path())
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, text) = check(&["slip.tlog-proof", rotation, "--vkey", "vkey"]);
    assert!(
        code == 0 && text.contains("station.pickup.card-taken.v1"),
        "{text}"
    );
    collected(&mut stocked, 1);
    // Once the log has gone on, the old key alone vouches for no checkpoint.
    let station = &stocked.station;
    station.tool_ok(&["prove", qr, "-o", "later.tlog-proof"], "");
    let later = &rotation_beside(root.path(), "later");
    assert_eq!(check(&["later.tlog-proof", later, "--vkey", "vkey"]).0, 0);
    // Each proof keeps the rotations over its own checkpoint.
    assert_eq!(check(&["slip.tlog-proof", rotation, "--vkey", "vkey"]).0, 0);
    let (code, said) = verdict(station, &["prove", qr, "-o", "-"]);
    assert!(
        code == 0 && said.contains("left out: the proofs of the changes of the signing key at "),
        "{said}"
    );
    assert_eq!(check(&["later.tlog-proof", "--vkey", "vkey"]).0, DAMAGED);
    let forged = std::fs::read_to_string(root.path().join("later.tlog-proof")).unwrap();
    let line = format!(
        "
index {}
",
        slip["index"]
    );
    assert!(forged.contains(&line), "{forged}");
    std::fs::write(
        root.path().join("forged"),
        forged.replace(
            &line,
            "
index 0
",
        ),
    )
    .unwrap();
    assert_eq!(check(&["forged", later, "--vkey", "vkey"]).0, DAMAGED);
    // Another slip's event, and no event at all.
    let (rest, leaf) = qr.rsplit_once(' ').unwrap();
    let other = format!("{rest} {}", "A".repeat(leaf.len()));
    assert_eq!(verdict(station, &["prove", &other]).0, 1);
    assert_eq!(verdict(station, &["prove", "999999"]).0, 1);
    assert!(stocked.station.stop().success());
    stocked
        .station
        .tool_ok(&["prove", qr, "-o", "stopped.tlog-proof"], "");
    let rotation = &rotation_beside(root.path(), "stopped");
    assert_eq!(
        check(&["stopped.tlog-proof", rotation, "--vkey", "vkey"]).0,
        0
    );
}

/// G3: `verify` finds a running, a stopped and an exported log whole, and names what is not.
#[test]
fn g3_verify_finds_a_log_whole_or_says_what_is_not() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    let vkey = stocked.station.tool_ok(&["keys", "vkey"], "");
    std::fs::write(root.path().join("vkey"), vkey).unwrap();
    let running = stocked.station.tool_ok(&["verify"], "");
    assert!(
        running.contains("a running station") && running.contains("whole"),
        "{running}"
    );
    stocked.station.tool_ok(&["keys", "rotate"], "");
    collected(&mut stocked, 0);
    assert!(stocked.station.stop().success());
    let stopped = stocked.station.tool_ok(&["verify", "--vkey", "vkey"], "");
    assert!(
        stopped.contains("1 of the signing key") && stopped.contains("whole"),
        "{stopped}"
    );
    let before = listing(&stocked.station.layout.data());
    stocked.station.tool_ok(&["export", "bundle", "bundle"], "");
    assert_eq!(
        listing(&stocked.station.layout.data()),
        before,
        "reading a stopped log changed it"
    );
    let bundle = |args: &[&str]| {
        let output = std::process::Command::new(station_tests::station::binary("gateway"))
            .args(["verify", "--bundle"])
            .args(args)
            .current_dir(root.path())
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert_eq!(bundle(&["bundle", "--vkey", "vkey"]).0, 0);
    let events = root.path().join("bundle/events.cose");
    let good = std::fs::read(&events).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    std::fs::write(&events, flipped).unwrap();
    let (code, said) = bundle(&["bundle"]);
    assert!(code == DAMAGED && said.contains("event "), "{said}");
    std::fs::write(&events, &good[..good.len() - 7]).unwrap();
    let (code, said) = bundle(&["bundle"]);
    assert!(
        code == DAMAGED
            && said.contains("the events break off here, event ")
            && said.contains("DAMAGED: 2 faults"),
        "{said}"
    );
    // A log that lost its end without a word from its store.
    let copy = root.path().join("shortened");
    copy_all(&stocked.station.layout.data(), &copy);
    std::fs::remove_dir_all(copy.join("log")).unwrap();
    std::fs::create_dir(copy.join("log")).unwrap();
    let (code, said) = verdict(
        &stocked.station,
        &["verify", "--data", copy.to_str().unwrap()],
    );
    assert!(
        code == DAMAGED && said.contains("only 0 are there"),
        "{said}"
    );
}

/// G3: events are exported by range, type and subject, as they were signed.
#[test]
fn g3_events_are_exported_by_range_type_and_subject() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    let session = collected(&mut stocked, 0)["session"]
        .as_str()
        .unwrap()
        .to_owned();
    let station = &stocked.station;
    let lines = |args: &[&str]| -> Vec<Value> {
        let text = station.tool_ok(&[&["export", "json", "-"], args].concat(), "");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let all = lines(&[]);
    assert!(
        all.iter()
            .enumerate()
            .all(|(at, event)| event["id"].as_str() == Some(format!("{at}").as_str()))
    );
    assert_eq!(lines(&["--from", "3", "--to", "5"]), all[3..5]);
    let taken = lines(&["--type", "station.pickup.card-taken."]);
    assert_eq!(taken.len(), 1);
    let own = lines(&["--subject", &session]);
    assert!(own.len() > 10 && own.iter().all(|event| event["subject"] == session.as_str()));
    station.tool_ok(
        &["export", "cose", "part.cose", "--from", "2", "--to", "4"],
        "",
    );
    assert_eq!(
        verdict(station, &["export", "cose", "part.cose"]).0,
        1,
        "a file was written over"
    );
}

/// G3: the admin socket is for its owner, and answers rubbish without harm.
#[test]
fn g3_the_admin_socket_is_for_its_owner() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 0);
    let socket = stocked.station.layout.data().join("admin.sock");
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    for rubbish in [
        "GET /proof/-1 HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n".as_bytes(),
        b"GET /events?from=x HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n",
        b"DELETE /keys/rotate HTTP/1.1\r\nHost: s\r\nConnection: close\r\n\r\n",
        b"\x00\xff\x13 rubbish \r\n\r\n",
    ] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        stream.write_all(rubbish).unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let head = String::from_utf8_lossy(&answer);
        assert!(
            head.starts_with("HTTP/1.1 4") || answer.is_empty(),
            "{head}"
        );
    }
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    assert!(stocked.station.stop().success());
    assert!(!socket.exists(), "the socket is left behind");
}

/// G3: whenever the station is killed around a change of its key, it starts with the right one and its log verifies.
#[test]
fn g3_a_kill_around_a_rotation_leaves_one_key_in_force() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 0);
    let vkey = stocked.station.tool_ok(&["keys", "vkey"], "");
    std::fs::write(root.path().join("vkey"), vkey).unwrap();
    let mut random = station_tests::Random::seeded("rotation");
    for _ in 0..8 {
        let delay = Duration::from_micros(random.below(60_000));
        std::thread::scope(|scope| {
            let station = &stocked.station;
            scope.spawn(|| station.tool(&["keys", "rotate"], ""));
            std::thread::sleep(delay);
            rustix::process::kill_process(station.pid(), rustix::process::Signal::KILL).unwrap();
        });
        stocked.station.kill();
        stocked.station.start();
        assert!(
            !stocked
                .station
                .layout
                .keys()
                .join("signing-key-next.p8")
                .exists()
        );
        let said = stocked.station.tool_ok(&["verify", "--vkey", "vkey"], "");
        assert!(said.contains("whole"), "{said}");
    }
    let before = stocked
        .station
        .tool_ok(&["keys", "vkey"], "")
        .lines()
        .count();
    stocked.station.tool_ok(&["keys", "rotate"], "");
    assert_eq!(
        stocked
            .station
            .tool_ok(&["keys", "vkey"], "")
            .lines()
            .count(),
        before + 1
    );
}

/// G3: changes of the key that are asked for at the same time come one after the other or are refused; none leaves a log that
/// nobody can sign.
#[test]
fn g3_rotations_at_the_same_time_leave_one_key_in_force() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 0);
    for _ in 0..4 {
        let before = stocked
            .station
            .tool_ok(&["keys", "vkey"], "")
            .lines()
            .count();
        let station = &stocked.station;
        let done = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..5)
                .map(|_| scope.spawn(|| station.tool(&["keys", "rotate"], "").status.success()))
                .collect();
            asked
                .into_iter()
                .map(|asked| asked.join().unwrap())
                .filter(|done| *done)
                .count()
        });
        assert!(done >= 1, "none was done");
        let after = station.tool_ok(&["keys", "vkey"], "").lines().count();
        assert_eq!(
            after,
            before + done,
            "what was answered is not what was done"
        );
    }
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
    assert!(stocked.station.stop().success());
    stocked.station.start();
    assert!(stocked.station.tool_ok(&["verify"], "").contains("whole"));
}

fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(listing(&path));
        } else if path.file_name().unwrap() != "RESERVE" {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

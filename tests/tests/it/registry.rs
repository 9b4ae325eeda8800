//! G1 on the real binaries: a stranger in a reader's place, a scanner that comes and goes, and maintenance. What kiosks, `/readyz`, metrics
//! and the log say, and what an operator does about it.

use std::time::Duration;

use schemas::event::Event;
use serde_json::{Value, json};
use station_tests::config::Layout;
use station_tests::raw::{Hello, Raw};
use station_tests::station::{PIN, Station, http_get};
use station_tests::stock::Stocked;
use station_tests::{left, wait_for};

const ONLINE: &str = "station_device_online{device=\"scanner-1\"}";
const STEP: Duration = Duration::from_secs(20);
/// The serial of the simulated reader inside the machine, as its module tells it.
const TRUE_SERIAL: &str = "05.03-20260101-0000000001-0000000001";

fn figure(station: &Station, name: &str, wanted: f64) {
    wait_for(name, STEP, || {
        let value = station.metric(name)?;
        ((value - wanted).abs() < 0.5).then_some(())
    });
}

/// The line of `/readyz` about a device.
fn line(station: &Station, device: &str) -> Value {
    let (_, body) = http_get(station.layout.http, "/readyz").unwrap();
    let page: Value = serde_json::from_str(&body).unwrap();
    let devices = page["devices"].as_array().unwrap();
    let found = devices.iter().find(|line| line["device"] == device);
    found.unwrap().clone()
}

/// An operator's command at the gateway's own machine: exit code and what was said.
fn command(station: &Station, args: &[&str]) -> (Option<i32>, String) {
    let args = [args, &["--operator", "operator-1"]].concat();
    let output = station.tool(&args, &format!("{PIN}\n"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// A stranger takes the reader's name and says another serial, until it was heard: the adapter takes the name back each time.
fn stranger_speaks(station: &Station) {
    let said = json!({
        "kind": "reader", "vendor": "v", "model": "m", "firmware": "f", "commands": ["read"], "events": [],
        "serial": "05.03-20260101-0000000001-0000000666",
    });
    wait_for("the stranger was heard", STEP, || {
        let mut raw = Raw::connect(station.layout.mqtt, &Hello::v5("reader-1")).ok()?;
        let desc = "station/v1/demo/reader-1/desc";
        raw.publish_with(desc, said.to_string().as_bytes(), true)
            .ok()?;
        raw.read().ok()?;
        let lies = station.metric("station_device_contradicted{device=\"reader-1\"}")?;
        (lies > 0.0).then_some(())
    });
}

/// Waits until the broker holds what the reader itself says of it: the gateway has heard it then.
fn reader_speaks_again(station: &Station) {
    let desc = "station/v1/demo/reader-1/desc";
    wait_for("the reader says who it is", STEP, || {
        let mut raw = Raw::connect(station.layout.mqtt, &Hello::v5("looker")).ok()?;
        raw.subscribe(desc).ok()?;
        let packet = std::iter::repeat_with(|| raw.read()).find_map(|read| match read {
            Ok(packet) if packet.kind() == 3 => Some(Some(packet)),
            Ok(_) => None,
            Err(_) => Some(None),
        })??;
        let said: Value = serde_json::from_slice(packet.publish(true).2).ok()?;
        (said["serial"] == TRUE_SERIAL).then_some(())
    });
}

fn pick_up(stocked: &mut Stocked, at: usize) {
    let receipt = wait_for("a pickup can be started", STEP, || {
        let receipt = stocked.start_pickup(at);
        (receipt["outcome"] == "accepted").then_some(receipt)
    });
    assert!(receipt["session"].is_string());
    assert_eq!(stocked.kiosk.prompt("done", STEP)["outcome"], "collected");
}

/// G1: a stranger that speaks for a reader puts it out of service until an operator has looked.
#[test]
fn g1_a_lying_reader_waits_for_an_operator() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    assert_eq!(line(&stocked.station, "reader-1")["up"], true);
    let (code, said) = command(&stocked.station, &["device", "accept", "reader-1"]);
    assert!(code == Some(1) && said.contains("nothing"), "{said}");
    stranger_speaks(&stocked.station);
    let lies = |page: &Value| page["machine_reason"] == "device-contradicted";
    let shown = stocked.kiosk.shows("no pickups", STEP, lies);
    // Applications have a reader of their own.
    assert_eq!(shown["services"], json!(["application"]), "{shown}");
    let refused = stocked.start_pickup(0);
    assert_eq!(refused["reason"], "device-contradicted", "{refused}");
    // The adapter takes its name back, and tells the truth: that alone changes nothing.
    reader_speaks_again(&stocked.station);
    let reader = line(&stocked.station, "reader-1");
    assert_eq!(
        (&reader["up"], &reader["reason"]),
        (&json!(false), &json!("contradicted"))
    );
    let (code, said) = command(&stocked.station, &["device", "accept", "reader-1"]);
    assert!(
        code == Some(0) && said.contains("recorded, by operator-1"),
        "{said}"
    );
    pick_up(&mut stocked, 0);
    assert!(stocked.station.stop().success());
    let mut lies = 0;
    for entry in left::entries(&stocked.station.layout) {
        match entry.event {
            Event::DeviceContradicted(event) => {
                lies += 1;
                assert_eq!(event.device.as_str(), "reader-1");
            }
            Event::DeviceAccepted(event) => {
                assert_eq!(event.operator.as_str(), "operator-1");
                assert_eq!(event.identity.unwrap().serial.as_str(), TRUE_SERIAL);
            }
            _ => {}
        }
    }
    assert_eq!(lies, 1, "a liar makes one event");
}

/// G1, C2: a scanner that comes and goes is down until it is quiet, and makes few events; maintenance bars citizens and nobody else.
#[test]
fn g1_a_flapping_scanner_and_maintenance() {
    let root = tempfile::tempdir().unwrap();
    let policy = "[devices]\nflaps_max = 1\nquiet_s = 6\n";
    std::fs::write(root.path().join("policy.toml"), policy).unwrap();
    let mut stocked = Stocked::with(Station::new(Layout::new(root.path())), 2, &[]);
    for came_back in [1.0, 0.0] {
        stocked.devices.post("/fault/device/scanner-1/off");
        figure(&stocked.station, ONLINE, 0.0);
        stocked.devices.post("/fault/device/scanner-1/on");
        // The second time it is not counted on, though it is there again.
        figure(&stocked.station, ONLINE, came_back);
    }
    figure(
        &stocked.station,
        "station_device_flapping{device=\"scanner-1\"}",
        1.0,
    );
    assert_eq!(line(&stocked.station, "scanner-1")["reason"], "flapping");
    let refused = stocked.start_pickup(0);
    assert_eq!(refused["reason"], "device-offline", "{refused}");
    figure(
        &stocked.station,
        "station_device_flapping{device=\"scanner-1\"}",
        0.0,
    );
    figure(
        &stocked.station,
        "station_device_up{device=\"scanner-1\"}",
        1.0,
    );
    pick_up(&mut stocked, 0);

    let (code, said) = command(&stocked.station, &["maintenance", "machine-1", "on"]);
    assert!(code == Some(0) && said.contains("out of service"), "{said}");
    let shown = stocked.kiosk.prompt("out-of-service", STEP);
    assert_eq!(shown["machine_reason"], "maintenance");
    let refused = stocked.start_pickup(1);
    assert_eq!(refused["reason"], "maintenance", "{refused}");
    figure(
        &stocked.station,
        "station_maintenance{target=\"machine-1\"}",
        1.0,
    );
    // An operator still works there, and then it is as before.
    stocked.begin_load(2);
    stocked.kiosk.prompt("out-of-service", STEP);
    for (args, says) in [
        (["maintenance", "machine-1", "on"], "It is so already"),
        (
            ["maintenance", "machine-9", "on"],
            "no such machine or device",
        ),
    ] {
        let (code, said) = command(&stocked.station, &args);
        assert!(code == Some(1) && said.contains(says), "{said}");
    }
    let wrong = [
        "maintenance",
        "machine-1",
        "off",
        "--operator",
        "operator-1",
    ];
    let output = stocked.station.tool(&wrong, "000000\n");
    assert_eq!(output.status.code(), Some(1));
    let (code, said) = command(&stocked.station, &["maintenance", "machine-1", "off"]);
    assert!(
        code == Some(0) && said.contains("in service again"),
        "{said}"
    );
    pick_up(&mut stocked, 1);

    assert!(stocked.station.stop().success());
    let types: Vec<_> = left::entries(&stocked.station.layout)
        .iter()
        .map(|entry| entry.event.type_name())
        .collect();
    let count = |wanted| types.iter().filter(|name| **name == wanted).count();
    assert_eq!(count("station.device.flapping.v1"), 1);
    assert_eq!(count("station.device.steady.v1"), 1);
    assert_eq!(count("station.maintenance.changed.v1"), 2);
}

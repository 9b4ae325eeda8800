//! P1 to P9 on the real binaries: a card is collected over MQTT, and what stands against it.

use std::time::Duration;

use schemas::event::Event;
use serde_json::json;
use station_tests::left;
use station_tests::stock::Stocked;

const STEP: Duration = Duration::from_secs(20);

#[test]
fn p1_p3_p4_p5_p7_a_card_is_collected() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    let receipt = stocked.start_pickup(0);
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    for code in ["right-finger", "left-finger", "take-card"] {
        let prompt = stocked.kiosk.prompt(code, STEP);
        assert!(
            prompt["name"].as_str().unwrap().starts_with('*'),
            "{prompt}"
        );
    }
    let done = stocked.kiosk.prompt("done", STEP);
    assert_eq!(done["outcome"], "collected");
    assert!(stocked.station.stop().success());
    let entries = left::entries(&stocked.station.layout);
    let photos = entries
        .iter()
        .filter(|e| matches!(e.event, Event::PhotoArchived(_)))
        .count();
    assert!(photos >= 4, "{photos} photos");
    let again = stocked_again(stocked);
    assert_eq!(again["reason"], "already-collected");
}

/// P2: after a restart the station knows that the card was collected.
fn stocked_again(mut stocked: Stocked) -> serde_json::Value {
    stocked.station.start();
    stocked.kiosk = station_tests::kiosk::Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    stocked.start_pickup(0)
}

/// P7: nobody takes the card: it is taken back, read again, and can be collected later.
#[test]
fn p7_a_card_not_taken_goes_back_and_can_be_collected_later() {
    let root = tempfile::tempdir().unwrap();
    let layout = station_tests::config::Layout::new(root.path());
    let station = station_tests::station::Station::new(layout);
    station.hurry();
    let mut stocked = Stocked::with(station, 1, &["--citizen", "walks-away"]);
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    let ended = stocked.kiosk.prompt("ended", Duration::from_mins(1));
    assert_eq!(ended["outcome"], "not-taken");
    stocked.devices.post("/citizen/auto?behaviour=good");
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    assert_eq!(stocked.kiosk.prompt("done", STEP)["outcome"], "collected");
}

/// P3: the line to the reader breaks in the middle of a chip, twice: the card is collected nevertheless. A chip that cannot
/// be read holds its card.
#[test]
fn p3_a_broken_line_is_not_the_cards_fault_and_an_unreadable_chip_is() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    stocked
        .devices
        .post("/fault/reader/inner/disconnect?times=2");
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    assert_eq!(stocked.kiosk.prompt("done", STEP)["outcome"], "collected");
    stocked
        .devices
        .post("/fault/reader/inner/unreadable?times=9");
    assert_eq!(stocked.start_pickup(1)["outcome"], "accepted");
    let ended = stocked.kiosk.prompt("ended", STEP);
    assert_eq!(ended["outcome"], "card-unreadable", "{ended}");
    stocked.devices.post("/fault/clear");
    assert_eq!(stocked.start_pickup(1)["reason"], "held");
}

/// P4: a dirty glass and a line that breaks in the middle of an image do not keep a citizen from the card; a matcher that fails
/// is a failure of the device.
#[test]
fn p4_a_scanner_and_its_matcher_fail_and_come_back() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    stocked.devices.post("/fault/scanner/messy?times=2");
    stocked.devices.post("/fault/scanner/disconnect?times=1");
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    assert_eq!(stocked.kiosk.prompt("done", STEP)["outcome"], "collected");
    stocked.devices.post("/fault/matcher/error?times=1");
    assert_eq!(stocked.start_pickup(1)["outcome"], "accepted");
    let ended = stocked.kiosk.prompt("ended", STEP);
    assert_eq!(ended["outcome"], "device-failed", "{ended}");
    stocked.devices.post("/fault/clear");
}

/// P5: the camera is switched off: the card stays.
#[test]
fn p5_without_a_camera_no_card_is_presented() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    stocked.devices.post("/fault/device/camera-1/off");
    station_tests::wait_for("the camera is gone", STEP, || {
        (stocked
            .station
            .metric("station_device_online{device=\"camera-1\"}")?
            == 0.0)
            .then_some(())
    });
    assert_eq!(stocked.start_pickup(0)["reason"], "device-offline");
    stocked.devices.post("/fault/device/camera-1/on");
    station_tests::wait_for("the camera is back", STEP, || {
        (stocked
            .station
            .metric("station_device_online{device=\"camera-1\"}")?
            == 1.0)
            .then_some(())
    });
    // In the middle of a session: it ends, and the card is back in its slot.
    stocked.devices.post("/citizen/auto?behaviour=off");
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    stocked.kiosk.prompt("right-finger", STEP);
    stocked.devices.post("/fault/device/camera-1/off");
    stocked.devices.post("/citizen/finger/right?quality=good");
    let ended = stocked.kiosk.prompt("ended", Duration::from_mins(1));
    assert_eq!(ended["outcome"], "no-photo", "{ended}");
    assert!(stocked.station.stop().success());
    let entries = left::entries(&stocked.station.layout);
    assert!(
        !entries
            .iter()
            .any(|e| matches!(e.event, Event::CardPresented(_)))
    );
}

/// A duplicate gets the receipt of the first copy; the same id with other content is refused.
#[test]
fn a_duplicate_gets_the_receipt_of_the_first_copy() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 0);
    let id = station_tests::new_id();
    let body = json!({"message_id": id, "deadline_ms": 4_102_444_800_000_u64,
        "claim": {"citizen_number": "11010519491231002X"}});
    let first = stocked.kiosk.request_as("start-pickup", &id, &body);
    assert_eq!(first["outcome"], "refused");
    let second = stocked.kiosk.request_as("start-pickup", &id, &body);
    assert_eq!(first, second);
    stocked.station.kill();
    stocked.station.start();
    stocked.kiosk = station_tests::kiosk::Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    assert_eq!(first, stocked.kiosk.request_as("start-pickup", &id, &body));
    let other = json!({"message_id": id, "deadline_ms": 4_102_444_800_000_u64,
        "claim": {"citizen_number": "440524188001010014"}});
    assert_eq!(
        stocked.kiosk.request_as("start-pickup", &id, &other)["reason"],
        "message-id-reused"
    );
}

/// G7: a run with known numbers, names and vouchers leaves none of them on disk, in figures or in
/// output.
#[test]
fn g7_nothing_personal_is_left_behind() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 1);
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    stocked.kiosk.prompt("done", STEP);
    let metrics = station_tests::station::http_get(stocked.station.layout.http, "/metrics")
        .unwrap()
        .1;
    assert!(stocked.station.stop().success());
    let mut all = vec![("metrics".to_owned(), metrics.into_bytes())];
    all.push(("output".to_owned(), stocked.station.output().into_bytes()));
    collect(&stocked.station.layout.data(), &mut all);
    for card in &stocked.cards {
        for field in ["number", "name", "voucher"] {
            let needle = card[field].as_str().unwrap().as_bytes();
            for (place, bytes) in &all {
                assert!(
                    !bytes.windows(needle.len()).any(|w| w == needle),
                    "{field} found in {place}"
                );
            }
        }
    }
}

fn collect(folder: &std::path::Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, all);
        } else if path.file_name().unwrap() != "RESERVE" {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

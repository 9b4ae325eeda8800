//! The adapters in a process of their own: to the station there is no difference (G1).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use schemas::event::Event;
use schemas::words::Place;
use station_tests::adapters::{Adapters, cut_out};
use station_tests::certificates::certificates;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::ports::free;
use station_tests::station::{Devices, Station};
use station_tests::stock::Stocked;
use station_tests::tls_way::TlsWay;
use station_tests::{left, wait_for};

const ADAPTED: [&str; 5] = [
    "dispenser-1",
    "reader-1",
    "reader-2",
    "scanner-1",
    "face-matcher-1",
];

/// A station that brings no device to MQTT itself and takes devices in over TLS only; and the sections of its devices.
fn over_tls(root: &Path, tls: SocketAddr) -> (Station, String) {
    let sections = RefCell::new(String::new());
    let station = Station::configured(Layout::new(root), |text| {
        let (rest, cut) = cut_out(&text);
        *sections.borrow_mut() = cut;
        let listener = format!(
            "[broker.embedded.tls]\nlisten = \"{tls}\"\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_ca = \"ca.pem\"\n\n[http]"
        );
        rest.replace("[http]", &listener)
    });
    (station, sections.into_inner())
}

/// G1, C3: a card is collected with all adapters in another process, over TLS. That process is killed while the card moves; after its
/// restart the card has moved once, and is in one place.
#[test]
fn g1_adapters_elsewhere_are_killed_in_mid_motion() {
    let root = tempfile::tempdir().unwrap();
    let names: Vec<_> = ADAPTED.into_iter().chain(["kiosk-1", "camera-1"]).collect();
    certificates(root.path(), &names);
    let tls = free();
    let (mut station, sections) = over_tls(root.path(), tls);
    station.start();
    let camera = TlsWay::open(root.path(), "camera-1", tls);
    let mut layout = station.layout.clone();
    layout.mqtt = camera.address;
    let devices = Devices::start(&layout, &[]);
    let broker = format!(
        "url = \"mqtts://localhost:{}\"\nca = \"ca.pem\"\ncertificates = \".\"",
        tls.port()
    );
    let mut adapters = Adapters::new(root.path(), &broker, &sections);
    adapters.start();
    let kiosk = TlsWay::open(root.path(), "kiosk-1", tls);
    let kiosk = Kiosk::connect(kiosk.address, "kiosk-1");
    let mut stocked = Stocked::filled(station, devices, kiosk, 1);

    stocked.devices.post("/fault/slow?factor=40");
    let receipt = stocked.start_pickup(0);
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    wait_for("the card moves", Duration::from_secs(10), || {
        (stocked.devices.dispenser()["moving"] == true).then_some(())
    });
    adapters.kill();
    let figure = "station_device_online{device=\"dispenser-1\"}";
    wait_for("the station misses it", Duration::from_secs(10), || {
        (stocked.station.metric(figure)? < 0.5).then_some(())
    });
    stocked.devices.post("/fault/clear");
    adapters.start();
    stocked.kiosk.prompt("done", Duration::from_secs(30));

    let metrics = adapters.metrics();
    for device in ADAPTED {
        let line = format!("station_adapter_connected{{device=\"{device}\"}} 1");
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert!(adapters.stop().success(), "SIGTERM is a clean end");
    assert!(stocked.station.stop().success());
    once_and_handed_over(&stocked);
}

/// Each intent moved once at the dispenser, and the card went to its owner.
fn once_and_handed_over(stocked: &Stocked) {
    let mut moved: BTreeMap<u64, u32> = BTreeMap::new();
    let dispenser = stocked.devices.dispenser();
    for motion in dispenser["motions"].as_array().unwrap() {
        *moved
            .entry(motion["sequence"].as_u64().unwrap())
            .or_default() += 1;
    }
    let (mut intents, mut place) = (BTreeMap::new(), Place::MakerTransit);
    let card = stocked.cards[0]["serial"].as_str().unwrap();
    for entry in left::entries(&stocked.station.layout) {
        if let Event::MotionIntended(intent) = &entry.event {
            *intents.entry(u64::from(intent.sequence)).or_default() += 1;
        }
        if let Event::CardMoved(moved) = entry.event
            && moved.card.as_str() == card
        {
            assert_eq!(moved.from, place);
            place = moved.to;
        }
    }
    assert_eq!(moved, intents, "one motion for each intent");
    assert!(moved.values().all(|times| *times == 1), "{moved:?}");
    assert_eq!(place, Place::HandedOver);
}

/// V1: what is wrong with the configuration or a certificate is named, and the process ends with 1.
#[test]
fn v1_adapters_say_what_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let reader = "[[sam_v_reader]]\ndevice = \"reader-1\"\naddress = \"tcp://127.0.0.1:5021\"\n";
    let said = |broker: &str, sections: &str| {
        let output = Adapters::new(root.path(), broker, sections).run();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let twice = said("url = \"mqtt://127.0.0.1:1883\"", &reader.repeat(2));
    assert!(
        twice.contains("adapters.toml:14:10: sam_v_reader.device: reader-1 is there twice"),
        "{twice}"
    );
    let broker = "url = \"mqtts://localhost:8883\"\nca = \"ca.pem\"\ncertificates = \"devices\"";
    certificates(root.path(), &[]);
    let missing = said(broker, reader);
    assert!(
        missing.contains("cannot read devices/reader-1.pem"),
        "{missing}"
    );
}

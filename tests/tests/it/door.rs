//! Bad input at the door: a clear answer each, and the station goes on (G1, G2).

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use schemas::ids::MessageId;
use schemas::message::kiosk::{Receipt, ReceiptOutcome};
use schemas::words::RefusalReason;
use serde_json::json;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::raw::{Hello, Raw};
use station_tests::station::Station;
use station_tests::{Random, new_id};

fn started(root: &std::path::Path) -> Station {
    let mut station = Station::new(Layout::new(root));
    station.start();
    station
}

fn still_serves(station: &Station) {
    let mut kiosk = Kiosk::connect(station.layout.mqtt, "kiosk-1");
    let body = json!({"claim": {"citizen_number": "440524188001010014"}});
    assert_eq!(kiosk.request("start-pickup", body)["outcome"], "refused");
}

/// Each message that is not what its topic asks gets its reason code, and nothing is recorded.
#[test]
fn g1_a_message_that_cannot_be_read_gets_a_reason_code() {
    let root = tempfile::tempdir().unwrap();
    let mut station = started(root.path());
    let mut raw = Raw::connect(station.layout.mqtt, &Hello::v5("kiosk-1")).unwrap();
    let base = "station/v1/demo/kiosk-1";
    let id = new_id();
    let number = |n: &str| {
        json!({"message_id": id, "deadline_ms": 1, "claim": {"citizen_number": n}}).to_string()
    };
    for (topic, payload, reason) in [
        (
            format!("{base}/request/start-pickup"),
            "not json".to_owned(),
            0x99,
        ),
        (
            format!("{base}/request/start-pickup"),
            number("110105194912310021"),
            0x99,
        ),
        (
            format!("{base}/request/start-pickup"),
            "{}".to_owned(),
            0x99,
        ),
        (
            format!("{base}/event/door-open"),
            json!({"message_id": "x"}).to_string(),
            0x99,
        ),
        (
            format!("{base}/$state"),
            json!({"state": "dead"}).to_string(),
            0x99,
        ),
        (format!("{base}/nonsense"), "{}".to_owned(), 0x87),
        (
            "station/v1/demo/kiosk-2/state".to_owned(),
            "{}".to_owned(),
            0x87,
        ),
        ("other/topic".to_owned(), "{}".to_owned(), 0x87),
    ] {
        let answer = raw.publish_acked(&topic, payload.as_bytes()).unwrap();
        // A topic that is not in the tree may be called invalid as well as forbidden.
        let fits = answer == reason || (reason == 0x87 && answer == 0x90);
        assert!(
            fits,
            "{topic} {payload}: {answer:#x} instead of {reason:#x}"
        );
    }
    still_serves(&station);
    assert!(station.stop().success());
    let recorded =
        station_tests::left::messages(&station_tests::left::entries(&station.layout), "kiosk-1");
    assert!(
        !recorded.contains_key(&id),
        "what could not be read was recorded"
    );
}

/// architecture.md, "What is acknowledged how": under 3.1.1 an error receipt says why. It names the message or the blob, where an id could
/// be read, and has the shape of every receipt.
#[test]
fn g1_a_311_client_is_told_by_a_receipt() {
    let root = tempfile::tempdir().unwrap();
    let station = started(root.path());
    let mut raw = Raw::connect(station.layout.mqtt, &Hello::v311("kiosk-1")).unwrap();
    let base = "station/v1/demo/kiosk-1";
    raw.subscribe(&format!("{base}/receipt/#")).unwrap();
    let (id, blob) = (new_id(), new_id());
    let body = json!({"message_id": id, "deadline_ms": 1, "claim": {"voucher": "12"}}).to_string();
    for (channel, body, named) in [
        ("request/start-pickup", body.as_str(), Some(&id)),
        ("request/start-pickup", "{\"x\":1}", None),
        (&format!("blob/{blob}"), "", Some(&blob)),
    ] {
        let topic = format!("{base}/{channel}");
        let sent = raw.publish(&topic, body.as_bytes()).unwrap();
        let (mut acked, mut told) = (false, false);
        while !(acked && told) {
            let packet = raw.read().unwrap();
            match packet.kind() {
                4 => acked = packet.id() == sent,
                3 => {
                    let (topic, _, payload) = packet.publish(false);
                    let level = named.map_or("unreadable", String::as_str);
                    assert_eq!(topic, format!("{base}/receipt/{level}"));
                    let receipt: Receipt = serde_json::from_slice(payload).unwrap();
                    assert_eq!(
                        receipt.message_id.as_ref().map(MessageId::as_str),
                        named.map(String::as_str)
                    );
                    let reason = RefusalReason::Unreadable;
                    assert!(
                        matches!(receipt.outcome, ReceiptOutcome::Refused { reason: why, .. } if why == reason)
                    );
                    told = true;
                }
                other => panic!("packet type {other}"),
            }
        }
    }
}

#[test]
fn a_payload_of_2_mb_is_refused_and_the_station_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let station = started(root.path());
    let mut raw = Raw::connect(station.layout.mqtt, &Hello::v5("kiosk-1")).unwrap();
    let payload = vec![b'x'; 2 << 20];
    // The refusal may come while the rest is still being written.
    drop(raw.publish("station/v1/demo/kiosk-1/event/big", &payload));
    let answer = loop {
        match raw.read() {
            Ok(packet) if packet.kind() == 14 => break packet.body.first().copied().unwrap_or(0),
            Ok(_) => {}
            Err(error) => panic!("closed without a word: {error}"),
        }
    };
    assert_eq!(answer, 0x95, "packet too large");
    still_serves(&station);
}

/// Truncated and random packets, on fresh connections and behind a good CONNECT.
#[test]
fn random_packets_never_stop_the_station() {
    let root = tempfile::tempdir().unwrap();
    let station = started(root.path());
    let mut random = Random::seeded("door");
    let end = Instant::now() + Duration::from_secs(15);
    let mut sent = 0;
    while Instant::now() < end {
        let bytes: Vec<u8> = (0..random.below(200))
            .map(|_| random.draw() as u8)
            .collect();
        if random.below(2) == 0 {
            let mut stream = Raw::open(station.layout.mqtt).unwrap();
            drop(stream.write_all(&bytes));
            stream
                .set_read_timeout(Some(Duration::from_millis(5)))
                .unwrap();
            drop(stream.read(&mut [0; 64]));
        } else if let Ok(mut raw) = Raw::connect(station.layout.mqtt, &Hello::v5("kiosk-1")) {
            drop(raw.send(&bytes));
            raw.set_patience(Duration::from_millis(5));
            drop(raw.read());
        }
        sent += 1;
    }
    println!("door: {sent} connections with random bytes");
    still_serves(&station);
    assert!(
        !station.output().contains("panicked"),
        "{}",
        station.output()
    );
}

#[test]
fn a_thousand_connections_at_once() {
    let root = tempfile::tempdir().unwrap();
    let station = started(root.path());
    let addr = station.layout.mqtt;
    let open: Vec<_> = (0..1000).map(|n| observer(addr, n)).collect();
    // The station's own adapters are connected as well, or are about to be.
    let connected = station.metric("station_broker_connections").unwrap();
    assert!(
        (1000.0..=1006.0).contains(&connected),
        "{connected} connections"
    );
    still_serves(&station);
    drop(open);
}

fn observer(addr: SocketAddr, n: u32) -> Raw {
    Raw::connect(addr, &Hello::v5(&format!("observer-{n}"))).unwrap()
}

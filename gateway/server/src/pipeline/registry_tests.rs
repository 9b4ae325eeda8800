//! Devices that flap and lie, and peripherals' reports, at the loop's boundary: messages in, events out.

use schemas::event::Event;
use serde_json::json;

use crate::ingress::Taken;
use crate::testing::{Bench, id, station};

fn life(state: &str, boot: u32) -> String {
    json!({ "state": state, "protocol": 1, "boot_id": id(boot) }).to_string()
}

fn desc(serial: &str) -> String {
    json!({
        "kind": "reader", "vendor": "v", "model": "m", "firmware": "1", "commands": [], "events": [],
        "serial": serial, "totals": ["reads-total"],
    })
    .to_string()
}

fn count(bench: &Bench, wanted: fn(&Event) -> bool) -> usize {
    let entries = bench.entries();
    entries.iter().filter(|entry| wanted(&entry.event)).count()
}

/// G1: 200 blips are acknowledged each, and make a handful of events.
#[tokio::test]
async fn g1_a_flapping_device_makes_no_storm() {
    let bench = Bench::new();
    for boot in 1..=100 {
        for state in ["online", "lost"] {
            let taken = bench.send("scanner-1/$state", &life(state, boot)).await;
            assert_eq!(taken, Taken::Yes);
        }
    }
    let presence = count(&bench, |event| matches!(event, Event::PresenceChanged(_)));
    assert_eq!(presence, 12, "six goings, each with its coming");
    let flapping = count(&bench, |event| matches!(event, Event::DeviceFlapping(_)));
    assert_eq!(flapping, 1);
}

/// G1: a serial that changes is recorded once, with what was there before; a total that falls too.
#[tokio::test]
async fn g1_what_cannot_be_is_recorded_once() {
    let bench = Bench::new();
    for serial in ["A-1", "A-1", "B-2", "C-3", "B-2"] {
        let taken = bench.send("reader-1/desc", &desc(serial)).await;
        assert_eq!(taken, Taken::Yes);
    }
    let lies = |event: &Event| matches!(event, Event::DeviceContradicted(_));
    assert_eq!(count(&bench, lies), 1);
    assert_eq!(bench.send("reader-2/desc", &desc("D-4")).await, Taken::Yes);
    for (value, expected) in [("7", 1), ("7", 1), ("8.5", 1), ("6", 2), ("5", 2)] {
        let measurement = format!(r#"{{"value":{value}}}"#);
        let taken = bench.send("reader-2/prop/reads-total", &measurement).await;
        assert_eq!(taken, Taken::Yes);
        assert_eq!(count(&bench, lies), expected, "{value}");
    }
}

/// G1: after a lost connection a device sends its unacknowledged counts again, the oldest first. It has not lied.
#[tokio::test]
async fn g1_a_count_that_comes_again_contradicts_nothing() {
    let bench = Bench::new();
    let lies = |event: &Event| matches!(event, Event::DeviceContradicted(_));
    let said = |value: u32| format!(r#"{{"value":{value}}}"#);
    for value in [6, 7] {
        let sent = bench.send("reader-1/prop/reads-total", &said(value));
        assert_eq!(sent.await, Taken::Yes);
    }
    let again = bench.send_again("reader-1/prop/reads-total", &said(6));
    assert_eq!(again.await, Taken::Yes);
    let unreadable = bench.send_again("reader-1/prop/reads-total", "six");
    assert_eq!(unreadable.await, Taken::Unreadable);
    assert_eq!(count(&bench, lies), 0);
    let fell = bench.send("reader-1/prop/reads-total", &said(6));
    assert_eq!(fell.await, Taken::Yes);
    assert_eq!(count(&bench, lies), 1);
}

/// G1: an adapter is restarted while its device is away. It is lost like the one before it, and counts from 0 on: it has not lied.
#[tokio::test]
async fn g1_a_life_that_begins_without_its_device_counts_anew() {
    let bench = Bench::new();
    let lies = |event: &Event| matches!(event, Event::DeviceContradicted(_));
    let said = |value: u32| format!(r#"{{"value":{value}}}"#);
    for (topic, message) in [
        ("$state", life("online", 1)),
        ("prop/captures-total", said(8)),
        ("$state", life("lost", 1)),
        ("$state", life("lost", 2)),
        ("prop/captures-total", said(0)),
        ("$state", life("online", 2)),
        ("prop/captures-total", said(1)),
    ] {
        let sent = bench.send(&format!("scanner-1/{topic}"), &message);
        assert_eq!(sent.await, Taken::Yes);
        assert_eq!(count(&bench, lies), 0, "{topic} {message}");
    }
    let fell = bench.send("scanner-1/prop/captures-total", &said(0));
    assert_eq!(fell.await, Taken::Yes);
    assert_eq!(count(&bench, lies), 1);
}

/// A11, A12, P1: reports of peripherals are facts with their receipts; what a barcode says is nowhere in the log.
#[tokio::test]
async fn peripherals_report_and_scans_leave_no_trace() {
    let none = "# peripherals = [\"printer-1\"]\n";
    let more = "peripherals = [\"printer-1\", \"barcode-1\"]\n\
        [[device]]\nid = \"printer-1\"\nkind = \"printer\"\n\
        [[device]]\nid = \"barcode-1\"\nkind = \"barcode-scanner\"\n";
    let text = edge_config::DEFAULT_STATION.replace(none, more);
    let configured = edge_config::parse_station(&text, "station.toml", station().policy).unwrap();
    let bench = Bench::with(configured, gateway_log::Limits::default(), 64);
    let printed = json!({ "message_id": id(1), "job": "j-1", "outcome": { "result": "printed" } });
    let sent = [
        ("printer-1/event/print-ended", printed.to_string(), Taken::Yes),
        // A repetition is the same.
        ("printer-1/event/print-ended", printed.to_string(), Taken::Yes),
        (
            "printer-1/event/payment-changed",
            json!({ "message_id": id(2), "order": "o-1", "amount_fen": 1, "method": "alipay", "state": "paid" })
                .to_string(),
            Taken::Yes,
        ),
        (
            "barcode-1/scan",
            json!({ "symbology": "qr", "content": "1101050012026110100001" }).to_string(),
            Taken::Yes,
        ),
        ("barcode-1/scan", "{}".to_owned(), Taken::Unreadable),
    ];
    for (topic, payload, taken) in sent {
        assert_eq!(bench.send(topic, &payload).await, taken, "{topic}");
    }
    assert_eq!(
        count(&bench, |event| matches!(event, Event::PrintReported(_))),
        1
    );
    assert_eq!(
        count(&bench, |event| matches!(event, Event::PaymentReported(_))),
        0
    );
    let receipts = bench.sent.on("printer-1", &format!("receipt/{}", id(2)));
    assert_eq!(
        receipts.first().and_then(|receipt| receipt.get("reason")),
        Some(&json!("unknown")),
        "a printer says nothing of payments"
    );
    for stored in bench.log.read(0..bench.log.size()) {
        let signed = String::from_utf8_lossy(&stored.unwrap().1).into_owned();
        assert!(!signed.contains("11010500120261101"));
    }
}

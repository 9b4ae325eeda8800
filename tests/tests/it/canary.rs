//! G7 on the real binaries: distinctive personal data goes through whole pickups, failures and garbage, and is then looked
//! for in every byte that the station left: files, output at its most talkative, figures, and what others were sent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulator::camera::MARK;
use station_tests::canary::{PEOPLE, PHONE, needles, observe, pages, people};
use station_tests::config::Layout;
use station_tests::raw::{Hello, Raw};
use station_tests::search::{Needle, Place, files, find};
use station_tests::station::Station;
use station_tests::stock::{Stocked, operator};
use station_tests::{new_id, sealed};

const STEP: Duration = Duration::from_secs(30);

/// Sends each message as `device`, retained and not, and waits for what becomes of it: an acknowledgement, or the end of the
/// connection.
fn send(addr: SocketAddr, device: &str, messages: &[(&str, Vec<u8>)]) {
    let mut raw = Raw::connect(addr, &Hello::v5(device)).unwrap();
    for (below, payload) in messages {
        let topic = format!("station/v1/demo/{device}/{below}");
        for retain in [false, true] {
            let sent = raw.publish_with(&topic, payload, retain);
            let is_open = sent.and_then(|id| {
                loop {
                    let packet = raw.read()?;
                    match packet.kind() {
                        4 if packet.id() == id => return Ok(true),
                        14 => return Ok(false),
                        _ => {}
                    }
                }
            });
            if !is_open.unwrap_or(false) {
                raw = Raw::connect(addr, &Hello::v5(device)).unwrap();
            }
        }
    }
}

/// Personal data where none belongs, in messages that are whole, broken, too long, or about nothing.
fn garbage(addr: SocketAddr) {
    let people = people();
    let person = &people.people[1];
    let (number, name, voucher) = (&person.card.number, &person.name, &person.voucher);
    let template = STANDARD.encode(&person.card.fingers.as_ref().unwrap()[0]);
    let id = new_id();
    let chip = json!({ "serial": "53494D0000000002", "number": number, "name": name,
        "fingers": [{ "hand": "right", "template": template }] });
    let read = |body: Value| json!({ "message_id": id, "command_id": "1-1-0", "completion": "success", "card": body });
    let long = format!(
        "{{\"message_id\":\"{id}\",\"detail\":\"{}\"}}",
        number.repeat(4_000)
    );
    let photo = [MARK, b"face of somebody at the outlet".as_slice()].concat();
    let text = |text: String| text.into_bytes();
    let desc = |vendor: &str| {
        json!({ "kind": "reader", "vendor": vendor, "model": "m", "firmware": "1", "commands": [],
            "events": [] })
    };
    send(
        addr,
        "reader-9",
        &[
            ("cmd/read/reply", text(read(chip.clone()).to_string())),
            (
                "cmd/read/reply",
                text(read(chip).to_string().replace('}', "")),
            ),
            (
                "cmd/read/reply",
                text(read(json!({ "number": number, "who": name })).to_string()),
            ),
            (
                "event/jam",
                text(json!({ "message_id": new_id(), "detail": number }).to_string()),
            ),
            (
                "event/jam",
                text(json!({ "message_id": number, "detail": name }).to_string()),
            ),
            ("event/jam", text(long)),
            (
                "event/jam",
                text(format!("{name} {number} {voucher} {PHONE}")),
            ),
            (
                &format!("event/{}", number.to_lowercase()),
                text(format!("{{\"message_id\":\"{id}\"}}")),
            ),
            (&format!("prop/{voucher}"), text("{\"value\":1}".to_owned())),
            (
                "prop/level",
                text(json!({ "value": 1, "unit": voucher }).to_string()),
            ),
            (
                "state",
                text(json!({ "status": "online", "detail": name }).to_string()),
            ),
            ("state", text(json!({ "status": number }).to_string())),
            (
                "$state",
                text(json!({ "state": "online", "protocol": 1, "boot_id": number }).to_string()),
            ),
            ("desc", text(desc(number).to_string())),
            ("desc", text(desc(voucher).to_string())),
            ("blob/0190b7a2-1f00-7000-8000-0000000000c1", photo.clone()),
            (&format!("blob/{number}"), photo.clone()),
            ("elsewhere", text(format!("{name}{number}"))),
        ],
    );
    send(
        addr,
        "kiosk-9",
        &[("blob/0190b7a2-1f00-7000-8000-0000000000c2", photo)],
    );
    let asked = |claim: Value| {
        text(json!({ "message_id": new_id(), "deadline_ms": u64::MAX, "claim": claim }).to_string())
    };
    send(
        addr,
        "kiosk-1",
        &[
            ("request/start-pickup", asked(json!({ "voucher": voucher }))),
            ("request/start-pickup", asked(json!({ "citizen_number": number.replace('1', "2") }))),
            ("request/start-pickup", asked(json!({ "name": name, "phone": PHONE }))),
            ("request/find-person", text(json!({ "message_id": new_id(), "deadline_ms": u64::MAX, "name": name, "number": number }).to_string())),
            ("request/start-pickup", text(format!("{number}{name}"))),
        ],
    );
}

/// Wrong PINs, and operators who are no operators.
fn wrong_pins(stocked: &mut Stocked) {
    let number = people().people[0].card.number.clone();
    for operator in [
        json!({ "id": "operator-1", "pin": PHONE }),
        json!({ "id": "operator-1", "pin": number }),
        json!({ "id": "nobody", "pin": PHONE }),
    ] {
        let body = json!({ "operator": operator, "batch": "demo-1" });
        assert_eq!(
            stocked.kiosk.request("close-batch", body)["outcome"],
            "refused"
        );
    }
    let body = json!({ "operator": operator(), "batch": "demo-1", "card": "53494D0000000001" });
    assert_eq!(
        stocked.kiosk.request("scan-card", body)["outcome"],
        "refused"
    );
}

/// Pickups that end in every way that is quick: collected (by voucher, by number, with an old card), somebody else's finger,
/// the wrong card in the slot, cancelled.
fn pickups(stocked: &mut Stocked) {
    let ends = |stocked: &mut Stocked, code: &str, outcome: &str| {
        let prompt = stocked.kiosk.prompt(code, STEP);
        assert_eq!(prompt["outcome"], outcome, "{prompt}");
    };
    assert_eq!(stocked.start_pickup(0)["outcome"], "accepted");
    ends(stocked, "done", "collected");
    let number = stocked.cards[1]["number"].clone();
    let claim = json!({ "claim": { "citizen_number": number } });
    assert_eq!(
        stocked.kiosk.request("start-pickup", claim)["outcome"],
        "accepted"
    );
    ends(stocked, "done", "collected");
    assert_eq!(stocked.start_pickup(2)["outcome"], "accepted");
    ends(stocked, "done", "collected");
    stocked.devices.post("/citizen/auto?behaviour=wrong-finger");
    assert_eq!(stocked.start_pickup(3)["outcome"], "accepted");
    ends(stocked, "ended", "identity-failed");
    stocked.devices.post("/citizen/auto?behaviour=off");
    let begun = stocked.start_pickup(3);
    assert_eq!(begun["outcome"], "accepted");
    stocked.kiosk.prompt("right-finger", STEP);
    let cancel = json!({ "session": begun["session"] });
    assert_eq!(
        stocked.kiosk.request("cancel", cancel)["outcome"],
        "accepted"
    );
    ends(stocked, "ended", "cancelled");
    stocked.devices.post("/citizen/auto?behaviour=good");
    stocked.devices.post("/operator/swap?a=0/4&b=0/5");
    assert_eq!(stocked.start_pickup(4)["outcome"], "accepted");
    ends(stocked, "ended", "card-mismatch");
}

#[test]
fn g7_no_byte_that_is_left_names_anybody() {
    let root = tempfile::tempdir().unwrap();
    let station = Station::new(Layout::new(root.path())).logging("trace,sled=debug,mio=info");
    let (len, seed) = PEOPLE;
    let (len, seed) = (len.to_string(), seed.to_string());
    let mut stocked = Stocked::with(station, 6, &["--people", &len, "--seed", &seed]);
    let layout = stocked.station.layout.clone();
    let (end, heard) = observe(layout.mqtt);
    pickups(&mut stocked);
    wrong_pins(&mut stocked);
    garbage(layout.mqtt);
    let mut places = pages(layout.http);
    // What is retained, as somebody gets it who comes late; then the rest of what the first one was sent.
    let (late_end, late) = observe(layout.mqtt);
    late_end.send(()).unwrap();
    places.extend(late.iter());
    end.send(()).unwrap();
    places.extend(heard.iter());
    let topics = places.len();
    assert!(topics > 30, "{topics} places: the observer heard something");
    assert!(stocked.station.stop().success());
    let output = stocked.station.output().into_bytes();
    assert!(
        output.len() > 10_000,
        "the station was talkative: {}",
        output.len()
    );
    places.push(Place {
        name: "output".to_owned(),
        bytes: output,
    });
    files(&layout.data(), &mut places);
    files(&layout.keys(), &mut places);

    let began = Instant::now();
    let found = find(&needles(), &places);
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
    let bytes: usize = places.iter().map(|place| place.bytes.len()).sum();
    println!(
        "{} places, {bytes} bytes, searched in {:?}",
        places.len(),
        began.elapsed()
    );

    // The search finds what is there: a masked name in the log, a serial in what the observer was sent or in the log.
    let controls = [
        Needle::text("masked name", "**明", None),
        Needle::text("serial", "53494D0000000002", None),
        Needle::text("outcome", "identity-failed", None),
    ];
    for control in &controls {
        let hits = find(std::slice::from_ref(control), &places);
        assert!(!hits.is_empty(), "{} is not found", control.what);
    }
    // And all of it was there: the centre, which holds the private key, reads it.
    let lines = sealed::open(&layout);
    let fields: Vec<_> = lines
        .iter()
        .filter(|line| line["what"] == "field")
        .collect();
    assert!(fields.len() >= 5, "{lines:#?}");
    assert!(
        fields
            .iter()
            .any(|line| line["says"]["name"] == stocked.cards[1]["name"])
    );
    let mut photos = Vec::new();
    files(&layout.root.join("photos"), &mut photos);
    assert!(photos.len() >= 12, "{} photos", photos.len());
    assert!(!find(&[Needle::bytes("photo", MARK)], &photos).is_empty());
}

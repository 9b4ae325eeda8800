//! G7 on the real binaries: distinctive personal data goes through whole pickups, failures and garbage, and is then looked
//! for in every byte that the station left: files, output at its most talkative, figures, and what others were sent.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::ids::BatchId;
use serde_json::{Value, json};
use simulator::camera::MARK;
use simulator::people::People;
use station_tests::config::Layout;
use station_tests::raw::{Hello, Raw};
use station_tests::search::{Needle, Place, files, find};
use station_tests::station::{PIN, Station, http_get};
use station_tests::stock::{Stocked, operator};
use station_tests::{new_id, sealed};

const STEP: Duration = Duration::from_secs(30);
/// People of the demonstration's batch, and the seed that they are made from.
const PEOPLE: (usize, u64) = (12, 1);
/// A PIN that looks like a phone number; nobody's.
const PHONE: &str = "13900008765";
/// The names of the batch that are long enough to be told from chance, in GBK.
const GBK: [(&str, &[u8]); 3] = [
    ("李小明", &[0xC0, 0xEE, 0xD0, 0xA1, 0xC3, 0xF7]),
    ("赵丽华", &[0xD5, 0xD4, 0xC0, 0xF6, 0xBB, 0xAA]),
    ("陈建国", &[0xB3, 0xC2, 0xBD, 0xA8, 0xB9, 0xFA]),
];

fn people() -> People {
    let (len, seed) = PEOPLE;
    People::new(BatchId::new("demo-1").unwrap(), len, seed).unwrap()
}

fn needles() -> Vec<Needle> {
    let mut needles = vec![
        Needle::text("phone", PHONE, None),
        Needle::text("operator's PIN", PIN, None),
        Needle::bytes("photo", MARK),
        Needle::bytes("photo's thumb", b"face of somebody at the outlet"),
    ];
    for (at, person) in people().people.iter().enumerate() {
        let gbk = GBK.iter().find(|(name, _)| *name == person.name);
        needles.push(Needle::text(
            &format!("name {at}"),
            &person.name,
            gbk.map(|(_, gbk)| *gbk),
        ));
        let number = &person.card.number;
        needles.push(Needle::text(&format!("number {at}"), number, None));
        needles.push(Needle::text(
            &format!("number {at}"),
            &number.to_lowercase(),
            None,
        ));
        needles.push(Needle::text(
            &format!("birth and sequence {at}"),
            number.get(6..17).unwrap(),
            None,
        ));
        needles.push(Needle::text(
            &format!("voucher {at}"),
            &person.voucher,
            None,
        ));
        for template in person.card.fingers.iter().flatten() {
            // The head is the same for all; what follows is this finger's own.
            for part in template[16..].chunks_exact(48) {
                needles.push(Needle::bytes(&format!("template {at}"), part));
            }
        }
    }
    needles
}

/// Subscribes to everything, as a stranger on the station's network may, and hands over what comes until it is idle for a
/// moment after it was told to end.
fn observe(addr: SocketAddr) -> (std::sync::mpsc::Sender<()>, Receiver<Place>) {
    let (end, ended) = channel();
    let (tell, told) = channel();
    let mut raw = Raw::connect(addr, &Hello::v5("somebody-else")).unwrap();
    raw.set_patience(Duration::from_millis(200));
    assert!(raw.subscribe("#").unwrap() < 0x80);
    std::thread::spawn(move || {
        let mut last = false;
        loop {
            match raw.read() {
                Ok(packet) if packet.kind() == 3 => {
                    let (topic, id, payload) = packet.publish(true);
                    let mut bytes = topic.clone().into_bytes();
                    bytes.push(0);
                    bytes.extend_from_slice(payload);
                    let name = format!("topic {topic}");
                    if let Some(id) = id {
                        raw.puback(id).unwrap();
                    }
                    if tell.send(Place { name, bytes }).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) if last => return,
                Err(_) => last = ended.try_recv().is_ok(),
            }
        }
    });
    (end, told)
}

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
    let mut places = Vec::new();
    for page in ["/metrics", "/", "/readyz"] {
        let (_, body) = http_get(layout.http, page).unwrap();
        places.push(Place {
            name: page.to_owned(),
            bytes: body.into_bytes(),
        });
    }
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

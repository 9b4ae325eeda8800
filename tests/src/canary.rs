//! What the searches for personal data plant and look for, and who looks on.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use schemas::ids::BatchId;
use simulator::camera::MARK;
use simulator::people::People;

use crate::raw::{Hello, Raw};
use crate::search::{Needle, Place};
use crate::station::{PIN, http_get};

/// People of the demonstration's batch, and the seed that they are made from.
pub const PEOPLE: (usize, u64) = (12, 1);
/// A PIN that looks like a phone number; nobody's.
pub const PHONE: &str = "13900008765";
/// The names of the batch that are long enough to be told from chance, in GBK.
const GBK: [(&str, &[u8]); 3] = [
    ("李小明", &[0xC0, 0xEE, 0xD0, 0xA1, 0xC3, 0xF7]),
    ("赵丽华", &[0xD5, 0xD4, 0xC0, 0xF6, 0xBB, 0xAA]),
    ("陈建国", &[0xB3, 0xC2, 0xBD, 0xA8, 0xB9, 0xFA]),
];

/// The people.
pub fn people() -> People {
    let (len, seed) = PEOPLE;
    People::new(BatchId::new("demo-1").unwrap(), len, seed).unwrap()
}

/// All that names them, in whatever form.
pub fn needles() -> Vec<Needle> {
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
pub fn observe(addr: SocketAddr) -> (Sender<()>, Receiver<Place>) {
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
                        // A station that was killed takes none.
                        raw.puback(id).ok();
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

/// What the station shows to whoever asks over HTTP.
pub fn pages(http: SocketAddr) -> Vec<Place> {
    let pages = ["/metrics", "/", "/readyz"].into_iter();
    let place = |name: &str| Place {
        name: name.to_owned(),
        bytes: http_get(http, name).unwrap().1.into_bytes(),
    };
    pages.map(place).collect()
}

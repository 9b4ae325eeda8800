//! Load that remembers what was acknowledged: one client, a window of messages on the wire.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::time::Duration;

use serde_json::json;

use crate::raw::{Hello, Raw};

/// Kiosks that only report, so that nobody else connects under their names: each test station has them.
pub const REPORTERS: [&str; 3] = ["kiosk-7", "kiosk-8", "kiosk-9"];

/// Publishes `event/load` as `device` until the connection breaks, and sends the id of each message
/// that was acknowledged, after its acknowledgement was read.
pub fn until_broken(addr: SocketAddr, device: &str, window: usize, acked: &Sender<String>) {
    let Ok(mut raw) = Raw::connect(addr, &Hello::v5(device)) else {
        return;
    };
    raw.set_patience(Duration::from_secs(20));
    let topic = format!("station/v1/demo/{device}/event/load");
    let mut on_the_wire: VecDeque<(u16, String)> = VecDeque::new();
    loop {
        while on_the_wire.len() < window {
            let id = crate::new_id();
            let payload = json!({"message_id": id}).to_string();
            let Ok(packet_id) = raw.publish(&topic, payload.as_bytes()) else {
                return;
            };
            on_the_wire.push_back((packet_id, id));
        }
        let Ok(packet) = raw.read() else { return };
        if packet.kind() == 4 {
            let (packet_id, id) = on_the_wire.pop_front().unwrap();
            assert_eq!(packet.id(), packet_id, "acknowledged out of order");
            if packet.reason() < 0x80 && acked.send(id).is_err() {
                return;
            }
        }
    }
}

//! A kiosk as its maker would write it: asks, waits for the receipt, follows the prompts.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::raw::{Hello, Raw};

/// A kiosk's connection and what it has been told.
#[derive(Debug)]
pub struct Kiosk {
    raw: Raw,
    base: String,
    inbox: VecDeque<(String, Value)>,
    /// What it shows: the newest prompt.
    page: Value,
}

impl Kiosk {
    /// Connects to the demo station as this device, announces itself, and listens to what it is told.
    pub fn connect(addr: SocketAddr, device: &str) -> Self {
        Self::connect_to("demo", addr, device)
    }

    /// The same for a station of this name.
    pub fn connect_to(station: &str, addr: SocketAddr, device: &str) -> Self {
        let base = format!("station/v1/{station}/{device}");
        // Birth and last will are of one life: a will of another one is ignored.
        let boot = crate::new_id();
        let life = |state: &str| {
            let life = json!({"state": state, "protocol": 1, "boot_id": boot});
            life.to_string().into_bytes()
        };
        let hello = Hello {
            will: Some((format!("{base}/$state"), life("lost"))),
            ..Hello::v5(device)
        };
        let mut raw = Raw::connect(addr, &hello).unwrap();
        assert!(raw.subscribe(&format!("{base}/#")).unwrap() < 0x80);
        let mut kiosk = Self {
            raw,
            base,
            inbox: VecDeque::new(),
            page: Value::Null,
        };
        kiosk.publish("$state", &life("online"), true);
        kiosk
    }

    /// Publishes on a channel of its own, and gives the reason code of the answer.
    pub fn publish(&mut self, channel: &str, payload: &[u8], retain: bool) -> u8 {
        let topic = format!("{}/{channel}", self.base);
        let id = self.raw.publish_with(&topic, payload, retain).unwrap();
        loop {
            let packet = self.raw.read().unwrap();
            match packet.kind() {
                4 if packet.id() == id => return packet.reason(),
                3 => self.keep(&packet),
                _ => {}
            }
        }
    }

    /// Sends a blob, waits until it is durable, and gives its id.
    pub fn send_blob(&mut self, bytes: &[u8]) -> String {
        let id = crate::new_id();
        let reason = self.publish(&format!("blob/{id}"), bytes, false);
        assert!(reason < 0x80, "a blob was refused at the door: {reason:#x}");
        id
    }

    fn keep(&mut self, packet: &crate::raw::Packet) {
        let (topic, id, payload) = packet.publish(true);
        let value = serde_json::from_slice(payload).unwrap_or(Value::Null);
        if let Some(channel) = topic.strip_prefix(&format!("{}/", self.base)) {
            if channel == "session" {
                self.page = value.clone();
            }
            self.inbox.push_back((channel.to_owned(), value));
        }
        if let Some(id) = id {
            self.raw.puback(id).unwrap();
        }
    }

    /// Sends `request/{name}` and waits for nothing but that it is durable: what it is told meanwhile stays to be read.
    pub fn send(&mut self, name: &str, mut body: Value) {
        fill(&mut body, &crate::new_id());
        let channel = format!("request/{name}");
        let reason = self.publish(&channel, body.to_string().as_bytes(), false);
        assert!(reason < 0x80, "{name} was refused at the door: {reason:#x}");
    }

    /// Sends `request/{name}` and gives the receipt.
    pub fn request(&mut self, name: &str, mut body: Value) -> Value {
        let id = crate::new_id();
        fill(&mut body, &id);
        self.request_as(name, &id, &body)
    }

    /// Sends the body as it stands, which must carry `id`, and gives the receipt.
    pub fn request_as(&mut self, name: &str, id: &str, body: &Value) -> Value {
        let reason = self.publish(
            &format!("request/{name}"),
            body.to_string().as_bytes(),
            false,
        );
        assert!(reason < 0x80, "{name} was refused at the door: {reason:#x}");
        let channel = format!("receipt/{id}");
        self.until(
            &format!("receipt of {name}"),
            Duration::from_secs(20),
            |c, v| (c == channel).then(|| v.clone()),
        )
    }

    /// Sends the bytes of a picture and gives its id and the receipt.
    pub fn blob(&mut self, bytes: &[u8]) -> (String, Value) {
        let id = crate::new_id();
        self.publish(&format!("blob/{id}"), bytes, false);
        let channel = format!("receipt/{id}");
        let receipt = self.until("receipt of a blob", Duration::from_secs(20), |c, v| {
            (c == channel).then(|| v.clone())
        });
        (id, receipt)
    }

    /// Reports something as a device: durable when this returns.
    pub fn event(&mut self, name: &str, mut body: Value) {
        body["message_id"] = json!(crate::new_id());
        let reason = self.publish(&format!("event/{name}"), body.to_string().as_bytes(), false);
        assert!(reason < 0x80, "{name} was refused at the door: {reason:#x}");
    }

    /// What it shows: the newest prompt, `null` before there was one.
    pub const fn page(&self) -> &Value {
        &self.page
    }

    /// Waits until it shows what is wanted, which may be there already.
    pub fn shows(&mut self, what: &str, limit: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + limit;
        while !fits(&self.page) {
            let left = end.saturating_duration_since(Instant::now());
            self.until(what, left, |channel, _| {
                (channel == "session").then_some(())
            });
        }
        self.page.clone()
    }

    /// Waits for the prompt with this code.
    pub fn prompt(&mut self, code: &str, limit: Duration) -> Value {
        self.until(&format!("prompt {code}"), limit, |channel, value| {
            (channel == "session" && value["code"] == code).then(|| value.clone())
        })
    }

    /// Waits for something it is told; what does not fit is dropped.
    pub fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        fits: impl Fn(&str, &Value) -> Option<T>,
    ) -> T {
        let end = Instant::now() + limit;
        let mut seen = Vec::new();
        self.raw.set_patience(Duration::from_millis(200));
        loop {
            while let Some((channel, value)) = self.inbox.pop_front() {
                if let Some(found) = fits(&channel, &value) {
                    self.raw.set_patience(Duration::from_secs(10));
                    return found;
                }
                seen.push(format!("{channel} {value}"));
            }
            assert!(
                Instant::now() < end,
                "{what}: not within {limit:?}; seen: {seen:#?}"
            );
            match self.raw.read() {
                Ok(packet) if packet.kind() == 3 => self.keep(&packet),
                Ok(_) => {}
                Err(e)
                    if matches!(
                        e.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) => {}
                Err(e) => panic!("{what}: {e}; seen: {seen:#?}"),
            }
        }
    }
}

/// What every request carries.
fn fill(body: &mut Value, id: &str) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    body["message_id"] = json!(id);
    body["deadline_ms"] = json!(now.as_millis() as u64 + 60_000);
}

//! A log as a station makes one, with a change of its key.

use std::convert::Infallible;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use gateway_audit::{Anchor, Report, Verify};
use schemas::chain::{KeyChain, rotation};
use schemas::envelope::{KeyId, Meta, Origin, Source, seal};
use schemas::event::Event;
use schemas::ids::BootId;
use schemas::proof::{Checkpoint, Frontier, NoteKey};
use schemas::time::{ClockTrust, Now};

pub struct Key(Ed25519KeyPair);

impl Key {
    pub fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
    pub fn public(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).as_ref().try_into().unwrap()
    }
}

/// A log of `len` events whose key changes at `rotation_at`.
pub struct Station {
    pub origin: Origin,
    pub keys: [Key; 2],
    pub chain: KeyChain,
    pub events: Vec<Vec<u8>>,
}

impl Station {
    pub fn new(id: &str, seed: u8, len: u64, rotation_at: Option<u64>) -> Self {
        let origin = Origin::new(format!("gateway.demo/station/{id}/1")).unwrap();
        let keys = [Key::new(seed), Key::new(seed + 1)];
        let chain = KeyChain::new(origin.clone(), keys[0].public());
        let mut station = Self {
            origin,
            keys,
            chain,
            events: Vec::new(),
        };
        for index in 0..len {
            let event = if rotation_at == Some(index) {
                station.rotation(index)
            } else {
                let body =
                    format!(r#"{{"device":"kiosk-1","report":"door-{index}","detail":null}}"#);
                Event::from_data("station.device.reported.v1", &body)
                    .unwrap()
                    .unwrap()
            };
            let signed = station.seal(index, &event);
            if let Event::KeyRotated(body) = &event {
                station
                    .chain
                    .rotate(index, body, &gateway_audit::check)
                    .unwrap();
            }
            station.events.push(signed);
        }
        station
    }

    pub fn rotation(&self, index: u64) -> Event {
        let (old, new) = (self.keys[0].public(), self.keys[1].public());
        rotation(&self.origin, index, &old, &new, |text| {
            self.keys[1].sign(text)
        })
        .into()
    }

    pub fn key(&self, public: &[u8; 32]) -> &Key {
        self.keys
            .iter()
            .find(|key| key.public() == *public)
            .unwrap()
    }

    pub fn seal(&self, index: u64, event: &Event) -> Vec<u8> {
        let public = *self.chain.in_force(index);
        let now = Now {
            wall_ms: 1_700_000_000_000 + index,
            boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
            mono_ms: index,
            trust: ClockTrust::Synchronised,
        };
        let meta = Meta {
            source: Source::Gateway,
            now,
            cause: None,
        };
        let sign = |bytes: &[u8]| self.key(&public).sign(bytes);
        seal(&self.origin, index, &meta, event, KeyId::of(&public), sign).unwrap()
    }

    pub fn checkpoint(&self, size: usize) -> String {
        let mut tree = Frontier::new();
        for event in &self.events[..size] {
            tree.append(event);
        }
        let checkpoint = Checkpoint::of(self.origin.as_str(), &tree);
        let notes = self
            .chain
            .signers(size.try_into().unwrap())
            .into_iter()
            .map(|public| {
                let key = NoteKey::new(self.origin.as_str(), *public).unwrap();
                checkpoint
                    .sign(&key, |text| self.key(public).sign(text))
                    .unwrap()
                    .to_string()
            });
        let notes: Vec<String> = notes.collect();
        // Two hands: one text, both signature lines.
        let later = notes[1..].iter().map(|note| note.lines().last().unwrap());
        let mut both = notes[0].clone();
        for line in later {
            both.push_str(line);
            both.push('\n');
        }
        both
    }

    pub fn anchor(&self) -> Anchor {
        let key = NoteKey::new(self.origin.as_str(), self.keys[0].public()).unwrap();
        Anchor::from_vkey(&key.to_vkey()).unwrap()
    }

    pub fn verify(&self, events: &[Vec<u8>], checkpoint: &str) -> Report {
        let verify = Verify::new(&self.anchor())
            .checkpoint("checkpoint", checkpoint)
            .closed();
        verify.run(events.iter().cloned().map(Ok::<_, Infallible>), |_| {})
    }
}

//! A station's log: real events, really signed, as they stand in the store.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use schemas::chain::{KeyChain, rotation};
use schemas::envelope::{KeyId, Meta, Origin, Source, seal};
use schemas::event::Event;
use schemas::event::custody::{CardMoved, CardSurplus};
use schemas::event::pickup::PickupEnded;
use schemas::event::station::{GatewayStarted, ServiceChanged};
use schemas::ids::{BatchId, BootId, CardSerial, DeviceId, OperatorId, SessionId, StationId};
use schemas::proof::{Checkpoint, Frontier, NoteKey};
use schemas::time::{ClockTrust, Now};
use schemas::uplink::{Record, log_stream};
use schemas::words::{PickupOutcome, Place};
use simulator::centre::Registration;

pub const PROVINCE: &str = "test";
/// 21 November 2026, 12:00 in Beijing.
pub const NOON_MS: u64 = 1_795_233_600_000;

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

pub struct Station {
    pub id: StationId,
    pub origin: Origin,
    incarnation: u32,
    pub keys: Vec<Key>,
    chain: KeyChain,
    /// Signed.
    pub events: Vec<Vec<u8>>,
}

impl Station {
    pub fn new(id: &str, seed: u8) -> Self {
        Self::incarnated(id, 1, seed)
    }

    pub fn incarnated(id: &str, incarnation: u32, seed: u8) -> Self {
        let origin = format!("gateway.{PROVINCE}/station/{id}/{incarnation}");
        let origin = Origin::new(origin).unwrap();
        let key = Key::new(seed);
        Self {
            id: StationId::new(id).unwrap(),
            chain: KeyChain::new(origin.clone(), key.public()),
            origin,
            incarnation,
            keys: vec![key],
            events: Vec::new(),
        }
    }

    /// With so many events.
    pub fn of_len(id: &str, seed: u8, len: usize) -> Self {
        let mut station = Self::new(id, seed);
        station.fill(len);
        station
    }

    pub fn stream(&self) -> String {
        log_stream(&self.id, self.incarnation)
    }

    pub fn registration(&self) -> Registration {
        let first_key = NoteKey::new(self.origin.as_str(), *self.chain.first()).unwrap();
        let json = serde_json::json!({
            "station": self.id, "origin": self.origin, "first_key": first_key.to_vkey(),
        });
        serde_json::from_value(json).unwrap()
    }

    pub fn size(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap()
    }

    pub fn root(&self) -> String {
        self.tree(self.size()).root().to_string()
    }

    pub fn push(&mut self, event: impl Into<Event>) {
        let index = self.size();
        let signed = self.sign(index, &event.into(), self.keys.last().unwrap());
        self.events.push(signed);
    }

    /// Signs an event with any key for any place, and keeps it nowhere.
    pub fn sign(&self, index: u64, event: &Event, key: &Key) -> Vec<u8> {
        sign_for(&self.origin, index, event, KeyId::of(&key.public()), key)
    }

    pub fn fill(&mut self, len: usize) {
        for _ in 0..len {
            let index = self.size();
            self.push(some_event(index));
        }
    }

    pub fn rotate(&mut self) {
        let (index, next) = (
            self.size(),
            Key::new(100 + u8::try_from(self.keys.len()).unwrap()),
        );
        let old = *self.chain.newest();
        let event = rotation(&self.origin, index, &old, &next.public(), |text| {
            next.sign(text)
        });
        self.push(event.clone());
        self.chain.rotate(index, &event, &|_, _, _| true).unwrap();
        self.keys.push(next);
    }

    /// A checkpoint over so many events, signed by every key that has to.
    pub fn checkpoint(&self, size: u64) -> String {
        self.checkpoint_of(&self.tree(size))
    }

    /// A checkpoint over any tree.
    pub fn checkpoint_of(&self, tree: &Frontier) -> String {
        let signers = self.chain.signers(tree.size());
        let keys = self
            .keys
            .iter()
            .filter(|key| signers.contains(&&key.public()));
        let checkpoint = Checkpoint::of(self.origin.as_str(), tree);
        let sign = |text: &[u8]| -> Vec<(NoteKey, [u8; 64])> {
            let line = |key: &Key| {
                let name = NoteKey::new(self.origin.as_str(), key.public()).unwrap();
                (name, key.sign(text))
            };
            keys.map(line).collect()
        };
        checkpoint.sign_all(sign).unwrap().to_string()
    }

    pub fn tree(&self, size: u64) -> Frontier {
        let mut tree = Frontier::new();
        for event in self.events.iter().take(usize::try_from(size).unwrap()) {
            tree.append(event);
        }
        tree
    }

    /// As they stand in the store, each with the checkpoint over all of them.
    pub fn records(&self) -> Vec<Record> {
        let note = self.checkpoint(self.size());
        self.records_with(Some(&note))
    }

    pub fn records_with(&self, checkpoint: Option<&str>) -> Vec<Record> {
        let record = |event: &Vec<u8>| Record::of(event, checkpoint).unwrap();
        self.events.iter().map(record).collect()
    }
}

/// Signs an event for any log, and names any key as the one that did.
pub fn sign_for(origin: &Origin, index: u64, event: &Event, id: KeyId, key: &Key) -> Vec<u8> {
    let meta = Meta {
        source: Source::Gateway,
        now: Now {
            wall_ms: NOON_MS + index,
            boot: BootId::new("00000000-0000-4000-8000-000000000001").unwrap(),
            mono_ms: index,
            trust: ClockTrust::Synchronised,
        },
        cause: None,
    };
    seal(origin, index, &meta, event, id, |message| key.sign(message)).unwrap()
}

pub fn some_event(index: u64) -> Event {
    let card = CardSerial::new(format!("CARD{:06}", index / 5)).unwrap();
    match index % 5 {
        0 => Event::CardSurplus(CardSurplus {
            batch: BatchId::new("b-1").unwrap(),
            card,
            operator: OperatorId::new("operator-1").unwrap(),
        }),
        1 => moved(card, Place::MakerTransit, Place::Safe),
        2 => moved(card, Place::Safe, Place::HandedOver),
        3 => Event::PickupEnded(PickupEnded {
            session: SessionId::from_index(index),
            kiosk: DeviceId::new("kiosk-1").unwrap(),
            outcome: PickupOutcome::Collected,
        }),
        _ => Event::ServiceChanged(ServiceChanged {
            in_service: true,
            reasons: Vec::new(),
        }),
    }
}

pub fn started() -> Event {
    Event::GatewayStarted(GatewayStarted {
        software: "0.1.0".to_owned(),
        instance: BootId::new("00000000-0000-4000-8000-000000000002").unwrap(),
    })
}

fn moved(card: CardSerial, from: Place, to: Place) -> Event {
    Event::CardMoved(CardMoved {
        card,
        from,
        to,
        session: None,
    })
}

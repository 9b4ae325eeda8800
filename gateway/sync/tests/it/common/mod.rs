//! A log with a key from a fixed seed, and an event store in memory that follows the server's append rules and can fail.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use gateway_log::{CheckpointSigner, Group, Limits, Log, OpenOptions, RoomOptions};
use gateway_sync::{
    ChunkLimits, LinkFault, Pace, Store, StoreError, Stored, Stores, Tail, Uplink, UplinkOptions,
};
use schemas::envelope::{KeyId, Meta, Origin, Source, Unsigned, seal};
use schemas::event::Event;
use schemas::ids::BootId;
use schemas::proof::{NoteKey, SignedNote};
use schemas::time::{ClockTrust, Now};
use schemas::uplink::Record;
use tokio::sync::watch;

pub const ORIGIN: &str = "gateway.test/station/s1/1";
pub const STREAM: &str = "station-s1-1";

pub struct Key(Ed25519KeyPair);

impl Key {
    pub fn new() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
    }

    fn public(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn note_key(&self) -> NoteKey {
        NoteKey::new(ORIGIN, self.public()).unwrap()
    }

    /// A signed event with this text.
    pub fn event(&self, index: u64, text: &str) -> Vec<u8> {
        let origin = Origin::new(ORIGIN).unwrap();
        let payload = format!(
            r#"{{"specversion":"1.0","type":"station.test.v1","data":{{"text":"{text}"}}}}"#
        );
        let key_id = KeyId::of(&self.public());
        let unsigned = Unsigned::of_payload(&origin, index, payload.as_bytes(), key_id).unwrap();
        unsigned.signed(|bytes| self.0.sign(bytes).as_ref().try_into().unwrap())
    }
}

impl Key {
    /// A signed event that the centre must know at once: the card dispenser was broken into.
    pub fn alert(&self, index: u64) -> Vec<u8> {
        let body = r#"{"device":"dispenser-1","report":"tamper","detail":null}"#;
        let event = Event::from_data("station.device.reported.v1", body);
        let meta = Meta {
            source: Source::Gateway,
            now: Now {
                wall_ms: 1_800_000_000_000,
                boot: BootId::new("0190b7a2-1f00-7000-8000-0000000000b0").unwrap(),
                mono_ms: index,
                trust: ClockTrust::Synchronised,
            },
            cause: None,
        };
        let (origin, key_id) = (Origin::new(ORIGIN).unwrap(), KeyId::of(&self.public()));
        let sign = |bytes: &[u8]| self.0.sign(bytes).as_ref().try_into().unwrap();
        seal(
            &origin,
            index,
            &meta,
            &event.unwrap().unwrap(),
            key_id,
            sign,
        )
        .unwrap()
    }
}

impl CheckpointSigner for Key {
    fn accepts(&self, _: u64) -> Result<(), String> {
        Ok(())
    }
    fn sign(&self, _size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])> {
        let signature = self.0.sign(text).as_ref().try_into().unwrap();
        vec![(self.note_key(), signature)]
    }
    fn verify(&self, _size: u64, note: &SignedNote) -> bool {
        note.verified_by(&self.note_key(), |public_key, text, signature| {
            UnparsedPublicKey::new(&ED25519, public_key)
                .verify(text, signature)
                .is_ok()
        })
    }
}

pub fn open(folder: &Path) -> Log {
    let key = Key::new();
    let options = OpenOptions {
        identity: key.note_key(),
        marker: folder.join("marker"),
        witness: folder.join("witness"),
        signer: Box::new(key),
        limits: Limits::default(),
        room: RoomOptions::default(),
    };
    Log::open(&folder.join("data"), options).unwrap().0
}

/// Appends an event that the centre must know at once; its index.
pub async fn append_alert(log: &Log, key: &Key) -> u64 {
    let mut at = 0;
    let group = log.append_with(|index| {
        at = index;
        Group::new(index, ()).batch(vec![key.alert(index)])
    });
    drop(group.await.unwrap());
    at
}

/// Appends events, each a command of its own, and waits for the checkpoint that covers them.
pub async fn append(log: &Log, key: &Key, texts: impl IntoIterator<Item = String>) {
    let mut texts = texts.into_iter().peekable();
    while let Some(text) = texts.next() {
        let is_last = texts.peek().is_none();
        let group = log.append_with(|index| {
            let group = Group::new(index, ()).batch(vec![key.event(index, &text)]);
            if is_last { group.sealed() } else { group }
        });
        drop(group.await.unwrap());
    }
    let size = log.size();
    let mut heads = log.heads();
    let covered = heads.wait_for(|head| head.checkpoint.size >= size);
    covered.await.unwrap();
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The call does not arrive.
    Lost,
    /// The call is done, and its answer is lost.
    AnswerLost,
    /// Refused as too large.
    TooLarge,
    /// Another node leads.
    NotLeader,
    /// The call is refused although the version is right.
    WrongVersion,
}

#[derive(Default)]
pub struct Inner {
    pub streams: HashMap<String, Vec<Stored>>,
    pub faults: VecDeque<Fault>,
    pub appends: usize,
    pub largest: usize,
}

/// The store. Cheap to clone.
#[derive(Clone, Default)]
pub struct Memory(pub Arc<Mutex<Inner>>);

impl Memory {
    pub fn stream(&self) -> Vec<Stored> {
        let inner = self.0.lock().unwrap();
        inner.streams.get(STREAM).cloned().unwrap_or_default()
    }

    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.0.lock().unwrap().faults.extend(faults);
    }

    fn call<T>(
        &self,
        done: impl FnOnce(&mut Inner) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.0.lock().unwrap();
        let lost = || StoreError::NoConnection("cut".to_owned());
        match inner.faults.pop_front().unwrap_or(Fault::None) {
            Fault::None => done(&mut inner),
            Fault::Lost => Err(lost()),
            Fault::AnswerLost => done(&mut inner).and(Err(lost())),
            Fault::TooLarge => Err(StoreError::TooLarge),
            Fault::NotLeader => Err(StoreError::NotLeader),
            Fault::WrongVersion => Err(StoreError::WrongVersion),
        }
    }
}

impl Stores for Memory {
    type Store = Self;
    fn connect(&self) -> Result<Self, StoreError> {
        Ok(self.clone())
    }
    async fn diagnose(&self) -> Option<LinkFault> {
        None
    }
}

impl Store for Memory {
    async fn tail(&self, stream: &str) -> Result<Option<Tail>, StoreError> {
        let last = self.last(stream).await?;
        Ok(last.map(|last| Tail {
            revision: last.revision,
            id: last.id,
        }))
    }

    async fn last(&self, stream: &str) -> Result<Option<Stored>, StoreError> {
        tokio::task::yield_now().await;
        self.call(|inner| {
            Ok(inner
                .streams
                .get(stream)
                .and_then(|all| all.last().cloned()))
        })
    }

    /// As the server does it: the same events again at the same place are accepted without a double.
    async fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        records: Vec<Record>,
        _deadline: Duration,
    ) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        self.call(|inner| {
            inner.appends += 1;
            inner.largest = inner.largest.max(records.len());
            let all = inner.streams.entry(stream.to_owned()).or_default();
            let at = usize::try_from(expected.map_or(0, |last| last + 1)).unwrap();
            let there = all.get(at..).ok_or(StoreError::WrongVersion)?;
            if !there.is_empty() {
                let same = there.len() >= records.len()
                    && there
                        .iter()
                        .zip(&records)
                        .all(|(old, new)| old.id == new.id);
                return if same {
                    Ok(())
                } else {
                    Err(StoreError::WrongVersion)
                };
            }
            for record in records {
                let revision = u64::try_from(all.len()).unwrap();
                all.push(Stored {
                    revision,
                    id: record.id,
                    event_type: record.event_type,
                    data: record.data,
                    metadata: record.metadata,
                });
            }
            Ok(())
        })
    }

    async fn read(&self, stream: &str, from: u64, count: usize) -> Result<Vec<Stored>, StoreError> {
        tokio::task::yield_now().await;
        self.call(|inner| {
            let all = inner.streams.get(stream).map_or(&[][..], Vec::as_slice);
            let from = usize::try_from(from).unwrap().min(all.len());
            Ok(all.iter().skip(from).take(count).cloned().collect())
        })
    }
}

pub fn uplink(log: &Log, store: &Memory, events_max: usize) -> Uplink<Memory> {
    acknowledged_uplink(log, store, events_max, watch::Sender::new(0).subscribe())
}

/// The centre has acknowledged so many events.
pub fn acknowledged_uplink(
    log: &Log,
    store: &Memory,
    events_max: usize,
    acknowledged: watch::Receiver<u64>,
) -> Uplink<Memory> {
    let options = UplinkOptions {
        stream: STREAM.to_owned(),
        limits: ChunkLimits {
            events_max,
            bytes_max: 64 * 1024,
        },
        pace: Pace::default(),
        rest_ms: Arc::new(|| None),
        acknowledged,
        look_every: Duration::from_hours(1),
        chance: || 0,
    };
    Uplink::new(log.clone(), Arc::new(store.clone()), options)
}

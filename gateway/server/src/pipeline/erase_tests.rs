//! A whole pickup through the loop, with devices that answer at once: what is sealed, erased, and found again under another
//! lookup key.

use std::collections::BTreeSet;

use gateway_core::{Erasure, ErasureStanding};
use gateway_log::Limits;
use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;
use schemas::words::RefusalReason;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Acts, Job};
use crate::effects::{EraseAnswer, RotateAnswer};
use crate::ingress::Taken;
use crate::outlet::Outgoing;
use crate::testing::{Bench, id, station};

const NUMBER: &str = "11010519491231002X";
const SERIAL: &str = "CARD0001";

/// The devices of machine 1, and who stands before it.
pub(super) struct Player<'a> {
    bench: &'a Bench,
    seen: usize,
    next: u32,
}

impl<'a> Player<'a> {
    /// Devices online, one card in slot 0 of column 0.
    pub(super) async fn stocked(bench: &'a Bench) -> Self {
        let mut player = Self {
            bench,
            seen: 0,
            next: 1_000,
        };
        player.come_online().await;
        let folder = bench.place.path().join("inbox");
        std::fs::create_dir_all(&folder).unwrap();
        let card = json!({ "serial": SERIAL, "number": NUMBER, "name": "李小明",
            "voucher": "1101050012026110100001", "residence": "local" });
        let manifest = json!({ "batch": "batch-1", "cards": [card] });
        std::fs::write(folder.join("batch-1.json"), manifest.to_string()).unwrap();
        let slot = json!({ "column": 0, "slot": 0 });
        let batch = json!({ "batch": "batch-1" });
        player.ask("receive-batch", batch).await;
        let scan = json!({ "batch": "batch-1", "card": SERIAL });
        player.ask("scan-card", scan).await;
        let load = json!({ "card": SERIAL, "machine": "machine-1", "slot": slot });
        player.ask("load-card", load).await;
        player.settle().await;
        player
    }

    async fn come_online(&mut self) {
        for device in [
            "dispenser-1",
            "reader-1",
            "reader-2",
            "scanner-1",
            "camera-1",
            "kiosk-1",
        ] {
            let life = json!({ "state": "online", "protocol": 1, "boot_id": id(self.next) });
            self.send(&format!("{device}/$state"), &life).await;
        }
        self.settle().await;
    }

    pub(super) async fn send(&mut self, topic: &str, body: &Value) {
        let taken = self.bench.send(topic, &body.to_string()).await;
        assert_eq!(taken, Taken::Yes, "{topic} {body}");
    }

    pub(super) fn id(&mut self) -> String {
        self.next += 1;
        id(self.next)
    }

    /// An operator's request, which must be accepted.
    async fn ask(&mut self, name: &str, mut body: Value) {
        let operator = json!({ "id": "operator-1", "pin": "246810" });
        body.as_object_mut()
            .unwrap()
            .insert("operator".to_owned(), operator);
        let receipt = self.request(name, body).await;
        assert_eq!(
            receipt.get("outcome"),
            Some(&json!("accepted")),
            "{receipt}"
        );
    }

    async fn request(&mut self, name: &str, mut body: Value) -> Value {
        let id = self.id();
        let fields = body.as_object_mut().unwrap();
        fields.insert("message_id".to_owned(), json!(id));
        fields.insert("deadline_ms".to_owned(), json!(u64::MAX));
        self.send(&format!("kiosk-1/request/{name}"), &body).await;
        let receipts = self.bench.sent.on("kiosk-1", &format!("receipt/{id}"));
        receipts.last().unwrap().clone()
    }

    pub(super) async fn start_pickup(&mut self) -> SessionId {
        let claim = json!({ "claim": { "citizen_number": NUMBER } });
        let receipt = self.request("start-pickup", claim).await;
        let session = receipt.get("session").and_then(Value::as_str);
        SessionId::new(session.unwrap_or_else(|| unreachable!("{receipt}"))).unwrap()
    }

    /// A pickup to its end: the card is taken.
    pub(super) async fn pick_up(&mut self) -> SessionId {
        let session = self.start_pickup().await;
        self.settle().await;
        let taken = json!({ "message_id": self.id() });
        self.send("dispenser-1/event/media-taken", &taken).await;
        let ended = |bench: &Bench| !bench.sealing.is_open(&session);
        self.bench.until("the session ends", ended).await;
        session
    }

    /// Every command is answered until none is open.
    pub(super) async fn settle(&mut self) {
        loop {
            let new = self.bench.sent.since(self.seen);
            self.seen += new.len();
            let commands: Vec<_> = new
                .into_iter()
                .filter(|message| message.channel.starts_with("cmd/"))
                .collect();
            if commands.is_empty() {
                return;
            }
            for command in commands {
                self.answer(command).await;
            }
        }
    }

    async fn answer(&mut self, command: Outgoing) {
        let (device, channel) = (command.device.to_string(), command.channel.clone());
        let asked: Value = serde_json::from_slice(&command.payload).unwrap();
        let mut reply = json!({ "message_id": self.id(), "command_id": asked.get("command_id") });
        let more = match channel.as_str() {
            "cmd/query" => {
                json!({ "last": { "progress": "none" }, "evidence": evidence("none", None) })
            }
            "cmd/move" => {
                let motion = asked.pointer("/motion/motion").and_then(Value::as_str);
                let evidence = match motion.unwrap() {
                    "load" => evidence("none", Some(true)),
                    "to-reader" => evidence("in-reader", Some(false)),
                    "present" => evidence("outlet", None),
                    other => unreachable!("{other}"),
                };
                json!({ "sequence": asked.get("sequence"), "outcome": { "result": "done" },
                    "evidence": evidence })
            }
            "cmd/read" => {
                let finger = |hand| json!({ "hand": hand, "template": "c2FtcGxl" });
                json!({ "completion": "success", "card": { "serial": SERIAL, "number": NUMBER,
                    "name": "李小明", "fingers": [finger("right"), finger("left")] } })
            }
            "cmd/match" => {
                let event =
                    json!({ "message_id": self.id(), "command_id": asked.get("command_id") });
                self.send(&format!("{device}/event/finger-present"), &event)
                    .await;
                json!({ "completion": "success", "score": 90 })
            }
            "cmd/capture" => {
                let blob = self.id();
                let photo = json!(format!("a photo {blob}"));
                let command = asked.get("command_id").and_then(Value::as_str).unwrap();
                let topic = format!("{device}/blob/{blob}/{command}");
                self.send(&topic, &photo).await;
                json!({ "completion": "success", "blob": blob })
            }
            other => unreachable!("{other}"),
        };
        let fields = reply.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        self.send(&format!("{device}/{channel}/reply"), &reply)
            .await;
    }
}

fn evidence(position: &str, slot: Option<bool>) -> Value {
    json!({ "position": position, "outlet_present": position == "outlet", "slot_occupied": slot,
        "recycle_count": 0 })
}

/// The keys that a session's events name, and how many of each kind of event there are.
fn named(bench: &Bench, of: &SessionId) -> (BTreeSet<SealingKeyId>, usize, usize) {
    let (mut keys, mut holders, mut photos) = (BTreeSet::new(), 0, 0);
    for entry in bench.entries() {
        match entry.event {
            Event::CardVerified(verified) if verified.session == *of => {
                keys.insert(verified.holder.unwrap().key().unwrap());
                holders += 1;
            }
            Event::PhotoArchived(photo) if photo.session == *of => {
                keys.insert(photo.key);
                photos += 1;
            }
            _ => {}
        }
    }
    (keys, holders, photos)
}

async fn erase(bench: &Bench, session: &SessionId) -> EraseAnswer {
    let acts = Acts::new(bench.jobs.clone());
    let has_keys = bench.sealing.store().holds_any_of(session).unwrap();
    acts.erase(session.clone(), has_keys).await.unwrap()
}

/// Nothing was done: what the last event says was done before.
fn before(bench: &Bench, standing: ErasureStanding) -> EraseAnswer {
    let last = bench.entries().pop().unwrap();
    EraseAnswer::Before(Erasure {
        standing,
        index: bench.log.size() - 1,
        wall_ms: last.meta.now.wall_ms,
    })
}

/// G7: all that is personal of a session is sealed under one key, on disk and sealed to the centre; it goes on request when
/// the session is over, and the log says so before the asker hears of it. Another session's keys stay.
#[tokio::test]
async fn a_session_is_sealed_and_erased() {
    let bench = Bench::new();
    let mut player = Player::stocked(&bench).await;
    let session = player.start_pickup().await;
    let refused = EraseAnswer::Refused(RefusalReason::SessionOpen);
    assert_eq!(erase(&bench, &session).await, refused);
    player.settle().await;
    let (keys, holders, photos) = named(&bench, &session);
    assert_eq!((keys.len(), holders, photos), (1, 1, 4));
    let key = keys.first().unwrap().clone();
    assert!(bench.sealing.store().holds(&key));
    let taken = json!({ "message_id": player.id() });
    player.send("dispenser-1/event/media-taken", &taken).await;
    for unknown in ["s-0", "s-999999", "s-18446744073709551615", "session"] {
        let unknown = SessionId::new(unknown).unwrap_or_else(|_| SessionId::from_index(1));
        let refused = EraseAnswer::Refused(RefusalReason::NoSuchSession);
        assert_eq!(erase(&bench, &unknown).await, refused, "{unknown}");
    }
    let done = |keys, centre_asked| EraseAnswer::Done { keys, centre_asked };
    assert_eq!(
        erase(&bench, &session).await,
        done(vec![key.clone()], false)
    );
    assert!(!bench.sealing.store().holds(&key));
    let last = bench.entries().pop().unwrap().event;
    assert!(matches!(last, Event::ErasureDone(event) if event.session == session));
    // Again: there is nothing left, here or at the centre.
    let again = before(&bench, ErasureStanding::AtStation);
    assert_eq!(erase(&bench, &session).await, again);
    let files = std::fs::read_dir(bench.place.path().join("session-keys"));
    assert_eq!(files.unwrap().count(), 0);
}

/// G7: a photo of a device that serves no session could not be erased with one, so it is not kept, and its sender hears why.
#[tokio::test]
async fn a_photo_of_no_session_is_not_kept() {
    let bench = Bench::new();
    let taken = bench
        .send(&format!("camera-1/blob/{}", id(7)), "a photo")
        .await;
    assert_eq!(taken, Taken::NotKept);
    let receipts = bench.sent.on("camera-1", &format!("receipt/{}", id(7)));
    let reason = receipts.first().and_then(|receipt| receipt.get("reason"));
    assert_eq!(reason, Some(&json!("not-serving")));
    let blobs = std::fs::read_dir(bench.place.path().join("blobs"));
    assert_eq!(blobs.unwrap().count(), 0);
}

/// G7: keys that have gone up are the centre's to destroy; an erasure that was recorded and not done is done after a restart.
#[tokio::test]
async fn an_erasure_survives_a_restart_and_asks_the_centre() {
    let bench = Bench::new();
    let session = Player::stocked(&bench).await.pick_up().await;
    let folder = bench.place.path().join("session-keys");
    for file in std::fs::read_dir(&folder).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let gone_up = EraseAnswer::Done {
        keys: Vec::new(),
        centre_asked: true,
    };
    assert_eq!(erase(&bench, &session).await, gone_up);
    let under_way = before(&bench, ErasureStanding::CentreAsked);
    assert_eq!(erase(&bench, &session).await, under_way, "asked once");
    // A key of it lies here again, and a life ends between the two events: what is recorded last is that it was asked.
    let (done, answer) = oneshot::channel();
    let job = Job::Erase {
        session: session.clone(),
        has_keys: true,
        done,
    };
    bench.jobs.send(job).await.unwrap();
    let Bench {
        place,
        log,
        stop,
        pipeline,
        jobs,
        ingress,
        ..
    } = bench;
    drop((stop, jobs, ingress));
    pipeline.await.unwrap().unwrap();
    drop(answer);
    let count = |bench: &Bench| {
        let done = |event: &Event| matches!(event, Event::ErasureDone(_));
        bench
            .entries()
            .iter()
            .filter(|entry| done(&entry.event))
            .count()
    };
    let marker = place.path().join("marker");
    let keys = crate::keys::open(&place.path().join("keys"), place.path(), &marker).unwrap();
    let again = Bench::over(station(), place, keys, (log, Limits::default()), 64);
    again.until("it is done", |bench| count(bench) == 2).await;
}

/// G7, P1: after a change of the lookup key a card that was announced before is found by its owner's number, a repeated
/// message is known, and new records are tagged with the new key.
#[tokio::test]
async fn cards_are_found_under_an_earlier_lookup_key() {
    let bench = Bench::new();
    let mut player = Player::stocked(&bench).await;
    let report = json!({ "message_id": player.id(), "detail": "E7" });
    player.send("reader-1/event/jam", &report).await;
    let acts = Acts::new(bench.jobs.clone());
    let Ok(RotateAnswer::Done { key, before }) = acts.rotate_lookup().await else {
        unreachable!("not changed")
    };
    assert_eq!(bench.lookup.ids(), [key.clone(), before.clone()]);
    let last = bench.entries().pop().unwrap().event;
    assert!(
        matches!(last, Event::LookupKeyChanged(event) if event.key == key && event.before == before)
    );
    let size = bench.log.size();
    player.send("reader-1/event/jam", &report).await;
    assert_eq!(bench.log.size(), size, "the repetition is known");
    let session = player.pick_up().await;
    assert_eq!(
        named(&bench, &session).1,
        1,
        "the chip's number is the record's"
    );
    let tag = bench
        .lookup
        .tag(crate::keys::Domain::Number, NUMBER)
        .unwrap();
    assert_eq!(tag.key(), Some(key));
}

/// G7: what a crash left between the file of lookup keys and the log is finished at start.
#[tokio::test]
async fn an_interrupted_change_of_the_lookup_key_is_finished() {
    let place = tempfile::tempdir().unwrap();
    let marker = place.path().join("marker");
    let open = || crate::keys::open(&place.path().join("keys"), place.path(), &marker).unwrap();
    let (made, before) = open().lookup.make().unwrap();
    let keys = open();
    let ring = crate::testing::ring(&keys);
    let log =
        gateway_log::Log::in_memory(ring.identity().unwrap(), Box::new(ring), Limits::default());
    let bench = Bench::over(
        station(),
        place,
        keys,
        (log.unwrap(), Limits::default()),
        64,
    );
    let is_recorded = |bench: &Bench| {
        bench.entries().iter().any(|entry| {
            matches!(&entry.event, Event::LookupKeyChanged(event) if event.key == made && event.before == before)
        })
    };
    bench.until("it is recorded", is_recorded).await;
    assert_eq!(bench.lookup.ids().first(), Some(&made));
}

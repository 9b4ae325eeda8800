//! The loop at its boundary: messages in, acknowledgements, receipts and events out, over the log's twin in memory.

use std::time::Instant;

use documents::Pdf;
use futures_util::FutureExt as _;
use gateway_core::{Input, Request};
use gateway_log::Limits;
use schemas::envelope::CauseOutcome;
use schemas::event::Event;
use schemas::event::application::WindowTicketIssued;
use schemas::event::custody::BATCH_CARDS_MAX;
use schemas::ids::{DeviceId, MessageId, SessionId, TicketNumber};
use schemas::message::kiosk::Text;
use schemas::words::RefusalReason;
use schemas::words::application::WindowReason;
use schemas::words::paper::{PaperFault, PaperKind};
use serde_json::json;
use tokio::sync::oneshot;

use super::{Acts, Answer, Command, Content, Job, MessageKey};
use crate::effects::EraseAnswer;
use crate::ingress::Taken;
use crate::keys;
use crate::papers::{CardDays, Occasion, Printer, of_ticket};
use crate::testing::{self, Bench, id, station};

fn report(n: u32) -> String {
    json!({ "message_id": id(n), "detail": "E7" }).to_string()
}

fn pickup(n: u32) -> String {
    json!({ "message_id": id(n), "deadline_ms": u64::MAX, "claim": { "voucher": "1101050012026110100001" } }).to_string()
}

fn act(n: u32, pin: &str) -> String {
    json!({
        "message_id": id(n), "deadline_ms": u64::MAX, "batch": "batch-1",
        "operator": { "id": "operator-1", "pin": pin },
    })
    .to_string()
}

/// G2: the duplicate of an event gets the receipt of the first copy, and is recorded once; in the same group, later, and
/// after a restart.
#[tokio::test]
async fn a_duplicate_gets_the_receipt_of_the_first_copy() {
    let bench = Bench::new();
    let (first, second) = (
        bench.send("kiosk-1/request/start-pickup", &pickup(1)),
        bench.send("kiosk-1/request/start-pickup", &pickup(1)),
    );
    assert_eq!((first.await, second.await), (Taken::Yes, Taken::Yes));
    assert_eq!(
        bench.send("kiosk-1/request/start-pickup", &pickup(1)).await,
        Taken::Yes
    );
    let size = bench.log.size();
    let receipts = bench.sent.on("kiosk-1", &format!("receipt/{}", id(1)));
    assert_eq!(receipts.len(), 3);
    assert_eq!(
        receipts.first().and_then(|r| r.get("reason")),
        Some(&json!("no-record"))
    );
    let entries = bench.entries();
    let causes: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.meta.cause.as_ref())
        .collect();
    assert_eq!(causes.len(), 1, "recorded once");

    let Bench {
        place,
        log,
        stop,
        pipeline,
        ..
    } = bench;
    drop(stop);
    pipeline.await.unwrap().unwrap();
    let keys = keys::open(
        &place.path().join("keys"),
        place.path(),
        &place.path().join("marker"),
    )
    .unwrap();
    let again = Bench::over(station(), place, keys, (log, Limits::default()), 64);
    assert_eq!(
        again.send("kiosk-1/request/start-pickup", &pickup(1)).await,
        Taken::Yes
    );
    let receipt = again.sent.on("kiosk-1", &format!("receipt/{}", id(1)));
    assert_eq!(
        receipt.first(),
        receipts.first(),
        "the same receipt after a restart"
    );
    let recorded = again
        .entries()
        .iter()
        .skip(usize::try_from(size).unwrap())
        .any(|e| e.meta.cause.is_some());
    assert!(!recorded);
}

/// architecture.md: the same id with other bytes is refused: on record for a request, at the door for anything else; and
/// the first copy's receipt stays what it was.
#[tokio::test]
async fn an_id_with_other_content_is_refused() {
    let bench = Bench::new();
    assert_eq!(
        bench.send("reader-1/event/jam", &report(1)).await,
        Taken::Yes
    );
    assert_eq!(
        bench.send("reader-1/event/door", &report(1)).await,
        Taken::IdReused
    );
    assert_eq!(
        bench.send("reader-2/event/jam", &report(1)).await,
        Taken::Yes,
        "ids are each sender's own"
    );
    assert_eq!(
        bench.send("kiosk-1/request/start-pickup", &pickup(2)).await,
        Taken::Yes
    );
    let other = pickup(2).replace("00001", "00002");
    assert_eq!(
        bench.send("kiosk-1/request/start-pickup", &other).await,
        Taken::Yes
    );
    assert_eq!(
        bench.send("kiosk-1/request/start-pickup", &pickup(2)).await,
        Taken::Yes
    );
    let reasons: Vec<_> = bench
        .sent
        .on("kiosk-1", &format!("receipt/{}", id(2)))
        .iter()
        .map(|receipt| receipt.get("reason").cloned().unwrap_or_default())
        .collect();
    assert_eq!(
        reasons,
        [
            json!("no-record"),
            json!("message-id-reused"),
            json!("no-record")
        ]
    );
}

/// G2: nothing is acknowledged, sent or shown when the log fails; the loop ends with the error.
#[tokio::test]
async fn nothing_leaves_when_the_log_fails() {
    let bench = Bench::new();
    assert_eq!(
        bench.send("reader-1/event/jam", &report(1)).await,
        Taken::Yes
    );
    bench.log.close().unwrap();
    let sent = bench.sent.count();
    assert_eq!(
        bench.send("reader-1/event/jam", &report(2)).await,
        Taken::Failed
    );
    assert_eq!(
        bench.send("reader-1/event/jam", &report(1)).await,
        Taken::Failed
    );
    assert!(bench.pipeline.await.unwrap().is_err());
    assert_eq!(bench.sent.count(), sent);
}

/// A queue that is full refuses at the door, and the loop goes on.
#[tokio::test]
async fn a_full_queue_is_busy() {
    let bench = Bench::with(station(), Limits::default(), 2);
    // The loop cannot run while this task does not wait, so the queue fills.
    let sent: Vec<_> = (0..5)
        .map(|n| bench.send("reader-1/event/jam", &report(n)))
        .collect();
    let taken = futures_util::future::join_all(sent).await;
    let busy = taken.iter().filter(|taken| **taken == Taken::Busy).count();
    assert!(busy >= 1, "{taken:?}");
    assert_eq!(
        bench.send("reader-1/event/jam", &report(9)).await,
        Taken::Yes
    );
}

/// G2: behind a broker that cannot be told "busy" messages wait for their place in the queue, and none overtakes another.
#[tokio::test]
async fn a_full_queue_is_waited_for_in_turn() {
    let bench = Bench::with(station(), Limits::default(), 2);
    let sent: Vec<_> = (0..30)
        .map(|n| bench.send_in_turn("reader-1/event/jam", &report(n)))
        .collect();
    let taken = futures_util::future::join_all(sent).await;
    assert!(taken.iter().all(|taken| *taken == Taken::Yes), "{taken:?}");
    let order: Vec<_> = bench
        .entries()
        .into_iter()
        .filter_map(|entry| entry.meta.cause.map(|cause| cause.message_id.to_string()))
        .collect();
    assert_eq!(order, (0..30).map(id).collect::<Vec<_>>());
}

/// G2: messages of one sender are recorded in the order they came, though the first waits for a PIN to be compared.
#[tokio::test]
async fn messages_of_one_sender_keep_their_order() {
    let bench = Bench::new();
    let slow = bench.send("kiosk-1/request/close-batch", &act(1, "246810"));
    let quick: Vec<_> = (2..6)
        .map(|n| bench.send("kiosk-1/request/start-pickup", &pickup(n)))
        .collect();
    let (slow, quick) = tokio::join!(slow, futures_util::future::join_all(quick));
    assert!(slow == Taken::Yes && quick.iter().all(|taken| *taken == Taken::Yes));
    let order: Vec<_> = bench
        .entries()
        .into_iter()
        .filter_map(|entry| entry.meta.cause.map(|cause| cause.message_id.to_string()))
        .collect();
    assert_eq!(order, (1..6).map(id).collect::<Vec<_>>());
}

/// C2, G7: wrong PINs are recorded and counted, a repetition of the same message is not counted again, the lockout comes
/// after the attempts of the policy, and no PIN is in any event or receipt.
#[tokio::test]
async fn wrong_pins_lock_out_and_never_appear() {
    let mut station = station();
    station.policy.operator.pin_attempts_max = 2;
    let bench = Bench::with(station, Limits::default(), 64);
    for (n, pin) in [(1, "97531"), (1, "97531"), (2, "97532"), (3, "246810")] {
        assert_eq!(
            bench
                .send("kiosk-1/request/close-batch", &act(n, pin))
                .await,
            Taken::Yes
        );
    }
    let rejected: Vec<_> = bench
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::OperatorRejected(body) => Some((body.attempts, body.locked)),
            _ => None,
        })
        .collect();
    assert_eq!(rejected, [(1, false), (2, true), (2, true)]);
    let receipt = bench.sent.on("kiosk-1", &format!("receipt/{}", id(3)));
    assert_eq!(
        receipt.first().and_then(|r| r.get("reason")),
        Some(&json!("operator-locked"))
    );
    for stored in bench.log.read(0..bench.log.size()) {
        let text = String::from_utf8_lossy(&stored.unwrap().1).into_owned();
        assert!(!text.contains("9753") && !text.contains("246810"));
    }
}

/// An unchanged state is acknowledged and not recorded; a changed one is recorded.
#[tokio::test]
async fn only_a_changed_state_is_recorded() {
    let bench = Bench::new();
    bench
        .until("the loop has begun", |bench| bench.log.size() > 0)
        .await;
    let status = r#"{"status":"online"}"#;
    let sizes = [
        bench.send("reader-1/state", status).await,
        bench.send("reader-1/state", status).await,
    ]
    .map(|taken| (taken, bench.log.size()));
    assert!(sizes.iter().all(|(taken, _)| *taken == Taken::Yes));
    let changed = bench
        .entries()
        .into_iter()
        .filter(|entry| matches!(entry.event, Event::StatusChanged(_)))
        .count();
    assert_eq!(changed, 1);
    assert_eq!(
        bench.send("reader-1/prop/level", r#"{"value":1}"#).await,
        Taken::Yes
    );
}

/// A kiosk that asks gets its prompt again, and nothing is recorded.
#[tokio::test]
async fn a_kiosk_gets_its_prompt_again() {
    let bench = Bench::new();
    bench
        .until("the first prompt", |bench| {
            bench.sent.on("kiosk-1", "session").len() == 1
        })
        .await;
    let size = bench.log.size();
    let ask = json!({ "message_id": id(1), "deadline_ms": 0 }).to_string();
    assert_eq!(
        bench.send("kiosk-1/request/get-session", &ask).await,
        Taken::Yes
    );
    let prompts = bench.sent.on("kiosk-1", "session");
    assert_eq!(prompts.len(), 2);
    assert_eq!(prompts.first(), prompts.last());
    assert_eq!(bench.log.size(), size);
}

/// C1, G7: a batch is announced from the inbox, its file goes once it is recorded, and no event names its people.
#[tokio::test]
async fn a_received_batch_leaves_no_manifest_and_no_name() {
    let bench = Bench::new();
    let inbox = bench.place.path().join("inbox");
    write_manifest(&inbox);
    assert_eq!(
        bench
            .send("kiosk-1/request/receive-batch", &act(1, "246810"))
            .await,
        Taken::Yes
    );
    let receipt = bench.sent.on("kiosk-1", &format!("receipt/{}", id(1)));
    assert_eq!(
        receipt.first().and_then(|r| r.get("outcome")),
        Some(&json!("accepted")),
        "{receipt:?}"
    );
    assert!(!inbox.join("batch-1.json").exists());
    for stored in bench.log.read(0..bench.log.size()) {
        let text = String::from_utf8_lossy(&stored.unwrap().1).into_owned();
        assert!(!text.contains("李") && !text.contains("19491231"));
    }
    let last = bench.entries().pop().unwrap();
    assert_eq!(
        last.meta.cause.map(|cause| cause.outcome),
        Some(CauseOutcome::Accepted)
    );
}

/// G2: a group is closed before it is larger than the log takes, so the log never refuses what the state has already
/// taken in; everything is recorded, in order.
#[tokio::test]
async fn a_group_is_closed_before_it_is_too_large() {
    let limits = Limits {
        group_bytes_max: 2_048,
        ..Limits::default()
    };
    let bench = Bench::with(station(), limits, 64);
    let sent: Vec<_> = (0..40)
        .map(|n| bench.send("reader-1/event/jam", &report(n)))
        .collect();
    let taken = futures_util::future::join_all(sent).await;
    assert!(taken.iter().all(|taken| *taken == Taken::Yes), "{taken:?}");
    let order: Vec<_> = bench
        .entries()
        .into_iter()
        .filter_map(|entry| entry.meta.cause.map(|cause| cause.message_id.to_string()))
        .collect();
    assert_eq!(order, (0..40).map(id).collect::<Vec<_>>());
}

/// A command whose events alone are more than the log takes is refused; nothing of it is recorded or remembered, and
/// the loop goes on.
#[tokio::test]
async fn a_command_that_the_log_cannot_hold_changes_nothing() {
    let limits = Limits {
        group_bytes_max: 4_096,
        ..Limits::default()
    };
    let bench = Bench::with(station(), limits, 64);
    let inbox = bench.place.path().join("inbox");
    write_manifest(&inbox);
    assert_eq!(
        bench.send("reader-1/event/jam", &report(7)).await,
        Taken::Yes
    );
    let size = bench.log.size();
    for _ in 0..2 {
        let taken = bench
            .send("kiosk-1/request/receive-batch", &act(1, "246810"))
            .await;
        assert_eq!(taken, Taken::Failed);
    }
    assert_eq!(bench.log.size(), size);
    assert!(inbox.join("batch-1.json").exists());
    assert_eq!(
        bench.send("reader-1/event/jam", &report(8)).await,
        Taken::Yes
    );
}

fn write_manifest(inbox: &std::path::Path) {
    std::fs::create_dir_all(inbox).unwrap();
    let cards: Vec<_> = (0..BATCH_CARDS_MAX)
        .map(|n| {
            json!({ "serial": format!("CARD{n:012}"), "number": "11010519491231002X", "name": "李小明",
                "voucher": format!("11010500120261101{:05}", n + 1), "residence": "other-province",
                "ground": "residence-permit", "old_card_due": true })
        })
        .collect();
    let manifest = json!({ "batch": "batch-1", "cards": cards }).to_string();
    std::fs::write(inbox.join("batch-1.json"), manifest).unwrap();
}

/// On the word to stop, what is queued is taken in, made durable and acknowledged.
#[tokio::test]
async fn a_stop_acknowledges_what_came_before() {
    let bench = Bench::new();
    let sent: Vec<_> = (0..20)
        .map(|n| bench.send("reader-1/event/jam", &report(n)))
        .collect();
    // Polled once, every message is in the queue.
    let mut sent = Box::pin(futures_util::future::join_all(sent));
    assert!((&mut sent).now_or_never().is_none());
    drop(bench.stop);
    assert!(sent.await.iter().all(|taken| *taken == Taken::Yes));
    bench.pipeline.await.unwrap().unwrap();
}

/// The papers of a session that went to the window.
fn ticket(session: &SessionId, kiosk: &DeviceId) -> Vec<(PaperKind, Result<Pdf, PaperFault>)> {
    let ticket = WindowTicketIssued {
        session: session.clone(),
        kiosk: kiosk.clone(),
        ticket: TicketNumber::of(1, 7),
        reason: WindowReason::NumberFailed,
        entered: Box::default(),
        held_h: Some(72),
    };
    let text = |text: &str| text.to_owned();
    let station = documents::Station {
        name: Text {
            zh: text("示例市公安局自助服务站"),
            en: text("Example station"),
        },
        address: text("示例市朝阳区建国路 1 号"),
        hours: text("每日 00:00-24:00"),
        window: text("3 号窗口"),
    };
    let occasion = Occasion {
        at_ms: 1_795_334_640_000,
        is_dated: true,
        proof: text("STN1 gateway.demo/station/demo/1 41 43 AAAA"),
    };
    let days = CardDays { made: 60, held: 90 };
    Printer::new(documents::Fonts::embedded(), station, days).set(&of_ticket(&ticket), &occasion)
}

/// A13, A15: papers that are made and not recorded yet are not gone. Asked for then, the kiosk gets them when they are recorded, and no
/// ticket; also where they were made only after the request had its place in the queue.
#[tokio::test]
async fn a13_papers_on_their_way_are_not_gone() {
    let bench = Bench::new();
    let (kiosk, session) = (DeviceId::new("kiosk-1").unwrap(), SessionId::from_index(40));
    let name = |n| format!("receipt/{}", id(n));
    let refused = json!({ "message_id": id(1), "deadline_ms": u64::MAX, "session": session });
    let request = "kiosk-1/request/get-papers";
    let taken = bench.send(request, &refused.to_string()).await;
    assert_eq!(taken, Taken::Yes);
    let receipts = bench.sent.on("kiosk-1", &name(1));
    let reason = receipts.first().and_then(|receipt| receipt.get("reason"));
    assert_eq!(reason, Some(&json!("papers-gone")));

    let size = bench.log.size();
    bench.papers.expect(&session);
    let set = ticket(&session, &kiosk);
    let record = bench.papers.keep(&kiosk, &session, set).unwrap();
    let again = json!({ "message_id": id(2), "deadline_ms": u64::MAX, "session": session });
    assert_eq!(bench.send(request, &again.to_string()).await, Taken::Yes);
    // What the way in passed on before they were made.
    let (done, answer) = oneshot::channel();
    let gone = Request::PapersGone {
        session: session.clone(),
    };
    let command = Command {
        device: kiosk.clone(),
        message: Some(MessageKey {
            id: MessageId::new(id(3)).unwrap(),
            digests: vec![[3; 16]],
        }),
        content: Content::Input(Input::Request {
            kiosk: kiosk.clone(),
            deadline_ms: u64::MAX,
            request: gone,
        }),
        received: Instant::now(),
        done,
    };
    let queued = bench.jobs.send(Job::Command(Box::new(command))).await;
    assert!(queued.is_ok());
    assert_eq!(answer.await, Ok(Answer::Done));
    for n in [2, 3] {
        let receipts = bench.sent.on("kiosk-1", &name(n));
        let outcome = receipts.first().and_then(|receipt| receipt.get("outcome"));
        assert_eq!(outcome, Some(&json!("accepted")), "{receipts:?}");
    }
    assert_eq!(bench.log.size(), size, "the rules were not asked");
    assert_eq!(bench.sent.on("kiosk-1", "papers").len(), 0, "not recorded");
    bench.papers.issue(&record);
    assert_eq!(bench.sent.on("kiosk-1", "papers").len(), 1);
}

/// G2: what became of a message, or whether there is a session, may stand in a closed epoch, which is copied to be read. The loop goes on
/// meanwhile, and where it cannot be read too: who asked is told to try again.
#[tokio::test]
async fn g2_what_a_closed_epoch_holds_is_looked_up_beside_the_loop() {
    let mut station = station();
    station.log.epoch_events = 12;
    let place = tempfile::tempdir().unwrap();
    let at = place.path().to_owned();
    let keys = || keys::open(&at.join("keys"), &at.join("data"), &at.join("marker")).unwrap();
    let log = testing::log_on_disk(&at, &keys());
    let limits = Limits::default();
    let first = Bench::over(station.clone(), place, keys(), (log.clone(), limits), 64);
    let mut n = 0;
    // More than are kept open.
    while log.epochs().len() < 8 {
        n += 1;
        let taken = first.send("reader-1/event/jam", &report(n)).await;
        assert_eq!(taken, Taken::Yes);
    }
    let Bench {
        place,
        stop,
        pipeline,
        ..
    } = first;
    drop(stop);
    pipeline.await.unwrap().unwrap();

    // A new life, which knows of its messages only where they stand.
    let bench = Bench::over(station, place, keys(), (log.clone(), limits), 64);
    let again = || bench.send("reader-1/event/jam", &report(1));
    let erase = || async {
        let session = SessionId::from_index(0);
        Acts::new(bench.jobs.clone())
            .erase(session, false)
            .await
            .unwrap()
    };
    let (opened, size) = (log.closed_epochs_opened(), log.size());
    assert_eq!(again().await, Taken::Yes);
    assert!(log.closed_epochs_opened() > opened);
    let receipts = bench.sent.on("reader-1", &format!("receipt/{}", id(1)));
    let index = receipts.first().and_then(|receipt| receipt.get("index"));
    assert!(
        index.and_then(serde_json::Value::as_u64).unwrap() < 12,
        "{receipts:?}"
    );
    let refused = EraseAnswer::Refused(RefusalReason::NoSuchSession);
    assert_eq!(erase().await, refused);

    // Others are read meanwhile, so that its copy is closed; and there is no place for another one.
    for inside in log.epochs().into_iter().skip(1).map(|first| first + 1) {
        assert!(log.read(inside..inside + 1).next().unwrap().is_ok());
    }
    let copies = at.join("data/log-copies");
    std::fs::remove_dir_all(&copies).unwrap();
    std::fs::write(&copies, "in the way").unwrap();
    assert_eq!(again().await, Taken::Failed);
    assert!(matches!(erase().await, EraseAnswer::NotLookedUp(_)));
    let new = bench.send("reader-1/event/jam", &report(n + 1));
    assert_eq!(new.await, Taken::Yes);
    std::fs::remove_file(&copies).unwrap();
    assert_eq!(again().await, Taken::Yes);
    let told = bench
        .entries()
        .into_iter()
        .skip(usize::try_from(size).unwrap());
    let told: Vec<_> = told.filter_map(|entry| entry.meta.cause).collect();
    assert_eq!(told.len(), 1, "only the new one was recorded");
}

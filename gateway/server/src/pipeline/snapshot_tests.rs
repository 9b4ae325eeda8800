//! Snapshots at the loop's boundary: when they are taken, and that a start from one is a start from the beginning.

use gateway_log::Limits;
use schemas::envelope::{self, Origin};
use schemas::event::Event;
use serde_json::json;

use super::{Memory, Read, Replay, Sweeps};
use crate::ingress::Taken;
use crate::snapshot::{SnapshotStore, is_restorable};
use crate::testing::{self, Bench, id, station};

const EPOCH_EVENTS: u64 = 12;

pub(super) fn report(n: u32) -> String {
    json!({ "message_id": id(n), "detail": "E7" }).to_string()
}

fn act(n: u32, pin: &str) -> String {
    json!({
        "message_id": id(n), "deadline_ms": u64::MAX, "batch": "batch-1",
        "operator": { "id": "operator-1", "pin": pin },
    })
    .to_string()
}

fn status(status: &str) -> String {
    json!({ "status": status }).to_string()
}

/// Runs a loop over several epochs, with reports, refusals, wrong PINs and states that change, and stops it.
async fn several_epochs() -> (tempfile::TempDir, gateway_log::Log) {
    let mut station = station();
    station.log.epoch_events = EPOCH_EVENTS;
    let bench = Bench::with(station, Limits::default(), 64);
    let mut n = 0;
    while bench.log.epochs().len() < 5 {
        n += 3;
        assert!(n < 1_000, "no epoch begins");
        let state = if n % 2 == 0 { "online" } else { "deviceBusy" };
        let sent = [
            bench.send("reader-1/event/jam", &report(n)),
            bench.send("reader-2/state", &status(state)),
            bench.send("kiosk-1/request/close-batch", &act(n + 1, "999999")),
        ];
        for answer in sent {
            answer.await;
        }
    }
    let Bench {
        place,
        log,
        stop,
        pipeline,
        ..
    } = bench;
    drop(stop);
    pipeline.await.unwrap().unwrap();
    (place, log)
}

/// From the snapshot of the epoch that begins at `from`, or from nothing.
fn replayed(place: &tempfile::TempDir, log: &gateway_log::Log, from: u64) -> Option<Memory> {
    restarted(place, log, from).map(|(memory, _)| memory)
}

/// The same, with what a start would sweep.
pub(super) fn restarted(
    place: &tempfile::TempDir,
    log: &gateway_log::Log,
    from: u64,
) -> Option<(Memory, Sweeps)> {
    let keys = crate::keys::open(
        &place.path().join("keys"),
        place.path(),
        &place.path().join("marker"),
    );
    let (ring, sweeps) = (testing::ring(&keys.unwrap()), testing::sweeps(place.path()));
    let origin = Origin::new(testing::ORIGIN).unwrap();
    let policy = station().policy;
    let mut replay = Replay::new(&policy, origin, ring, sweeps);
    if from > 0 {
        let (_, signed) = log.read(from..from + 1).next().unwrap().unwrap();
        let snapshots = SnapshotStore::of(place.path());
        if !replay.restore(from, &signed, &snapshots) {
            return None;
        }
    }
    for stored in log.read(from..log.size()) {
        let (index, signed) = stored.unwrap();
        replay.take(index, Read::new(&signed, true));
    }
    Some(replay.finish().unwrap())
}

/// G4: each epoch begins with its snapshot after the number of events that was configured, and the newest two files are kept.
#[tokio::test]
async fn an_epoch_begins_with_a_snapshot_at_its_own_index() {
    let (place, log) = several_epochs().await;
    let epochs = log.epochs();
    let snapshots = SnapshotStore::of(place.path());
    let mut before = 0;
    for first in epochs.iter().copied().skip(1) {
        let (_, signed) = log.read(first..first + 1).next().unwrap().unwrap();
        let Event::SnapshotTaken(taken) = envelope::read(&signed).unwrap().event else {
            panic!("event {first} is no snapshot");
        };
        assert_eq!(taken.size, first);
        assert_eq!(taken.root.as_str(), log.root_at(first).unwrap().to_string());
        assert!((EPOCH_EVENTS..EPOCH_EVENTS + 70).contains(&(first - before)));
        assert_eq!(
            is_restorable(&snapshots, &signed),
            epochs.iter().rev().take(3).any(|kept| *kept == first)
        );
        before = first;
    }
    let files = std::fs::read_dir(place.path().join("snapshots")).unwrap();
    assert!(files.count() <= 3);
}

/// G4: the state of a snapshot and the events behind it is that of a full replay: for the rules, for repetitions, for operators, and
/// for the next snapshot.
#[tokio::test]
async fn a_start_from_a_snapshot_is_a_start_from_the_beginning() {
    let (place, log) = several_epochs().await;
    let full = replayed(&place, &log, 0).unwrap();
    assert!(!full.attempts.to_kept().is_empty() && full.remembered.len() > 10);
    let mut compared = 0;
    for first in log.epochs().into_iter().skip(1) {
        let Some(memory) = replayed(&place, &log, first) else {
            continue;
        };
        compared += 1;
        assert_eq!(memory.state, full.state, "from {first}");
        assert_eq!(memory.attempts.to_kept(), full.attempts.to_kept());
        assert_eq!(
            (&memory.epoch, &memory.snapshots),
            (&full.epoch, &full.snapshots)
        );
        assert_eq!(memory.remembered.len(), full.remembered.len());
        for stored in log.read(0..log.size()) {
            let entry = envelope::read(&stored.unwrap().1).unwrap();
            if let Some(cause) = entry.meta.cause {
                let find =
                    |memory: &Memory| memory.remembered.find(&cause.sender, &cause.message_id);
                assert_eq!(find(&memory), Some(entry.index));
                assert_eq!(find(&full), Some(entry.index));
            }
        }
    }
    assert!(compared >= 2, "{compared}");
}

/// G4: a snapshot that is missing, cut, changed or another's is not gone on from, and nothing is changed by trying.
#[tokio::test]
async fn a_damaged_snapshot_is_not_gone_on_from() {
    let (place, log) = several_epochs().await;
    let newest = log.epochs().pop().unwrap();
    let (_, signed) = log.read(newest..newest + 1).next().unwrap().unwrap();
    let Event::SnapshotTaken(taken) = envelope::read(&signed).unwrap().event else {
        panic!("no snapshot");
    };
    let path = place.path().join("snapshots").join(taken.state.as_str());
    let bytes = std::fs::read(&path).unwrap();
    assert!(replayed(&place, &log, newest).is_some());
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    for damaged in [changed, bytes.split_last().unwrap().1.to_vec(), Vec::new()] {
        std::fs::write(&path, damaged).unwrap();
        assert!(replayed(&place, &log, newest).is_none());
    }
    std::fs::remove_file(&path).unwrap();
    assert!(replayed(&place, &log, newest).is_none());
    std::fs::write(&path, bytes).unwrap();
    assert!(
        replayed(&place, &log, newest).is_some(),
        "put back it is gone on from"
    );
}

/// G2: what comes while a snapshot is written waits, and is recorded behind it, each once.
#[tokio::test]
async fn messages_wait_while_a_snapshot_is_written() {
    let mut station = station();
    station.log.epoch_events = EPOCH_EVENTS;
    let bench = Bench::with(station, Limits::default(), 512);
    let sent: Vec<_> = (0..300)
        .map(|n| bench.send("reader-1/event/jam", &report(n)))
        .collect();
    for answer in sent {
        assert_eq!(answer.await, Taken::Yes);
    }
    assert!(bench.log.epochs().len() >= 3);
    let reports = bench
        .entries()
        .into_iter()
        .filter(|entry| entry.meta.cause.is_some());
    assert_eq!(reports.count(), 300);
}

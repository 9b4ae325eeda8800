//! G4: what the centre must know at once goes on a stream of its own, each alert once, whatever waits on the log's stream.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Fault, Key, Memory, append, append_alert, open};
use gateway_log::Log;
use gateway_sync::{AlertIndex, Alerts, Pace};
use schemas::envelope;
use schemas::uplink::{alert_stream, signed_bytes};

fn stream() -> String {
    alert_stream(&schemas::ids::StationId::new("s1").unwrap())
}

/// As whoever follows the log says it.
fn index(log: &Log) -> AlertIndex {
    let index = AlertIndex::default();
    for stored in log.read(0..log.size()) {
        let (at, signed) = stored.unwrap();
        // The other events of these logs are of no type that is known.
        if let Ok(entry) = envelope::read(&signed) {
            index.follow(at, &entry.event);
        }
    }
    index
}

fn alerts(log: &Log, store: &Memory) -> Alerts<Memory> {
    Alerts {
        log: log.clone(),
        index: index(log),
        stores: Arc::new(store.clone()),
        stream: stream(),
        pace: Pace::default(),
        chance: || 0,
    }
}

/// The indexes of the alerts that the stream has; each is the log's own bytes.
fn there(store: &Memory, log: &Log) -> Vec<u64> {
    let all = store.0.lock().unwrap().streams.get(&stream()).cloned();
    let all = all.unwrap_or_default();
    all.iter()
        .map(|stored| {
            let (signed, metadata) = signed_bytes(&stored.data, &stored.metadata).unwrap();
            let own = log.read(metadata.index..metadata.index + 1).next().unwrap();
            assert_eq!(own.unwrap().1, signed);
            metadata.index
        })
        .collect()
}

/// Runs until the stream has so many; an hour of paused time is enough for any number.
async fn until(store: &Memory, log: &Log, count: usize) {
    let running = alerts(log, store).run();
    let enough = async {
        while there(store, log).len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let enough = tokio::time::timeout(Duration::from_hours(1), enough);
    tokio::select! {
        () = running => {}
        came = enough => came.unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn g4_alerts_and_nothing_else_go_ahead_of_the_log() {
    let place = tempfile::tempdir().unwrap();
    let (log, key, store) = (open(place.path()), Key::new(), Memory::default());
    let mut expected = Vec::new();
    for round in 0..5 {
        append(&log, &key, (0..70).map(|n| format!("{round} {n}"))).await;
        expected.push(append_alert(&log, &key).await);
    }
    append(&log, &key, ["last".to_owned()]).await;
    until(&store, &log, expected.len()).await;
    assert_eq!(there(&store, &log), expected);
}

/// Faults on every call, and a carrier that is dropped and begun anew: each alert is there once, in order.
#[tokio::test(start_paused = true)]
async fn g4_whatever_is_cut_each_alert_is_there_once() {
    let seed =
        std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |text| text.parse().unwrap());
    eprintln!("repeat with SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let place = tempfile::tempdir().unwrap();
    let (log, key, store) = (open(place.path()), Key::new(), Memory::default());
    let mut expected = Vec::new();
    for _ in 0..20 {
        append(&log, &key, (0..random.u64(1..4)).map(|n| n.to_string())).await;
        for _ in 0..random.usize(0..3) {
            expected.push(append_alert(&log, &key).await);
        }
        let kinds = [
            Fault::None,
            Fault::Lost,
            Fault::AnswerLost,
            Fault::NotLeader,
        ];
        store.plan((0..random.usize(0..5)).map(|_| kinds[random.usize(..kinds.len())]));
        let patience = Duration::from_millis(random.u64(0..2_000));
        // Cut off wherever it is.
        tokio::time::timeout(patience, alerts(&log, &store).run())
            .await
            .ok();
    }
    until(&store, &log, expected.len()).await;
    assert_eq!(there(&store, &log), expected);
}

/// G4: after an upgrade from a version that did not write down where the alerts are, those that the stream does not have yet are found, and
/// the log is looked through no second time.
#[tokio::test(start_paused = true)]
async fn g4_alerts_from_before_they_were_written_down_are_found() {
    let place = tempfile::tempdir().unwrap();
    let (log, key, store) = (open(place.path()), Key::new(), Memory::default());
    append(&log, &key, ["first".to_owned()]).await;
    let sent = append_alert(&log, &key).await;
    until(&store, &log, 1).await;
    let unsent = [
        append_alert(&log, &key).await,
        append_alert(&log, &key).await,
    ];
    append(&log, &key, ["last".to_owned()]).await;
    let index = AlertIndex::unknown_before(log.size());
    let upgraded = Alerts {
        index: index.clone(),
        ..alerts(&log, &store)
    };
    assert_eq!(index.to_vec(), None);
    let running = upgraded.run();
    let enough = async {
        while there(&store, &log).len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = running => {}
        came = tokio::time::timeout(Duration::from_hours(1), enough) => came.unwrap(),
    }
    assert_eq!(there(&store, &log), [&[sent], unsent.as_slice()].concat());
    assert_eq!(index.to_vec(), Some(unsent.to_vec()));
}

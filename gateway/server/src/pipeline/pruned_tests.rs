//! What becomes of sealed files when epochs end and when they are pruned.

use std::collections::BTreeSet;

use gateway_log::Limits;
use schemas::event::Event;
use schemas::ids::{BlobHash, SessionId};
use serde_json::json;

use super::erase_tests::Player;
use super::snapshot_tests::{report, restarted};
use super::{Acts, Swept};
use crate::blobs::BlobStore;
use crate::clock::Clock;
use crate::testing::{Bench, station};

const EPOCH_EVENTS: u64 = 60;

fn bench() -> Bench {
    let mut station = station();
    station.log.epoch_events = EPOCH_EVENTS;
    Bench::with(station, Limits::default(), 64)
}

/// Reports until another epoch begins; its first index.
async fn next_epoch(bench: &Bench, n: &mut u32) -> u64 {
    let before = bench.log.epochs().len();
    while bench.log.epochs().len() == before {
        *n += 1;
        bench.send("reader-1/event/jam", &report(*n)).await;
    }
    bench.log.epochs().pop().unwrap()
}

/// The photos that events name.
fn photos(bench: &Bench) -> BTreeSet<BlobHash> {
    let events = bench.entries().into_iter().map(|entry| entry.event);
    let named = |event| {
        if let Event::PhotoArchived(photo) = event {
            Some(photo.blob)
        } else {
            None
        }
    };
    events.filter_map(named).collect()
}

async fn pruned_blobs(bench: &Bench) -> BTreeSet<BlobHash> {
    let asked = Acts::new(bench.jobs.clone()).pruned_blobs().await;
    asked.unwrap().into_iter().collect()
}

/// evidence.md 6: a blob and a key that no event ever named are orphans at the next start, though an epoch ended in between; what events of
/// an earlier epoch name is none.
#[tokio::test]
async fn an_orphan_stays_one_when_an_epoch_ends() {
    let bench = bench();
    Player::stocked(&bench).await.pick_up().await;
    let blobs = BlobStore::open(&bench.place.path().join("blobs")).unwrap();
    let orphan = blobs.write(b"a still that nothing came of").unwrap();
    let session = SessionId::from_index(9_999);
    bench.sealing.opened(&session);
    bench.sealing.key_in(session.clone()).await.unwrap();
    bench.sealing.ended(&session);
    let newest = next_epoch(&bench, &mut 0).await;
    let named = photos(&bench);
    assert_eq!(named.len(), 4);
    let Bench {
        place,
        log,
        stop,
        pipeline,
        ..
    } = bench;
    drop(stop);
    pipeline.await.unwrap().unwrap();
    let (memory, sweeps) = restarted(&place, &log, newest).unwrap();
    let clock = Clock::new(edge_config::ClockTrustRule::Never).unwrap();
    let swept = sweeps.finish(&memory.state, &clock.now()).unwrap();
    let expected = Swept {
        blobs: 4,
        orphan_blobs: 1,
        keys: 1,
        orphan_keys: 1,
    };
    assert_eq!(swept, expected);
    assert!(!blobs.holds(&orphan) && named.iter().all(|name| blobs.holds(name)));
}

/// G7: the blobs of a session may go once all its events were pruned and it is over; the next snapshot lists them no longer.
#[tokio::test]
async fn blobs_go_with_their_events_and_not_while_the_session_is_open() {
    let (bench, mut n) = (bench(), 0);
    let mut player = Player::stocked(&bench).await;
    player.start_pickup().await;
    player.settle().await;
    let named = photos(&bench);
    assert_eq!(named.len(), 4);
    let newest = next_epoch(&bench, &mut n).await;
    assert!(
        pruned_blobs(&bench).await.is_empty(),
        "their events are here"
    );
    bench.log.prune(newest, |_, _| true).unwrap();
    assert!(pruned_blobs(&bench).await.is_empty(), "the session is open");

    let taken = json!({ "message_id": player.id() });
    player.send("dispenser-1/event/media-taken", &taken).await;
    assert!(pruned_blobs(&bench).await.is_empty(), "its end is here");
    let newest = next_epoch(&bench, &mut n).await;
    bench.log.prune(newest, |_, _| true).unwrap();
    assert_eq!(pruned_blobs(&bench).await, named);
    let blobs = BlobStore::open(&bench.place.path().join("blobs")).unwrap();
    let mut names = named.into_iter();
    let left = names.next().unwrap();
    names.for_each(|name| blobs.remove(&name).unwrap());
    let newest = next_epoch(&bench, &mut n).await;
    assert_eq!(pruned_blobs(&bench).await, [left.clone()].into());
    let (memory, _) = restarted(&bench.place, &bench.log, newest).unwrap();
    assert!(memory.named.blobs().eq([left]));
}

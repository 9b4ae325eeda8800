use axum::body::Body;
use axum::http::Request;
use gateway_log::{Group, Limits};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::*;
use crate::testing;

const SIZE: u64 = 700;
const PRUNED: u64 = 300;

fn event(index: u64) -> Vec<u8> {
    format!("event {index}").into_bytes()
}

/// A log of which an epoch was pruned.
async fn pruned() -> Log {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let keys = crate::keys::open(&folder.join("keys"), folder, &folder.join("marker")).unwrap();
    let ring = testing::ring(&keys);
    let limits = Limits {
        checkpoint_events_max: 1,
        ..Limits::default()
    };
    let log = Log::in_memory(ring.identity().unwrap(), Box::new(ring), limits).unwrap();
    let group =
        |range: std::ops::Range<u64>| Group::new(range.start, ()).batch(range.map(event).collect());
    let groups = [
        group(0..PRUNED),
        group(PRUNED..PRUNED + 1).beginning_epoch(),
        group(PRUNED + 1..SIZE),
    ];
    for group in groups {
        drop(log.append(group).await.unwrap());
    }
    assert_eq!(log.prune(SIZE, |_, _| true).unwrap(), PRUNED);
    assert_eq!(log.head().checkpoint.size, SIZE);
    log
}

async fn get(log: &Log, path: &str) -> (StatusCode, Option<HeaderValue>, Vec<u8>) {
    let pages = router(log.clone(), 1, Metrics::new().unwrap());
    let request = Request::get(format!("/v1/log/1/{path}")).body(Body::empty());
    let answer = TowerToHyperService::new(pages).call(request.unwrap()).await;
    let (head, body) = answer.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    let kept = head.headers.get(header::CACHE_CONTROL).cloned();
    (head.status, kept, bytes)
}

/// G3, G4: whoever pulls what was pruned hears that it was, and does not keep that answer; the hashes, and the events from there on, are served.
#[tokio::test]
async fn what_was_pruned_is_told_as_such() {
    let log = pruned().await;
    // The second tile holds events from both sides.
    for path in ["tile/entries/000", "tile/entries/001"] {
        let (status, kept, said) = get(&log, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            String::from_utf8(said).unwrap().trim_end(),
            "the events before 300 were removed; their hashes are here"
        );
        assert_eq!(kept, Some(NOT_KEPT), "{path}");
    }
    let (status, _, hashes) = get(&log, "tile/0/000").await;
    assert_eq!((status, hashes.len()), (StatusCode::OK, 256 * 32));
    let (status, _, entries) = get(&log, "tile/entries/002.p/188").await;
    assert_eq!(status, StatusCode::OK);
    assert!(entries.ends_with(&event(SIZE - 1)));
    let (status, _, said) = get(&log, "tile/entries/003").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(String::from_utf8(said).unwrap().contains("no such tile"));
}

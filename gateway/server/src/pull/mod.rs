//! The log as static resources, for auditors and the centre to pull: c2sp.org/tlog-tiles under the prefix `/v1/log/<incarnation>`.
//!
//! | request | answer |
//! |---|---|
//! | `GET <prefix>/checkpoint` | the newest signed checkpoint |
//! | `GET <prefix>/tile/<L>/<N>[.p/<W>]` | hashes of the tree, 32 bytes each |
//! | `GET <prefix>/tile/entries/<N>[.p/<W>]` | signed events, each after its length (two bytes, big-endian) |
//!
//! What the newest checkpoint does not cover is not there (404), although it may be durable. Each log has a prefix of its own, because
//! everything but the checkpoint may be kept for ever. It is read-only, and events hold personal data only as ciphertext; but the whole
//! log is given away, so [`Door`] lets in only who is named.

mod door;
mod path;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use gateway_log::{Log, LogFailed};
use tokio::sync::Semaphore;

use crate::admin::Refused;
use crate::metrics::Metrics;
use path::{Kind, Tile};

pub use door::Door;

/// A year: such a resource never changes.
const FOR_EVER: &str = "max-age=31536000, immutable";
/// It changes within seconds.
const ASK_AGAIN: &str = "no-cache";
/// What is not there now may be there soon.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// Reads of the disk at once, however many ask: the station's own work goes first.
const READS_MAX: usize = 2;

/// What requests are answered from. Cheap to clone.
#[derive(Debug, Clone)]
struct Shelf {
    log: Log,
    reads: Arc<Semaphore>,
}

/// Where the log is found under a listener's address.
pub fn prefix(incarnation: u32) -> String {
    format!("/v1/log/{incarnation}")
}

/// The resources of a log.
pub fn router(log: Log, incarnation: u32, metrics: Metrics) -> Router {
    let prefix = prefix(incarnation);
    let router = Router::new()
        .route(&format!("{prefix}/checkpoint"), get(checkpoint))
        .route(&format!("{prefix}/tile/{{*path}}"), get(tile))
        .with_state(Shelf {
            log,
            reads: Arc::new(Semaphore::new(READS_MAX)),
        });
    counted(router, metrics)
}

/// For who may not pull: every request is refused.
pub(crate) fn refusing(metrics: Metrics) -> Router {
    let refused = || async {
        let why = "your certificate does not name anybody who may pull this log";
        Refused(StatusCode::FORBIDDEN, why.to_owned())
    };
    counted(Router::new().fallback(refused), metrics)
}

fn counted(router: Router, metrics: Metrics) -> Router {
    router.layer(map_response_with_state(metrics, count))
}

async fn count(State(metrics): State<Metrics>, mut response: Response) -> Response {
    let status = response.status();
    let result = match status {
        StatusCode::OK => "served",
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::FORBIDDEN => "not-allowed",
        _ if status.is_server_error() => "failed",
        _ => "refused",
    };
    metrics.pull_requests.with_label_values(&[result]).inc();
    if status != StatusCode::OK {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, NOT_KEPT);
    }
    response
}

async fn checkpoint(State(shelf): State<Shelf>) -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, ASK_AGAIN),
    ];
    (head, shelf.log.head().note).into_response()
}

async fn tile(
    State(Shelf { log, reads }): State<Shelf>,
    UrlPath(path): UrlPath<String>,
) -> Result<Response, Refused> {
    let size = log.head().checkpoint.size;
    let named = Tile::parse(&path).and_then(|tile| Some((tile, tile.range_within(size)?)));
    let Some((tile, range)) = named else {
        let why = format!("there is no such tile under the checkpoint of {size} events");
        return Err(Refused(StatusCode::NOT_FOUND, why));
    };
    let turn = reads.acquire_owned().await;
    let turn = turn.map_err(|error| failed(&error.into()))?;
    let read = panics::off_runtime(move || {
        let _turn = turn;
        match tile.kind {
            Kind::Hashes(level) => Ok(log.tile(level, tile.index, tile.width)?),
            Kind::Entries => bundle(&log, range),
        }
    });
    let bytes = read.await.map_err(|error| failed(&error.into()))?;
    let bytes = bytes.map_err(|error| failed(&error))?;
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, FOR_EVER),
    ];
    Ok((head, bytes).into_response())
}

/// The events of these indexes, each after its length. Reads the disk.
fn bundle(log: &Log, range: std::ops::Range<u64>) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut next = range.start;
    for stored in log.read(range.clone()) {
        let (_, event) = stored?;
        bytes.extend_from_slice(&u16::try_from(event.len())?.to_be_bytes());
        bytes.extend_from_slice(&event);
        next += 1;
    }
    anyhow::ensure!(next == range.end, "event {next} is not there");
    Ok(bytes)
}

/// What stands in the way is for the station's staff, not for whoever pulls.
fn failed(error: &anyhow::Error) -> Refused {
    if let Some(LogFailed::Pruned { first_index, .. }) = error.downcast_ref() {
        let why = format!("the events before {first_index} were removed; their hashes are here");
        return Refused(StatusCode::NOT_FOUND, why);
    }
    tracing::error!(
        error = format!("{error:#}"),
        "the log could not be read for who pulls it"
    );
    let why = "the station cannot read this part of its log now".to_owned();
    Refused(StatusCode::SERVICE_UNAVAILABLE, why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests;

//! `GET /events`: the log as it is read, without holding it.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use gateway_log::{Log, LogFailed};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{Admin, Refused, internal};

/// Sent together, in bytes.
const CHUNK_LEN: usize = 128 * 1024;
const CHUNKS_WAITING: usize = 4;

#[derive(Debug, Deserialize)]
pub(super) struct Range {
    #[serde(default)]
    from: u64,
    to: Option<u64>,
}

/// The first event is read before anything is answered, so that whoever asks for one that cannot be read is told why.
pub(super) async fn events(
    State(admin): State<Admin>,
    Query(range): Query<Range>,
) -> Result<Response, Refused> {
    let to = range.to.unwrap_or(u64::MAX).min(admin.log.size());
    if range.from < to {
        let (log, first) = (admin.log.clone(), range.from);
        let read = panics::off_runtime(move || log.read(first..first.saturating_add(1)).next());
        if let Some(Err(failed)) = read.await.map_err(|error| internal(&error.to_string()))? {
            return Err(unreadable(&failed));
        }
    }
    let (sender, chunks) = mpsc::channel(CHUNKS_WAITING);
    // Nobody waits for it: it ends with the stream.
    drop(panics::off_runtime(move || {
        read(&admin.log, range.from..to, &sender);
    }));
    let body = futures_util::stream::unfold(chunks, |mut chunks| async move {
        chunks.recv().await.map(|chunk| (chunk, chunks))
    });
    let kind = [(header::CONTENT_TYPE, "application/cbor-seq")];
    Ok((kind, Body::from_stream(body)).into_response())
}

/// Only what the store says of its content is a fault of the log.
fn unreadable(failed: &LogFailed) -> Refused {
    let status = match failed {
        LogFailed::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        LogFailed::Pruned { .. } => StatusCode::GONE,
        LogFailed::Sync(_)
        | LogFailed::Head(_)
        | LogFailed::NoRoom { .. }
        | LogFailed::NotCopied(_)
        | LogFailed::Closed => StatusCode::SERVICE_UNAVAILABLE,
    };
    Refused(status, failed.to_string())
}

/// Ends early when nobody listens any more.
fn read(log: &Log, range: std::ops::Range<u64>, chunks: &mpsc::Sender<Result<Bytes, LogFailed>>) {
    let mut chunk = Vec::with_capacity(CHUNK_LEN + 8 * 1024);
    for stored in log.read(range) {
        match stored {
            Ok((_, event)) => chunk.extend_from_slice(&event),
            Err(failed) => {
                // The body breaks off, so the reader cannot take this for the end.
                chunks.blocking_send(Err(failed)).ok();
                return;
            }
        }
        if chunk.len() >= CHUNK_LEN {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_LEN + 8 * 1024));
            if chunks.blocking_send(Ok(full.into())).is_err() {
                return;
            }
        }
    }
    if !chunk.is_empty() {
        chunks.blocking_send(Ok(chunk.into())).ok();
    }
}

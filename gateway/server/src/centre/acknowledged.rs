//! What the centre acknowledged: kept beside the events, because an event would need the next acknowledgement.

use gateway_log::{Log, LogFailed, Space};
use serde::{Deserialize, Serialize};

const ACKNOWLEDGED: &[u8] = b"acknowledged";
const SEEN: &[u8] = b"downlink-revision";

/// The centre has so much of this log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// So many events, from 0.
    pub size: u64,
    /// When it came: wall clock, ms.
    pub wall_ms: u64,
    /// Whether the wall clock was believed then.
    pub clock_trusted: bool,
}

/// The last one that agreed with this log.
pub fn acknowledgement(log: &Log) -> Result<Option<Acknowledgement>, LogFailed> {
    let pairs = log.kv_load(Space::SYNC)?;
    Ok(pairs
        .get(ACKNOWLEDGED)
        .and_then(|value| serde_json::from_slice(value).ok()))
}

/// Up to where the stream from the centre was read, acknowledgements included.
pub(super) fn seen(log: &Log) -> Result<Option<u64>, LogFailed> {
    let pairs = log.kv_load(Space::SYNC)?;
    let value = pairs
        .get(SEEN)
        .and_then(|value| value.as_slice().try_into().ok());
    Ok(value.map(u64::from_be_bytes))
}

/// Keeps an acknowledgement, and that the stream was read up to it; durable when this resolves.
pub(super) async fn keep(
    log: &Log,
    revision: u64,
    acknowledgement: Option<&Acknowledgement>,
) -> Result<(), gateway_log::AppendError> {
    let mut ops = vec![(SEEN.to_vec(), Some(revision.to_be_bytes().to_vec()))];
    if let Some(value) = acknowledgement.and_then(|it| serde_json::to_vec(it).ok()) {
        ops.push((ACKNOWLEDGED.to_vec(), Some(value)));
    }
    log.kv_apply(Space::SYNC, ops, ()).await.map(drop)
}

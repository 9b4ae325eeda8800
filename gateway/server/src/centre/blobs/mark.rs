//! Up to where the log's blobs and keys are up. Derived: what is lost of it is looked at again.

use gateway_log::{Log, LogFailed, Space};

use super::fault::Fault;

const UP_TO: &[u8] = b"up-to";

/// Everything that the events before this index name, and that may go up, is up; none: nothing is known.
pub(in crate::centre) fn up_to(log: &Log) -> Result<Option<u64>, LogFailed> {
    let pairs = log.kv_load(Space::UPLOAD)?;
    let value = pairs
        .get(UP_TO)
        .and_then(|value| value.as_slice().try_into().ok());
    Ok(value.map(u64::from_be_bytes))
}

/// Keeps it; durable when this resolves.
pub(super) async fn keep(log: &Log, index: u64) -> Result<(), Fault> {
    let pair = (UP_TO.to_vec(), Some(index.to_be_bytes().to_vec()));
    let kept = log.kv_apply(Space::UPLOAD, vec![pair], ()).await;
    Ok(kept.map(drop)?)
}

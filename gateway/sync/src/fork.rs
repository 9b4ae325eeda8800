//! Whether what the centre has is the beginning of this log.

use gateway_log::Log;
use schemas::event::centre::Contradiction;
use schemas::proof::Hash;
use schemas::uplink::event_id;

use crate::chunk::Unreadable;
use crate::store::Tail;

/// The centre's copy and this log differ: a disk that was set back, or two machines under one identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the centre's copy differs from this log at {at}: the centre has {centre} there")]
pub struct Fork {
    /// How.
    pub contradiction: Contradiction,
    /// The index at which they differ; of roots, the size.
    pub at: u64,
    /// The id of the centre's event there, as a UUID; of roots, the root that it acknowledged.
    pub centre: String,
    /// The id of this log's event there, or its root; none where it does not reach so far.
    pub own: Option<String>,
}

/// The centre's stream has less of this log than the centre has acknowledged: the stream was deleted, its store was set back, or it is
/// another store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream has {has} events, and the centre has acknowledged {acknowledged}")]
pub(crate) struct Short {
    /// Events in the stream.
    pub(crate) has: u64,
    /// Events that the centre has acknowledged.
    pub(crate) acknowledged: u64,
}

/// Why nothing is sent behind what the centre has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The log is left for good.
    Fork(Fork),
    /// Until the stream is there again.
    Short(Short),
}

/// The index from which on the centre has nothing yet. `acknowledged`: events that the centre has said it has. Reads the disk.
pub(crate) fn judge(
    log: &Log,
    tail: Option<Tail>,
    acknowledged: u64,
) -> Result<Result<u64, Refusal>, Unreadable> {
    let has = tail.map_or(0, |tail| tail.revision.saturating_add(1));
    let reaches = || {
        let short = Short { has, acknowledged };
        (has >= acknowledged)
            .then_some(has)
            .ok_or(Refusal::Short(short))
    };
    let Some(tail) = tail else {
        return Ok(reaches());
    };
    let at = tail.revision;
    if has < acknowledged && at < log.first_index() {
        // What stood there was pruned, and cannot be compared any more.
        return Ok(reaches());
    }
    let centre = uuid::Uuid::from_bytes(tail.id).to_string();
    let Some(stored) = log.read(at..has).next() else {
        return Ok(Err(Refusal::Fork(Fork {
            contradiction: Contradiction::CentreAhead,
            at,
            centre,
            own: None,
        })));
    };
    let (_, signed) = stored?;
    let own = event_id(&Hash::leaf(&signed));
    if own == tail.id {
        return Ok(reaches());
    }
    Ok(Err(Refusal::Fork(Fork {
        contradiction: Contradiction::OtherEvent,
        at,
        centre,
        own: Some(uuid::Uuid::from_bytes(own).to_string()),
    })))
}

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

/// The index from which on the centre has nothing yet. Reads the disk.
pub(crate) fn judge(log: &Log, tail: Option<Tail>) -> Result<Result<u64, Fork>, Unreadable> {
    let Some(tail) = tail else { return Ok(Ok(0)) };
    let at = tail.revision;
    let centre = uuid::Uuid::from_bytes(tail.id).to_string();
    let Some(stored) = log.read(at..at.saturating_add(1)).next() else {
        return Ok(Err(Fork {
            contradiction: Contradiction::CentreAhead,
            at,
            centre,
            own: None,
        }));
    };
    let (_, signed) = stored?;
    let own = event_id(&Hash::leaf(&signed));
    if own == tail.id {
        return Ok(Ok(at.saturating_add(1)));
    }
    Ok(Err(Fork {
        contradiction: Contradiction::OtherEvent,
        at,
        centre,
        own: Some(uuid::Uuid::from_bytes(own).to_string()),
    }))
}

//! One event as stored and sent: a CloudEvent 1.0 in JSON inside a COSE_Sign1 (RFC 9052, section 4.2).
//!
//! Index and origin are in the protected header, so a genuine event cannot be moved to another
//! place or station. The signed bytes are the stored bytes: they are never serialised again.

mod canonical;
mod cloud_event;
mod cose;
mod signed;

pub use cloud_event::{Cause, CauseOutcome, Meta, Origin};
pub use cose::{KeyId, Unsigned, seal, verify};
pub use signed::{Broken, Signed, attach, next_len};

use crate::event::Event;
use crate::ids::DeviceId;
use thiserror::Error;

/// Longest signed event, in bytes: far under the size from which the store would put a value into a
/// file of its own that it never syncs.
pub const SIGNED_LEN_MAX: usize = 6 * 1024;

/// Who caused an event: the last level of the CloudEvents attribute `source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A device of the station.
    Device(DeviceId),
    /// The gateway itself.
    Gateway,
}

/// An event as read back from its signed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Place in the log, from 0.
    pub index: u64,
    /// The log it belongs to.
    pub origin: Origin,
    /// Which key signed it.
    pub key_id: KeyId,
    /// Who, when, why.
    pub meta: Meta,
    /// What.
    pub event: Event,
}

/// Why signed bytes are not an event of this contract.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// Not a tagged COSE_Sign1, or its header is not as this contract says.
    #[error("not a COSE_Sign1 of this contract: {0}")]
    Cose(&'static str),
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// The payload is not a CloudEvent of this contract.
    #[error("not a CloudEvent of this contract")]
    CloudEvent(#[source] serde_json::Error),
    /// An attribute of the CloudEvent is not as this contract says.
    #[error("the CloudEvent attribute {0} is not as the contract says")]
    Attribute(&'static str),
    /// An event type that this program does not know.
    #[error("unknown event type {0}")]
    UnknownType(String),
    /// The event would be longer than [`SIGNED_LEN_MAX`].
    #[error("a signed event of {0} bytes is longer than {SIGNED_LEN_MAX}")]
    TooLong(usize),
}

/// Reads signed bytes without looking at the signature: for replay of a log whose tree has been
/// compared with its checkpoint.
pub fn read(signed: &[u8]) -> Result<Entry, EnvelopeError> {
    Signed::read(signed)?.into_entry()
}

fn entry(
    origin: Origin,
    index: u64,
    key_id: KeyId,
    payload: &[u8],
) -> Result<Entry, EnvelopeError> {
    let (meta, event) = cloud_event::decode(&origin, index, payload)?;
    Ok(Entry {
        index,
        origin,
        key_id,
        meta,
        event,
    })
}

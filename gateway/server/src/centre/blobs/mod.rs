//! Sealed blobs and session keys go up to the centre's blob store, beside the events: `<station>/blobs/<hash>` and
//! `<station>/session-keys/<key id>.json`.
//!
//! What goes up is what durable events name, in the order of the log; a session's key after it has ended and after its blobs. A blob
//! stays here. A key is removed here once its bytes were read back from the store and the centre has acknowledged the event that ended
//! its session; from before its first byte left it counts as known to the centre, so an erasure asks the centre too.
//!
//! A session that asks the centre something while a citizen waits sends a copy of its key at once (ADR 34); the key itself stays.
//!
//! What is up is kept as an index of the log, and may be lost: whatever has the right size there is not sent again. Of what waits only
//! names are held in memory, and only so many. Nothing of this touches pickup: events go first, each call has a deadline, and a store
//! that hangs holds a few threads and never more.

mod again;
mod carrier;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod carrier_tests;
mod clearing;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod clearing_tests;
mod fault;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod fixtures;
mod held;
mod looking;
mod mark;
mod place;
mod queue;
#[cfg(feature = "s3")]
mod s3;
mod sender;
mod standing;
mod transfer;

pub(super) use again::Again;
pub(super) use carrier::{Carrier, CarrierParts};
pub(super) use clearing::{Clearing, ClearingParts};
pub(super) use mark::up_to;
pub use place::Place;

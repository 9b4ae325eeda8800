//! The link to the centre's event store (EventStoreDB, KurrentDB): the log goes up, each event once and in order, whatever was cut
//! where; what the centre says comes down.
//!
//! The centre's stream is the cursor: event n of the log is revision n. Nothing is kept here of what was sent, so nothing of it
//! can be wrong. What decides is whether revision and id of the stream's last event are those of the log; where they are not, nothing
//! is sent any more (`fork`).
//!
//! The only crate that knows the store's client, whose faults it cures: a new client after every error, a deadline on every call.
#![warn(missing_docs)]

mod alerts;
mod backoff;
mod chunk;
mod connection;
mod downlink;
mod fork;
mod kurrent;
mod pace;
mod probe;
mod standing;
mod store;
mod uplink;

pub use alerts::{AlertIndex, Alerts};
pub use backoff::Backoff;
pub use chunk::ChunkLimits;
pub use connection::ConnectionError;
pub use downlink::{Downlink, Follow, Stored};
pub use fork::Fork;
pub use kurrent::Kurrent;
pub use pace::Pace;
pub use standing::{LinkFault, LinkFigures, LinkStanding};
pub use store::{Store, StoreError, Stores, Tail};
pub use uplink::{RestMs, Uplink, UplinkOptions};

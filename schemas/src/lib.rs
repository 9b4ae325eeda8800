//! The contract of the station: topics, messages, events, envelope, proofs.
//!
//! Pure: no runtime, clock, random source, file or socket. Everything here is data with one checked
//! constructor; whoever holds such a value may trust it.
#![warn(missing_docs)]

pub mod chain;
pub mod citizen;
pub mod downlink;
pub mod envelope;
pub mod event;
pub mod ids;
pub mod key;
pub mod lookup;
pub mod mask;
pub mod matcher;
pub mod message;
pub mod proof;
pub mod sealed;
pub mod slot;
pub mod text;
pub mod time;
pub mod topic;
pub mod uplink;
pub mod words;

//! The contract of the station: topics, messages, events, envelope, proofs.
//!
//! Pure: no runtime, clock, random source, file or socket. Everything here is data with one checked
//! constructor; whoever holds such a value may trust it.
#![warn(missing_docs)]

pub mod acceptance;
pub mod application;
pub mod cardholder;
pub mod chain;
pub mod citizen;
pub mod civil;
pub mod downlink;
pub mod envelope;
pub mod event;
pub mod face_matcher;
pub mod fee;
pub mod ids;
pub mod key;
pub mod lookup;
pub mod mask;
pub mod matcher;
pub mod message;
pub mod order;
pub mod proof;
pub mod renewal;
pub mod sealed;
pub mod slot;
pub mod text;
pub mod time;
pub mod topic;
pub mod uplink;
pub mod validity;
pub mod words;

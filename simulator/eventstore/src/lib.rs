//! A server that speaks the EventStoreDB protocol, as far as its clients need it to append, read and subscribe.
//!
//! It answers an append when it is durable, keeps the real server's rules about appends, and says errors as the
//! real server says them. It can fail on command, as servers and networks fail. It knows nothing of what the
//! events mean.
//!
//! What it is not: a database for production. Links are not resolved; of stream metadata only `$tb` is honoured;
//! there are no access lists, projections or scavenges; groups of persistent subscriptions live in memory.

#![allow(
    clippy::result_large_err,
    reason = "gRPC's error type is as large as it is; errors are rare"
)]

mod control;
mod faults;
mod journal;
mod net;
mod node;
mod protocol;
mod server;
mod service;
mod status;
mod store;

pub use faults::{Cut, FaultState, Faults, Overload};
pub use journal::OpenError;
pub use net::TlsError;
pub use server::{NodeHandle, Server, ServerConfig, StartError};

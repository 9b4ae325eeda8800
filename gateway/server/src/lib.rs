//! The shell of the station gateway: everything between sockets, disk and clocks on one side and the pure domain on
//! the other.
//!
//! The way of one message: `broker` (or `external`) → `ingress` → `pipeline` → `effects`. The loop in `pipeline` is the one
//! owner of the state and the one writer of the log; `effects` acts only on what the log calls durable; `clock` alone
//! reads clocks; `run` alone spawns tasks (a listener's connections end with its own). No rule of the domain is here.

pub mod admin;
pub mod blobs;
pub mod broker;
pub mod budget;
pub mod centre;
pub mod cli;
pub mod clock;
#[cfg(feature = "demo")]
pub mod demo;
pub mod effects;
pub mod external;
pub mod held;
pub mod http;
pub mod inbox;
pub mod incarnation;
pub mod ingress;
pub mod keys;
pub mod metrics;
pub mod operators;
pub mod outlet;
pub mod papers;
pub mod pipeline;
mod process;
pub mod pull;
mod receipts;
pub mod remembered;
pub mod run;
pub mod sealing;
pub mod service;
pub mod slips;
pub mod snapshot;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod testing;
pub mod tls;
pub mod vault;
mod wiped;

//! The simulated store, seen by the store's own client.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod append;
mod common;
mod control;
mod durable;
mod faults;
mod generate;
mod read;
mod subscribe;
mod wire_drift;

//! The link to the centre, against the simulated store.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test stops at the first surprise; nothing here is for other crates"
)]

mod alerts;
mod common;
mod kurrent;
mod uplink;

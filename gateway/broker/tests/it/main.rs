//! The broker as clients see it, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test stops at the first surprise; nothing here is for other crates"
)]

mod acknowledge;
mod common;
mod door;
mod fuzz;
mod rumqttc;
mod sessions;
mod tls;
mod traps;

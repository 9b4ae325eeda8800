//! G4, G5: the centre reads stations' logs from the event store, verifies every event, and answers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    missing_debug_implementations,
    unreachable_pub,
    reason = "a test stops at the first surprise"
)]

mod damage;
mod days;
mod downlink;
mod fees;
mod honest;
mod house;
mod office;
mod pages;
mod registration;
mod restart;
mod review;
mod station;
mod store;
mod town;

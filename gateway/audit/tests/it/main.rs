//! What an auditor finds in a station's evidence.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "a test stops at the first surprise; nothing here is for other crates"
)]

mod pruned;
mod station;
mod vectors;
mod whole_log;

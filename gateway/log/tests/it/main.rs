//! The log as a station uses it: appended to, pruned, damaged, killed, witnessed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test stops at the first surprise; nothing here is for other crates"
)]

mod common;
mod damage;
mod epochs;
mod kill;
mod log;
mod mutations;
mod notary;
mod proof;
mod pruning;
mod rotation;
mod stopped;
mod tree;
mod witness;

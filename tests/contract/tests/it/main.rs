//! The contract's files agree with its types.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod drift;
mod examples;
mod golden;
mod judges;
mod masking;
mod sealed;
mod sequence;

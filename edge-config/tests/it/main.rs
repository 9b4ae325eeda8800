//! The configuration: what is shipped, and in which words a wrong one is refused.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod profile;
mod refusals;
mod shipped;

//! The numbers and dates of the contract.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod application;
mod dates;

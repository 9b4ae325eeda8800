//! The messages on the wire, JSON in both directions. What is personal in them has a type that does
//! not print; nothing here decides anything.

pub mod application;
pub mod command;
pub mod device;
pub mod face;
pub mod keyed;
pub mod kiosk;
pub mod manifest;
pub mod paper;
pub mod peripheral;
mod secret;

pub use secret::{Pin, ScannedText, Template};

/// The version of this contract: a birth message names it, and a device that speaks another one is
/// refused.
pub const PROTOCOL_VERSION: u16 = 1;

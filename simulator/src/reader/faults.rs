//! How a reader can be told to fail.

use serde::{Deserialize, Serialize};

use crate::faults::Faults;

/// A fault of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReaderFault {
    /// It does not find the card.
    NoCard,
    /// The card cannot be read.
    Unreadable,
    /// Its security module rejects the card.
    WrongChip,
    /// A read takes ten times as long.
    Slow,
    /// The answer to a read stops in its middle.
    HalfFrame,
    /// The connection breaks in the middle of the answer to a read.
    Disconnect,
    /// The check byte of the answer to a read does not fit.
    BadChecksum,
}

/// The faults of one reader.
pub type ReaderFaults = Faults<ReaderFault>;

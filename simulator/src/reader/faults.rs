//! How a reader can be told to fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

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

/// The faults of one reader, each for so many times. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ReaderFaults(Arc<Mutex<BTreeMap<ReaderFault, u16>>>);

impl ReaderFaults {
    /// The next `times` fail in this way.
    pub fn set(&self, fault: ReaderFault, times: u16) {
        self.lock().insert(fault, times);
    }

    /// Everything works again.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Whether this time fails so; counts down.
    pub fn take(&self, fault: ReaderFault) -> bool {
        let mut left = self.lock();
        let times = left.get_mut(&fault);
        let next = times.and_then(|times| times.checked_sub(1).map(|less| *times = less));
        next.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReaderFault, u16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What the log is kept in: sled on disk, or its twin in memory for simulation.

mod chunks;
mod memory;
mod sled;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::error::LogFailed;
use crate::group::{KvOp, Space};

pub(crate) use self::memory::MemoryStore;
pub(crate) use self::sled::{SledStore, Stored};

/// Signed events in index order, each with its index. Ends after the first error.
pub type Events = Box<dyn Iterator<Item = Result<(u64, Vec<u8>), LogFailed>> + Send>;

/// Everything that one flush makes durable.
#[derive(Debug, Default)]
pub(crate) struct Write {
    /// Index of the first event.
    pub(crate) first_index: u64,
    pub(crate) events: Vec<Vec<u8>>,
    pub(crate) kv: BTreeMap<Space, Vec<KvOp>>,
}

impl Write {
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.kv.is_empty()
    }
}

/// A place that keeps events and pairs.
pub(crate) trait Store: Send + Sync {
    /// Writes all of it and makes it durable. The events are there together or not at all, and so are one space's
    /// pairs. After an error nothing is known and the store must not be used again.
    fn write(&self, write: &Write) -> Result<(), LogFailed>;
    /// The events of these indexes.
    fn events(&self, range: Range<u64>) -> Events;
    /// Every pair of a space.
    fn kv_load(&self, space: Space) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed>;
}

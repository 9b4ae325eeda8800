//! What the log is kept in: sled on disk, or its twin in memory for simulation.

mod chunks;
mod memory;
mod sled;

use std::collections::BTreeMap;
use std::ops::Range;

use schemas::proof::Frontier;

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

/// A place that keeps events and pairs: an epoch, or all of them.
pub(crate) trait Store: Send + Sync {
    /// Writes all of it and makes it durable. The events are there together or not at all, and so are one space's
    /// pairs. After an error nothing is known and the store must not be used again.
    fn write(&self, write: &Write) -> Result<(), LogFailed>;
    /// The events of these indexes. One that was pruned is answered as such.
    fn events(&self, range: Range<u64>) -> Events;
    /// Every pair of a space.
    fn kv_load(&self, space: Space) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed>;
}

/// A store in epochs.
pub(crate) trait EpochsStore: Store {
    /// Begins an epoch with the event after `tree`; all before it is durable. After an error nothing is known, as with
    /// [`Store::write`].
    fn begin_epoch(&self, tree: &Frontier) -> Result<(), LogFailed>;
    /// The first index of each epoch that is there, the oldest first. Never empty.
    fn epochs(&self) -> Vec<u64>;
    /// The tree before the epoch that begins with this index.
    fn frontier(&self, first: u64) -> Result<Frontier, LogFailed>;
    /// Removes the epochs before the one that begins with this index. A failure fails the removal only.
    fn drop_before(&self, first: u64) -> Result<(), LogFailed>;
    /// How often a closed epoch was opened to be read, which copies it whole.
    fn closed_opened(&self) -> u64 {
        0
    }
}

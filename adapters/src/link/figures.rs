//! What a link counts, for whoever shows it beside it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The figures of one device's link. Cheap to clone; every clone shows the same.
#[derive(Debug, Clone, Default)]
pub struct Figures(Arc<Mutex<Counted>>);

/// The figures at one moment. Counts are of this life of the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Whether the broker has accepted the connection and it still stands.
    pub is_connected: bool,
    /// Whether the device behind the adapter is there.
    pub is_present: bool,
    /// Connections that the broker accepted.
    pub connections: u64,
    /// Commands that came for the first time.
    pub commands: u64,
    /// Commands that came again: answered again, not acted on.
    pub repeated_commands: u64,
    /// Messages that wait for their confirmation.
    pub outbox_len: usize,
    /// The newest value of each property, by its name.
    pub properties: BTreeMap<String, f64>,
}

impl Figures {
    /// The figures now.
    pub fn read(&self) -> Counted {
        self.lock().clone()
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Counted)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // A count is whole between any two statements that could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

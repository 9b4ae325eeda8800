//! How a device can be told to fail: each fault so many times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The faults of one device. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Faults<F>(Arc<Mutex<BTreeMap<F, u16>>>);

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<F: Ord> Faults<F> {
    /// The next `times` fail in this way.
    pub fn set(&self, fault: F, times: u16) {
        self.lock().insert(fault, times);
    }

    /// Everything works again.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Whether it is set, for a fault that lasts until it is cleared; counts nothing.
    pub fn holds(&self, fault: F) -> bool {
        self.lock().get(&fault).is_some_and(|times| *times > 0)
    }

    /// Whether this time fails so; counts down.
    pub fn take(&self, fault: F) -> bool {
        let mut left = self.lock();
        let times = left.get_mut(&fault);
        let next = times.and_then(|times| times.checked_sub(1).map(|less| *times = less));
        next.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<F, u16>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

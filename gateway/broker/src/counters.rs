//! Counts since start. Gauges are read from the state when asked for.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connects: Counter,
    pub(crate) refused: Counter,
    pub(crate) publish_received: Counter,
    pub(crate) publish_acknowledged: Counter,
    pub(crate) publish_refused: Counter,
    pub(crate) publish_sent: Counter,
    pub(crate) dropped: Counter,
    pub(crate) panics: Counter,
}

impl Counters {
    pub(crate) fn dropped(&self) {
        self.dropped.add();
    }
}

/// One count.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

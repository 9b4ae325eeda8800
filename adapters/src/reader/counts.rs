//! The reader's figures: `prop/*`.

use std::time::{Duration, Instant};

use crate::link::LinkHandle;

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Cards that were read.
    pub(super) reads: u32,
    /// Attempts that failed, by the card or by the line.
    pub(super) failures: u32,
    /// How long the last reading took, from find to the last byte.
    pub(super) read_time: Option<Duration>,
    published_at: Option<Instant>,
}

impl Counts {
    /// Publishes the counts, not more often than once in `interval`.
    pub(super) fn publish(&mut self, link: &LinkHandle, interval: Duration, now: Instant) {
        let early = |at: Instant| now.duration_since(at) < interval;
        if self.published_at.is_some_and(early) {
            return;
        }
        self.published_at = Some(now);
        link.property("reads-total", f64::from(self.reads), None);
        link.property("read-failures-total", f64::from(self.failures), None);
        if let Some(time) = self.read_time {
            let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            link.property("read-time", f64::from(ms), Some("ms"));
        }
    }
}

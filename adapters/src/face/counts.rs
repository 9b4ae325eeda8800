//! The face matcher's figures: `prop/*`.

use std::time::{Duration, Instant};

use crate::link::LinkHandle;

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Comparisons that were answered with a score.
    pub(super) comparisons: u32,
    /// Pictures that were not compared: no face, several, too poor, unreadable.
    pub(super) refusals: u32,
    /// Comparisons that brought neither.
    pub(super) failures: u32,
    /// How long the last comparison took.
    pub(super) compare_time: Option<Duration>,
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
        for (name, count) in [
            ("comparisons-total", self.comparisons),
            ("refusals-total", self.refusals),
            ("matcher-failures-total", self.failures),
        ] {
            link.property(name, f64::from(count), None);
        }
        if let Some(time) = self.compare_time {
            let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            link.property("compare-time", f64::from(ms), Some("ms"));
        }
    }
}

//! The scanner's figures: `prop/*`.

use std::time::{Duration, Instant};

use crate::link::LinkHandle;

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Images that were taken of a finger and could be used.
    pub(super) captures: u32,
    /// Images that could not: too messy, too little of a finger.
    pub(super) poor_captures: u32,
    /// Failures of the line or of the module.
    pub(super) failures: u32,
    /// Failures of the matcher.
    pub(super) matcher_failures: u32,
    /// How long the last image took on the line.
    pub(super) upload_time: Option<Duration>,
    /// How long the last comparison took.
    pub(super) match_time: Option<Duration>,
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
            ("captures-total", self.captures),
            ("poor-captures-total", self.poor_captures),
            ("scan-failures-total", self.failures),
            ("matcher-failures-total", self.matcher_failures),
        ] {
            link.property(name, f64::from(count), None);
        }
        for (name, time) in [
            ("upload-time", self.upload_time),
            ("match-time", self.match_time),
        ] {
            if let Some(time) = time {
                let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
                link.property(name, f64::from(ms), Some("ms"));
            }
        }
    }
}

/// One more.
pub(super) const fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}

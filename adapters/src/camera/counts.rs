//! The camera's figures: `prop/*`.

use std::time::{Duration, Instant};

use super::CameraFault;
use crate::link::LinkHandle;

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Stills that were published.
    pub(super) captures: u32,
    /// Attempts that brought no picture.
    failures: u32,
    /// Of these, pictures that were the same as the one before.
    same_pictures: u32,
    /// Of these, what was no whole JPEG.
    not_pictures: u32,
    /// How long the last still took.
    pub(super) capture_time: Option<Duration>,
    /// How far the camera's clock is ahead, in s.
    pub(super) clock_ahead_s: Option<i64>,
    published_at: Option<Instant>,
}

impl Counts {
    pub(super) fn failed(&mut self, fault: CameraFault) {
        let more = |count: &mut u32| *count = count.saturating_add(1);
        more(&mut self.failures);
        if fault == CameraFault::SamePicture {
            more(&mut self.same_pictures);
        } else if fault == CameraFault::NotPicture {
            more(&mut self.not_pictures);
        }
    }

    pub(super) fn captured(&mut self, time: Duration) {
        self.captures = self.captures.saturating_add(1);
        self.capture_time = Some(time);
    }

    /// Publishes the counts, not more often than once in `interval`.
    pub(super) fn publish(&mut self, link: &LinkHandle, interval: Duration, now: Instant) {
        let early = |at: Instant| now.duration_since(at) < interval;
        if self.published_at.is_some_and(early) {
            return;
        }
        self.published_at = Some(now);
        for (name, count) in [
            ("captures-total", self.captures),
            ("capture-failures-total", self.failures),
            ("same-pictures-total", self.same_pictures),
            ("not-pictures-total", self.not_pictures),
        ] {
            link.property(name, f64::from(count), None);
        }
        if let Some(time) = self.capture_time {
            let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            link.property("capture-time", f64::from(ms), Some("ms"));
        }
        if let Some(ahead) = self.clock_ahead_s {
            let most = if ahead < 0 { i32::MIN } else { i32::MAX };
            let s = i32::try_from(ahead).unwrap_or(most);
            link.property("clock-ahead", f64::from(s), Some("s"));
        }
    }
}

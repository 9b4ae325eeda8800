//! Whether the device lives, by when it answered last and when its heartbeat last moved. Pure.
//!
//! Must never take an answer alone for life: the network side of a controller may answer with registers
//! that nothing behind it brings up to date any more.

use std::time::{Duration, Instant};

/// How the device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It answers and its heartbeat moves.
    Well,
    /// It has not answered for the limit.
    Silent,
    /// It answers, and its heartbeat has stood still for the limit: its registers say nothing.
    Frozen,
}

/// What is known of the device's life.
#[derive(Debug)]
pub(super) struct Vitals {
    limit: Duration,
    heard_at: Instant,
    /// The heartbeat, and when it was first seen at this value.
    beat: Option<(u16, Instant)>,
}

impl Vitals {
    /// A device that counts as alive until `limit` has passed.
    pub(super) const fn new(limit: Duration, now: Instant) -> Self {
        Self {
            limit,
            heard_at: now,
            beat: None,
        }
    }

    /// The device answered, and its heartbeat (input 3) was this.
    pub(super) fn heard(&mut self, heartbeat: u16, now: Instant) {
        self.heard_at = now;
        if self.beat.is_none_or(|(last, _)| last != heartbeat) {
            self.beat = Some((heartbeat, now));
        }
    }

    /// How the device is now.
    pub(super) fn life(&self, now: Instant) -> Life {
        let past = |at: Instant| now.duration_since(at) >= self.limit;
        if past(self.heard_at) {
            Life::Silent
        } else if self.beat.is_some_and(|(_, since)| past(since)) {
            Life::Frozen
        } else {
            Life::Well
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the device answered, in ms, and its heartbeat.
    type Heard = &'static [(u64, u16)];

    /// G1: given what was heard when (ms, heartbeat), a device is well, silent or frozen at a time.
    #[test]
    fn an_answer_is_no_sign_of_life_without_a_heartbeat() {
        let cases: [(Heard, u64, Life); 9] = [
            (&[], 2_999, Life::Well),
            (&[], 3_000, Life::Silent),
            (&[(0, 7), (2_999, 7)], 2_999, Life::Well),
            (&[(0, 7), (3_000, 7)], 3_000, Life::Frozen),
            (&[(0, 7), (2_000, 8), (4_000, 8)], 4_000, Life::Well),
            // It moves again, around its end as well.
            (&[(0, 7), (3_000, 7), (3_200, 8)], 3_200, Life::Well),
            (&[(0, 65_535), (3_000, 0)], 3_000, Life::Well),
            (&[(0, 7), (3_000, 7)], 6_000, Life::Silent),
            // Answering again after a silence is not enough.
            (&[(0, 7), (9_000, 7)], 9_000, Life::Frozen),
        ];
        for (heard, at, life) in cases {
            let start = Instant::now();
            let time = |ms| start + Duration::from_millis(ms);
            let mut vitals = Vitals::new(Duration::from_secs(3), start);
            for (ms, heartbeat) in heard {
                vitals.heard(*heartbeat, time(*ms));
            }
            assert_eq!(vitals.life(time(at)), life, "{heard:?} at {at}");
        }
    }
}

//! When an epoch has lasted long enough.

use schemas::time::{ClockTrust, Now};

use crate::pipeline::EpochBegun;

const DAY_MS: u64 = 86_400_000;

/// How long an epoch lasts: until one of the two is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochLimits {
    /// Events in it.
    pub events: u64,
    /// Days by a clock that is believed at both ends.
    pub days: u16,
}

impl EpochLimits {
    /// Whether an epoch is to end before the event at `next_index`. While `busy`, because somebody stands at a machine, it may last a
    /// tenth longer, since nothing else is recorded while the state is written.
    pub fn is_due(&self, epoch: &EpochBegun, next_index: u64, now: &Now, busy: bool) -> bool {
        let events = next_index.saturating_sub(epoch.first_index);
        let believed = [epoch.at.trust, now.trust] == [ClockTrust::Synchronised; 2];
        let age_ms = if believed {
            now.wall_ms.saturating_sub(epoch.at.wall_ms)
        } else {
            0
        };
        let days_ms = u64::from(self.days).saturating_mul(DAY_MS);
        let allowance = |limit: u64| if busy { limit / 10 } else { 0 };
        // An epoch of one event, its snapshot, is none that anything would be gained by ending.
        events > 1
            && (events >= self.events.saturating_add(allowance(self.events))
                || age_ms >= days_ms.saturating_add(allowance(days_ms)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::BootId;

    use super::*;

    fn now(day: u64, trust: ClockTrust) -> Now {
        Now {
            wall_ms: 1_700_000_000_000 + day * DAY_MS,
            boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
            mono_ms: 0,
            trust,
        }
    }

    /// G4: an epoch ends after a number of events or of trusted days, whichever comes first.
    #[test]
    fn an_epoch_ends_by_number_or_by_age() {
        use ClockTrust::{Synchronised as Yes, Unsynchronised as No};
        let limits = EpochLimits {
            events: 1_000,
            days: 30,
        };
        let cases = [
            // Trust at the beginning; events, days and trust now; busy; due.
            (Yes, 999, 29, Yes, false, false),
            (Yes, 1_000, 0, Yes, false, true),
            (No, 1_000, 0, No, false, true),
            (Yes, 2, 30, Yes, false, true),
            (Yes, 1, 300, Yes, false, false),
            (Yes, 0, 300, Yes, false, false),
            (No, 2, 300, Yes, false, false),
            (Yes, 2, 300, No, false, false),
            (Yes, 1_000, 0, Yes, true, false),
            (Yes, 1_100, 0, Yes, true, true),
            (Yes, 2, 32, Yes, true, false),
            (Yes, 2, 33, Yes, true, true),
        ];
        for case in cases {
            let (begun, events, day, trust, busy, due) = case;
            let epoch = EpochBegun {
                first_index: 5_000,
                at: now(0, begun),
            };
            let is_due = limits.is_due(&epoch, 5_000 + events, &now(day, trust), busy);
            assert_eq!(is_due, due, "{case:?}");
        }
        let epoch = EpochBegun {
            first_index: 0,
            at: now(50, Yes),
        };
        assert!(
            !limits.is_due(&epoch, 10, &now(1, Yes), false),
            "a clock that jumped back"
        );
    }
}

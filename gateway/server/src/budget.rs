//! How long the room on the disk will last: from its fall over the last hours to the mark below which no new session is taken.

use std::collections::VecDeque;

/// What is looked back on, in ms.
const WINDOW_MS: u64 = 6 * HOUR_MS;
/// A shorter look says nothing: the store takes its room in large pieces.
const LOOK_MIN_MS: u64 = HOUR_MS / 6;
/// Looks are this far apart at the least, in ms.
const STEP_MS: u64 = 60_000;
const HOUR_MS: u64 = 3_600_000;

/// The room at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Monotonic time, in ms.
    pub mono_ms: u64,
    /// Free room, in bytes.
    pub free_bytes: u64,
}

/// Hours until the room falls to `low_bytes`, if it goes on falling as between the first and the last look; infinite while it does
/// not fall, or was not looked at for long enough. Pure.
pub fn hours_until_refusal(first: Look, last: Look, low_bytes: u64) -> f64 {
    let left_bytes = last.free_bytes.saturating_sub(low_bytes);
    if left_bytes == 0 {
        return 0.0;
    }
    let took_ms = last.mono_ms.saturating_sub(first.mono_ms);
    let fell_bytes = first.free_bytes.saturating_sub(last.free_bytes);
    if took_ms < LOOK_MIN_MS || fell_bytes == 0 {
        return f64::INFINITY;
    }
    let left_ms = u128::from(left_bytes) * u128::from(took_ms) / u128::from(fell_bytes);
    let seconds = u32::try_from(left_ms / 1_000).unwrap_or(u32::MAX);
    f64::from(seconds) / 3_600.0
}

/// The looks of the last hours.
#[derive(Debug, Default)]
pub struct Budget(VecDeque<Look>);

impl Budget {
    /// The room is looked at; how many hours it will last.
    pub fn look(&mut self, look: Look, low_bytes: u64) -> f64 {
        let is_due = self
            .0
            .back()
            .is_none_or(|last| look.mono_ms.saturating_sub(last.mono_ms) >= STEP_MS);
        if is_due {
            self.0.push_back(look);
        }
        // The oldest that stays is the newest that is as old as the window.
        while self
            .0
            .get(1)
            .is_some_and(|second| look.mono_ms.saturating_sub(second.mono_ms) >= WINDOW_MS)
        {
            self.0.pop_front();
        }
        let first = self.0.front().copied().unwrap_or(look);
        hours_until_refusal(first, look, low_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn look(minutes: u64, free_mib: u64) -> Look {
        Look {
            mono_ms: minutes * 60_000,
            free_bytes: free_mib * MIB,
        }
    }

    fn hours(first: Look, last: Look) -> f64 {
        hours_until_refusal(first, last, 500 * MIB)
    }

    fn same(left: f64, right: f64) -> bool {
        left.total_cmp(&right).is_eq()
    }

    /// G4: the room lasts until the watermark, at the rate of the last hours.
    #[test]
    fn the_room_lasts_as_long_as_it_fell() {
        // 60 MiB an hour, and 600 MiB are left above the mark.
        assert!(same(hours(look(0, 1_220), look(120, 1_100)), 10.0));
        assert!(same(hours(look(0, 1_220), look(120, 500)), 0.0));
        assert!(same(hours(look(0, 1_220), look(120, 20)), 0.0));
        for (first, last) in [
            (look(0, 1_100), look(120, 1_100)),
            (look(0, 1_100), look(120, 1_200)),
            (look(0, 1_100), look(9, 900)),
        ] {
            assert!(
                same(hours(first, last), f64::INFINITY),
                "{first:?} {last:?}"
            );
        }
        assert!(hours(look(0, u64::MAX / MIB), look(600, u64::MAX / MIB - 1)) > 1_000_000.0);
    }

    /// Only the last six hours count, and looks that come oftener than every minute cost nothing.
    #[test]
    fn only_the_last_hours_count() {
        let mut budget = Budget::default();
        let mut free_mib = 100_000;
        let mut told = 0.0;
        for minute in 0..1_200 {
            // Ten times as fast in the first ten hours.
            free_mib -= if minute < 600 { 10 } else { 1 };
            for second in 0..3 {
                let mut now = look(minute, free_mib);
                now.mono_ms += second * 1_000;
                told = budget.look(now, 500 * MIB);
            }
        }
        assert!(budget.0.len() <= 362);
        // One MiB a minute: 93,400 - 500 are left.
        assert!((1_500.0..1_600.0).contains(&told), "{told}");
    }
}

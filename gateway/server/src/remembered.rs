//! Which messages have been recorded before, so that a repetition gets the receipt of the first copy.
//!
//! The log is the truth: each message's id, digest and receipt stand in the event that records it. This is only an
//! index into it, rebuilt at start: a keyed 64-bit hash of sender and message id, and the event's index, 12 bytes an
//! entry (27 MB for a million of them, the table's spare room included). Whoever finds an entry compares the record
//! itself. Messages are remembered for at least as long as the policy says; only a trusted clock lets them be
//! forgotten, and a clock that jumps back never does.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use schemas::ids::{DeviceId, MessageId};
use schemas::time::{ClockTrust, Now};

const DAY_MS: u64 = 86_400_000;
/// Entries at the most, in all; the oldest day goes when there are more.
const ENTRIES_MAX: usize = 8_000_000;

/// The index of remembered messages.
#[derive(Debug)]
pub struct Remembered {
    hasher: RandomState,
    keep_ms: u64,
    entries_max: usize,
    /// Oldest first; a new one is begun each day.
    days: VecDeque<Day>,
}

/// Messages recorded within one day of the wall clock.
#[derive(Debug)]
struct Day {
    first_wall_ms: u64,
    last_wall_ms: u64,
    trust: ClockTrust,
    first_index: u64,
    /// Hash, in two halves so that an entry needs no padding, to the offset from `first_index`.
    entries: HashMap<[u32; 2], u32>,
}

impl Remembered {
    /// Forgets after `keep_days` days at the earliest.
    pub fn new(keep_days: u16) -> Self {
        Self {
            hasher: RandomState::new(),
            keep_ms: u64::from(keep_days.max(7)) * DAY_MS,
            entries_max: ENTRIES_MAX,
            days: VecDeque::new(),
        }
    }

    /// The event at `index`, recorded at `now`, holds the receipt of this message.
    pub fn insert(&mut self, sender: &DeviceId, message: &MessageId, index: u64, now: &Now) {
        let key = self.key(sender, message);
        self.begin_day(index, now);
        if let Some(day) = self.days.back_mut()
            && let Ok(offset) = u32::try_from(index.saturating_sub(day.first_index))
        {
            day.last_wall_ms = day.last_wall_ms.max(now.wall_ms);
            day.entries.insert(key, offset);
        }
        self.forget(now);
    }

    /// The index of the event that may hold this message's receipt. The record itself decides.
    pub fn find(&self, sender: &DeviceId, message: &MessageId) -> Option<u64> {
        let key = self.key(sender, message);
        self.days.iter().rev().find_map(|day| {
            day.entries
                .get(&key)
                .map(|offset| day.first_index + u64::from(*offset))
        })
    }

    /// Messages remembered.
    pub fn len(&self) -> usize {
        self.days.iter().map(|day| day.entries.len()).sum()
    }

    /// None is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn key(&self, sender: &DeviceId, message: &MessageId) -> [u32; 2] {
        let hash = self.hasher.hash_one((sender.as_str(), message.as_str()));
        [hash >> 32, hash & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap_or(u32::MAX))
    }

    fn begin_day(&mut self, index: u64, now: &Now) {
        let same_day = self.days.back().is_some_and(|day| {
            now.wall_ms
                .checked_sub(day.first_wall_ms)
                .is_some_and(|age| age < DAY_MS)
                && day.trust == now.trust
                && u32::try_from(index.saturating_sub(day.first_index)).is_ok()
        });
        if !same_day {
            self.days.push_back(Day {
                first_wall_ms: now.wall_ms,
                last_wall_ms: now.wall_ms,
                trust: now.trust,
                first_index: index,
                entries: HashMap::new(),
            });
        }
    }

    fn forget(&mut self, now: &Now) {
        while let Some(oldest) = self.days.front() {
            let believed =
                oldest.trust == ClockTrust::Synchronised && now.trust == ClockTrust::Synchronised;
            let old = believed && now.wall_ms.saturating_sub(oldest.last_wall_ms) > self.keep_ms;
            let full = self.len() > self.entries_max && self.days.len() > 1;
            // Days of an untrusted clock go with the first trusted one after them that is old enough itself.
            let covered = oldest.trust == ClockTrust::Unsynchronised
                && self
                    .days
                    .iter()
                    .skip(1)
                    .find(|day| day.trust == ClockTrust::Synchronised)
                    .is_some_and(|day| {
                        now.trust == ClockTrust::Synchronised
                            && now.wall_ms.saturating_sub(day.last_wall_ms) > self.keep_ms
                    });
            if !(old || covered || full) {
                return;
            }
            drop(self.days.pop_front());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::BootId;

    use super::*;

    fn now(day: u64, trust: ClockTrust) -> Now {
        let boot = BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap();
        Now {
            wall_ms: 1_700_000_000_000 + day * DAY_MS,
            boot,
            mono_ms: 0,
            trust,
        }
    }

    fn id(n: u64) -> MessageId {
        MessageId::new(format!("0190b7a2-1f00-7000-8000-{n:012x}")).unwrap()
    }

    /// G2: ids are remembered at least 7 days, within their sender.
    #[test]
    fn messages_are_remembered_for_seven_days() {
        let kiosk = DeviceId::new("kiosk-1").unwrap();
        let mut remembered = Remembered::new(7);
        for day in 0..=30 {
            remembered.insert(
                &kiosk,
                &id(day),
                day * 10,
                &now(day, ClockTrust::Synchronised),
            );
            for back in 0..=7.min(day) {
                assert_eq!(
                    remembered.find(&kiosk, &id(day - back)),
                    Some((day - back) * 10),
                    "{day}"
                );
            }
        }
        assert_eq!(
            remembered.find(&kiosk, &id(3)),
            None,
            "what is old is forgotten"
        );
        assert_eq!(
            remembered.find(&DeviceId::new("kiosk-2").unwrap(), &id(30)),
            None
        );
    }

    /// A clock that nobody vouches for makes nothing forgotten, however it jumps.
    #[test]
    fn an_untrusted_clock_forgets_nothing() {
        let kiosk = DeviceId::new("kiosk-1").unwrap();
        let mut remembered = Remembered::new(7);
        for (n, day) in [0, 4_000, 3, 9_000, 1].into_iter().enumerate() {
            let n = u64::try_from(n).unwrap();
            remembered.insert(&kiosk, &id(n), n, &now(day, ClockTrust::Unsynchronised));
        }
        for n in 0..5 {
            assert_eq!(remembered.find(&kiosk, &id(n)), Some(n));
        }
        assert_eq!(remembered.len(), 5);
    }

    #[test]
    fn there_is_a_limit_even_so() {
        let kiosk = DeviceId::new("kiosk-1").unwrap();
        let mut remembered = Remembered::new(7);
        remembered.entries_max = 10;
        for n in 0..40 {
            remembered.insert(&kiosk, &id(n), n, &now(n / 5, ClockTrust::Unsynchronised));
        }
        assert!(remembered.len() <= 15, "{}", remembered.len());
        assert_eq!(remembered.find(&kiosk, &id(39)), Some(39));
    }
}

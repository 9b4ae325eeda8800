//! Which messages have been recorded before, so that a repetition gets the receipt of the first copy.
//!
//! The log is the truth: each message's id, digest and receipt stand in the event that records it. This is only an
//! index into it, rebuilt at start from a snapshot and the events behind it: a keyed 64-bit hash of sender and message id, and the event's index, 12 bytes an
//! entry (27 MB for a million of them, the table's spare room included). Whoever finds an entry compares the record
//! itself. Messages are remembered for at least as long as the policy says; only a trusted clock lets them be
//! forgotten, and a clock that jumps back never does.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use aws_lc_rs::digest::{SHA256, digest};
use schemas::ids::{DeviceId, MessageId};
use schemas::time::{ClockTrust, Now};
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;
/// Entries at the most, in all; the oldest day goes when there are more.
const ENTRIES_MAX: usize = 8_000_000;

type HashKey = [u64; 2];

/// The index of remembered messages.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// So that nobody can choose ids whose hashes meet.
    key: HashKey,
    keep_ms: u64,
    entries_max: usize,
    /// Oldest first; a new one is begun each day.
    days: VecDeque<Day>,
}

/// Messages recorded within one day of the wall clock.
#[derive(Debug, Clone)]
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
            key: draw_key(),
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

    /// As a snapshot holds it: the same for the same messages and key.
    pub(crate) fn to_kept(&self) -> KeptMessages {
        let day = |day: &Day| {
            let entries = day
                .entries
                .iter()
                .map(|([high, low], offset)| (*offset, *high, *low));
            let mut entries: Vec<_> = entries.collect();
            entries.sort_unstable();
            KeptDay {
                first_wall_ms: day.first_wall_ms,
                last_wall_ms: day.last_wall_ms,
                trust: day.trust,
                first_index: day.first_index,
                entries,
            }
        };
        KeptMessages {
            key: self.key,
            days: self.days.iter().map(day).collect(),
        }
    }

    /// What a snapshot holds; forgets after `keep_days` days at the earliest.
    pub(crate) fn from_kept(keep_days: u16, kept: KeptMessages) -> Self {
        let KeptMessages { key, days } = kept;
        let day = |day: KeptDay| Day {
            first_wall_ms: day.first_wall_ms,
            last_wall_ms: day.last_wall_ms,
            trust: day.trust,
            first_index: day.first_index,
            entries: day
                .entries
                .into_iter()
                .map(|(offset, high, low)| ([high, low], offset))
                .collect(),
        };
        Self {
            key,
            days: days.into_iter().map(day).collect(),
            ..Self::new(keep_days)
        }
    }

    fn key(&self, sender: &DeviceId, message: &MessageId) -> [u32; 2] {
        let mut text = Vec::with_capacity(128);
        for half in self.key {
            text.extend_from_slice(&half.to_be_bytes());
        }
        text.extend_from_slice(sender.as_str().as_bytes());
        text.push(0);
        text.extend_from_slice(message.as_str().as_bytes());
        let hash = digest(&SHA256, &text);
        let (halves, _) = hash.as_ref().as_chunks::<4>();
        let half = |at: usize| halves.get(at).map_or(0, |bytes| u32::from_be_bytes(*bytes));
        [half(0), half(1)]
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

/// Remembered messages in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptMessages {
    key: HashKey,
    days: Vec<KeptDay>,
}

/// Those of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptDay {
    first_wall_ms: u64,
    last_wall_ms: u64,
    trust: ClockTrust,
    first_index: u64,
    /// Offset and both halves of the hash, ascending.
    entries: Vec<(u32, u32, u32)>,
}

/// The system's random bytes, by way of the standard library's own hasher.
fn draw_key() -> HashKey {
    let random = RandomState::new();
    [random.hash_one(0_u8), random.hash_one(1_u8)]
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

    /// G2: a snapshot loses none of them, and goes on to forget as the original does.
    #[test]
    fn a_snapshot_keeps_them_all() {
        let kiosk = DeviceId::new("kiosk-1").unwrap();
        let mut remembered = Remembered::new(7);
        for n in 0..50 {
            let now = now(n / 10, ClockTrust::Synchronised);
            remembered.insert(&kiosk, &id(n), n * 3, &now);
        }
        let kept = remembered.to_kept();
        let mut restored = Remembered::from_kept(7, kept.clone());
        assert_eq!(restored.to_kept(), kept);
        for day in [5, 9, 20] {
            let now = now(day, ClockTrust::Synchronised);
            for twin in [&mut remembered, &mut restored] {
                twin.insert(&kiosk, &id(1_000 + day), 900 + day, &now);
            }
            assert_eq!(restored.to_kept(), remembered.to_kept(), "day {day}");
        }
        assert_eq!(restored.find(&kiosk, &id(1_020)), Some(920));
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

//! The lookup keys as the log tells of them: which one tags new records, which are only tried still, and when one may be
//! destroyed. The keys themselves are never here.

use std::collections::{BTreeMap, BTreeSet};

use schemas::key::LookupKeyId;
use schemas::lookup::LookupTag;
use schemas::time::{ClockTrust, Now};
use schemas::words::Place;
use serde::{Deserialize, Serialize};

use crate::rules::Rules;
use crate::state::State;

const DAY_MS: u64 = 86_400_000;

/// What the log says of lookup keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LookupHistory {
    /// None before the first change.
    pub(crate) current: Option<LookupKeyId>,
    /// Since when each is superseded: wall clock, ms, at the first instant under a trusted clock; none so far.
    pub(crate) superseded: BTreeMap<LookupKeyId, Option<u64>>,
}

impl LookupHistory {
    /// An event was recorded now: under a trusted clock it dates what was superseded before.
    pub(crate) fn date(&mut self, now: &Now) {
        if now.trust == ClockTrust::Synchronised {
            for since in self.superseded.values_mut() {
                since.get_or_insert(now.wall_ms);
            }
        }
    }
}

impl State {
    /// The key that new records are tagged with; none where it never changed.
    pub const fn lookup_key(&self) -> Option<&LookupKeyId> {
        self.lookup.current.as_ref()
    }

    /// The keys that are superseded and not destroyed.
    pub fn superseded_lookup_keys(&self) -> impl Iterator<Item = &LookupKeyId> {
        self.lookup.superseded.keys()
    }

    /// The keys that open custody records are tagged with, acceptances that the centre has not decided, and printed numbers whose card is
    /// not announced. Looks at every record.
    pub fn lookup_keys_in_use(&self) -> BTreeSet<LookupKeyId> {
        let is_open = |card| {
            self.card(card)
                .is_some_and(|card| !matches!(card.place, Place::HandedOver | Place::Returned))
        };
        let records = self.tags.iter();
        let records = records.filter(|(_, cards)| cards.iter().any(is_open));
        let acceptances = self.acceptances.values();
        let newest = acceptances.filter_map(|acceptance| acceptance.tags.first());
        let printed = self.printed.keys();
        let tags = records.map(|(tag, _)| tag).chain(newest).chain(printed);
        tags.filter_map(LookupTag::key).collect()
    }

    /// The keys that may be destroyed: superseded long enough ago by a trusted clock, and no open record is tagged with one.
    pub fn retirable_lookup_keys(&self, rules: &Rules, now: &Now) -> Vec<LookupKeyId> {
        // Longer than message ids are remembered, whose digests are made with it.
        let days_min = u64::from(rules.dedupe_days) + 1;
        let is_old = |since: &Option<u64>| {
            now.trust == ClockTrust::Synchronised
                && since.is_some_and(|since| now.wall_ms.saturating_sub(since) >= days_min * DAY_MS)
        };
        let mut old: Vec<_> = self
            .lookup
            .superseded
            .iter()
            .filter(|(_, since)| is_old(since))
            .map(|(key, _)| key.clone())
            .collect();
        if !old.is_empty() {
            let in_use = self.lookup_keys_in_use();
            old.retain(|key| !in_use.contains(key));
        }
        old
    }
}

//! Slots against records (C2, C3): what a dispenser sees in its slots, counted by a motion or read without one, is compared with the
//! custody record. A difference is a fact once: while nothing changes, nothing is recorded again.

use std::collections::{BTreeMap, BTreeSet};

use schemas::event::custody::{CardHeld, CardReleased, SlotFinding, SlotFound};
use schemas::ids::{CardSerial, MachineId};
use schemas::message::command::Progress;
use schemas::slot::SlotAddress;
use schemas::words::{CarriagePosition, Evidence, HoldReason};

use super::draft::Draft;
use super::lifecycle::ask;

/// Cards or slots named in one event, and differences recorded by one decision, at the most.
pub(super) const LISTED_MAX: usize = 100;

/// Slots and records of a machine, side by side.
pub(super) struct Comparison {
    /// Recorded and there.
    pub(super) there: Vec<(SlotAddress, CardSerial)>,
    /// Recorded, and the slot is empty.
    pub(super) missing: Vec<(SlotAddress, CardSerial)>,
    /// Occupied without a record.
    pub(super) unexpected: Vec<SlotAddress>,
}

/// What a comparison changes in the record.
enum Change {
    Found(SlotAddress, Option<CardSerial>, SlotFinding),
    Hold(CardSerial),
    Release(CardSerial),
}

pub(super) fn compare(
    draft: &Draft<'_>,
    id: &MachineId,
    seen: &BTreeSet<SlotAddress>,
) -> Comparison {
    let recorded = draft.base.slots.iter().filter(|((m, _), _)| m == id);
    let recorded: BTreeMap<SlotAddress, CardSerial> =
        recorded.map(|((_, s), c)| (*s, c.clone())).collect();
    let unexpected = seen.iter().filter(|slot| !recorded.contains_key(slot));
    let unexpected = unexpected.copied().collect();
    let (there, missing) = recorded
        .into_iter()
        .partition(|(slot, _)| seen.contains(slot));
    Comparison {
        there,
        missing,
        unexpected,
    }
}

/// Records what is new of a comparison, as far as one decision may. `false`: more is left.
pub(super) fn record(draft: &mut Draft<'_>, id: &MachineId, comparison: &Comparison) -> bool {
    let known = draft.base.differing.iter().filter(|((m, _), _)| m == id);
    let mut differing: BTreeMap<SlotAddress, SlotFinding> = known
        .map(|((_, slot), finding)| (*slot, *finding))
        .collect();
    let changes = changes(draft, &differing, comparison);
    let left = changes.len() > LISTED_MAX;
    for change in changes.into_iter().take(LISTED_MAX) {
        match change {
            Change::Found(slot, card, finding) => {
                if finding == SlotFinding::Agrees {
                    differing.remove(&slot);
                } else {
                    differing.insert(slot, finding);
                }
                draft.push(SlotFound {
                    machine: id.clone(),
                    slot,
                    card,
                    finding,
                    differing: u32::try_from(differing.len()).unwrap_or(u32::MAX),
                });
            }
            Change::Hold(card) => draft.push(CardHeld {
                card,
                reason: HoldReason::NotInSlot,
            }),
            Change::Release(card) => draft.push(CardReleased { card }),
        }
    }
    !left
}

fn changes(
    draft: &Draft<'_>,
    known: &BTreeMap<SlotAddress, SlotFinding>,
    comparison: &Comparison,
) -> Vec<Change> {
    let hold = |card: &CardSerial| draft.card(card).and_then(|card| card.hold);
    let mut changes = Vec::new();
    for (slot, card) in &comparison.missing {
        if known.get(slot) != Some(&SlotFinding::Missing) {
            let card = Some(card.clone());
            changes.push(Change::Found(*slot, card, SlotFinding::Missing));
        }
        if hold(card).is_none() {
            changes.push(Change::Hold(card.clone()));
        }
    }
    for slot in &comparison.unexpected {
        if known.get(slot) != Some(&SlotFinding::Unexpected) {
            changes.push(Change::Found(*slot, None, SlotFinding::Unexpected));
        }
    }
    let there: BTreeMap<_, _> = comparison.there.iter().map(|(s, c)| (s, c)).collect();
    for slot in known.keys() {
        let is_missing = comparison
            .missing
            .iter()
            .any(|(missing, _)| missing == slot);
        if !is_missing && !comparison.unexpected.contains(slot) {
            let card = there.get(slot).map(|card| (*card).clone());
            changes.push(Change::Found(*slot, card, SlotFinding::Agrees));
        }
    }
    for (_, card) in &comparison.there {
        if hold(card) == Some(HoldReason::NotInSlot) {
            changes.push(Change::Release(card.clone()));
        }
    }
    changes
}

/// A dispenser at rest has said which slots are occupied. Where anything is under way, or a card lies on the way, its word is of
/// no use here.
pub(super) fn seen_at_rest(
    draft: &mut Draft<'_>,
    id: &MachineId,
    last: Progress,
    evidence: Evidence,
    slots: &[SlotAddress],
) {
    let is_idle = draft
        .machine(id)
        .is_some_and(|m| m.session.is_none() && m.motion.is_none() && m.blocked.is_none());
    let is_clear = evidence.position == CarriagePosition::None && !evidence.outlet_present;
    if !is_idle || !is_clear || matches!(last, Progress::Moving { .. }) {
        return;
    }
    let comparison = compare(draft, id, &slots.iter().copied().collect());
    if !record(draft, id, &comparison) {
        // The rest follows when it is asked again.
        ask(draft, id, 1);
    }
}

/// Whether a card may be put into the slot as far as the sensors say: nothing was found in it that no record knows.
pub(super) fn may_take_a_card(draft: &Draft<'_>, id: &MachineId, slot: SlotAddress) -> bool {
    let found = draft.base.differing.get(&(id.clone(), slot));
    found != Some(&SlotFinding::Unexpected)
}

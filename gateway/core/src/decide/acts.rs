//! Operators' acts at a machine: loading, unloading, stock-take, resolving a block (C2, C3).

use std::collections::BTreeSet;

use schemas::event::custody::{Act, ActEnded, ActStarted, StockTaken};
use schemas::event::station::MachineResolved;
use schemas::ids::{CardSerial, DeviceId, MachineId, OperatorId, SessionId};
use schemas::message::kiosk::ResolvedPlace;
use schemas::slot::SlotAddress;
use schemas::words::{ActOutcome, Motion, MotionResult, Place, RefusalReason};

use super::draft::Draft;
use super::slots::LISTED_MAX;
use super::{batches, lifecycle, requests, slots};
use crate::state::{WayOut, Work};

/// What an act is about.
pub(super) struct Begin<'a> {
    pub(super) kiosk: &'a DeviceId,
    pub(super) operator: &'a OperatorId,
    pub(super) machine: &'a MachineId,
    pub(super) act: Act,
    pub(super) card: Option<&'a CardSerial>,
}

/// Leases the machine to an operator and records the intent.
fn begin(draft: &mut Draft<'_>, begin: &Begin<'_>) -> Result<SessionId, RefusalReason> {
    let id = begin.machine;
    let devices = requests::machine_rules(draft, id)?.devices.clone();
    requests::machine_free(draft, id, begin.kiosk)?;
    if !draft.state().is_usable(&devices.dispenser)
        || draft.machine(id).is_none_or(|m| m.sequence.is_none())
    {
        return Err(RefusalReason::DeviceOffline);
    }
    let session = draft.next_session();
    let hold_s = draft.rules.pickup.hold_s;
    draft.push(ActStarted {
        session: session.clone(),
        kiosk: begin.kiosk.clone(),
        machine: id.clone(),
        dispenser: devices.dispenser,
        operator: begin.operator.clone(),
        act: begin.act,
        card: begin.card.cloned(),
        hold_s,
    });
    if let Some(card) = begin.card {
        draft.move_card(
            card,
            Place::Transport {
                machine: id.clone(),
            },
            Some(&session),
        );
    }
    let motion = match begin.act {
        Act::Load { slot } => Motion::Load { slot },
        Act::Unload { slot } => Motion::Dispense { slot, hold_s },
        Act::StockTake | Act::Commission => Motion::Inventory,
    };
    draft.intend(id, &session, motion);
    Ok(session)
}

pub(super) fn load(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    operator: &OperatorId,
    card: &CardSerial,
    machine: &MachineId,
    slot: SlotAddress,
) -> Result<SessionId, RefusalReason> {
    let record = draft.card(card).ok_or(RefusalReason::CardUnknown)?;
    if !batches::in_safe(record) {
        return Err(RefusalReason::CardElsewhere);
    }
    let rules = requests::machine_rules(draft, machine)?;
    let exists = slot.column() < rules.columns && slot.slot() < rules.slots_per_column;
    let is_free = !draft.base.slots.contains_key(&(machine.clone(), slot));
    if !exists || !is_free || !slots::may_take_a_card(draft, machine, slot) {
        return Err(RefusalReason::SlotUnusable);
    }
    begin(
        draft,
        &Begin {
            kiosk,
            operator,
            machine,
            act: Act::Load { slot },
            card: Some(card),
        },
    )
}

pub(super) fn unload(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    operator: &OperatorId,
    card: &CardSerial,
) -> Result<SessionId, RefusalReason> {
    let record = draft.card(card).ok_or(RefusalReason::CardUnknown)?;
    let Place::Slot { machine, slot } = record.place.clone() else {
        return Err(RefusalReason::CardElsewhere);
    };
    let machine = &machine;
    begin(
        draft,
        &Begin {
            kiosk,
            operator,
            machine,
            act: Act::Unload { slot },
            card: Some(card),
        },
    )
}

pub(super) fn stock_take(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    operator: &OperatorId,
    machine: &MachineId,
) -> Result<SessionId, RefusalReason> {
    begin(
        draft,
        &Begin {
            kiosk,
            operator,
            machine,
            act: Act::StockTake,
            card: None,
        },
    )
}

/// The dispenser has counted: slots against records.
pub(super) fn counted(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: &SessionId,
    outcome: MotionResult,
    seen: Option<&[SlotAddress]>,
) {
    let Some(Work::Act { operator, .. }) = draft.session(id).map(|s| s.work.clone()) else {
        return;
    };
    let (MotionResult::Done, Some(seen)) = (outcome, seen) else {
        return draft.push(ActEnded {
            session: session.clone(),
            outcome: ActOutcome::Failed,
        });
    };
    let seen: BTreeSet<SlotAddress> = seen.iter().copied().collect();
    let comparison = slots::compare(draft, id, &seen);
    let missing = comparison.missing.iter().map(|(_, card)| card.clone());
    draft.push(StockTaken {
        session: session.clone(),
        machine: id.clone(),
        occupied: u32::try_from(seen.len()).unwrap_or(u32::MAX),
        matching: u32::try_from(comparison.there.len()).unwrap_or(u32::MAX),
        missing: missing.take(LISTED_MAX).collect(),
        unexpected: comparison
            .unexpected
            .iter()
            .copied()
            .take(LISTED_MAX)
            .collect(),
        operator,
    });
    let outcome = if slots::record(draft, id, &comparison) {
        ActOutcome::Done
    } else {
        ActOutcome::Failed
    };
    draft.push(ActEnded {
        session: session.clone(),
        outcome,
    });
    if outcome == ActOutcome::Failed {
        // So many that the machine, not single cards, is in question: an operator has to look.
        draft.block(id, None);
    }
}

/// An operator has opened the machine and says where the card in question is.
pub(super) fn resolve(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    id: &MachineId,
    card_now: ResolvedPlace,
) -> Result<(), RefusalReason> {
    let blocked = draft.machine(id).and_then(|m| m.blocked.clone());
    let blocked = blocked.ok_or(RefusalReason::NothingToResolve)?;
    let place = match (&blocked.card, card_now) {
        (None, _) => None,
        (Some(card), ResolvedPlace::Slot) => Some(own_slot(draft, id, card)?),
        (Some(_), ResolvedPlace::Safe) => Some(Place::Safe),
        (Some(_), ResolvedPlace::Quarantine) => Some(Place::Quarantine),
        // To its owner only where its owner had been let to it.
        (Some(_), ResolvedPlace::HandedOver) if blocked.way_out == Some(WayOut::Citizen) => {
            Some(Place::HandedOver)
        }
        // Only a card that has left the machine since may be answered with "no card".
        (Some(card), ResolvedPlace::NoCard)
            if draft.card(card).is_some_and(|c| {
                !matches!(c.place, Place::Exit { .. } | Place::Transport { .. })
            }) =>
        {
            None
        }
        (Some(_), ResolvedPlace::HandedOver | ResolvedPlace::NoCard) => {
            return Err(RefusalReason::CardElsewhere);
        }
    };
    draft.push(MachineResolved {
        machine: id.clone(),
        operator: Some(operator.clone()),
        card_now: place.clone(),
    });
    if let (Some(card), Some(place)) = (&blocked.card, place) {
        draft.move_card(card, place, None);
    }
    lifecycle::ask(draft, id, 1);
    Ok(())
}

/// The slot that a card was last in, if it is still free.
fn own_slot(draft: &Draft<'_>, id: &MachineId, card: &CardSerial) -> Result<Place, RefusalReason> {
    let slot = draft
        .base
        .home
        .get(card)
        .filter(|(machine, _)| machine == id)
        .map(|(_, slot)| *slot);
    let slot = slot.ok_or(RefusalReason::SlotUnusable)?;
    if draft.base.slots.contains_key(&(id.clone(), slot)) {
        return Err(RefusalReason::SlotUnusable);
    }
    Ok(Place::Slot {
        machine: id.clone(),
        slot,
    })
}

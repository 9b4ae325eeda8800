//! What became of a motion of an operator's act (C2): the act goes on, ends, or the machine is blocked.

use schemas::event::custody::{Act, ActEnded, CardHeld};
use schemas::ids::MachineId;
use schemas::slot::SlotAddress;
use schemas::words::{ActOutcome, Evidence, HoldReason, Motion, MotionResult, Place};

use super::draft::Draft;
use super::motion::{give_up, taken, taken_back};
use super::sensors::{Rest, rest};
use super::{acts, commission};

pub(super) fn act_moved(
    draft: &mut Draft<'_>,
    id: &MachineId,
    act: Act,
    motion: Motion,
    outcome: MotionResult,
    evidence: Evidence,
    slots: Option<&[SlotAddress]>,
) {
    let Some(session) = draft.session(id).map(|s| s.id.clone()) else {
        return;
    };
    let (slot, card) = match (act, draft.session(id).and_then(|s| s.card.clone())) {
        (Act::StockTake, _) => return acts::counted(draft, id, &session, outcome, slots),
        (Act::Load { slot } | Act::Unload { slot }, Some(card)) => (slot, card),
        (Act::Load { .. } | Act::Unload { .. }, None) => return give_up(draft, id),
        (Act::Commission, _) => {
            return commission::moved(draft, id, &session, motion, outcome, evidence, slots);
        }
    };
    let end = |draft: &mut Draft<'_>, outcome| {
        draft.push(ActEnded {
            session: session.clone(),
            outcome,
        });
    };
    let in_slot = Place::Slot {
        machine: id.clone(),
        slot,
    };
    match (motion, rest(motion, outcome, evidence)) {
        (Motion::Load { .. }, Rest::Slot) => {
            draft.move_card(&card, in_slot, Some(&session));
            end(draft, ActOutcome::Done);
        }
        (Motion::Load { .. }, Rest::Hopper) => {
            draft.move_card(&card, Place::Safe, Some(&session));
            end(draft, ActOutcome::Failed);
        }
        (Motion::Dispense { .. }, Rest::Outlet) => {
            draft.move_card(
                &card,
                Place::Exit {
                    machine: id.clone(),
                },
                Some(&session),
            );
        }
        (Motion::Dispense { .. } | Motion::Retract, Rest::Taken) => taken(draft, id),
        (Motion::Dispense { .. }, Rest::Slot) => {
            draft.move_card(&card, in_slot, Some(&session));
            end(draft, ActOutcome::Failed);
        }
        (Motion::Dispense { .. }, Rest::Missing) => {
            draft.move_card(&card, Place::Quarantine, Some(&session));
            draft.push(CardHeld {
                card: card.clone(),
                reason: HoldReason::NotInSlot,
            });
            end(draft, ActOutcome::Failed);
        }
        (Motion::Dispense { .. } | Motion::Retract, Rest::Reader) => {
            taken_back(draft, id, &session);
        }
        (Motion::ToSlot { .. }, Rest::Slot) => {
            draft.move_card(&card, in_slot, Some(&session));
            end(draft, ActOutcome::NotTaken);
        }
        _ => give_up(draft, id),
    }
}

//! What became of a motion: the sensors decide, not the device's word alone. From here a session goes
//! on, ends, or its machine is blocked for an operator.

use schemas::event::custody::{ActEnded, CardHeld};
use schemas::event::pickup::{
    CardPresented, CardRetracted, CardTaken, OldCardRecycled, PickupStep, Step,
};
use schemas::event::station::{MotionAccepted, MotionCleared, MotionCompleted, SequenceLearned};
use schemas::ids::{CardSerial, MachineId, SessionId};
use schemas::message::command::Progress;
use schemas::slot::SlotAddress;
use schemas::words::{
    ActOutcome, CarriagePosition, Evidence, HoldReason, Motion, MotionResult, PickupOutcome, Place,
};

use super::draft::Draft;
use super::lifecycle::{ask, card_place};
use super::sensors::{Rest, rest};
use super::{act_motion, commission, pickup, slots};
use crate::state::{InFlight, Stage, Work};

/// The dispenser's reply to a move.
pub(super) fn moved(
    draft: &mut Draft<'_>,
    id: &MachineId,
    sequence: u16,
    outcome: MotionResult,
    evidence: Evidence,
    slots: Option<&[SlotAddress]>,
) {
    let Some(machine) = draft.machine(id) else {
        return;
    };
    let Some(motion) = machine.motion.clone().filter(|m| m.sequence == sequence) else {
        return;
    };
    let Some(dispenser) = machine.dispenser.clone() else {
        return;
    };
    draft.push(MotionCompleted {
        dispenser,
        machine: id.clone(),
        sequence,
        outcome,
        evidence,
    });
    match draft.session(id).map(|s| s.work.clone()) {
        Some(Work::Pickup(_)) => pickup_moved(draft, id, motion.motion, outcome, evidence),
        Some(Work::Act { act, .. }) => {
            act_motion::act_moved(draft, id, act, motion.motion, outcome, evidence, slots);
        }
        None => block_if_occupied(draft, id, evidence),
    }
    // A command that the device did not take leaves a gap in the sequence: learn where it stands.
    let at_rest = draft
        .machine(id)
        .is_some_and(|m| m.session.is_none() && m.motion.is_none() && m.blocked.is_none());
    if at_rest && matches!(outcome, MotionResult::Rejected { .. }) {
        ask(draft, id, 1);
    }
}

/// The dispenser's answer to the question what it did last.
pub(super) fn queried(
    draft: &mut Draft<'_>,
    id: &MachineId,
    last: Progress,
    evidence: Evidence,
    slots: Option<&[SlotAddress]>,
) {
    let Some(machine) = draft.machine(id) else {
        return;
    };
    let Some(dispenser) = machine.dispenser.clone() else {
        return;
    };
    let machine_id = id.clone();
    let Some(motion) = machine.motion.clone() else {
        let sequence = match last {
            Progress::None => 0,
            Progress::Moving { sequence } | Progress::Over { sequence, .. } => sequence,
        };
        draft.push(SequenceLearned {
            dispenser,
            machine: machine_id,
            sequence,
            evidence,
        });
        let is_idle = draft.session(id).is_none();
        recover(draft, id, evidence);
        if let (true, Some(slots)) = (is_idle, slots) {
            slots::seen_at_rest(draft, id, last, evidence, slots);
        }
        return;
    };
    let sequence = motion.sequence;
    match last {
        Progress::Over {
            sequence: last,
            outcome,
        } if last == sequence => {
            moved(draft, id, sequence, outcome, evidence, None);
        }
        // It cannot be moving for ever.
        Progress::Moving { sequence: last }
            if last == sequence && motion.renewals >= draft.rules.query_attempts_max =>
        {
            give_up(draft, id);
        }
        Progress::Moving { sequence: last } if last == sequence => {
            draft.push(MotionAccepted {
                dispenser,
                machine: machine_id,
                sequence,
            });
        }
        Progress::None if sequence == 1 => not_accepted(draft, id, &motion, evidence),
        Progress::Moving { sequence: last } | Progress::Over { sequence: last, .. }
            if is_before(last, sequence) =>
        {
            not_accepted(draft, id, &motion, evidence);
        }
        // Somebody else commands this dispenser, or it is another one.
        Progress::None | Progress::Moving { .. } | Progress::Over { .. } => give_up(draft, id),
    }
}

/// The dispenser provably never took the motion. It is sent again, but for one: a card is not presented
/// to whoever may stand there by now.
fn not_accepted(draft: &mut Draft<'_>, id: &MachineId, motion: &InFlight, evidence: Evidence) {
    let sequence = motion.sequence;
    if matches!(motion.motion, Motion::Present { .. }) {
        let outcome = MotionResult::Rejected { detail: 0 };
        return moved(draft, id, sequence, outcome, evidence, None);
    }
    let Some(dispenser) = draft.machine(id).and_then(|m| m.dispenser.clone()) else {
        return;
    };
    draft.push(MotionCleared {
        dispenser,
        machine: id.clone(),
        sequence,
    });
}

/// Whether `last` is one of the sequences just before `sequence`. A command that was rejected before the
/// device took it leaves a gap.
const fn is_before(last: u16, sequence: u16) -> bool {
    // Sequences go from 1 to 65535 and around: 65535 values.
    let distance = if sequence > last {
        sequence - last
    } else {
        u16::MAX - last + sequence
    };
    distance >= 1 && distance <= SEQUENCE_GAP_MAX
}

/// How many commands in a row may have been rejected before the device took them.
const SEQUENCE_GAP_MAX: u16 = 8;

/// Asked while nothing was under way: does the world agree with the record?
fn recover(draft: &mut Draft<'_>, id: &MachineId, evidence: Evidence) {
    let Some(session) = draft
        .session(id)
        .filter(|_| !commission::carries_nothing(draft, id))
    else {
        return block_if_occupied(draft, id, evidence);
    };
    let (session, stage) = (session.id.clone(), session.stage.clone());
    let at_outlet = evidence.outlet_present || evidence.position == CarriagePosition::Outlet;
    match (card_place(draft, id), evidence.position) {
        (Some(Place::Exit { .. }), _) if at_outlet => {}
        (Some(Place::Exit { .. }), CarriagePosition::InReader) => taken_back(draft, id, &session),
        (Some(Place::Exit { .. }), CarriagePosition::None) => taken(draft, id),
        (Some(Place::Transport { .. }), CarriagePosition::InReader) if !at_outlet => {
            if stage == Stage::Moving {
                pickup::bring_back(draft, id);
            }
        }
        _ => give_up(draft, id),
    }
}

/// A card in the transport that no session knows of.
fn block_if_occupied(draft: &mut Draft<'_>, id: &MachineId, evidence: Evidence) {
    let occupied = evidence.outlet_present || evidence.position != CarriagePosition::None;
    if occupied && draft.machine(id).is_some_and(|m| m.blocked.is_none()) {
        draft.block(id, None);
        commission::blocked(draft, id);
    }
}

/// The machine's own means are at an end: an operator has to look.
pub(super) fn give_up(draft: &mut Draft<'_>, id: &MachineId) {
    let Some(session) = draft.session(id) else {
        return draft.block(id, None);
    };
    let (session, card) = (session.id.clone(), session.card.clone());
    draft.block(id, card);
    if draft.pickup(id).is_some() {
        draft.end_pickup(id, PickupOutcome::DeviceFailed);
    } else {
        draft.push(ActEnded {
            session,
            outcome: ActOutcome::Failed,
        });
    }
}

fn pickup_moved(
    draft: &mut Draft<'_>,
    id: &MachineId,
    motion: Motion,
    outcome: MotionResult,
    evidence: Evidence,
) {
    let Some((session, pickup)) = draft.pickup(id) else {
        return;
    };
    let (session, slot, ending) = (session.id.clone(), pickup.slot, pickup.ending);
    let Some(card) = draft.session(id).and_then(|s| s.card.clone()) else {
        return;
    };
    if motion == Motion::TakeOldCard {
        return old_card_moved(draft, id, &session, outcome, evidence);
    }
    match (motion, rest(motion, outcome, evidence)) {
        (Motion::ToReader { .. }, Rest::Reader) if ending.is_none() => {
            draft.push(PickupStep {
                session,
                step: Step::ReadChip,
            });
        }
        (Motion::ToReader { .. }, Rest::Reader) => pickup::bring_back(draft, id),
        (Motion::ToReader { .. } | Motion::ToSlot { .. }, Rest::Slot) => {
            draft.move_card(
                &card,
                Place::Slot {
                    machine: id.clone(),
                    slot,
                },
                Some(&session),
            );
            draft.end_pickup(id, PickupOutcome::DeviceFailed);
        }
        (Motion::ToReader { .. }, Rest::Missing) => {
            draft.move_card(&card, Place::Quarantine, Some(&session));
            draft.push(CardHeld {
                card,
                reason: HoldReason::NotInSlot,
            });
            draft.ending(id, PickupOutcome::CardMissing);
            draft.end_pickup(id, PickupOutcome::CardMissing);
        }
        (Motion::Present { .. }, Rest::Outlet) => presented(draft, id, &session, &card),
        (Motion::Present { .. }, Rest::Taken) => {
            presented(draft, id, &session, &card);
            taken(draft, id);
        }
        // It lay in the outlet, and the dispenser, left alone, has taken it back by itself.
        (Motion::Present { .. }, Rest::Reader) if outcome == MotionResult::Done => {
            presented(draft, id, &session, &card);
            taken_back(draft, id, &session);
        }
        (Motion::Present { .. }, Rest::Reader) => {
            draft.ending(id, PickupOutcome::DeviceFailed);
            pickup::bring_back(draft, id);
        }
        (Motion::Retract, Rest::Reader) => taken_back(draft, id, &session),
        (Motion::Retract, Rest::Taken) => taken(draft, id),
        (Motion::Reject, Rest::Bin) => {
            draft.move_card(
                &card,
                Place::RetractBin {
                    machine: id.clone(),
                },
                Some(&session),
            );
            draft.end_pickup(id, PickupOutcome::DeviceFailed);
        }
        _ => give_up(draft, id),
    }
}

fn presented(draft: &mut Draft<'_>, id: &MachineId, session: &SessionId, card: &CardSerial) {
    draft.move_card(
        card,
        Place::Exit {
            machine: id.clone(),
        },
        Some(session),
    );
    draft.push(CardPresented {
        session: session.clone(),
        card: card.clone(),
    });
}

/// The card is back in the reader: it is collectable again once it has been read again (P7).
pub(super) fn taken_back(draft: &mut Draft<'_>, id: &MachineId, session: &SessionId) {
    let Some(card) = draft.session(id).and_then(|s| s.card.clone()) else {
        return;
    };
    draft.move_card(
        &card,
        Place::Transport {
            machine: id.clone(),
        },
        Some(session),
    );
    if draft.pickup(id).is_some() {
        draft.push(CardRetracted {
            session: session.clone(),
            card,
        });
        draft.ending(id, PickupOutcome::NotTaken);
    }
    pickup::bring_back(draft, id);
}

/// The outlet is empty: whoever stood there has the card.
pub(super) fn taken(draft: &mut Draft<'_>, id: &MachineId) {
    let Some(session) = draft.session(id) else {
        return;
    };
    let (session, card) = (session.id.clone(), session.card.clone());
    let Some(card) = card else { return };
    if draft.pickup(id).is_some() {
        draft.move_card(&card, Place::HandedOver, Some(&session));
        draft.push(CardTaken { session, card });
        draft.end_pickup(id, PickupOutcome::Collected);
    } else {
        draft.move_card(&card, Place::Safe, Some(&session));
        draft.push(ActEnded {
            session,
            outcome: ActOutcome::Done,
        });
    }
}

fn old_card_moved(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: &SessionId,
    outcome: MotionResult,
    evidence: Evidence,
) {
    let old_card = draft
        .pickup(id)
        .and_then(|(_, pickup)| pickup.old_card.clone());
    // The counter of the bin decides; the device's word does only where the counter was not known.
    let before = draft.base.machines.get(id).and_then(|m| m.recycled);
    let taken_in = before.map_or(outcome == MotionResult::Done, |b| {
        b != evidence.recycle_count
    });
    if let (true, Some(old_card)) = (taken_in, old_card) {
        draft.push(OldCardRecycled {
            session: session.clone(),
            old_card,
        });
    }
    let fits = evidence.position == CarriagePosition::InReader && !evidence.outlet_present;
    if !fits {
        give_up(draft, id);
    } else if taken_in {
        pickup::go_on(draft, id);
    } else {
        draft.ending(id, PickupOutcome::DeviceFailed);
        pickup::bring_back(draft, id);
    }
}

/// Whether nothing is lost if the session does not go on after this motion.
pub(super) const fn is_stoppable(motion: Option<Motion>) -> bool {
    matches!(motion, Some(Motion::ToReader { .. } | Motion::TakeOldCard))
}

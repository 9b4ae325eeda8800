//! A session at a machine: a citizen's pickup or an operator's act.

use std::collections::BTreeSet;

use schemas::event::custody::{ActEnded, ActStarted};
use schemas::event::pickup::{
    CardRetracted, CardVerified, FingerCompared, FingerPresent, OldCardChecked, OldCardRecycled,
    PhotoArchived, PickupEnded, PickupEnding, PickupStarted, PickupStep, Step, Still,
};
use schemas::ids::{CardSerial, SessionId};
use schemas::time::Deadline;

use super::Recorded;
use crate::state::{Ended, Machine, Pickup, Session, Stage, State, StepState, Work, view_of};

pub(super) fn pickup_started(state: &mut State, recorded: Recorded<'_>, event: &PickupStarted) {
    state.last.remove(&event.kiosk);
    state.applications.last.remove(&event.kiosk);
    let machine = state.machines.entry(event.machine.clone()).or_default();
    machine.dispenser = Some(event.devices.dispenser.clone());
    machine.session = Some(Session {
        id: event.session.clone(),
        kiosk: event.kiosk.clone(),
        card: Some(event.card.clone()),
        hold_s: event.policy.hold_s,
        work: Work::Pickup(Box::new(Pickup {
            devices: event.devices.clone(),
            slot: event.slot,
            policy: event.policy,
            ending: None,
            verified: false,
            retracted: false,
            matched: BTreeSet::new(),
            photos: BTreeSet::new(),
            old_card_due: event.old_card_due,
            old_card: None,
            taken: None,
            began_ms: Some(recorded.now.wall_ms),
            stills: Vec::new(),
        })),
        stage: Stage::Moving,
    });
}

pub(super) fn act_started(state: &mut State, event: &ActStarted) {
    state.last.remove(&event.kiosk);
    state.applications.last.remove(&event.kiosk);
    let machine = state.machines.entry(event.machine.clone()).or_default();
    machine.dispenser = Some(event.dispenser.clone());
    machine.session = Some(Session {
        id: event.session.clone(),
        kiosk: event.kiosk.clone(),
        card: event.card.clone(),
        hold_s: event.hold_s,
        work: Work::Act {
            operator: event.operator.clone(),
            act: event.act,
        },
        stage: Stage::Moving,
    });
}

pub(super) fn act_ended(state: &mut State, event: &ActEnded) {
    state.commissionings.remove(&event.session);
    end(state, &event.session, Ended::Act(event.outcome));
}

pub(super) fn pickup_ended(state: &mut State, event: &PickupEnded) {
    let taken = pickup_of(state, &event.session).and_then(|open| open.pickup.taken);
    let outcome = event.outcome;
    end(state, &event.session, Ended::Pickup { outcome, taken });
}

/// P7: what the citizen's slip is about.
pub(super) fn taken(
    state: &mut State,
    recorded: Recorded<'_>,
    event: &schemas::event::pickup::CardTaken,
) {
    if let Some(open) = pickup_of(state, &event.session) {
        open.pickup.taken = Some(recorded.index);
    }
}

/// Frees the machine.
fn end(state: &mut State, session: &SessionId, ended: Ended) {
    let Some(machine) = machine_of(state, session) else {
        return;
    };
    let Some(session) = machine.session.take() else {
        return;
    };
    machine.last_motion = None;
    state.last.insert(session.kiosk, (session.id, ended));
}

pub(super) fn step(state: &mut State, recorded: Recorded<'_>, event: &PickupStep) {
    let Some(Open { stage, pickup, .. }) = pickup_of(state, &event.session) else {
        return;
    };
    let allowed_s = match event.step {
        Step::ReadChip | Step::ReadAgain | Step::TakePhoto { .. } => {
            pickup.policy.command_timeout_s
        }
        // The device waits for the citizen first, and then has its own time to answer.
        Step::CompareFinger { .. } | Step::ReadOldCard { .. } => pickup
            .policy
            .step_timeout_s
            .saturating_add(pickup.policy.command_timeout_s),
    };
    *stage = Stage::Step(StepState {
        step: event.step,
        index: recorded.index,
        deadline: Deadline::after(recorded.now, u64::from(allowed_s) * 1000),
        citizen: matches!(
            event.step,
            Step::CompareFinger { .. } | Step::ReadOldCard { .. }
        )
        .then(|| Deadline::after(recorded.now, u64::from(pickup.policy.step_timeout_s) * 1000)),
        photo: None,
        answered: false,
    });
}

pub(super) fn verified(state: &mut State, event: &CardVerified) {
    if let Some(Open { pickup, .. }) = pickup_of(state, &event.session) {
        pickup.verified = true;
        pickup.retracted = false;
    }
}

pub(super) fn finger_present(state: &mut State, recorded: Recorded<'_>, event: &FingerPresent) {
    if let Some(step) = step_of(state, &event.session) {
        step.photo = Some(recorded.index);
    }
}

pub(super) fn finger_compared(state: &mut State, recorded: Recorded<'_>, event: &FingerCompared) {
    let Some(Open { stage, pickup, .. }) = pickup_of(state, &event.session) else {
        return;
    };
    if let Stage::Step(step) = stage {
        step.answered = true;
        // Only the photo beside it may still be missing, and that is the camera's affair.
        let ms = u64::from(pickup.policy.command_timeout_s) * 1000;
        step.deadline = Deadline::after(recorded.now, ms);
    }
    if event.matched {
        pickup.matched.insert(event.hand);
    } else {
        // Its photo shows whoever failed.
        pickup.photos.remove(&view_of(event.hand));
    }
}

pub(super) fn photo_archived(state: &mut State, event: &PhotoArchived) {
    if let Some(step) = step_of(state, &event.session) {
        step.photo = None;
    }
    if let Some(Open { pickup, .. }) = pickup_of(state, &event.session) {
        pickup.photos.insert(event.view);
        pickup.stills.push(Still {
            view: event.view,
            blob: event.blob.clone(),
        });
    }
}

pub(super) fn old_card_checked(state: &mut State, event: &OldCardChecked) {
    if let Some(step) = step_of(state, &event.session) {
        step.answered = true;
    }
    if let Some(Open { pickup, .. }) = pickup_of(state, &event.session) {
        pickup.old_card = event.old_card.clone().filter(|_| event.accepted);
    }
}

pub(super) fn old_card_recycled(state: &mut State, event: &OldCardRecycled) {
    let Some(Open { pickup, card, .. }) = pickup_of(state, &event.session) else {
        return;
    };
    pickup.old_card_due = false;
    let card = card.clone();
    if let Some(announced) = card
        .and_then(|card| state.cards.get_mut(&card))
        .and_then(|card| card.announced.as_mut())
    {
        announced.old_card_due = false;
    }
}

pub(super) fn retracted(state: &mut State, event: &CardRetracted) {
    if let Some(Open { pickup, .. }) = pickup_of(state, &event.session) {
        pickup.retracted = true;
        pickup.verified = false;
    }
}

pub(super) fn ending(state: &mut State, event: &PickupEnding) {
    if let Some(Open { stage, pickup, .. }) = pickup_of(state, &event.session) {
        pickup.ending = Some(event.outcome);
        if matches!(stage, Stage::Step(_)) {
            *stage = Stage::Moving;
        }
    }
}

fn machine_of<'a>(state: &'a mut State, id: &SessionId) -> Option<&'a mut Machine> {
    state
        .machines
        .values_mut()
        .find(|machine| machine.session.as_ref().is_some_and(|s| s.id == *id))
}

/// The parts of a pickup's session that events change: its stage and the pickup itself.
struct Open<'a> {
    stage: &'a mut Stage,
    card: &'a Option<CardSerial>,
    pickup: &'a mut Pickup,
}

fn pickup_of<'a>(state: &'a mut State, id: &SessionId) -> Option<Open<'a>> {
    let Session {
        stage, card, work, ..
    } = machine_of(state, id)?.session.as_mut()?;
    match work {
        Work::Pickup(pickup) => Some(Open {
            stage,
            card,
            pickup,
        }),
        Work::Act { .. } => None,
    }
}

fn step_of<'a>(state: &'a mut State, id: &SessionId) -> Option<&'a mut StepState> {
    match &mut machine_of(state, id)?.session.as_mut()?.stage {
        Stage::Step(step) => Some(step),
        Stage::Moving | Stage::AtOutlet(_) => None,
    }
}

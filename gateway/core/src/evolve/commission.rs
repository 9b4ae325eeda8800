//! A commissioning: what is asked of which device.

use schemas::event::commission::{CommissionStarted, Exercise, ExerciseAsked, ExerciseEnded};
use schemas::time::Deadline;

use super::Recorded;
use crate::commission::{ANSWER_S, Asked, Carry, Commissioning, LEASE_MS};
use crate::state::State;

pub(super) fn started(state: &mut State, recorded: Recorded<'_>, event: &CommissionStarted) {
    let commissioning = Commissioning {
        machine: event.machine.clone(),
        devices: event.devices.clone(),
        operator: event.operator.clone(),
        lease: Deadline::after(recorded.now, LEASE_MS),
        asked: None,
        inventory: None,
        carry: None,
        orphaned: false,
    };
    state
        .commissionings
        .insert(event.session.clone(), commissioning);
}

pub(super) fn asked(state: &mut State, recorded: Recorded<'_>, event: &ExerciseAsked) {
    let Some(open) = state.commissionings.get_mut(&event.session) else {
        return;
    };
    let index = recorded.index;
    match event.exercise {
        Exercise::Inventory => open.inventory = Some(index),
        Exercise::Carry { slot } => {
            open.carry = Some(Carry {
                index,
                slot,
                card_fits: None,
            });
            let session = state
                .machines
                .get_mut(&open.machine)
                .and_then(|m| m.session.as_mut());
            if let Some(session) = session {
                session.card.clone_from(&event.card);
            }
        }
        Exercise::ReadCard | Exercise::TouchSensor | Exercise::TakePhoto => {
            let allowed_s = u64::from(event.timeout_s.saturating_add(ANSWER_S));
            open.asked = Some(Asked {
                index,
                device: event.device.clone(),
                exercise: event.exercise,
                timeout_s: event.timeout_s,
                deadline: Deadline::after(recorded.now, allowed_s * 1000),
            });
        }
    }
}

pub(super) fn ended(state: &mut State, recorded: Recorded<'_>, event: &ExerciseEnded) {
    let Some(open) = state.commissionings.get_mut(&event.session) else {
        return;
    };
    open.lease = Deadline::after(recorded.now, LEASE_MS);
    if open.inventory == Some(event.asked) {
        open.inventory = None;
    } else if open
        .asked
        .as_ref()
        .is_some_and(|asked| asked.index == event.asked)
    {
        open.asked = None;
        if let Some(carry) = open.carry.as_mut() {
            carry.card_fits = event.card_fits;
        }
    } else if open.carry.is_some_and(|carry| carry.index == event.asked) {
        open.carry = None;
        let session = state
            .machines
            .get_mut(&open.machine)
            .and_then(|m| m.session.as_mut());
        if let Some(session) = session {
            session.card = None;
        }
    }
}

/// A new life of the gateway: whoever commissioned has lost it.
pub(super) fn orphaned(state: &mut State) {
    for open in state.commissionings.values_mut() {
        open.orphaned = true;
    }
}

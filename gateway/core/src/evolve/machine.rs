//! A machine: its motion, the question to its dispenser, its block.

use schemas::event::station::{
    MachineBlocked, MachineResolved, MotionAccepted, MotionCleared, MotionCompleted,
    MotionIntended, MotionUnconfirmed, SequenceLearned,
};
use schemas::time::Deadline;
use schemas::words::Motion;

use super::Recorded;
use crate::state::{Ask, Blocked, InFlight, Phase, Stage, State, WayOut, Work};

/// How long after it was last asked at rest a dispenser is asked again which of its slots are occupied.
const COMPARED_EVERY_MS: u64 = 86_400_000;

fn after(recorded: Recorded<'_>, timeout_s: u16) -> Deadline {
    Deadline::after(recorded.now, u64::from(timeout_s) * 1000)
}

pub(super) fn blocked(state: &mut State, event: &MachineBlocked) {
    let machine = state.machines.entry(event.machine.clone()).or_default();
    let outward = matches!(
        machine.last_motion,
        Some(Motion::Present { .. } | Motion::Dispense { .. } | Motion::Retract)
    );
    let way_out = machine
        .session
        .as_ref()
        .filter(|_| outward)
        .map(|session| match session.work {
            Work::Pickup(_) => WayOut::Citizen,
            Work::Act { .. } => WayOut::Operator,
        });
    machine.blocked = Some(Blocked {
        reason: event.reason,
        card: event.card.clone(),
        way_out,
    });
    machine.motion = None;
    machine.ask = None;
}

pub(super) fn resolved(state: &mut State, event: &MachineResolved) {
    let machine = state.machines.entry(event.machine.clone()).or_default();
    machine.blocked = None;
    machine.motion = None;
    machine.ask = None;
}

pub(super) fn intended(state: &mut State, recorded: Recorded<'_>, event: &MotionIntended) {
    let machine = state.machines.entry(event.machine.clone()).or_default();
    machine.dispenser = Some(event.dispenser.clone());
    machine.sequence = Some(event.sequence);
    machine.ask = None;
    machine.motion = Some(InFlight {
        sequence: event.sequence,
        motion: event.motion,
        phase: Phase::Send(recorded.index),
        timeout_s: event.timeout_s,
        deadline: after(recorded, event.timeout_s),
        renewals: 0,
    });
    machine.last_motion = Some(event.motion);
    if let Some(session) = machine.session.as_mut() {
        session.stage = Stage::Moving;
    }
}

pub(super) fn unconfirmed(state: &mut State, recorded: Recorded<'_>, event: &MotionUnconfirmed) {
    let machine = state.machines.entry(event.machine.clone()).or_default();
    machine.dispenser = Some(event.dispenser.clone());
    if let Some(motion) = machine.motion.as_mut() {
        motion.phase = Phase::Unknown;
    }
    machine.ask = Some(Ask {
        index: recorded.index,
        attempt: event.attempt,
        timeout_s: event.timeout_s,
        deadline: after(recorded, event.timeout_s),
    });
}

pub(super) fn accepted(state: &mut State, recorded: Recorded<'_>, event: &MotionAccepted) {
    let Some(machine) = state.machines.get_mut(&event.machine) else {
        return;
    };
    machine.ask = None;
    if let Some(motion) = machine.motion.as_mut() {
        motion.phase = Phase::Accepted;
        motion.renewals = motion.renewals.saturating_add(1);
        motion.deadline = after(recorded, motion.timeout_s);
    }
}

pub(super) fn learned(state: &mut State, recorded: Recorded<'_>, event: &SequenceLearned) {
    let Some(machine) = state.machines.get_mut(&event.machine) else {
        return;
    };
    machine.ask = None;
    machine.sequence = Some(event.sequence);
    machine.recycled = Some(event.evidence.recycle_count);
    if machine.session.is_none() {
        machine.compare_at = Some(Deadline::after(recorded.now, COMPARED_EVERY_MS));
    }
}

pub(super) fn cleared(state: &mut State, recorded: Recorded<'_>, event: &MotionCleared) {
    let Some(machine) = state.machines.get_mut(&event.machine) else {
        return;
    };
    machine.ask = None;
    if let Some(motion) = machine.motion.as_mut() {
        motion.phase = Phase::Send(recorded.index);
        motion.deadline = after(recorded, motion.timeout_s);
    }
}

pub(super) fn completed(state: &mut State, event: &MotionCompleted) {
    let Some(machine) = state.machines.get_mut(&event.machine) else {
        return;
    };
    machine.ask = None;
    machine.motion = None;
    machine.recycled = Some(event.evidence.recycle_count);
}

//! Start, ticks, room on the disk, devices coming and going.

use schemas::event::pickup::Step;
use schemas::event::station::{
    GatewayStarted, MotionUnconfirmed, OperatorRejected, Presence, PresenceChanged, ServiceChanged,
    StatusChanged, WitnessAhead, WitnessDismissed,
};
use schemas::ids::{BootId, DeviceId, MachineId, OperatorId};
use schemas::message::device::LastReceipt;
use schemas::words::{DeviceStatus, Motion, PickupOutcome, Place, RefusalReason, ServiceReason};

use super::draft::Draft;
use super::{Outcome, application, commission, motion, payment, pickup, registry, steps};
use crate::state::{Machine, Stage, Work};

/// A new life: what was under way is looked at again, and pickups that had not come to the outlet
/// end.
pub(super) fn started(draft: &mut Draft<'_>, software: &str, instance: &BootId) {
    draft.push(GatewayStarted {
        software: software.to_owned(),
        instance: instance.clone(),
    });
    commission::orphaned(draft);
    application::interrupted(draft);
    application::papers_lost(draft);
    for id in machines(draft) {
        let Some(machine) = draft.machine(&id) else {
            continue;
        };
        if machine.session.is_none() {
            continue;
        }
        let at_outlet = machine
            .session
            .as_ref()
            .is_some_and(|s| matches!(s.stage, Stage::AtOutlet(_)));
        let on_the_way_out = matches!(
            machine.motion.as_ref().map(|m| m.motion),
            Some(Motion::Present { .. } | Motion::Retract)
        );
        if !at_outlet && !on_the_way_out {
            draft.ending(&id, PickupOutcome::Interrupted);
        }
        ask(draft, &id, 1);
    }
}

fn machines(draft: &Draft<'_>) -> Vec<MachineId> {
    draft.state().machines.keys().cloned().collect()
}

/// Records that the dispenser is asked what it did.
pub(super) fn ask(draft: &mut Draft<'_>, machine: &MachineId, attempt: u16) {
    let Some(dispenser) = draft.dispenser(machine) else {
        return;
    };
    let sequence = draft
        .machine(machine)
        .and_then(|m| m.motion.as_ref())
        .map(|m| m.sequence);
    // A dispenser that is silent while nothing is under way is asked ever more rarely.
    let idle = is_idle(draft, machine) && sequence.is_none();
    let patience = if idle { attempt.min(30) } else { 1 };
    draft.push(MotionUnconfirmed {
        dispenser,
        machine: machine.clone(),
        sequence,
        attempt,
        timeout_s: draft.rules.motion_timeout_s.saturating_mul(patience),
    });
}

/// Whether nothing of a session hangs on what the dispenser says.
fn is_idle(draft: &Draft<'_>, machine: &MachineId) -> bool {
    draft.session(machine).is_none() || commission::carries_nothing(draft, machine)
}

/// Lets every deadline that has come do what it was set for.
pub(super) fn tick(draft: &mut Draft<'_>) {
    registry::tick(draft);
    payment::tick(draft);
    commission::tick(draft);
    application::tick(draft);
    application::lapse(draft);
    for id in machines(draft) {
        let Some(machine) = draft.machine(&id) else {
            continue;
        };
        if machine.blocked.is_some() {
            continue;
        }
        let now = draft.now;
        if let Some(question) = &machine.ask {
            if question.deadline.is_due(now) {
                let attempt = question.attempt;
                unanswered(draft, &id, attempt);
            }
        } else if let Some(motion) = &machine.motion {
            if motion.deadline.is_due(now) {
                ask(draft, &id, 1);
            }
        } else if machine.session.is_some() {
            session_tick(draft, &id);
        } else if machine.compare_at.as_ref().is_some_and(|at| at.is_due(now))
            && draft.state().has_dispenser_online(machine)
        {
            ask(draft, &id, 1);
        }
    }
}

fn unanswered(draft: &mut Draft<'_>, id: &MachineId, attempt: u16) {
    let Some(machine) = draft.machine(id) else {
        return;
    };
    let idle = machine.motion.is_none() && is_idle(draft, id);
    if idle || attempt < draft.rules.query_attempts_max {
        ask(draft, id, attempt.saturating_add(1));
    } else {
        motion::give_up(draft, id);
    }
}

fn session_tick(draft: &mut Draft<'_>, id: &MachineId) {
    let Some(session) = draft.session(id) else {
        return;
    };
    match &session.stage {
        Stage::AtOutlet(deadline) if deadline.is_due(draft.now) => {
            let session = session.id.clone();
            draft.intend(id, &session, Motion::Retract);
        }
        Stage::Step(step) if step.deadline.is_due(draft.now) => {
            let outcome = match step.step {
                Step::TakePhoto { .. } => PickupOutcome::NoPhoto,
                Step::CompareFinger { .. } if step.answered => PickupOutcome::NoPhoto,
                Step::ReadChip
                | Step::ReadAgain
                | Step::CompareFinger { .. }
                | Step::ReadOldCard { .. } => PickupOutcome::DeviceFailed,
            };
            steps::step_failed(draft, id, outcome);
        }
        Stage::AtOutlet(_) | Stage::Step(_) | Stage::Moving => {}
    }
}

/// Service stops below the watermark and goes on above it.
pub(super) fn room(draft: &mut Draft<'_>, low: bool) {
    set_reason(draft, ServiceReason::StorageLow, low);
}

pub(super) fn set_reason(draft: &mut Draft<'_>, reason: ServiceReason, holds: bool) {
    let mut reasons = draft.state().reasons.clone();
    let changed = if holds {
        reasons.insert(reason)
    } else {
        reasons.remove(&reason)
    };
    if changed {
        draft.push(ServiceChanged {
            in_service: reasons.is_empty(),
            reasons: reasons.into_iter().collect(),
        });
    }
}

/// A birth, a goodbye, or a last will. A goodbye or will of an earlier life than the one that is online
/// says nothing about it.
pub(super) fn life(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    presence: &Presence,
    boot: &BootId,
    witness: Option<LastReceipt>,
) {
    if let (Presence::Online { .. }, Some(receipt)) = (presence, witness) {
        witnessed(draft, device, receipt);
    }
    let known = draft
        .state()
        .devices
        .get(device)
        .and_then(|d| d.presence.as_ref());
    let gone = matches!(presence, Presence::Offline | Presence::Lost);
    let other_life = matches!(known, Some(Presence::Online { boot: online, .. }) if online != boot);
    if known == Some(presence) || (gone && other_life) {
        return;
    }
    let ended = match known {
        Some(Presence::Online { boot, .. }) => Some(boot.clone()),
        Some(Presence::Offline | Presence::Lost) | None => None,
    };
    draft.push(PresenceChanged {
        device: device.clone(),
        presence: presence.clone(),
    });
    registry::judge_flaps(draft, device);
    if let Some(ended) = ended {
        registry::take_along(draft, device, &ended);
    }
    if gone {
        commission::gone(draft, device);
        application::went(draft, device);
    }
    for id in machines_of(draft, device) {
        match presence {
            Presence::Online { .. } => came(draft, &id, device),
            Presence::Offline | Presence::Lost => went(draft, &id, device),
        }
    }
}

/// A device that holds a receipt of an event this log does not have: disk lost or rolled back. Motions
/// under way are finished; new sessions wait for a new incarnation of the log. A receipt of an earlier incarnation says nothing
/// of this one.
fn witnessed(draft: &mut Draft<'_>, device: &DeviceId, receipt: LastReceipt) {
    let reason = ServiceReason::LogBehindWitness;
    let (size, incarnation) = (draft.base.next_index, draft.base.incarnation());
    if draft.base.is_behind(receipt) && !draft.state().reasons.contains(&reason) {
        draft.push(WitnessAhead {
            device: device.clone(),
            receipt,
            incarnation,
            size,
        });
        set_reason(draft, reason, true);
    }
}

/// What was witnessed does not hold. A device that says so again at its next birth stops the station again.
pub(super) fn dismiss_witness(draft: &mut Draft<'_>, approvers: &[OperatorId; 2]) {
    let reason = ServiceReason::LogBehindWitness;
    if draft.state().reasons.contains(&reason) {
        let approvers = approvers.clone();
        draft.push(WitnessDismissed { approvers });
        set_reason(draft, reason, false);
    }
}

/// The machines that a device belongs to, by configuration or by the session it serves.
fn machines_of(draft: &Draft<'_>, device: &DeviceId) -> Vec<MachineId> {
    let configured = draft
        .rules
        .machines
        .iter()
        .filter(|(_, m)| m.devices.dispenser == *device);
    let mut ids: Vec<_> = configured.map(|(id, _)| id.clone()).collect();
    let serving = draft
        .state()
        .machines
        .iter()
        .filter(|(_, m)| serves(m, device));
    ids.extend(serving.map(|(id, _)| id.clone()));
    ids.sort();
    ids.dedup();
    ids
}

fn serves(machine: &Machine, device: &DeviceId) -> bool {
    let Some(session) = &machine.session else {
        return false;
    };
    let by_pickup = match &session.work {
        Work::Pickup(p) => p.devices.shared().contains(&device),
        Work::Act { .. } => false,
    };
    by_pickup || session.kiosk == *device || machine.dispenser.as_ref() == Some(device)
}

/// The same for a device that was there already, and was not counted on.
pub(super) fn came_back(draft: &mut Draft<'_>, device: &DeviceId) {
    for id in machines_of(draft, device) {
        came(draft, &id, device);
    }
}

/// A dispenser that comes is asked what it did last, before anything else is asked of it.
fn came(draft: &mut Draft<'_>, id: &MachineId, device: &DeviceId) {
    let blocked = draft.machine(id).is_some_and(|m| m.blocked.is_some());
    if draft.dispenser(id).as_ref() == Some(device) && !blocked {
        ask(draft, id, 1);
    }
}

/// A device that goes ends the session that needs it, unless the card is already on its way out.
fn went(draft: &mut Draft<'_>, id: &MachineId, device: &DeviceId) {
    let Some((session, pickup)) = draft.pickup(id) else {
        return;
    };
    let gone = if session.kiosk == *device {
        Some(PickupOutcome::DeviceFailed)
    } else if let Stage::Step(step) = &session.stage {
        let beside = step.photo.is_some() && pickup.devices.camera == *device;
        let asked = !step.answered && steps::device_of(pickup, step.step) == device;
        if beside {
            Some(PickupOutcome::NoPhoto)
        } else {
            asked.then(|| steps::outcome_without(step.step))
        }
    } else {
        None
    };
    let Some(outcome) = gone else { return };
    match session.stage {
        Stage::Step(_) => steps::step_failed(draft, id, outcome),
        Stage::Moving if pickup::may_stop(draft, id) => draft.ending(id, outcome),
        Stage::Moving | Stage::AtOutlet(_) => {}
    }
}

/// A status that differs from the last one is a fact; the same again is not.
pub(super) fn status(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    status: DeviceStatus,
    detail: Option<&str>,
) {
    let known = draft
        .state()
        .devices
        .get(device)
        .and_then(|d| d.status.as_ref());
    let new = (status, detail.map(str::to_owned));
    if known != Some(&new) {
        draft.push(StatusChanged {
            device: device.clone(),
            status,
            detail: new.1,
        });
    }
}

/// A wrong PIN is a fact of its own.
pub(super) fn operator_rejected(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    request: &str,
    operator: Option<&OperatorId>,
    attempts: u32,
    locked: bool,
) -> Outcome {
    draft.push(OperatorRejected {
        device: device.clone(),
        operator: operator.cloned(),
        attempts,
        locked,
        request: request.to_owned(),
    });
    let reason = if locked {
        RefusalReason::OperatorLocked
    } else {
        RefusalReason::OperatorUnknown
    };
    Outcome::Refused(reason)
}

/// The place of the card in the session at a machine.
pub(super) fn card_place(draft: &Draft<'_>, id: &MachineId) -> Option<Place> {
    let card = draft.session(id)?.card.as_ref()?;
    draft.card(card).map(|card| card.place.clone())
}

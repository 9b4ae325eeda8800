//! What devices report and answer, matched with what they were asked. An answer that nothing waits
//! for is recorded and changes nothing.

use schemas::event::custody::CardHeld;
use schemas::event::pickup::{
    CardMismatched, CardVerified, FingerCompared, FingerPresent, Mismatch, OldCardChecked,
    PhotoArchived, PickupStep, Step,
};
use schemas::event::station::{DeviceReplied, DeviceReported};
use schemas::ids::{DeviceId, MachineId, SessionId};
use schemas::message::command::CommandId;
use schemas::words::{Completion, Hand, HoldReason, Motion, PhotoView, PickupOutcome, Place};

use super::draft::Draft;
use super::{application, commission, motion, pickup};
use crate::input::{Captured, CardRead, FacesReply, FingerReply, ReadFailure, Reply, Report};
use crate::state::{Machine, Pickup, Stage, StepState, WayOut, Work, view_of};

/// The device that a step asks.
pub(super) const fn device_of(pickup: &Pickup, step: Step) -> &DeviceId {
    match step {
        Step::ReadChip | Step::ReadAgain => &pickup.devices.reader,
        Step::CompareFinger { .. } => &pickup.devices.scanner,
        Step::TakePhoto { .. } => &pickup.devices.camera,
        Step::ReadOldCard { .. } => &pickup.devices.intake_reader,
    }
}

/// How a session ends whose device for this step is gone.
pub(super) const fn outcome_without(step: Step) -> PickupOutcome {
    match step {
        Step::TakePhoto { .. } => PickupOutcome::NoPhoto,
        Step::ReadChip
        | Step::ReadAgain
        | Step::CompareFinger { .. }
        | Step::ReadOldCard { .. } => PickupOutcome::DeviceFailed,
    }
}

/// A step cannot be done: the session ends in this way and the card goes back.
pub(super) fn step_failed(draft: &mut Draft<'_>, id: &MachineId, outcome: PickupOutcome) {
    let Some((session, pickup)) = draft.pickup(id) else {
        return;
    };
    let (session, slot, retracted) = (session.id.clone(), pickup.slot, pickup.retracted);
    if retracted {
        // It was to be read again and cannot be: into the slot, but not collectable (P7).
        pickup::hold_unread(draft, id);
        return draft.intend(id, &session, Motion::ToSlot { slot });
    }
    draft.ending(id, outcome);
    pickup::bring_back(draft, id);
}

/// A device's report.
pub(super) fn report(draft: &mut Draft<'_>, device: &DeviceId, report: &Report) {
    match report {
        Report::MediaTaken => media_taken(draft, device),
        Report::FingerPresent { command } => finger_present(draft, device, command.as_ref()),
        Report::Other { .. } => {}
    }
    if draft.is_empty() {
        let (name, detail) = match report {
            Report::MediaTaken => ("media-taken", None),
            Report::FingerPresent { .. } => ("finger-present", None),
            Report::Other { name, detail } => (name.as_str(), detail.clone()),
        };
        draft.push(DeviceReported {
            device: device.clone(),
            report: name.to_owned(),
            detail,
        });
    }
}

fn media_taken(draft: &mut Draft<'_>, device: &DeviceId) {
    let found = draft
        .state()
        .machines
        .iter()
        .find(|(_, m)| m.dispenser.as_ref() == Some(device));
    let Some((id, machine)) = found.map(|(id, machine)| (id.clone(), machine.clone())) else {
        return;
    };
    if let Some(blocked) = &machine.blocked {
        // The machine gave up with a card on its way out, and now the outlet is empty: who stood there
        // has it.
        let to = match blocked.way_out {
            Some(WayOut::Citizen) => Place::HandedOver,
            Some(WayOut::Operator) => Place::Safe,
            None => return,
        };
        let inside = |place: &Place| matches!(place, Place::Exit { .. } | Place::Transport { .. });
        if let Some(card) = blocked.card.clone()
            && draft.card(&card).is_some_and(|c| inside(&c.place))
        {
            draft.move_card(&card, to, None);
        }
    } else if machine.motion.is_none()
        && machine
            .session
            .as_ref()
            .is_some_and(|s| matches!(s.stage, Stage::AtOutlet(_)))
    {
        motion::taken(draft, &id);
    }
}

fn finger_present(draft: &mut Draft<'_>, device: &DeviceId, command: Option<&CommandId>) {
    let open = open_step(draft, device, |step| {
        let asked = draft.state().command(step.index);
        step.photo.is_none() && !step.answered && command.is_none_or(|c| *c == asked)
    });
    let Some((_, session, step)) = open else {
        return;
    };
    if let Step::CompareFinger { hand, .. } = step.step {
        draft.push(FingerPresent { session, hand });
    }
}

/// The open step that `device` serves, if it is as `wanted`.
fn open_step(
    draft: &Draft<'_>,
    device: &DeviceId,
    wanted: impl Fn(&StepState) -> bool,
) -> Option<(MachineId, SessionId, StepState)> {
    draft.state().machines.iter().find_map(|(id, machine)| {
        let session = machine.session.as_ref()?;
        let (Stage::Step(step), Work::Pickup(pickup)) = (&session.stage, &session.work) else {
            return None;
        };
        let serves = device_of(pickup, step.step) == device;
        (serves && wanted(step)).then(|| (id.clone(), session.id.clone(), step.clone()))
    })
}

/// A device's answer.
pub(super) fn reply(draft: &mut Draft<'_>, device: &DeviceId, command: &CommandId, reply: &Reply) {
    if commission::replied(draft, device, command, reply) {
        return;
    }
    application::replied(draft, device, command, reply);
    match reply {
        Reply::Moved {
            sequence,
            outcome,
            evidence,
            slots,
        } => {
            let waits = |m: &Machine| m.motion.as_ref().is_some_and(|m| m.sequence == *sequence);
            if let Some(id) = machine_of(draft, device, waits) {
                motion::moved(draft, &id, *sequence, *outcome, *evidence, slots.as_deref());
            }
        }
        Reply::Queried {
            last,
            evidence,
            slots,
        } => {
            let waits = |m: &Machine| {
                m.ask
                    .as_ref()
                    .is_some_and(|ask| draft.state().command(ask.index) == *command)
            };
            if let Some(id) = machine_of(draft, device, waits) {
                motion::queried(draft, &id, *last, *evidence, slots.as_deref());
            }
        }
        Reply::Read(result) => read(draft, device, command, result),
        Reply::Matched { completion, score } => {
            matched(draft, device, command, *completion, *score);
        }
        Reply::Captured(result) => captured(draft, device, command, result),
        // No workflow rests on what is enrolled on a sensor: it is recorded.
        Reply::MatchedOnSensor(_) | Reply::Finger(_) | Reply::Faces(_) => {}
    }
    if draft.is_empty() {
        let completion = completion(reply);
        draft.push(DeviceReplied {
            device: device.clone(),
            command: command.to_string(),
            completion,
        });
    }
}

pub(super) const fn completion(reply: &Reply) -> Completion {
    use schemas::words::MotionResult as R;
    match reply {
        Reply::Moved {
            outcome: R::Done, ..
        }
        | Reply::Queried { .. }
        | Reply::Read(Ok(_))
        | Reply::Captured(Ok(_)) => Completion::Success,
        Reply::Moved {
            outcome: R::Failed { .. },
            ..
        } => Completion::HardwareError,
        Reply::Moved {
            outcome: R::Rejected { .. },
            ..
        } => Completion::SequenceError,
        Reply::Read(Err(ReadFailure(completion)))
        | Reply::Captured(Err(completion))
        | Reply::MatchedOnSensor(completion)
        | Reply::Finger(FingerReply { completion, .. })
        | Reply::Faces(FacesReply { completion, .. })
        | Reply::Matched { completion, .. } => *completion,
    }
}

fn machine_of(
    draft: &Draft<'_>,
    device: &DeviceId,
    waits: impl Fn(&Machine) -> bool,
) -> Option<MachineId> {
    let mut machines = draft.state().machines.iter();
    machines
        .find(|(_, m)| m.dispenser.as_ref() == Some(device) && waits(m))
        .map(|(id, _)| id.clone())
}

fn read(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    command: &CommandId,
    result: &Result<CardRead, ReadFailure>,
) {
    let open = open_step(draft, device, |step| {
        !step.answered && draft.state().command(step.index) == *command
    });
    let Some((id, session, step)) = open else {
        return;
    };
    match step.step {
        Step::ReadChip | Step::ReadAgain => chip_read(draft, &id, session, result),
        Step::ReadOldCard { attempt } => old_card_read(draft, &id, session, attempt, result),
        Step::CompareFinger { .. } | Step::TakePhoto { .. } => {}
    }
}

/// P3: number and serial must equal the record. The same again after a retract (P7).
fn chip_read(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: SessionId,
    result: &Result<CardRead, ReadFailure>,
) {
    let Some(card) = draft.session(id).and_then(|s| s.card.clone()) else {
        return;
    };
    let number = draft
        .card(&card)
        .and_then(|c| c.announced.as_ref())
        .map(|a| a.number.clone());
    let mismatch = match result {
        Ok(read) if read.serial != card => Mismatch::Serial,
        Ok(read) if !number.is_some_and(|number| read.number.contains(&number)) => Mismatch::Number,
        Ok(read) => {
            let both = [Hand::Right, Hand::Left]
                .iter()
                .all(|hand| read.hands.contains(hand));
            draft.push(CardVerified {
                session,
                card,
                hands: read.hands.clone(),
                holder: read.holder.clone(),
            });
            if !both {
                draft.ending(id, PickupOutcome::NoFingerprints);
            }
            return pickup::go_on(draft, id);
        }
        Err(ReadFailure(Completion::TimeOut | Completion::SequenceError | Completion::Success)) => {
            Mismatch::Unreadable
        }
        Err(ReadFailure(
            Completion::DeviceNotReady
            | Completion::HardwareError
            | Completion::Canceled
            | Completion::UnsupportedCommand,
        )) => {
            return step_failed(draft, id, PickupOutcome::DeviceFailed);
        }
    };
    let (reason, outcome) = match mismatch {
        Mismatch::Unreadable => (HoldReason::Unreadable, PickupOutcome::CardUnreadable),
        Mismatch::Serial | Mismatch::Number => (HoldReason::Mismatch, PickupOutcome::CardMismatch),
    };
    draft.push(CardMismatched {
        session: session.clone(),
        card: card.clone(),
        mismatch,
    });
    draft.push(CardHeld { card, reason });
    draft.ending(id, outcome);
    draft.intend(id, &session, Motion::Reject);
}

/// P6: the claimant's old card, not the new one and not somebody else's.
fn old_card_read(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: SessionId,
    attempt: u16,
    result: &Result<CardRead, ReadFailure>,
) {
    let failed = match result {
        Ok(read) => {
            let card = draft.session(id).and_then(|s| s.card.clone());
            let record = card
                .as_ref()
                .and_then(|c| draft.card(c))
                .and_then(|c| c.announced.as_ref());
            let accepted = record.is_some_and(|r| read.number.contains(&r.number))
                && Some(&read.serial) != card.as_ref();
            let old_card = Some(read.serial.clone());
            draft.push(OldCardChecked {
                session: session.clone(),
                attempt,
                accepted,
                old_card,
            });
            if accepted {
                return draft.intend(id, &session, Motion::TakeOldCard);
            }
            None
        }
        Err(ReadFailure(Completion::TimeOut | Completion::Canceled)) => {
            Some(PickupOutcome::OldCardMissing)
        }
        Err(ReadFailure(Completion::SequenceError | Completion::Success)) => {
            draft.push(OldCardChecked {
                session: session.clone(),
                attempt,
                accepted: false,
                old_card: None,
            });
            None
        }
        Err(ReadFailure(
            Completion::DeviceNotReady | Completion::HardwareError | Completion::UnsupportedCommand,
        )) => Some(PickupOutcome::DeviceFailed),
    };
    let more = draft
        .pickup(id)
        .is_some_and(|(_, p)| attempt < p.policy.old_card_attempts_max);
    match failed {
        None if more => draft.push(PickupStep {
            session,
            step: Step::ReadOldCard {
                attempt: attempt + 1,
            },
        }),
        None => step_failed(draft, id, PickupOutcome::OldCardMissing),
        Some(outcome) => step_failed(draft, id, outcome),
    }
}

/// P4: one to one with the template of the chip, a limited number of attempts per hand.
fn matched(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    command: &CommandId,
    completion: Completion,
    score: Option<u16>,
) {
    let open = open_step(draft, device, |step| {
        !step.answered && draft.state().command(step.index) == *command
    });
    let Some((id, session, step)) = open else {
        return;
    };
    let Step::CompareFinger { hand, attempt } = step.step else {
        return;
    };
    let Some((_, pickup)) = draft.pickup(&id) else {
        return;
    };
    let policy = pickup.policy;
    let score = match completion {
        Completion::Success => score.filter(|score| *score <= 100),
        Completion::SequenceError => None,
        Completion::TimeOut | Completion::Canceled => {
            return step_failed(draft, &id, PickupOutcome::TimedOut);
        }
        Completion::DeviceNotReady | Completion::HardwareError | Completion::UnsupportedCommand => {
            return step_failed(draft, &id, PickupOutcome::DeviceFailed);
        }
    };
    let score_min = policy.finger_score_min;
    let matched = score.is_some_and(|score| score >= score_min);
    draft.push(FingerCompared {
        session: session.clone(),
        hand,
        attempt,
        score,
        score_min,
        matched,
    });
    if !matched && attempt < policy.finger_attempts_max {
        let step = Step::CompareFinger {
            hand,
            attempt: attempt + 1,
        };
        draft.push(PickupStep { session, step });
    } else if !matched {
        step_failed(draft, &id, PickupOutcome::IdentityFailed);
    } else if step.photo.is_some() && !camera_is_online(draft, &id) {
        step_failed(draft, &id, PickupOutcome::NoPhoto);
    } else if step.photo.is_none() {
        // The photo is archived already, or none was asked for: then it is the next step.
        pickup::go_on(draft, &id);
    }
}

fn camera_is_online(draft: &Draft<'_>, id: &MachineId) -> bool {
    draft
        .pickup(id)
        .is_some_and(|(_, pickup)| draft.state().is_online(&pickup.devices.camera))
}

/// P4, P5: a photo is sealed on disk.
fn captured(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    command: &CommandId,
    result: &Result<Captured, Completion>,
) {
    let Some((id, session, view, beside)) = open_photo(draft, device, command) else {
        return;
    };
    let Ok(Captured { blob, key, len }) = result else {
        return step_failed(draft, &id, PickupOutcome::NoPhoto);
    };
    draft.push(PhotoArchived {
        session,
        view,
        blob: blob.clone(),
        key: key.clone(),
        len: *len,
    });
    let answered =
        matches!(draft.session(&id).map(|s| &s.stage), Some(Stage::Step(step)) if step.answered);
    if !beside || answered {
        pickup::go_on(draft, &id);
    }
}

/// The photo that `command` asked for: a step of its own, or beside the comparison of a finger.
fn open_photo(
    draft: &Draft<'_>,
    device: &DeviceId,
    command: &CommandId,
) -> Option<(MachineId, SessionId, PhotoView, bool)> {
    draft.state().machines.iter().find_map(|(id, machine)| {
        let session = machine.session.as_ref()?;
        let (Stage::Step(step), Work::Pickup(pickup)) = (&session.stage, &session.work) else {
            return None;
        };
        let (index, view, beside) = match (step.step, step.photo) {
            (Step::TakePhoto { view }, _) => (step.index, view, false),
            (Step::CompareFinger { hand, .. }, Some(index)) => (index, view_of(hand), true),
            _ => return None,
        };
        let asked = pickup.devices.camera == *device && draft.state().command(index) == *command;
        asked.then(|| (id.clone(), session.id.clone(), view, beside))
    })
}

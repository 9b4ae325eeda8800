//! Commissioning (V2): a machine is leased to an operator, and each device is asked to show what it can. A device hears of it only
//! when the intent is recorded, as with any command; a card that moves is brought back whatever happens.

use std::collections::BTreeSet;

use schemas::event::commission::{
    CommissionStarted, Commissioned, Exercise, ExerciseAsked, ExerciseEnded, Inventory, STEPS_MAX,
};
use schemas::event::custody::{Act, ActEnded, ActStarted, CardHeld};
use schemas::event::pickup::MachineDevices;
use schemas::ids::{CardSerial, DeviceId, MachineId, OperatorId, SessionId};
use schemas::message::command::CommandId;
use schemas::slot::SlotAddress;
use schemas::words::{
    ActOutcome, Completion, Evidence, HoldReason, Motion, MotionResult, Place, RefusalReason,
};

use super::draft::Draft;
use super::motion::give_up;
use super::sensors::{Rest, rest};
use super::{Outcome, requests, steps};
use crate::commission::{Asked, Carry, Commissioning};
use crate::input::{Input, Reply, Trial};
use crate::state::Ended;

/// What an operator at the machine asks; anything else is not asked of this module.
pub(super) fn input(draft: &mut Draft<'_>, input: &Input) -> Outcome {
    if let Input::Commission { operator, machine } = input {
        begin(draft, operator, machine)
    } else if let Input::Exercise { session, trial } = input {
        exercise(draft, session, trial)
    } else if let Input::Commissioned(done) = input {
        report(draft, done)
    } else {
        Outcome::Unchanged
    }
}

/// An operator begins. The machine must be free; a commissioning that its operator left at rest makes way.
fn begin(draft: &mut Draft<'_>, operator: &OperatorId, id: &MachineId) -> Outcome {
    match lease(draft, operator, id) {
        Ok(session) => Outcome::Accepted(Some(session)),
        Err(reason) => Outcome::Refused(reason),
    }
}

fn lease(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    id: &MachineId,
) -> Result<SessionId, RefusalReason> {
    let devices = requests::machine_rules(draft, id)?.devices.clone();
    let mut kiosks = draft.rules.kiosks.iter();
    let kiosk = kiosks.find(|(_, kiosk)| kiosk.machine == *id);
    let kiosk = kiosk
        .map(|(kiosk, _)| kiosk.clone())
        .ok_or(RefusalReason::NotAKiosk)?;
    let machine = draft.machine(id);
    if machine.is_some_and(|m| m.blocked.is_some()) {
        return Err(RefusalReason::MachineBlocked);
    }
    if machine.is_some_and(|m| m.motion.is_some()) {
        return Err(RefusalReason::MachineBusy);
    }
    if let Some(left) = machine.and_then(|m| Some(m.session.as_ref()?.id.clone())) {
        let at_rest = commissioning(draft, &left).is_some_and(Commissioning::is_at_rest);
        if !at_rest {
            return Err(RefusalReason::MachineBusy);
        }
        end(draft, &left, ActOutcome::Interrupted);
    }
    if draft.state().session_at(&kiosk).is_some() || is_applied_at(draft, &kiosk, &devices) {
        return Err(RefusalReason::MachineBusy);
    }
    let session = draft.next_session();
    draft.push(ActStarted {
        session: session.clone(),
        kiosk,
        machine: id.clone(),
        dispenser: devices.dispenser.clone(),
        operator: operator.clone(),
        act: Act::Commission,
        card: None,
        hold_s: draft.rules.pickup.hold_s,
    });
    draft.push(CommissionStarted {
        session: session.clone(),
        machine: id.clone(),
        devices,
        operator: operator.clone(),
    });
    Ok(session)
}

/// Whether a citizen applies at the kiosk, or at another one with a device of the machine.
fn is_applied_at(draft: &Draft<'_>, kiosk: &DeviceId, devices: &MachineDevices) -> bool {
    let state = draft.state();
    let is_leased = |device: &&DeviceId| state.leased_to(device).is_some();
    state.applications.open.contains_key(kiosk) || devices.shared().iter().any(is_leased)
}

/// One device at a time.
fn exercise(draft: &mut Draft<'_>, session: &SessionId, trial: &Trial) -> Outcome {
    match ask(draft, session, trial) {
        Ok(()) => Outcome::Accepted(Some(session.clone())),
        Err(reason) => Outcome::Refused(reason),
    }
}

fn ask(draft: &mut Draft<'_>, session: &SessionId, trial: &Trial) -> Result<(), RefusalReason> {
    let open = commissioning(draft, session).ok_or(RefusalReason::NoSuchSession)?;
    let (id, devices) = (open.machine.clone(), open.devices.clone());
    if !open.is_at_rest() {
        return Err(RefusalReason::MachineBusy);
    }
    let policy = draft.rules.pickup;
    let put = |draft: &mut Draft<'_>, device: &DeviceId, exercise, timeout_s| {
        if !draft.state().is_online(device) {
            return Err(RefusalReason::DeviceOffline);
        }
        draft.push(asked_of(session, device, exercise, None, timeout_s));
        Ok(())
    };
    match trial {
        Trial::IntakeCard => {
            let reader = &devices.intake_reader;
            put(draft, reader, Exercise::ReadCard, policy.step_timeout_s)
        }
        Trial::Finger => {
            let scanner = &devices.scanner;
            put(draft, scanner, Exercise::TouchSensor, policy.step_timeout_s)
        }
        Trial::Photo => {
            let camera = &devices.camera;
            put(draft, camera, Exercise::TakePhoto, policy.command_timeout_s)
        }
        Trial::Inventory => {
            dispenser_ready(draft, &id, &devices.dispenser)?;
            let timeout_s = draft.rules.motion_timeout_s;
            put(draft, &devices.dispenser, Exercise::Inventory, timeout_s)?;
            draft.intend(&id, session, Motion::Inventory);
            Ok(())
        }
        Trial::Carry => {
            dispenser_ready(draft, &id, &devices.dispenser)?;
            carry(draft, &id, session, &devices.dispenser)
        }
    }
}

/// It says that it takes commands, what it did last is known, and nothing is open at it.
fn dispenser_ready(
    draft: &Draft<'_>,
    id: &MachineId,
    dispenser: &DeviceId,
) -> Result<(), RefusalReason> {
    let machine = draft.machine(id);
    let ready =
        machine.is_some_and(|m| m.sequence.is_some() && m.ask.is_none() && m.motion.is_none());
    if ready && draft.state().is_usable(dispenser) {
        Ok(())
    } else {
        Err(RefusalReason::DeviceOffline)
    }
}

/// The card in the first occupied slot goes to the reader.
fn carry(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: &SessionId,
    dispenser: &DeviceId,
) -> Result<(), RefusalReason> {
    let mut loaded = draft
        .base
        .slots
        .iter()
        .filter(|((machine, _), _)| machine == id);
    let (slot, card) = loaded
        .next()
        .map(|((_, slot), card)| (*slot, card.clone()))
        .ok_or(RefusalReason::CardUnknown)?;
    let timeout_s = draft.rules.motion_timeout_s;
    let moving = Some(card.clone());
    draft.push(asked_of(
        session,
        dispenser,
        Exercise::Carry { slot },
        moving,
        timeout_s,
    ));
    let machine = id.clone();
    draft.move_card(&card, Place::Transport { machine }, Some(session));
    draft.intend(id, session, Motion::ToReader { slot });
    Ok(())
}

fn asked_of(
    session: &SessionId,
    device: &DeviceId,
    exercise: Exercise,
    card: Option<CardSerial>,
    timeout_s: u16,
) -> ExerciseAsked {
    ExerciseAsked {
        session: session.clone(),
        device: device.clone(),
        exercise,
        card,
        timeout_s,
    }
}

/// What became of a motion.
pub(super) fn moved(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: &SessionId,
    motion: Motion,
    outcome: MotionResult,
    evidence: Evidence,
    slots: Option<&[SlotAddress]>,
) {
    let Some(open) = commissioning(draft, session) else {
        return give_up(draft, id);
    };
    if let Some(asked) = open.inventory {
        counted(draft, id, session, asked, outcome, slots);
        return end_if_orphaned(draft, session);
    }
    let card = draft.session(id).and_then(|s| s.card.clone());
    let (Some(carry), Some(card)) = (open.carry, card) else {
        return give_up(draft, id);
    };
    match (motion, rest(motion, outcome, evidence)) {
        (Motion::ToReader { .. }, Rest::Reader) => read_chip(draft, id, session, card, carry),
        (Motion::ToReader { slot } | Motion::ToSlot { slot }, Rest::Slot) => {
            let machine = id.clone();
            draft.move_card(&card, Place::Slot { machine, slot }, Some(session));
            let was_there = matches!(motion, Motion::ToSlot { .. });
            end_carry(draft, session, carry, was_there);
        }
        (Motion::ToReader { .. }, Rest::Missing) => {
            draft.move_card(&card, Place::Quarantine, Some(session));
            let reason = HoldReason::NotInSlot;
            draft.push(CardHeld { card, reason });
            end_carry(draft, session, carry, false);
        }
        _ => give_up(draft, id),
    }
}

fn counted(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: &SessionId,
    asked: u64,
    outcome: MotionResult,
    slots: Option<&[SlotAddress]>,
) {
    let (MotionResult::Done, Some(slots)) = (outcome, slots) else {
        return draft.push(ended(session, asked, Completion::HardwareError));
    };
    let seen: BTreeSet<SlotAddress> = slots.iter().copied().collect();
    let own = draft.base.slots.keys().filter(|(machine, _)| machine == id);
    let recorded: BTreeSet<SlotAddress> = own.map(|(_, slot)| *slot).collect();
    let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    draft.push(ExerciseEnded {
        inventory: Some(Inventory {
            occupied: number(seen.len()),
            recorded: number(recorded.len()),
            matching: number(seen.intersection(&recorded).count()),
        }),
        ..ended(session, asked, Completion::Success)
    });
}

/// The card lies in the reader: it is read there, if the reader is there.
fn read_chip(
    draft: &mut Draft<'_>,
    id: &MachineId,
    session: &SessionId,
    card: CardSerial,
    carry: Carry,
) {
    let open = commissioning(draft, session);
    let reader = open
        .filter(|open| !open.orphaned)
        .map(|open| open.devices.reader.clone());
    match reader.filter(|reader| draft.state().is_online(reader)) {
        Some(reader) => {
            let timeout_s = draft.rules.pickup.command_timeout_s;
            let exercise = Exercise::ReadCard;
            draft.push(asked_of(session, &reader, exercise, Some(card), timeout_s));
        }
        None => draft.intend(id, session, Motion::ToSlot { slot: carry.slot }),
    }
}

fn end_carry(draft: &mut Draft<'_>, session: &SessionId, carry: Carry, was_there: bool) {
    let completion = if was_there {
        Completion::Success
    } else {
        Completion::HardwareError
    };
    draft.push(ExerciseEnded {
        card_fits: carry.card_fits,
        ..ended(session, carry.index, completion)
    });
    end_if_orphaned(draft, session);
}

/// A device answers what it was asked here. False: it was asked by something else.
pub(super) fn replied(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    command: &CommandId,
    reply: &Reply,
) -> bool {
    let found = find_asked(draft, |draft, asked| {
        asked.device == *device && draft.state().command(asked.index) == *command
    });
    let Some((session, _)) = found else {
        return false;
    };
    let card =
        commissioning(draft, &session).and_then(|open| draft.session(&open.machine)?.card.clone());
    let card_fits = match (reply, card) {
        (Reply::Read(Ok(read)), Some(card)) => Some(read.serial == card),
        _ => None,
    };
    answered(draft, &session, steps::completion(reply), card_fits);
    true
}

/// The device that is asked is gone.
pub(super) fn gone(draft: &mut Draft<'_>, device: &DeviceId) {
    if let Some((session, _)) = find_asked(draft, |_, asked| asked.device == *device) {
        answered(draft, &session, Completion::DeviceNotReady, None);
    }
}

/// A device does not answer in time; an operator's tool is silent for too long.
pub(super) fn tick(draft: &mut Draft<'_>) {
    while let Some((session, _)) =
        find_asked(draft, |draft, asked| asked.deadline.is_due(draft.now))
    {
        answered(draft, &session, Completion::TimeOut, None);
    }
    let open = draft.state().commissionings.iter();
    let silent = open.filter(|(_, open)| open.is_at_rest() && open.lease.is_due(draft.now));
    let silent: Vec<_> = silent.map(|(session, _)| session.clone()).collect();
    for session in silent {
        end(draft, &session, ActOutcome::Interrupted);
    }
}

/// After a restart nobody waits: what was asked of a device is over, and the machine is free as soon as no card is on its way.
pub(super) fn orphaned(draft: &mut Draft<'_>) {
    let open: Vec<_> = draft.state().commissionings.keys().cloned().collect();
    for session in open {
        close_asked(draft, &session, Completion::Canceled, None);
        end_if_orphaned(draft, &session);
    }
}

/// The card in the reader goes back, whatever was asked of it there.
pub(super) fn bring_back(draft: &mut Draft<'_>, id: &MachineId, session: &SessionId) {
    close_asked(draft, session, Completion::Canceled, None);
    match commissioning(draft, session).and_then(|open| open.carry) {
        Some(Carry { slot, .. }) => draft.intend(id, session, Motion::ToSlot { slot }),
        None => give_up(draft, id),
    }
}

/// The machine was blocked beside it.
pub(super) fn blocked(draft: &mut Draft<'_>, id: &MachineId) {
    let session = draft.session(id).map(|session| session.id.clone());
    if let Some(session) = session.filter(|session| commissioning(draft, session).is_some()) {
        end(draft, &session, ActOutcome::Failed);
    }
}

/// Whether the machine is leased for a commissioning, and no card is on its way.
pub(super) fn carries_nothing(draft: &Draft<'_>, id: &MachineId) -> bool {
    let open = draft
        .session(id)
        .and_then(|session| commissioning(draft, &session.id));
    open.is_some_and(|open| open.carry.is_none())
}

/// What came of it all. A commissioning that ended because its machine was blocked may still be reported.
fn report(draft: &mut Draft<'_>, report: &Commissioned) -> Outcome {
    let session = &report.session;
    let open = commissioning(draft, session);
    let mut last = draft.base.last.values();
    let was_open = last.any(|(last, ended)| last == session && matches!(ended, Ended::Act(_)));
    let fits = open.map_or(was_open, |open| {
        open.is_at_rest() && open.machine == report.machine && open.operator == report.operator
    });
    if !fits || report.steps.is_empty() || report.steps.len() > STEPS_MAX {
        return Outcome::Refused(RefusalReason::NoSuchSession);
    }
    let is_open = open.is_some();
    draft.push(report.clone());
    if is_open {
        end(draft, session, ActOutcome::Done);
    }
    Outcome::Accepted(Some(session.clone()))
}

fn commissioning<'a>(draft: &'a Draft<'_>, session: &SessionId) -> Option<&'a Commissioning> {
    draft.state().commissionings.get(session)
}

fn find_asked<'a>(
    draft: &'a Draft<'_>,
    wanted: impl Fn(&Draft<'_>, &Asked) -> bool,
) -> Option<(SessionId, &'a Asked)> {
    draft
        .state()
        .commissionings
        .iter()
        .find_map(|(session, open)| {
            let asked = open.asked.as_ref().filter(|asked| wanted(draft, asked))?;
            Some((session.clone(), asked))
        })
}

/// A device other than the dispenser is done; a card that was read goes back.
fn answered(
    draft: &mut Draft<'_>,
    session: &SessionId,
    completion: Completion,
    card_fits: Option<bool>,
) {
    close_asked(draft, session, completion, card_fits);
    let open = commissioning(draft, session);
    let carried = open.and_then(|open| Some((open.machine.clone(), open.carry?.slot)));
    if let Some((id, slot)) = carried {
        draft.intend(&id, session, Motion::ToSlot { slot });
    }
    end_if_orphaned(draft, session);
}

fn close_asked(
    draft: &mut Draft<'_>,
    session: &SessionId,
    completion: Completion,
    card_fits: Option<bool>,
) {
    let asked = commissioning(draft, session).and_then(|open| Some(open.asked.as_ref()?.index));
    if let Some(asked) = asked {
        draft.push(ExerciseEnded {
            card_fits,
            ..ended(session, asked, completion)
        });
    }
}

fn ended(session: &SessionId, asked: u64, completion: Completion) -> ExerciseEnded {
    ExerciseEnded {
        session: session.clone(),
        asked,
        completion,
        inventory: None,
        card_fits: None,
    }
}

fn end_if_orphaned(draft: &mut Draft<'_>, session: &SessionId) {
    let open = commissioning(draft, session);
    if open.is_some_and(|open| open.orphaned && open.is_at_rest()) {
        end(draft, session, ActOutcome::Interrupted);
    }
}

fn end(draft: &mut Draft<'_>, session: &SessionId, outcome: ActOutcome) {
    draft.push(ActEnded {
        session: session.clone(),
        outcome,
    });
}

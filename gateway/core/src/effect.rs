//! What the world still owes us.

use std::collections::BTreeMap;

use schemas::event::pickup::Step;
use schemas::ids::{BlobHash, DeviceId, SessionId};
use schemas::message::command::CommandId;
use schemas::sealed::SealedField;
use schemas::time::{Deadline, Now};
use schemas::words::application::{FacePair, FingerPosition};
use schemas::words::{Hand, Motion, PhotoView};

use crate::state::{Machine, Phase, Session, Stage, State, Work, view_of};
use crate::{application, commission};

/// A command that a device has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Index of the event that caused it, and an ordinal: the same effect has the same id for ever.
    pub id: CommandId,
    /// The device.
    pub device: DeviceId,
    /// What it shall do.
    pub order: Order,
    /// How long the device may take, in s.
    pub timeout_s: u16,
}

/// What a device shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Move a card.
    Move {
        /// The command sequence.
        sequence: u16,
        /// The motion.
        motion: Motion,
    },
    /// Say what was done last; move nothing.
    Query {
        /// And say which slots are occupied.
        slots: bool,
    },
    /// Read a card.
    Read,
    /// Compare a finger with the templates held in memory for this session.
    Match {
        /// The session whose templates are meant.
        session: SessionId,
        /// Which hand.
        hand: Hand,
    },
    /// Compare a finger with what is enrolled on the sensor: that it is seen is what counts.
    TouchSensor,
    /// Take a photo.
    Capture {
        /// Which.
        view: PhotoView,
    },
    /// Take the image of a finger for an application (A9).
    CaptureFinger {
        /// The session whose templates are meant, where it is to be compared.
        session: SessionId,
        /// Which hand.
        hand: Hand,
        /// Which finger; none: the one whose print the old card holds.
        position: Option<FingerPosition>,
        /// The quality needed, 0 to 100.
        quality_min: u16,
        /// Compare it with the old card's.
        compare: bool,
    },
    /// Compare two faces that are held in memory for this session (A7).
    CompareFaces {
        /// The session.
        session: SessionId,
        /// Which two.
        pair: FacePair,
        /// Whose card's picture is the historical portrait.
        reference: SealedField,
        /// What is compared with it.
        probe: BlobHash,
    },
}

/// The commands that are open now, for devices that are online. Level-triggered: asked again, it says
/// the same until an event answers it.
pub fn pending(state: &State) -> Vec<Effect> {
    let machines = state.machines.values();
    let motions = machines.filter_map(|machine| dispenser_effect(state, machine));
    let of_sessions = session_effects(state).into_iter().map(|(_, effect)| effect);
    let mut effects: Vec<_> = motions.chain(of_sessions).collect();
    effects.retain(|effect| state.is_online(&effect.device));
    effects
}

/// The commands that sessions wait for, with the device and the session of each. What a device sends for one of them belongs to
/// that session and to no other (G7). A device that is away for a moment still owes its answer.
pub fn asked(state: &State) -> BTreeMap<CommandId, (DeviceId, SessionId)> {
    let of_sessions = session_effects(state).into_iter();
    of_sessions
        .map(|(session, effect)| (effect.id, (effect.device, session.clone())))
        .collect()
}

/// What sessions ask of devices other than a dispenser.
fn session_effects(state: &State) -> Vec<(&SessionId, Effect)> {
    let mut effects = Vec::new();
    let sessions = state.machines.values();
    for session in sessions.filter_map(|machine| machine.session.as_ref()) {
        let mut of_step = Vec::new();
        step_effects(state, session, &mut of_step);
        effects.extend(of_step.into_iter().map(|effect| (&session.id, effect)));
    }
    effects.extend(commission::effects(state));
    effects.extend(application::effects(state));
    effects
}

/// The question comes before the motion: as long as it is open, nothing is asked to move.
fn dispenser_effect(state: &State, machine: &Machine) -> Option<Effect> {
    let device = machine.dispenser.clone()?;
    if let Some(ask) = &machine.ask {
        let id = state.command(ask.index);
        return Some(Effect {
            id,
            device,
            order: Order::Query {
                slots: machine.session.is_none() && machine.motion.is_none(),
            },
            timeout_s: ask.timeout_s,
        });
    }
    let motion = machine.motion.as_ref()?;
    match motion.phase {
        Phase::Send(index) => Some(Effect {
            id: state.command(index),
            device,
            order: Order::Move {
                sequence: motion.sequence,
                motion: motion.motion,
            },
            timeout_s: motion.timeout_s,
        }),
        Phase::Unknown | Phase::Accepted => None,
    }
}

fn step_effects(state: &State, session: &Session, effects: &mut Vec<Effect>) {
    let (Stage::Step(step), Work::Pickup(pickup)) = (&session.stage, &session.work) else {
        return;
    };
    let (devices, policy) = (&pickup.devices, &pickup.policy);
    let (device, order, timeout_s) = match step.step {
        Step::ReadChip | Step::ReadAgain => {
            (&devices.reader, Order::Read, policy.command_timeout_s)
        }
        Step::CompareFinger { hand, .. } => {
            let order = Order::Match {
                session: session.id.clone(),
                hand,
            };
            (&devices.scanner, order, policy.step_timeout_s)
        }
        Step::TakePhoto { view } => (
            &devices.camera,
            Order::Capture { view },
            policy.command_timeout_s,
        ),
        Step::ReadOldCard { .. } => (&devices.intake_reader, Order::Read, policy.step_timeout_s),
    };
    if !step.answered {
        effects.push(Effect {
            id: state.command(step.index),
            device: device.clone(),
            order,
            timeout_s,
        });
    }
    if let (Some(index), Step::CompareFinger { hand, .. }) = (step.photo, step.step) {
        let view = view_of(hand);
        effects.push(Effect {
            id: state.command(index),
            device: devices.camera.clone(),
            order: Order::Capture { view },
            timeout_s: policy.command_timeout_s,
        });
    }
}

/// When the state next wants a [`crate::Input::Tick`]: the deadline with the least time left at
/// `now`.
pub fn next_deadline<'a>(state: &'a State, now: &Now) -> Option<&'a Deadline> {
    state
        .machines
        .values()
        .filter_map(|m| machine_deadline(state, m))
        .chain(commission::deadlines(state))
        .chain(application::deadlines(state))
        .min_by_key(|d| d.left_ms(now))
}

/// In how many ms a maintenance counts as forgotten, and the state wants a [`crate::Input::Tick`].
pub fn maintenance_left_ms(state: &State, now: &Now) -> Option<u64> {
    let left = state.maintenance.values();
    left.filter_map(|maintenance| maintenance.left_ms(now))
        .min()
}

fn machine_deadline<'a>(state: &State, machine: &'a Machine) -> Option<&'a Deadline> {
    if machine.blocked.is_some() {
        return None;
    }
    if let Some(ask) = &machine.ask {
        // Nothing is under way and nobody is there to answer: wait for its birth instead.
        let idle = machine.session.is_none() && machine.motion.is_none();
        let there = state.has_dispenser_online(machine);
        return (!idle || there).then_some(&ask.deadline);
    }
    if let Some(motion) = &machine.motion {
        return Some(&motion.deadline);
    }
    let Some(session) = &machine.session else {
        // A dispenser that is not there is asked when it comes.
        let due = machine.compare_at.as_ref();
        return due.filter(|_| state.has_dispenser_online(machine));
    };
    match &session.stage {
        Stage::Step(step) => Some(&step.deadline),
        Stage::AtOutlet(deadline) => Some(deadline),
        Stage::Moving => None,
    }
}

//! What each kiosk shows.

use std::collections::BTreeMap;

use schemas::citizen::{MaskedName, NumberTail};
use schemas::event::pickup::Step;
use schemas::ids::{DeviceId, MachineId, SessionId};
use schemas::message::application::ApplicationPrompt;
use schemas::time::Deadline;
use schemas::words::{
    ActOutcome, Hand, MachineReason, Motion, PhotoView, PickupOutcome, PromptCode, Service,
    ServiceReason,
};

use crate::application;
use crate::rules::{KioskRules, Rules};
use crate::state::{Ended, Session, Stage, State, Work};

/// What a kiosk shows: the prompt without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The session, none when idle.
    pub session: Option<SessionId>,
    /// What to show.
    pub code: PromptCode,
    /// The claimant's name, masked.
    pub name: Option<MaskedName>,
    /// Last four characters of the claimant's number.
    pub number_tail: Option<NumberTail>,
    /// Which attempt, from 1.
    pub attempt: Option<u16>,
    /// When this step ends.
    pub deadline: Option<Deadline>,
    /// How the session ended.
    pub outcome: Option<PickupOutcome>,
    /// Why the station is out of service.
    pub reasons: Vec<ServiceReason>,
    /// Why the machine or the kiosk hands out no cards, where the station is in service.
    pub machine_reason: Option<MachineReason>,
    /// What can be begun here now.
    pub services: Vec<Service>,
    /// The event that the citizen gets a slip about.
    pub slip: Option<u64>,
    /// What there is to say of an application.
    pub application: Option<Box<ApplicationPrompt>>,
}

impl View {
    /// Whether it says how the last session of the kiosk ended.
    pub fn is_of_the_last(&self) -> bool {
        matches!(self.code, PromptCode::Done | PromptCode::Ended)
            || self.code == PromptCode::OutOfService && self.session.is_some()
    }

    /// What the kiosk shows when that concerns nobody any more.
    #[must_use]
    pub fn waiting(&self) -> Self {
        let code = if self.services.is_empty() {
            PromptCode::OutOfService
        } else {
            PromptCode::Idle
        };
        Self {
            reasons: self.reasons.clone(),
            machine_reason: self.machine_reason,
            services: self.services.clone(),
            ..Self::bare(code)
        }
    }

    /// Nothing but this code.
    pub const fn bare(code: PromptCode) -> Self {
        Self {
            session: None,
            code,
            name: None,
            number_tail: None,
            attempt: None,
            deadline: None,
            outcome: None,
            reasons: Vec::new(),
            machine_reason: None,
            services: Vec::new(),
            slip: None,
            application: None,
        }
    }
}

/// The view of each kiosk of the configuration.
pub fn views(state: &State, rules: &Rules) -> BTreeMap<DeviceId, View> {
    rules
        .kiosks
        .iter()
        .map(|(kiosk, own)| (kiosk.clone(), view(state, rules, kiosk, own)))
        .collect()
}

fn view(state: &State, rules: &Rules, kiosk: &DeviceId, own: &KioskRules) -> View {
    if let Some((machine, session)) = state.session_at(kiosk) {
        let motion = state
            .machines
            .get(machine)
            .and_then(|m| m.motion.as_ref())
            .map(|m| m.motion);
        return open(state, session, motion);
    }
    if let Some(application) = state.applications.open.get(kiosk) {
        return application::open(application);
    }
    let reasons: Vec<_> = state.reasons.iter().copied().collect();
    let machine_reason = state.machine_reason(rules, &own.machine, kiosk);
    let services = services(state, rules, kiosk, &own.machine);
    let view = between(state, kiosk);
    View {
        code: if services.is_empty() {
            PromptCode::OutOfService
        } else {
            view.code
        },
        machine_reason: machine_reason.filter(|_| reasons.is_empty()),
        reasons,
        services,
        ..view
    }
}

/// What is not suspended. A machine that waits for its operator hands out no cards, and needs none for an application.
fn services(state: &State, rules: &Rules, kiosk: &DeviceId, machine: &MachineId) -> Vec<Service> {
    let suspended = !state.reasons.is_empty()
        || state.machine_reason(rules, machine, kiosk).is_some()
        || state.waits_for_operator(machine);
    let pickup = (!suspended).then_some(Service::Pickup);
    let applications = state.applications_from(rules, kiosk);
    let application = applications.is_ok().then_some(Service::Application);
    pickup.into_iter().chain(application).collect()
}

/// What a kiosk shows at which nobody is served: how it ended for the last one, until the next begins. For how long it is told
/// so its prompts say (ADR 45).
fn between(state: &State, kiosk: &DeviceId) -> View {
    match state.last.get(kiosk) {
        None => match state.applications.last.get(kiosk) {
            Some(ended) => application::ended(ended),
            None => View::bare(PromptCode::Idle),
        },
        Some((session, Ended::Pickup { outcome, taken })) => View {
            session: Some(session.clone()),
            outcome: Some(*outcome),
            slip: *taken,
            ..View::bare(end_code(*outcome == PickupOutcome::Collected))
        },
        Some((session, Ended::Act(outcome))) => View {
            session: Some(session.clone()),
            ..View::bare(end_code(*outcome == ActOutcome::Done))
        },
    }
}

pub(crate) const fn end_code(done: bool) -> PromptCode {
    if done {
        PromptCode::Done
    } else {
        PromptCode::Ended
    }
}

fn open(state: &State, session: &Session, motion: Option<Motion>) -> View {
    let (code, attempt, deadline) = match (&session.work, &session.stage) {
        (_, Stage::AtOutlet(deadline)) => (PromptCode::TakeCard, None, Some(deadline)),
        (Work::Act { .. }, Stage::Moving | Stage::Step(_)) => (PromptCode::OperatorAct, None, None),
        (Work::Pickup(pickup), Stage::Step(_) | Stage::Moving) if pickup.ending.is_some() => {
            (PromptCode::TakingBack, None, None)
        }
        (Work::Pickup(_), Stage::Step(step)) => {
            let (code, attempt) = step_code(step.step);
            (code, attempt, step.citizen.as_ref())
        }
        (Work::Pickup(_), Stage::Moving) => (moving_code(motion), None, None),
    };
    let announced = session
        .card
        .as_ref()
        .and_then(|c| state.cards.get(c))
        .and_then(|c| c.announced.as_ref());
    let shown = announced.filter(|_| matches!(session.work, Work::Pickup(_)));
    View {
        session: Some(session.id.clone()),
        name: shown.map(|a| a.name.clone()),
        number_tail: shown.map(|a| a.number_tail.clone()),
        attempt,
        deadline: deadline.cloned(),
        ..View::bare(code)
    }
}

const fn step_code(step: Step) -> (PromptCode, Option<u16>) {
    match step {
        Step::ReadChip => (PromptCode::Fetching, None),
        Step::ReadAgain => (PromptCode::TakingBack, None),
        Step::CompareFinger {
            hand: Hand::Right,
            attempt,
        } => (PromptCode::RightFinger, Some(attempt)),
        Step::CompareFinger {
            hand: Hand::Left,
            attempt,
        } => (PromptCode::LeftFinger, Some(attempt)),
        Step::TakePhoto {
            view: PhotoView::RightHand,
        } => (PromptCode::RightFinger, None),
        Step::TakePhoto {
            view: PhotoView::LeftHand,
        } => (PromptCode::LeftFinger, None),
        Step::TakePhoto {
            view: PhotoView::Frontal | PhotoView::Panoramic,
        } => (PromptCode::LookAtCamera, None),
        Step::ReadOldCard { attempt } => (PromptCode::OldCard, Some(attempt)),
    }
}

const fn moving_code(motion: Option<Motion>) -> PromptCode {
    match motion {
        Some(Motion::Present { .. }) => PromptCode::Presenting,
        Some(Motion::TakeOldCard) => PromptCode::OldCardTaken,
        Some(Motion::Retract | Motion::ToSlot { .. } | Motion::Reject) => PromptCode::TakingBack,
        Some(
            Motion::ToReader { .. }
            | Motion::Load { .. }
            | Motion::Dispense { .. }
            | Motion::Inventory,
        )
        | None => PromptCode::Fetching,
    }
}

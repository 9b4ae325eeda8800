//! All the rules. A decision is drafted event by event, each applied to a small copy of the state, so
//! that the next rule sees it and nothing is decided that cannot be applied.

mod act_motion;
mod acts;
mod batches;
mod draft;
mod lifecycle;
mod motion;
mod pickup;
mod requests;
mod sensors;
mod steps;

use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::time::Now;
use schemas::words::RefusalReason;

use crate::input::Input;
use crate::rules::Rules;
use crate::state::State;
use draft::Draft;

/// What follows from an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The facts, in order. Empty only with [`Outcome::Unchanged`].
    pub events: Vec<Event>,
    /// What the sender is told.
    pub outcome: Outcome,
}

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done or begun; with the session it opened or belongs to.
    Accepted(Option<SessionId>),
    /// The rules said no: a recorded fact.
    Refused(RefusalReason),
    /// Nothing changed, nothing is recorded: acknowledged at once.
    Unchanged,
}

/// Decides what follows from `input` at `now`. Changes nothing.
pub fn decide(state: &State, rules: &Rules, input: &Input, now: &Now) -> Decision {
    let mut draft = Draft::new(state, rules, now);
    let outcome = match input {
        Input::Started { software, instance } => {
            lifecycle::started(&mut draft, software, instance);
            Outcome::Accepted(None)
        }
        Input::Tick => {
            lifecycle::tick(&mut draft);
            Outcome::Accepted(None)
        }
        Input::Room { low } => {
            lifecycle::room(&mut draft, *low);
            Outcome::Accepted(None)
        }
        Input::Life {
            device,
            presence,
            boot,
            witness,
        } => {
            lifecycle::life(&mut draft, device, presence, boot, *witness);
            Outcome::Accepted(None)
        }
        Input::Status {
            device,
            status,
            detail,
        } => {
            lifecycle::status(&mut draft, device, *status, detail.as_deref());
            Outcome::Accepted(None)
        }
        Input::Report { device, report } => {
            steps::report(&mut draft, device, report);
            Outcome::Accepted(None)
        }
        Input::Reply {
            device,
            command,
            reply,
        } => {
            steps::reply(&mut draft, device, command, reply);
            Outcome::Accepted(None)
        }
        Input::Request {
            kiosk,
            deadline_ms,
            request,
        } => requests::request(&mut draft, kiosk, *deadline_ms, request),
        Input::OperatorRejected {
            device,
            request,
            operator,
            attempts,
            locked,
        } => lifecycle::operator_rejected(
            &mut draft,
            device,
            request,
            operator.as_ref(),
            *attempts,
            *locked,
        ),
    };
    let events = draft.into_events();
    let outcome = if events.is_empty() {
        Outcome::Unchanged
    } else {
        outcome
    };
    Decision { events, outcome }
}

//! All the rules. A decision is drafted event by event, each applied to a small copy of the state, so
//! that the next rule sees it and nothing is decided that cannot be applied.

mod act_motion;
mod acts;
mod application;
mod batches;
mod centre;
mod commission;
mod draft;
mod erasure;
mod lifecycle;
mod motion;
mod payment;
mod peripherals;
mod pickup;
mod registry;
mod requests;
mod sensors;
mod slots;
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
    /// The facts, in order. Empty only with [`Outcome::Unchanged`], and where what was asked at the gateway's own machine is refused.
    pub events: Vec<Event>,
    /// What the sender is told.
    pub outcome: Outcome,
}

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done or begun; with the session it opened or belongs to.
    Accepted(Option<SessionId>),
    /// The rules said no: a recorded fact where a device asked.
    Refused(RefusalReason),
    /// Nothing changed, nothing is recorded: acknowledged at once.
    Unchanged,
}

/// Decides what follows from `input` at `now`. Changes nothing.
#[allow(clippy::too_many_lines, reason = "one arm for each input")]
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
        Input::DismissWitness { approvers } => {
            lifecycle::dismiss_witness(&mut draft, approvers);
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
        Input::Registry(input) => registry::input(&mut draft, input),
        Input::Peripheral { device, report } => peripherals::report(&mut draft, device, report),
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
        Input::Commission { .. } | Input::Exercise { .. } | Input::Commissioned(_) => {
            commission::input(&mut draft, input)
        }
        Input::PapersMade(papers) => {
            application::papers_made(&mut draft, papers);
            Outcome::Accepted(None)
        }
        Input::Erase {
            session,
            known,
            has_keys,
        } => erasure::erase(&mut draft, session, *known, *has_keys),
        Input::Window(input) => application::at_window(&mut draft, input),
        Input::Erased {
            session,
            keys,
            centre_asked,
        } => {
            erasure::erased(&mut draft, session, keys, *centre_asked);
            Outcome::Accepted(None)
        }
        Input::LookupKeyMade { key, before } => {
            erasure::lookup_key_made(&mut draft, key, before);
            Outcome::Accepted(None)
        }
        Input::Instructed(instructed) => {
            centre::instructed(&mut draft, instructed);
            Outcome::Accepted(None)
        }
        Input::CentreHeard { read_ms } => {
            payment::heard(&mut draft, *read_ms);
            Outcome::Accepted(None)
        }
        Input::Contradicted(found) => {
            centre::contradicted(&mut draft, found);
            Outcome::Accepted(None)
        }
        Input::LookupKeyDestroyed { key } => {
            erasure::lookup_key_destroyed(&mut draft, key);
            Outcome::Accepted(None)
        }
    };
    application::wake(&mut draft);
    let events = draft.into_events();
    let outcome = match outcome {
        Outcome::Accepted(_) if events.is_empty() => Outcome::Unchanged,
        outcome @ (Outcome::Accepted(_) | Outcome::Refused(_) | Outcome::Unchanged) => outcome,
    };
    Decision { events, outcome }
}

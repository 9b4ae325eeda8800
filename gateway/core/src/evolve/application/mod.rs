//! Applications: what the citizen entered, what devices and the centre said of it, how it ended.

mod ended;
mod given;
mod person;
mod steps;

use schemas::event::Event;
use schemas::ids::SessionId;

use super::{Recorded, fee, printed};
use crate::application::{Application, Notice};
use crate::state::State;
pub(super) use ended::issued;
use ended::{accepted, compensated, ended, lapsed, ticketed};
use given::{closing, pictures, reach};
use person::person;
use steps::{give_up, started, stepped};

/// Applies an event of an application; another one changes nothing here.
pub(super) fn apply(state: &mut State, recorded: Recorded<'_>) {
    person(state, recorded.event);
    pictures(state, recorded.event);
    reach(state, recorded);
    closing(state, recorded.event);
    fee::apply(state, recorded);
    session(state, recorded);
}

pub(super) fn of<'a>(state: &'a mut State, session: &SessionId) -> Option<&'a mut Application> {
    let mut open = state.applications.open.values_mut();
    open.find(|application| application.id == *session)
}

fn session(state: &mut State, recorded: Recorded<'_>) {
    let event = recorded.event;
    if let Event::ApplicationStarted(b) = event {
        started(state, recorded, b);
    } else if let Event::ApplicationStepped(b) = event {
        stepped(state, recorded, b);
    } else if let Event::ApplicationLanguageChosen(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.language = b.language;
        }
    } else if let Event::ApplicationSteppedBack(b) = event {
        if let Some(a) = of(state, &b.session) {
            give_up(a, b.to);
            // Why the citizen chooses again is still to be said.
            a.notice = Notice {
                payment: b.payment_fault.or(a.notice.payment),
                ..Notice::default()
            };
        }
    } else if let Event::ApplicationRefused(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.verdict.refusal = Some((b.reason, b.opens, b.closes));
        }
    } else if let Event::WindowTicketIssued(b) = event {
        ticketed(state, recorded, b);
    } else if let Event::ApplicationAccepted(b) = event {
        accepted(state, recorded, b);
    } else if let Event::ApplicationEnded(b) = event {
        ended(state, b);
    } else if let Event::ApplicationConfirmed(b) = event {
        state.acceptances.remove(&b.session);
        if let Some(numbers) = &b.printed {
            printed::renumbered(state, numbers);
        }
    } else if let Event::ApplicationCompensated(b) = event {
        compensated(state, recorded, b);
    } else if let Event::ApplicationLapsed(b) = event {
        lapsed(state, &b.session);
    } else if let Event::WindowTicketClosed(b) = event {
        state.tickets.remove(&b.session);
    } else if let Event::AcceptancesCarriedOver(b) = event {
        state.applications.place = Some(b.place);
        for numbers in &b.printed {
            printed::renumbered(state, numbers);
        }
    }
}

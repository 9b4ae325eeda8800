//! What becomes of window tickets (A15): an officer opens and closes them, or nobody comes and they lapse.

use schemas::event::application::{WindowTicketClosed, WindowTicketOpened};
use schemas::ids::{SessionId, TicketNumber};
use schemas::words::RefusalReason;
use schemas::words::application::{WindowReason, WindowResult};

use super::super::Outcome;
use super::super::draft::Draft;
use crate::input::WindowInput;

/// An officer at the station. A refusal is no fact: nobody but the asker at the machine is concerned.
pub(in crate::decide) fn at_window(draft: &mut Draft<'_>, input: &WindowInput) -> Outcome {
    let ticket = match input {
        WindowInput::Open { ticket, .. } | WindowInput::Close { ticket, .. } => ticket,
    };
    let session = match open(draft, ticket) {
        Ok(session) => session,
        Err(reason) => return Outcome::Refused(reason),
    };
    if let WindowInput::Close { result, .. } = input
        && let Some(ticket) = draft.base.tickets.get(&session)
        && !ticket.can_end(*result)
    {
        return Outcome::Refused(RefusalReason::NotAChoice);
    }
    match input {
        WindowInput::Open {
            operator,
            ticket,
            key,
        } => draft.push(WindowTicketOpened {
            session: session.clone(),
            ticket: ticket.clone(),
            by: operator.clone(),
            key: key.clone(),
        }),
        WindowInput::Close {
            operator,
            ticket,
            result,
        } => draft.push(WindowTicketClosed {
            session: session.clone(),
            ticket: ticket.clone(),
            result: *result,
            by: Some(operator.clone()),
        }),
    }
    Outcome::Accepted(Some(session))
}

/// The session of a ticket that is open.
fn open(draft: &Draft<'_>, number: &TicketNumber) -> Result<SessionId, RefusalReason> {
    // Not of what is copied into a draft: one decision sees to one ticket.
    let state = draft.base;
    let mut tickets = state.tickets.iter();
    if let Some((session, _)) = tickets.find(|(_, ticket)| ticket.number == *number) {
        return Ok(session.clone());
    }
    let issued = 1..=state.applications.tickets;
    let was_issued = number
        .place()
        .is_some_and(|(of, place)| of == state.incarnation() && issued.contains(&place));
    Err(if was_issued {
        RefusalReason::TicketClosed
    } else {
        RefusalReason::TicketUnknown
    })
}

/// What has lapsed needs no papers, so their ticket is closed.
pub(in crate::decide) fn needs_no_papers(draft: &mut Draft<'_>, session: &SessionId) {
    let ticket = draft.base.tickets.get(session);
    let of_papers = Some(WindowReason::PapersNotHandedOut);
    if let Some(ticket) = ticket.filter(|ticket| ticket.reason == of_papers) {
        draft.push(WindowTicketClosed {
            session: session.clone(),
            ticket: ticket.number.clone(),
            result: WindowResult::Lapsed,
            by: None,
        });
    }
}

/// Nobody closed them in the time that they are held: the state does not keep them for ever.
pub(in crate::decide) fn lapse(draft: &mut Draft<'_>) {
    let (state, now) = (draft.base, draft.now);
    for (session, ticket) in &state.tickets {
        if ticket.left_ms(now) == Some(0) {
            draft.push(WindowTicketClosed {
                session: session.clone(),
                ticket: ticket.number.clone(),
                result: WindowResult::Lapsed,
                by: None,
            });
        }
    }
}

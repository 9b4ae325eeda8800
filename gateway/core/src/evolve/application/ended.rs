//! How a session ends, and what stays of it.

use schemas::event::application::{
    ApplicationAccepted, ApplicationCompensated, ApplicationEnded, WindowTicketIssued,
};
use schemas::ids::SessionId;
use schemas::words::application::{ApplicationOutcome, WindowReason};

use super::super::{Recorded, papers};
use super::of;
use crate::application::{Acceptance, EndedApplication, OwedPapers, Ticket, papers_begin};
use crate::state::State;

pub(super) fn ticketed(state: &mut State, recorded: Recorded<'_>, b: &WindowTicketIssued) {
    let ticket = Ticket::new(b.ticket.clone(), b.reason, recorded.now).held(b.held_h);
    let ticket = Ticket {
        kind: b.entered.kind,
        entered: Some(recorded.index),
        ..ticket
    };
    issued(state, &b.session, ticket);
    if let Some(a) = of(state, &b.session) {
        a.verdict.ticket = Some((b.ticket.clone(), b.reason));
    }
}

/// Who has a ticket keeps its number when it is issued for another reason.
pub(in crate::evolve) fn issued(state: &mut State, session: &SessionId, ticket: Ticket) {
    let count = &mut state.applications.tickets;
    let held = state.tickets.get(session);
    if held.is_none_or(|held| held.number != ticket.number) {
        *count = count.saturating_add(1);
    }
    state.tickets.insert(session.clone(), ticket);
}

pub(super) fn accepted(state: &mut State, recorded: Recorded<'_>, b: &ApplicationAccepted) {
    state.applications.place = Some(b.place);
    let mut tags = Vec::new();
    if let Some(a) = of(state, &b.session) {
        a.verdict.accepted = Some((b.place, b.provisional.clone()));
        tags = a.person.as_ref().map_or(tags, |p| p.tags.clone());
    }
    let acceptance = Acceptance {
        index: Some(recorded.index),
        kind: b.entered.kind,
        tags,
        kiosk: b.kiosk.clone(),
        site: b.site.clone(),
        place: b.place,
        phone: b.entered.phone.clone(),
        order: b.order.clone(),
        papers: b.papers.clone(),
    };
    state.acceptances.insert(b.session.clone(), acceptance);
}

pub(super) fn ended(state: &mut State, b: &ApplicationEnded) {
    let applications = &mut state.applications;
    let Some(a) = applications.open.remove(&b.kiosk) else {
        return;
    };
    // The checks of a portrait are of interest where there was no other attempt.
    let is_of_portrait = matches!(a.verdict.ticket, Some((_, WindowReason::PortraitFailed)));
    let failed_checks = is_of_portrait.then(|| a.notice.failed_checks.clone());
    // Whoever did not choose again pays as they chose last.
    let ordered = a.order.as_ref();
    let ordered = ordered.and_then(|order| state.payments.orders.get(order));
    let way = a.way.or_else(|| ordered.map(|order| order.way));
    let ended = EndedApplication {
        failed_checks: failed_checks.unwrap_or_default(),
        fee: a.fee(),
        papers: papers_begin(b.outcome),
        handed_out: None,
        handed_out_since: None,
        kind: a.entered.kind,
        session: a.id,
        outcome: b.outcome,
        language: a.language,
        site: a.site,
        verdict: a.verdict,
        order: a.order,
        way,
        paid: a.paid,
    };
    let acceptance = state.acceptances.get(&b.session);
    if let Some(owed) = acceptance.and_then(OwedPapers::of) {
        applications.owed.insert(b.session.clone(), owed);
    }
    applications.last.insert(b.kiosk.clone(), ended);
}

/// Nothing of it is open any more. Its kiosk says so, if nobody was there since.
pub(super) fn lapsed(state: &mut State, session: &SessionId) {
    state.acceptances.remove(session);
    papers::withdrawn(state, session);
    let mut last = state.applications.last.values_mut();
    if let Some(ended) = last.find(|ended| ended.session == *session) {
        ended.outcome = ApplicationOutcome::NotPaid;
        ended.papers = None;
    }
}

pub(super) fn compensated(state: &mut State, recorded: Recorded<'_>, b: &ApplicationCompensated) {
    let acceptance = state.acceptances.remove(&b.session);
    papers::withdrawn(state, &b.session);
    let reason = WindowReason::ReviewRejected;
    let ticket = Ticket::new(b.ticket.clone(), reason, recorded.now).held(b.held_h);
    let ticket = Ticket {
        kind: acceptance.as_ref().and_then(|a| a.kind),
        entered: acceptance.and_then(|a| a.index),
        ..ticket
    };
    issued(state, &b.session, ticket);
}

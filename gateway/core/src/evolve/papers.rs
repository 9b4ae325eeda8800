//! How the papers of the sessions that ended stand.

use schemas::event::paper::{PapersIssued, PapersNotHandedOut};
use schemas::words::application::WindowReason;
use schemas::words::paper::PaperState;

use super::{Recorded, application};
use crate::application::Ticket;
use crate::state::State;

/// They were made, or some of them.
pub(super) fn issued(state: &mut State, b: &PapersIssued) {
    let applications = &mut state.applications;
    let owed = applications.owed.remove(&b.session);
    let shown = applications.last.get_mut(&b.kiosk);
    if let Some(ended) = shown.filter(|ended| ended.session == b.session) {
        if b.missing.is_empty() {
            ended.papers = Some(PaperState::Issued);
            ended.handed_out = owed;
        } else {
            ended.papers = Some(PaperState::Incomplete);
        }
    }
}

/// A ticket is there for them.
pub(super) fn not_handed_out(state: &mut State, recorded: Recorded<'_>, b: &PapersNotHandedOut) {
    let applications = &mut state.applications;
    let owed = applications.owed.remove(&b.session);
    let reason = WindowReason::PapersNotHandedOut;
    let shown = applications.last.get_mut(&b.kiosk);
    let mut handed_out = None;
    if let Some(ended) = shown.filter(|ended| ended.session == b.session) {
        ended.papers = Some(PaperState::Incomplete);
        ended.verdict.ticket = Some((b.ticket.clone(), reason));
        handed_out = ended.handed_out.take();
    }
    let acceptance = state.acceptances.get(&b.session);
    let of_papers = owed.or(handed_out).map(|owed| (owed.kind, owed.entered));
    let (kind, entered) = of_papers
        .or_else(|| acceptance.map(|a| (a.kind, a.index)))
        .unwrap_or_default();
    let ticket = Ticket::new(b.ticket.clone(), reason, recorded.now).held(b.held_h);
    let ticket = Ticket {
        kind,
        entered,
        ..ticket
    };
    application::issued(state, &b.session, ticket);
}

/// A new life: what papers are made of was held in memory, and is gone.
pub(super) fn lost(state: &mut State) {
    state.applications.owed.clear();
    for ended in state.applications.last.values_mut() {
        if ended.papers == Some(PaperState::Printing) {
            ended.papers = Some(PaperState::Incomplete);
        }
    }
}

//! How the papers of the sessions that ended stand.

use schemas::event::paper::{PapersIssued, PapersNotHandedOut};
use schemas::ids::SessionId;
use schemas::words::application::WindowReason;
use schemas::words::paper::PaperState;

use super::{Recorded, application};
use crate::application::Ticket;
use crate::device::Moment;
use crate::state::State;

/// They were made, or some of them.
pub(super) fn issued(state: &mut State, recorded: Recorded<'_>, b: &PapersIssued) {
    let applications = &mut state.applications;
    let owed = applications.owed.remove(&b.session);
    let shown = applications.last.get_mut(&b.kiosk);
    if let Some(ended) = shown.filter(|ended| ended.session == b.session) {
        if b.missing.is_empty() {
            ended.papers = Some(PaperState::Issued);
            ended.handed_out = owed;
            ended.handed_out_since = Some(Moment::of(recorded.now));
        } else {
            ended.papers = Some(PaperState::Incomplete);
        }
    }
}

/// A ticket is there for them.
pub(super) fn not_handed_out(state: &mut State, recorded: Recorded<'_>, b: &PapersNotHandedOut) {
    let applications = &mut state.applications;
    applications.owed.remove(&b.session);
    let reason = WindowReason::PapersNotHandedOut;
    let shown = applications.last.get_mut(&b.kiosk);
    if let Some(ended) = shown.filter(|ended| ended.session == b.session) {
        ended.papers = Some(PaperState::Incomplete);
        ended.verdict.ticket = Some((b.ticket.clone(), reason));
        ended.handed_out = None;
    }
    // The acceptance may have been confirmed before, and is not kept since then.
    let ticket = Ticket::new(b.ticket.clone(), reason, recorded.now).held(b.held_h);
    let ticket = Ticket {
        kind: b.kind,
        entered: b.entered,
        ..ticket
    };
    application::issued(state, &b.session, ticket);
}

/// The session is rejected, has lapsed, or is erased: nothing of its papers is made or asked for any more. What was issued was issued.
pub(super) fn withdrawn(state: &mut State, session: &SessionId) {
    let applications = &mut state.applications;
    applications.owed.remove(session);
    let mut last = applications.last.values_mut();
    if let Some(ended) = last.find(|ended| ended.session == *session) {
        ended.handed_out = None;
        ended.papers = ended
            .papers
            .filter(|papers| *papers != PaperState::Printing);
    }
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

//! How the papers of the sessions that ended stand.

use schemas::event::paper::PapersIssued;
use schemas::words::paper::PaperState;

use crate::state::State;

/// They were made, or some of them.
pub(super) fn issued(state: &mut State, b: &PapersIssued) {
    let shown = state.applications.last.get_mut(&b.kiosk);
    if let Some(ended) = shown.filter(|ended| ended.session == b.session) {
        ended.papers = Some(if b.missing.is_empty() {
            PaperState::Issued
        } else {
            PaperState::Incomplete
        });
    }
}

/// A new life: what papers are made of was held in memory, and is gone.
pub(super) fn lost(state: &mut State) {
    for ended in state.applications.last.values_mut() {
        if ended.papers == Some(PaperState::Printing) {
            ended.papers = Some(PaperState::Incomplete);
        }
    }
}

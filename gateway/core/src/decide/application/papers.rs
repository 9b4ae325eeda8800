//! The papers of a session were made (A13): a fact, while the kiosk still shows how that session ended.

use schemas::event::paper::PapersIssued;
use schemas::words::paper::PaperState;

use super::super::draft::Draft;

/// Papers that came too late are given to nobody: somebody else may stand at the kiosk by then.
pub(in crate::decide) fn made(draft: &mut Draft<'_>, papers: &PapersIssued) {
    let shown = draft.state().applications.last.get(&papers.kiosk);
    let is_due = shown.is_some_and(|ended| {
        ended.session == papers.session && ended.papers == Some(PaperState::Printing)
    });
    if is_due {
        draft.push(papers.clone());
    }
}

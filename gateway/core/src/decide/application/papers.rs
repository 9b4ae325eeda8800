//! The papers of a session (A13): made, while the kiosk still shows how that session ended; or not handed out, whatever the cause. Then
//! the acceptance gets a ticket, once, and the citizen need not start over (A15).

use schemas::event::paper::{MissingPaper, PapersIssued, PapersNotHandedOut};
use schemas::ids::{DeviceId, SessionId};
use schemas::words::RefusalReason;
use schemas::words::paper::{PaperFault, PaperState};

use super::super::draft::Draft;
use super::window;
use crate::application::OwedPapers;

/// Papers that came too late are given to nobody: somebody else may stand at the kiosk by then.
pub(in crate::decide) fn made(draft: &mut Draft<'_>, papers: &PapersIssued) {
    let applications = &draft.state().applications;
    let shown = applications.last.get(&papers.kiosk);
    let is_due = shown.is_some_and(|ended| {
        ended.session == papers.session && ended.papers == Some(PaperState::Printing)
    });
    let owed = applications.owed.get(&papers.session).cloned();
    if is_due {
        draft.push(papers.clone());
    }
    let Some(owed) = owed else { return };
    let missing = if is_due {
        papers.missing.clone()
    } else {
        owed.all_missing(PaperFault::TooLate)
    };
    not_handed_out(draft, &papers.session, &owed, missing);
}

/// A new life: what papers are made of was held in memory.
pub(in crate::decide) fn lost(draft: &mut Draft<'_>) {
    // As it was before the start was recorded.
    let before = draft.base;
    for (session, owed) in &before.applications.owed {
        let missing = owed.all_missing(PaperFault::NotHeld);
        not_handed_out(draft, session, owed, missing);
    }
}

/// The kiosk asks for papers that are not here any more. If the log says that they went to it just now, it has not got them.
pub(in crate::decide) fn asked(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    session: &SessionId,
) -> RefusalReason {
    let shown = draft.state().applications.last.get(kiosk);
    let shown = shown.filter(|ended| ended.session == *session);
    let owed = shown.and_then(|ended| ended.handed_out_by(draft.now).cloned());
    // One that the centre rejected meanwhile has a ticket, and needs no papers.
    let owed = owed.filter(|_| !draft.base.tickets.contains_key(session));
    if let Some(owed) = owed {
        let missing = owed.all_missing(PaperFault::NotHeld);
        not_handed_out(draft, session, &owed, missing);
    }
    RefusalReason::PapersGone
}

fn not_handed_out(
    draft: &mut Draft<'_>,
    session: &SessionId,
    owed: &OwedPapers,
    missing: Vec<MissingPaper>,
) {
    if missing.is_empty() {
        return;
    }
    let ticket = window::ticket_of(draft, session);
    let held_h = window::held_h(draft);
    draft.push(PapersNotHandedOut {
        session: session.clone(),
        kiosk: owed.kiosk.clone(),
        missing,
        ticket,
        held_h,
        kind: owed.kind,
        entered: owed.entered,
        phone: owed.phone.clone(),
    });
}

//! Everything is there: the application is accepted and gets its number (A13), for good or until the centre has spoken (A17).

use schemas::acceptance::{DailyPlace, DayIsFull};
use schemas::civil::CivilDate;
use schemas::event::application::ApplicationAccepted;
use schemas::ids::DeviceId;
use schemas::time::ClockTrust;
use schemas::words::application::{ApplicationKind, ApplicationOutcome, WindowReason};

use super::super::draft::Draft;
use super::session::end;
use super::{at, window};

/// Accepts.
pub(super) fn submit(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let place = match next_place(draft) {
        Ok(place) => place,
        Err(reason) => return window::send(draft, kiosk, reason),
    };
    let trusted = draft.now.trust == ClockTrust::Synchronised;
    let Some(a) = at(draft, kiosk) else { return };
    let Some(reason) = a.entered.kind.and_then(ApplicationKind::reason) else {
        return;
    };
    let provisional = a.provisional(trusted);
    let outcome = if provisional.is_empty() {
        ApplicationOutcome::Accepted
    } else {
        ApplicationOutcome::Provisional
    };
    let accepted = ApplicationAccepted {
        session: a.id.clone(),
        kiosk: kiosk.clone(),
        site: a.site.clone(),
        place,
        reason: reason.code(),
        provisional,
        order: a.order.clone(),
        term: draft
            .rules
            .application
            .as_ref()
            .map(|rules| rules.term)
            .filter(|_| a.order.is_some() && !a.paid),
        papers: a.papers(),
        entered: Box::new(a.entered.clone()),
    };
    draft.push(accepted);
    end(draft, kiosk, outcome);
}

/// Where the next number stands, or why the citizen goes to the window. A clock that is not believed opens no new day, and not the
/// first one either: one that runs years ahead would else count there for ever.
pub(super) fn next_place(draft: &Draft<'_>) -> Result<DailyPlace, WindowReason> {
    let newest = draft.state().applications.place;
    let today = match (draft.now.trust, newest) {
        (ClockTrust::Synchronised, _) => CivilDate::in_china(draft.now.wall_ms),
        (ClockTrust::Unsynchronised, Some(newest)) => newest.date,
        (ClockTrust::Unsynchronised, None) => return Err(WindowReason::ClockNotTrusted),
    };
    DailyPlace::next(newest, today).map_err(|DayIsFull { .. }| WindowReason::NumbersExhausted)
}

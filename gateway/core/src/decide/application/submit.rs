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
    let Ok(place) = next_place(draft) else {
        return window::send(draft, kiosk, WindowReason::NumbersExhausted);
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
        entered: Box::new(a.entered.clone()),
    };
    draft.push(accepted);
    end(draft, kiosk, outcome);
}

/// Where the next number stands. A clock that is not believed opens no new day: one that runs years ahead would else count there for
/// ever.
fn next_place(draft: &Draft<'_>) -> Result<DailyPlace, DayIsFull> {
    let newest = draft.state().applications.place;
    let today = CivilDate::in_china(draft.now.wall_ms);
    let today = match newest {
        Some(newest) if draft.now.trust == ClockTrust::Unsynchronised => newest.date,
        Some(_) | None => today,
    };
    DailyPlace::next(newest, today)
}

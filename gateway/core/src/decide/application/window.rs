//! To the window, with a ticket that holds all that was entered (A9, A15).

use schemas::event::application::WindowTicketIssued;
use schemas::ids::{DeviceId, SessionId, TicketNumber};
use schemas::words::application::{ApplicationOutcome, WindowReason};

use super::super::draft::Draft;
use super::at;
use super::session::end;

/// Issues the ticket and ends the session.
pub(super) fn send(draft: &mut Draft<'_>, kiosk: &DeviceId, reason: WindowReason) {
    let (ticket, held_h) = (next_ticket(draft), held_h(draft));
    let Some(a) = at(draft, kiosk) else { return };
    let issued = WindowTicketIssued {
        session: a.id.clone(),
        kiosk: kiosk.clone(),
        ticket,
        reason,
        held_h,
        entered: Box::new(a.entered.clone()),
    };
    draft.push(issued);
    end(draft, kiosk, ApplicationOutcome::Window);
}

/// The ticket that an application has, or the next one: who has a number keeps it.
pub(super) fn ticket_of(draft: &Draft<'_>, session: &SessionId) -> TicketNumber {
    let held = draft.base.tickets.get(session);
    held.map_or_else(|| next_ticket(draft), |ticket| ticket.number.clone())
}

/// The next ticket of this log.
pub(super) fn next_ticket(draft: &Draft<'_>) -> TicketNumber {
    let state = draft.state();
    let number = state.applications.tickets.saturating_add(1);
    TicketNumber::of(state.incarnation(), number)
}

/// How long a ticket is held now.
pub(super) fn held_h(draft: &Draft<'_>) -> Option<u16> {
    let rules = draft.rules.application.as_ref();
    rules.map(|rules| rules.ticket_held_h)
}

/// A device failed in the middle.
pub(super) fn device_failed(draft: &mut Draft<'_>, kiosk: &DeviceId, reason: WindowReason) {
    send_known(draft, kiosk, reason, ApplicationOutcome::DeviceFailed);
}

/// A device served others all the time that it was waited for.
pub(super) fn device_busy(draft: &mut Draft<'_>, kiosk: &DeviceId) {
    let reason = WindowReason::DeviceBusy;
    send_known(draft, kiosk, reason, ApplicationOutcome::TimedOut);
}

/// What was entered is not lost. Before anything was, there is nothing to keep, and the session ends as `otherwise` says.
fn send_known(
    draft: &mut Draft<'_>,
    kiosk: &DeviceId,
    reason: WindowReason,
    otherwise: ApplicationOutcome,
) {
    let is_known = at(draft, kiosk).is_some_and(|a| a.entered.holder.is_some());
    if is_known {
        send(draft, kiosk, reason);
    } else {
        end(draft, kiosk, otherwise);
    }
}

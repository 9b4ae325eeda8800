//! What officers at the window open of an application (A15) goes when nobody needs it any more.

use futures_util::FutureExt as _;
use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::words::application::ApplicationOutcome as Outcome;

use super::{Errand, Finding};
use crate::sealing::SealingDesk;

/// The application that cannot come to the window after this event.
pub(super) fn over(event: &Event) -> Option<&SessionId> {
    if let Event::ApplicationEnded(ended) = event {
        match ended.outcome {
            // The centre may still reject it; then the citizen comes with a ticket.
            Outcome::Accepted | Outcome::Provisional | Outcome::Window => None,
            Outcome::Refused
            | Outcome::Cancelled
            | Outcome::TimedOut
            | Outcome::DeviceFailed
            | Outcome::Interrupted => Some(&ended.session),
        }
    } else if let Event::ApplicationConfirmed(confirmed) = event {
        Some(&confirmed.session)
    } else if let Event::WindowTicketClosed(closed) = event {
        Some(&closed.session)
    } else {
        None
    }
}

/// What fails is gone on with at the next start.
pub(super) fn clear(sealing: SealingDesk, session: SessionId) -> Errand {
    async move {
        if let Err(error) = sealing.window_is_over(&session).await {
            tracing::warn!(%session, %error, "what the window opens of an application stays until the next start");
        }
        Finding::Nothing
    }
    .boxed()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::event::application::{ApplicationEnded, WindowTicketClosed};
    use schemas::ids::{DeviceId, TicketNumber};
    use schemas::words::application::WindowResult;

    use super::*;

    /// A15, A17: what may still come to the window can be opened there.
    #[test]
    fn only_what_can_come_to_the_window_stays() {
        let session = SessionId::from_index(40);
        for outcome in Outcome::ALL {
            let ended = ApplicationEnded {
                session: session.clone(),
                kiosk: DeviceId::new("kiosk-1").unwrap(),
                outcome: *outcome,
            };
            let may_come = [Outcome::Accepted, Outcome::Provisional, Outcome::Window];
            let stays = over(&ended.into()).is_none();
            assert_eq!(stays, may_come.contains(outcome), "{outcome:?}");
        }
        for result in WindowResult::ALL {
            let closed = WindowTicketClosed {
                session: session.clone(),
                ticket: TicketNumber::of(1, 1),
                result: *result,
                by: None,
            };
            let closed = Event::from(closed);
            assert_eq!(over(&closed), Some(&session), "{result:?}");
        }
    }
}

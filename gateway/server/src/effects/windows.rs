//! What officers at the window open of an application (A15) goes when nobody needs it any more.

use std::collections::BTreeSet;

use futures_util::FutureExt as _;
use gateway_core::State;
use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::time::Now;
use schemas::words::application::ApplicationOutcome as Outcome;

use super::{Errand, Finding};
use crate::sealing::SealingDesk;

/// The applications that cannot come to the window after these events: their part is over, and nothing in the state says otherwise.
pub(crate) fn over(recorded: &[(u64, Event)], state: &State, now: &Now) -> Vec<SessionId> {
    let ended = recorded.iter().filter_map(|(_, event)| part_over(event));
    let over = ended.filter(|session| !state.may_come_to_window(session, now));
    over.cloned().collect()
}

/// The applications that could come to the window because their kiosk could say that its papers never came, as the state last had it.
/// That ends by the clock, or when somebody else begins there, and not with an event of theirs.
#[derive(Debug, Default)]
pub(crate) struct AskedFor(BTreeSet<SessionId>);

impl AskedFor {
    /// As a start finds it: also those whose time ended since the forms were looked through.
    pub(crate) fn of(state: &State) -> Self {
        Self(state.papers_handed_out().cloned().collect())
    }

    /// Those that cannot come to the window any more.
    pub(crate) fn over(&mut self, state: &State, now: &Now) -> Vec<SessionId> {
        let asked_for = state.papers_asked_for(now).cloned().collect();
        let before = std::mem::replace(self, Self(asked_for));
        let over = before.0.into_iter();
        over.filter(|session| !state.may_come_to_window(session, now))
            .collect()
    }
}

/// The application of which something is over with this event that led, or might have led, to the window.
fn part_over(event: &Event) -> Option<&SessionId> {
    if let Event::ApplicationEnded(ended) = event {
        match ended.outcome {
            // The centre may still reject it; then the citizen comes with a ticket.
            Outcome::Accepted | Outcome::Provisional | Outcome::Window => None,
            Outcome::Refused
            | Outcome::Cancelled
            | Outcome::TimedOut
            | Outcome::DeviceFailed
            | Outcome::Interrupted
            | Outcome::NotPaid => Some(&ended.session),
        }
    } else if let Event::ApplicationConfirmed(confirmed) = event {
        Some(&confirmed.session)
    } else if let Event::ApplicationLapsed(lapsed) = event {
        Some(&lapsed.session)
    } else if let Event::WindowTicketClosed(closed) = event {
        Some(&closed.session)
    } else if let Event::PapersIssued(issued) = event {
        Some(&issued.session)
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
    use schemas::event::application::{ApplicationEnded, ApplicationLapsed, WindowTicketClosed};
    use schemas::ids::{DeviceId, OrderId, TicketNumber};
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
            let stays = part_over(&ended.into()).is_none();
            assert_eq!(stays, may_come.contains(outcome), "{outcome:?}");
        }
        let lapsed = ApplicationLapsed {
            session: session.clone(),
            order: OrderId::new("110105001i1e57").unwrap(),
        };
        let lapsed = Event::from(lapsed);
        assert_eq!(part_over(&lapsed), Some(&session));
        for result in WindowResult::ALL {
            let closed = WindowTicketClosed {
                session: session.clone(),
                ticket: TicketNumber::of(1, 1),
                result: *result,
                by: None,
            };
            let closed = Event::from(closed);
            assert_eq!(part_over(&closed), Some(&session), "{result:?}");
        }
    }
}

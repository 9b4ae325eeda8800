//! Window tickets that nobody has closed (A15): what an officer is shown of them, and how long they are held.

use schemas::ids::{OrderId, SessionId, TicketNumber};
use schemas::message::peripheral::Fen;
use schemas::time::Now;
use schemas::words::application::{ApplicationKind, WindowReason, WindowResult};
use serde::{Deserialize, Serialize};

use crate::device::Moment;
use crate::state::State;

/// How long a ticket is held where the event that issued it does not say, in hours.
const HELD_H: u16 = 72;

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub(crate) struct Ticket {
    pub(crate) number: TicketNumber,
    pub(crate) kind: Option<ApplicationKind>,
    pub(crate) reason: Option<WindowReason>,
    /// Index of the event that holds what was entered.
    pub(crate) entered: Option<u64>,
    /// When it was issued; none: a snapshot has it that knew only numbers. Such a ticket does not lapse.
    pub(crate) since: Option<Moment>,
    pub(crate) held_h: u16,
}

impl Ticket {
    pub(crate) fn new(number: TicketNumber, reason: WindowReason, now: &Now) -> Self {
        Self {
            number,
            kind: None,
            reason: Some(reason),
            entered: None,
            since: Some(Moment::of(now)),
            held_h: HELD_H,
        }
    }

    /// For as long as the event says that issued it.
    #[must_use]
    pub(crate) fn held(self, held_h: Option<u16>) -> Self {
        Self {
            held_h: held_h.unwrap_or(self.held_h),
            ..self
        }
    }

    /// Whether this can become of it. Only papers that are missing are handed out, and what is accepted is not judged again.
    pub(crate) const fn can_end(&self, result: WindowResult) -> bool {
        let is_of_papers = matches!(self.reason, Some(WindowReason::PapersNotHandedOut));
        match result {
            WindowResult::Accepted | WindowResult::Refused => !is_of_papers,
            WindowResult::PapersHandedOut => is_of_papers,
            WindowResult::NotCome | WindowResult::Lapsed => true,
        }
    }

    /// How long until it lapses, in ms.
    pub(crate) fn left_ms(&self, now: &Now) -> Option<u64> {
        let held_ms = u64::from(self.held_h) * 3_600_000;
        let since = self.since.as_ref()?;
        Some(held_ms.saturating_sub(since.elapsed_ms(now)))
    }
}

/// As snapshots hold a ticket.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    /// At first.
    Number(TicketNumber),
    Whole {
        number: TicketNumber,
        kind: Option<ApplicationKind>,
        reason: Option<WindowReason>,
        entered: Option<u64>,
        since: Option<Moment>,
        held_h: u16,
    },
}

impl From<Kept> for Ticket {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Number(number) => Self {
                number,
                kind: None,
                reason: None,
                entered: None,
                since: None,
                held_h: HELD_H,
            },
            Kept::Whole {
                number,
                kind,
                reason,
                entered,
                since,
                held_h,
            } => Self {
                number,
                kind,
                reason,
                entered,
                since,
                held_h,
            },
        }
    }
}

/// A ticket that waits for an officer. Nothing of the person is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowTicket {
    /// Its number.
    pub ticket: TicketNumber,
    /// The session of the application.
    pub session: SessionId,
    /// What was applied for, where the citizen had come so far.
    pub kind: Option<ApplicationKind>,
    /// Why the citizen goes to the window.
    pub reason: Option<WindowReason>,
    /// When it was issued, by the station's wall clock, in ms since 1970-01-01 UTC.
    pub issued_ms: Option<u64>,
    /// Index of the event that holds what was entered.
    pub entered: Option<u64>,
    /// The fee, where one was ordered (A12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<TicketFee>,
}

/// How the fee of an application stands that an officer sees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketFee {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount_fen: Fen,
    /// Whether it is paid, and not to be given back.
    pub paid: bool,
}

impl State {
    /// The tickets that wait for an officer, the oldest first.
    pub fn window_tickets(&self) -> Vec<WindowTicket> {
        let mut tickets: Vec<_> = self.tickets.iter().map(|open| self.shown(open)).collect();
        tickets.sort_by_key(|open| open.ticket.place());
        tickets
    }

    /// How many wait.
    pub fn window_tickets_len(&self) -> usize {
        self.tickets.len()
    }

    fn shown(&self, (session, ticket): (&SessionId, &Ticket)) -> WindowTicket {
        WindowTicket {
            ticket: ticket.number.clone(),
            session: session.clone(),
            kind: ticket.kind,
            reason: ticket.reason,
            issued_ms: ticket.since.as_ref().map(|since| since.wall_ms),
            entered: ticket.entered,
            fee: self.fee_of(session),
        }
    }

    fn fee_of(&self, session: &SessionId) -> Option<TicketFee> {
        let mut orders = self.payments.orders.iter();
        let (id, order) = orders.find(|(_, order)| order.session == *session)?;
        Some(TicketFee {
            order: id.clone(),
            amount_fen: order.amount_fen,
            paid: order.kept().is_some(),
        })
    }

    /// Whether an officer at the window may have to open what was entered in a session: it is under way, the centre may still reject it,
    /// its papers are not handed out, its kiosk may still say at `now` that they never came, or its ticket is open.
    pub fn may_come_to_window(&self, session: &SessionId, now: &Now) -> bool {
        self.tickets.contains_key(session)
            || self.applications.owed.contains_key(session)
            || self.acceptances.contains_key(session)
            || self.application(session).is_some()
            || self.papers_asked_for(now).any(|asked| asked == session)
    }
}

/// In how many ms a ticket lapses, and the state wants a [`crate::Input::Tick`].
pub fn tickets_left_ms(state: &State, now: &Now) -> Option<u64> {
    let tickets = state.tickets.values();
    tickets.filter_map(|ticket| ticket.left_ms(now)).min()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::BootId;
    use schemas::time::ClockTrust;

    use super::*;

    fn written(kept: &impl Serialize) -> Ticket {
        let mut bytes = Vec::new();
        ciborium::into_writer(kept, &mut bytes).unwrap();
        ciborium::from_reader(bytes.as_slice()).unwrap()
    }

    /// G4: a snapshot that knew tickets by their numbers only is read, and so is what is written now.
    #[test]
    fn tickets_of_every_snapshot_are_read() {
        let number = TicketNumber::of(1, 7);
        let now = Now {
            wall_ms: 1_795_305_600_000,
            boot: BootId::new("00000000-0000-4000-8000-000000000001").unwrap(),
            mono_ms: 5,
            trust: ClockTrust::Synchronised,
        };
        let old = written(&number);
        assert_eq!(
            (old.number.clone(), old.left_ms(&now)),
            (number.clone(), None)
        );
        let ticket = Ticket::new(number, WindowReason::NoGrant, &now).held(Some(2));
        assert_eq!(written(&ticket), ticket);
        assert_eq!(ticket.left_ms(&now), Some(7_200_000));
    }
}

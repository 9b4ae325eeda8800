//! What is still to come of a session, also when it is over.

use schemas::ids::SessionId;

use crate::state::State;

impl State {
    /// Whether something is still to come of a session: it is under way, its keys are being destroyed, the centre has not decided its
    /// acceptance, or no officer has closed its ticket. What it sealed stays until then.
    pub fn is_open_case(&self, session: &SessionId) -> bool {
        self.acceptances.contains_key(session)
            || self.tickets.contains_key(session)
            || self.erasures.contains(session)
            || self.commissionings.contains_key(session)
            || self.sessions().any(|open| open == session)
    }
}

#[cfg(test)]
mod tests {
    use schemas::ids::TicketNumber;

    use super::*;
    use crate::application::Ticket;

    /// A15, G7: a session whose ticket nobody has closed, or whose keys are to be destroyed, is not over for its files.
    #[test]
    fn what_is_still_to_come_keeps_a_session_open() {
        let mut state = State::default();
        let [ticket, erased, over] = [1, 2, 3].map(SessionId::from_index);
        let open = Ticket {
            number: TicketNumber::of(1, 1),
            kind: None,
            reason: None,
            entered: None,
            since: None,
            held_h: 72,
        };
        state.tickets.insert(ticket.clone(), open);
        state.erasures.insert(erased.clone());
        for (session, open) in [(&ticket, true), (&erased, true), (&over, false)] {
            assert_eq!(state.is_open_case(session), open, "{session}");
        }
        state.tickets.clear();
        state.erasures.clear();
        assert!(!state.is_open_case(&ticket) && !state.is_open_case(&erased));
    }
}

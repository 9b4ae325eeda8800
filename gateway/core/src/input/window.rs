//! What an officer at the window does (A15). The PIN has been compared.

use schemas::ids::{OperatorId, TicketNumber};
use schemas::key::RecipientId;
use schemas::words::application::WindowResult;

/// What an officer at the window does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowInput {
    /// Wants to see what was entered.
    Open {
        /// Who.
        operator: OperatorId,
        /// The ticket.
        ticket: TicketNumber,
        /// Whose private key opens what they are given.
        key: RecipientId,
    },
    /// Says what became of it.
    Close {
        /// Who.
        operator: OperatorId,
        /// The ticket.
        ticket: TicketNumber,
        /// What.
        result: WindowResult,
    },
}

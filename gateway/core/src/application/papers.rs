//! The papers that a citizen takes away (A11 to A13, A15): of whom they are due, and what the fee on them is.

use schemas::ids::{OrderId, SessionId};
use schemas::message::peripheral::Fen;
use schemas::words::application::{ApplicationOutcome, PaymentWay};
use schemas::words::paper::PaperState;

use super::EndedApplication;
use crate::state::State;

/// How the fee of an application stands when its papers are made (A12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeStanding {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount: Fen,
    /// How it is paid.
    pub way: PaymentWay,
    /// Whether it is.
    pub paid: bool,
}

/// How the papers of a session stand that ends in this way; none where there are none.
pub(crate) fn begin(outcome: ApplicationOutcome) -> Option<PaperState> {
    let has_papers = matches!(
        outcome,
        ApplicationOutcome::Accepted | ApplicationOutcome::Provisional | ApplicationOutcome::Window
    );
    has_papers.then_some(PaperState::Printing)
}

impl EndedApplication {
    fn fee_standing(&self) -> Option<FeeStanding> {
        Some(FeeStanding {
            order: self.order.clone()?,
            amount: self.fee?,
            way: self.way?,
            paid: self.paid,
        })
    }
}

impl State {
    /// The sessions whose papers are being made, and the fee of each, where there is one.
    pub fn papers_due(&self) -> impl Iterator<Item = (&SessionId, Option<FeeStanding>)> {
        let last = self.applications.last.values();
        let due = last.filter(|ended| ended.papers == Some(PaperState::Printing));
        due.map(|ended| (&ended.session, ended.fee_standing()))
    }
}

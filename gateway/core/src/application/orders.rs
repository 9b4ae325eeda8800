//! Orders of fees as applications need them: whether one is paid, and whether what is paid has to be given back (A12).

use schemas::ids::{OrderId, SessionId};
use schemas::message::peripheral::Fen;
use serde::{Deserialize, Serialize};

use crate::state::State;

/// An order that can still be paid, or given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FeeOrder {
    pub(crate) session: SessionId,
    pub(crate) amount_fen: Fen,
    pub(crate) paid: bool,
    /// Its application ended without an acceptance, or was rejected: what is paid is given back.
    pub(crate) void: bool,
    /// The centre is asked to give it back.
    pub(crate) refund_asked: bool,
}

impl State {
    pub(crate) fn order(&self, order: &OrderId) -> Option<&FeeOrder> {
        self.orders.get(order)
    }
}

//! Payments (A12): orders, what came in for each, and what is owed back. An aggregate of its own, since money comes and goes when the
//! session that ordered it is long over.
//!
//! A receipt is money that came in. It is kept for its order, owed back, or given back; so at any moment what was paid is what is kept,
//! what is owed and what was given back.

mod book;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use schemas::event::Event;
use schemas::ids::{OrderId, SessionId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{PaymentWay, RefundCause};
use serde::{Deserialize, Serialize};

pub use book::PaymentTotals;

pub(crate) use book::Book;
pub(crate) use rules::{
    Money, expired, money_came, ordered, reconciled, refunded, settled, way_chosen,
};

use crate::state::State;

const SECOND_MS: u64 = 1_000;

/// All orders of this log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payments {
    pub(crate) orders: BTreeMap<OrderId, Order>,
    /// The one order of each application.
    pub(crate) sessions: BTreeMap<SessionId, OrderId>,
    /// Open orders that nobody should pay any more, by the wall clock at which they expire, in ms.
    pub(crate) due: BTreeSet<(u64, OrderId)>,
    /// Open orders that were made while the clock could not be believed.
    pub(crate) undated: BTreeSet<OrderId>,
    pub(crate) book: Book,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) session: SessionId,
    pub(crate) amount_fen: Fen,
    pub(crate) way: PaymentWay,
    pub(crate) valid_s: u32,
    /// Until when it can be paid by the wall clock, in ms; none: that waits for a clock that can be believed.
    pub(crate) expires_ms: Option<u64>,
    pub(crate) standing: Standing,
    pub(crate) claim: Claim,
    /// What came in, in its order.
    pub(crate) receipts: Vec<Receipt>,
}

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// It can be paid.
    Open,
    /// It was paid once; nothing more is taken for it.
    Paid,
    /// Nobody should pay it any more, and its time is over.
    Expired,
}

/// Whether the station may keep what is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Claim {
    /// The application runs, or was accepted.
    Due,
    /// Its session ended without an acceptance.
    Ended,
    /// The centre rejected it.
    Rejected,
}

impl Claim {
    /// Why what is paid is given back, if it is.
    pub(crate) const fn refund(self) -> Option<RefundCause> {
        match self {
            Self::Due => None,
            Self::Ended => Some(RefundCause::SessionEnded),
            Self::Rejected => Some(RefundCause::Rejected),
        }
    }
}

/// Money that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The network's transaction; none: a terminal said so, and the network has not named it yet.
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) amount_fen: Fen,
    pub(crate) way: PaymentWay,
    pub(crate) fate: Fate,
}

/// Where the money is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// It pays the order.
    Kept,
    /// The centre is asked to give it back.
    Owed,
    /// Given back by this transaction.
    Refunded(TransactionId),
}

/// In how many ms an order expires or the day of the payments ends, and the state wants a [`crate::Input::Tick`]; none also while the
/// clock cannot be believed.
pub fn payments_left_ms(state: &State, now: &Now) -> Option<u64> {
    state.payments.left_ms(now)
}

/// The order that an event about a session or an order concerns, if it is a known one.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "payments follow from a few of the events"
)]
pub(crate) fn order_of<'a>(payments: &'a Payments, event: &'a Event) -> Option<&'a OrderId> {
    match event {
        Event::ApplicationEnded(b) => payments.sessions.get(&b.session),
        Event::ApplicationCompensated(b) => payments.sessions.get(&b.session),
        Event::PaymentWayChosen(b) => Some(&b.order),
        Event::PaymentConfirmed(b) => Some(&b.order),
        Event::PaymentExpired(b) => Some(&b.order),
        Event::RefundAsked(b) => Some(&b.order),
        Event::PaymentRefunded(b) => Some(&b.order),
        Event::PaymentNoted(b) => Some(&b.order),
        _ => None,
    }
}

impl Payments {
    /// A copy without the orders, for a decision that touches few of them.
    pub(crate) fn draft(&self) -> Self {
        Self {
            book: self.book.clone(),
            ..Self::default()
        }
    }

    /// An event was recorded now: a clock that can be believed dates what waited for it.
    pub(crate) fn date(&mut self, now: &Now) {
        if now.trust != ClockTrust::Synchronised {
            return;
        }
        self.book.date(now);
        for id in std::mem::take(&mut self.undated) {
            if let Some(order) = self.orders.get_mut(&id) {
                order.expires_after(now);
                self.set_deadline(&id);
            }
        }
    }

    /// The order expires, if nobody should pay it any more. One that is due does not expire by the station's clock: while the station
    /// has no link nobody can pay it, and afterwards who takes the money knows until when they do.
    pub(crate) fn set_deadline(&mut self, id: &OrderId) {
        let order = self.orders.get(id);
        let over = order.filter(|o| o.standing == Standing::Open && o.claim != Claim::Due);
        if let Some(expires_ms) = over.and_then(|order| order.expires_ms) {
            self.due.insert((expires_ms, id.clone()));
        }
    }

    /// The order can no longer expire.
    pub(crate) fn forget_deadline(&mut self, id: &OrderId) {
        self.undated.remove(id);
        let expires_ms = self.orders.get(id).and_then(|order| order.expires_ms);
        if let Some(expires_ms) = expires_ms {
            self.due.remove(&(expires_ms, id.clone()));
        }
    }

    /// In how many ms something is due: an order that expires, or the end of the day.
    pub(crate) fn left_ms(&self, now: &Now) -> Option<u64> {
        if now.trust != ClockTrust::Synchronised {
            return None;
        }
        let order = self.due.first().map(|(expires_ms, _)| *expires_ms);
        let due = order.into_iter().chain(self.book.day_ends_ms());
        due.map(|at| at.saturating_sub(now.wall_ms)).min()
    }
}

impl Order {
    /// Sets until when it can be paid, counted from now.
    fn expires_after(&mut self, now: &Now) {
        let valid_ms = u64::from(self.valid_s).saturating_mul(SECOND_MS);
        self.expires_ms = Some(now.wall_ms.saturating_add(valid_ms));
    }

    /// What pays it.
    pub(crate) fn kept(&self) -> Option<&Receipt> {
        self.receipts.iter().find(|r| r.fate == Fate::Kept)
    }

    /// The receipt of a transaction; where the network has not named it yet: the one without a name.
    pub(crate) fn receipt_of(
        &mut self,
        transaction: Option<&TransactionId>,
    ) -> Option<&mut Receipt> {
        let mut receipts = self.receipts.iter_mut();
        receipts.find(|receipt| receipt.transaction.as_ref() == transaction)
    }
}

//! Payments (A12): orders, what came in for each, and what is owed back. An aggregate of its own, since money comes and goes when the
//! session that ordered it is long over.
//!
//! A receipt is money that came in. It is kept for its order, owed back, or given back; so at any moment what was paid is what is kept,
//! what is owed and what was given back.

mod book;
mod rules;
mod term;

use std::collections::{BTreeMap, BTreeSet};

use schemas::event::Event;
use schemas::ids::{OrderId, SessionId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::sealed::SealedField;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{PaymentWay, RefundCause};
use serde::{Deserialize, Serialize};

pub use book::PaymentTotals;

pub(crate) use term::{Term, by_day_ms};

pub(crate) use book::Book;
pub(crate) use rules::{
    Money, expired, lapsed, money_came, notices, ordered, reconciled, refund_notice, refunded,
    settled, way_chosen,
};

use crate::state::State;

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// China Standard Time is 8 hours ahead of UTC all year.
const CHINA_AHEAD_MS: u64 = 8 * HOUR_MS;

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
    /// Of each acceptance that is not paid: within what time it has to be.
    #[serde(default)]
    pub(crate) terms: BTreeMap<OrderId, Term>,
    /// Terms that have begun, and whose end waits for a clock that can be believed.
    #[serde(default)]
    pub(crate) begun: BTreeSet<OrderId>,
    pub(crate) book: Book,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) session: SessionId,
    pub(crate) amount_fen: Fen,
    pub(crate) way: PaymentWay,
    /// The code that it can be paid by: the question that asked for it. Every other one is void.
    #[serde(default)]
    pub(crate) code: Option<u32>,
    pub(crate) valid_s: u32,
    /// Until when it can be paid by the wall clock, in ms: what is accepted, until its term ends. None: that waits for a clock that can be believed.
    pub(crate) expires_ms: Option<u64>,
    pub(crate) standing: Standing,
    pub(crate) claim: Claim,
    /// Where the citizen is told that money is given back; none: they gave no number, or were told.
    #[serde(default)]
    pub(crate) phone: Option<SealedField>,
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
    /// Nobody should pay it any more, and its time is over; or nobody paid what was accepted.
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
    /// Nobody paid it in time.
    Lapsed,
}

impl Claim {
    /// Why what is paid is given back, if it is.
    pub(crate) const fn refund(self) -> Option<RefundCause> {
        match self {
            Self::Due => None,
            Self::Ended => Some(RefundCause::SessionEnded),
            Self::Rejected => Some(RefundCause::Rejected),
            Self::Lapsed => Some(RefundCause::Lapsed),
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
    /// By a code that was void: it was never money for the order.
    #[serde(default)]
    pub(crate) by_void_code: bool,
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

/// In how many ms an order expires, somebody is reminded of an acceptance that is not paid, or the day of the payments ends, and the state
/// wants a [`crate::Input::Tick`]; none also while the clock cannot be believed.
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
        Event::ApplicationAccepted(b) => payments.sessions.get(&b.session),
        Event::ApplicationConfirmed(b) => payments.sessions.get(&b.session),
        Event::NoticeAsked(b) => payments.sessions.get(&b.session),
        Event::ApplicationLapsed(b) => Some(&b.order),
        Event::ApplicationCompensated(b) => payments.sessions.get(&b.session),
        Event::PaymentWayChosen(b) => Some(&b.order),
        Event::PaymentCodeAsked(b) => Some(&b.order),
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
        for id in std::mem::take(&mut self.begun) {
            if let Some(term) = self.terms.get_mut(&id) {
                term.ends_after(now);
                // What is accepted can be paid until then.
                if let Some(order) = self.orders.get_mut(&id) {
                    order.expires_ms = term.ends_ms;
                }
            }
        }
    }

    /// The order expires, if nobody should pay it any more. One that is due does not: what was accepted has a term of its own.
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

    /// In how many ms something is due: an order that expires, a reminder, or the end of the day.
    pub(crate) fn left_ms(&self, now: &Now) -> Option<u64> {
        if now.trust != ClockTrust::Synchronised {
            return None;
        }
        let order = self.due.first().map(|(expires_ms, _)| *expires_ms);
        let terms = self.terms.values();
        let terms = terms.filter_map(|term| term.notice_ms(now.wall_ms));
        let due = order
            .into_iter()
            .chain(self.book.day_ends_ms())
            .chain(terms);
        due.map(|at| at.saturating_sub(now.wall_ms)).min()
    }
}

/// The end of the day in China that is `days` after the one of `within_ms`, in ms of the wall clock.
fn day_ends_ms(within_ms: u64, days: u16) -> u64 {
    let day = within_ms.saturating_add(CHINA_AHEAD_MS) / DAY_MS;
    let last = day.saturating_add(u64::from(days)).saturating_add(1);
    last.saturating_mul(DAY_MS).saturating_sub(CHINA_AHEAD_MS)
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

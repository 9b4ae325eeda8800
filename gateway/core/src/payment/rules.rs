//! What follows from what happens to an order. Pure: the state in, the facts out.

use schemas::event::Event;
use schemas::event::application::NoticeAsked;
use schemas::event::payment::{
    PaymentConfirmed, PaymentExpired, PaymentNoted, PaymentOrdered, PaymentRefunded,
    PaymentWayChosen, PaymentWitness, PaymentsReconciled, RefundAsked,
};
use schemas::ids::{OrderId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{NoticeCause, PaymentOddity, PaymentWay, RefundCause};

use super::{Fate, Order, Payments, Standing, Term, by_day_ms};

/// An order, unless the application has one: it is never charged twice.
pub(crate) fn ordered(payments: &Payments, order: PaymentOrdered) -> Option<PaymentOrdered> {
    let is_first = !payments.sessions.contains_key(&order.session);
    is_first.then_some(order)
}

/// How an order that is still open is to be paid; the way before may be chosen again.
pub(crate) fn way_chosen(
    payments: &Payments,
    id: &OrderId,
    way: PaymentWay,
) -> Option<PaymentWayChosen> {
    let order = payments.orders.get(id)?;
    (order.standing == Standing::Open).then(|| PaymentWayChosen {
        order: id.clone(),
        way,
    })
}

/// What somebody says of money that came in.
#[derive(Debug, Clone)]
pub(crate) struct Money {
    pub(crate) amount_fen: Fen,
    pub(crate) witness: PaymentWitness,
    /// None: as the citizen chose last.
    pub(crate) way: Option<PaymentWay>,
    /// When the network took it, in ms of the wall clock, where that is known.
    pub(crate) paid_ms: Option<u64>,
    /// The code that it was paid by, where that is known.
    pub(crate) code: Option<u32>,
}

impl Money {
    const fn transaction(&self) -> Option<&TransactionId> {
        match &self.witness {
            PaymentWitness::Centre { transaction } => Some(transaction),
            PaymentWitness::Terminal { .. } => None,
        }
    }
}

/// Somebody says that an order is paid. The first time it counts, once; whatever else comes in is noted, and asked back where it is
/// known to have been paid.
pub(crate) fn money_came(payments: &Payments, id: &OrderId, money: Money) -> Vec<Event> {
    let order = payments.orders.get(id);
    let oddity = order.map_or(Some(PaymentOddity::UnknownOrder), |order| {
        oddity(order, &money)
    });
    let transaction = money.transaction().cloned();
    let Money {
        amount_fen,
        witness,
        way,
        paid_ms,
        code: _,
    } = money;
    let cause = match oddity {
        None => order.and_then(|order| order.claim.refund()),
        Some(PaymentOddity::Repeated | PaymentOddity::UnknownOrder) => None,
        Some(PaymentOddity::SecondPayment) => Some(RefundCause::PaidTwice),
        Some(PaymentOddity::VoidCode) => Some(RefundCause::VoidCode),
        Some(PaymentOddity::OrderExpired) => Some(RefundCause::OrderExpired),
        // What a terminal says of another amount is asked of the network, not guessed.
        Some(PaymentOddity::WrongAmount) => transaction.as_ref().map(|_| RefundCause::WrongAmount),
    };
    let fact = match oddity {
        None => Event::from(PaymentConfirmed {
            order: id.clone(),
            amount_fen,
            witness,
            way,
            paid_ms,
        }),
        Some(oddity) => Event::from(PaymentNoted {
            order: id.clone(),
            oddity,
            amount_fen,
            transaction: transaction.clone(),
        }),
    };
    let refund = cause.map(|cause| ask(id, amount_fen, cause, transaction, way));
    core::iter::once(fact).chain(refund).collect()
}

/// What is odd about it; none: it pays the order.
fn oddity(order: &Order, money: &Money) -> Option<PaymentOddity> {
    if is_known(order, money.amount_fen, money.transaction()) {
        return Some(PaymentOddity::Repeated);
    }
    if money.amount_fen != order.amount_fen {
        return Some(PaymentOddity::WrongAmount);
    }
    let is_void = money.code.is_some() && money.code != order.code;
    match order.standing {
        // Whoever chose another way to pay does not pay by this one; they may be paying by the other at this moment.
        Standing::Open if is_void => Some(PaymentOddity::VoidCode),
        Standing::Open => None,
        Standing::Paid => Some(PaymentOddity::SecondPayment),
        Standing::Expired if is_in_time(order, money.paid_ms) => None,
        Standing::Expired => Some(PaymentOddity::OrderExpired),
    }
}

/// Whether an expired order was paid before it expired, however late that is told. Where nobody says when, whoever took the money
/// did so for an order that could be paid, if it is the first.
fn is_in_time(order: &Order, paid_ms: Option<u64>) -> bool {
    let mut receipts = order.receipts.iter();
    let is_first = !receipts.any(|r| r.amount_fen == order.amount_fen && !r.by_void_code);
    let is_late = paid_ms.zip(order.expires_ms);
    is_first && is_late.is_none_or(|(paid_ms, expires_ms)| paid_ms < expires_ms)
}

/// Whether it is money that was counted before. A terminal does not name the transaction: what it says is what the network has said of
/// the same amount, or will say.
fn is_known(order: &Order, amount_fen: Fen, transaction: Option<&TransactionId>) -> bool {
    let named = order.receipts.iter().any(|receipt| match transaction {
        Some(_) => receipt.transaction.as_ref() == transaction,
        None => receipt.amount_fen == amount_fen && !receipt.by_void_code,
    });
    let unnamed = || {
        let mut receipts = order.receipts.iter();
        receipts.any(|receipt| receipt.transaction.is_none() && receipt.amount_fen == amount_fen)
    };
    named || unnamed()
}

/// The orders whose time is over, by a clock that can be believed.
pub(crate) fn expired(payments: &Payments, now: &Now) -> Vec<PaymentExpired> {
    if now.trust != ClockTrust::Synchronised {
        return Vec::new();
    }
    let due = payments.due.iter();
    due.take_while(|(expires_ms, _)| *expires_ms <= now.wall_ms)
        .map(|(_, order)| PaymentExpired {
            order: order.clone(),
        })
        .collect()
}

/// The orders which nobody paid within their term, by a clock that can be believed. `read_ms`: all that the centre had told by then is
/// known here. Without that nobody can say that something was not paid.
pub(crate) fn lapsed(payments: &Payments, now: &Now, read_ms: u64) -> Vec<OrderId> {
    let is_by_day = by_day_ms(now.wall_ms) == now.wall_ms;
    if now.trust != ClockTrust::Synchronised || !is_by_day || read_ms > now.wall_ms {
        return Vec::new();
    }
    let is_over = |term: &&Term| term.lapses_ms().is_some_and(|at_ms| at_ms <= read_ms);
    let over = payments.terms.iter().filter(|(_, term)| is_over(term));
    over.map(|(order, _)| order.clone()).collect()
}

/// Whom to tell that the time to pay ends soon.
pub(crate) fn notices(payments: &Payments, now: &Now) -> Vec<NoticeAsked> {
    if now.trust != ClockTrust::Synchronised {
        return Vec::new();
    }
    let is_due = |term: &Term| term.notice_ms(now.wall_ms) == Some(now.wall_ms);
    let due = payments.terms.iter().filter(|(_, term)| is_due(term));
    let notice = |(id, term): (&OrderId, &Term)| {
        Some(NoticeAsked {
            session: payments.orders.get(id)?.session.clone(),
            cause: NoticeCause::PaymentDue,
            by: term.last_day(),
            phone: term.phone.clone()?,
        })
    };
    due.filter_map(notice).collect()
}

/// Whoever paid what is given back is told so, once.
pub(crate) fn refund_notice(payments: &Payments, id: &OrderId) -> Option<NoticeAsked> {
    let order = payments.orders.get(id)?;
    Some(NoticeAsked {
        session: order.session.clone(),
        cause: NoticeCause::Refund,
        by: None,
        phone: order.phone.clone()?,
    })
}

/// Asks back what was paid for an application that ended without an acceptance, or that the centre rejected. Once: what is owed is not
/// kept any more.
pub(crate) fn settled(payments: &Payments, id: &OrderId) -> Option<Event> {
    let order = payments.orders.get(id)?;
    let cause = order.claim.refund()?;
    let kept = order.kept()?;
    let transaction = kept.transaction.clone();
    Some(ask(id, kept.amount_fen, cause, transaction, None))
}

/// The centre gave back what is owed; none: nothing of that amount is owed, or it said so before.
pub(crate) fn refunded(
    payments: &Payments,
    id: &OrderId,
    amount_fen: Fen,
    transaction: &TransactionId,
) -> Option<PaymentRefunded> {
    let receipts = &payments.orders.get(id)?.receipts;
    let is_repeated = receipts
        .iter()
        .any(|receipt| receipt.fate == Fate::Refunded(transaction.clone()));
    let is_owed = receipts
        .iter()
        .any(|receipt| receipt.fate == Fate::Owed && receipt.amount_fen == amount_fen);
    (is_owed && !is_repeated).then(|| PaymentRefunded {
        order: id.clone(),
        amount_fen,
        transaction: transaction.clone(),
    })
}

/// The sums of a day that is over. Whatever counts is recorded after this, so that it is of the day that has begun.
pub(crate) fn reconciled(payments: &Payments, now: &Now) -> Option<PaymentsReconciled> {
    payments.book.closed(now)
}

fn ask(
    id: &OrderId,
    amount_fen: Fen,
    cause: RefundCause,
    transaction: Option<TransactionId>,
    way: Option<PaymentWay>,
) -> Event {
    RefundAsked {
        order: id.clone(),
        amount_fen,
        cause,
        transaction,
        way,
    }
    .into()
}

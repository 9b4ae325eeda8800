//! Orders, receipts and refunds.

use schemas::event::Event;
use schemas::event::application::{ApplicationAccepted, NoticeAsked};
use schemas::event::payment::{
    PaymentConfirmed, PaymentNoted, PaymentOrdered, PaymentRefunded, PaymentWitness, RefundAsked,
};
use schemas::ids::{OrderId, SessionId};
use schemas::sealed::SealedField;
use schemas::words::application::{ApplicationOutcome, NoticeCause, PaymentOddity, RefundCause};

use super::Recorded;
use crate::payment::{Claim, Fate, Order, Payments, Receipt, Standing, Term};
use crate::state::State;

/// Applies what concerns payments, and nothing else.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "payments follow from a few of the events"
)]
pub(super) fn apply(state: &mut State, recorded: Recorded<'_>) {
    if let Event::PaymentOrdered(b) = recorded.event {
        let applicant = state.application(&b.session).map(|(_, a)| &a.entered);
        let phone = applicant.and_then(|entered| entered.phone.clone());
        ordered(&mut state.payments, b, phone);
    }
    let payments = &mut state.payments;
    match recorded.event {
        Event::PaymentWayChosen(b) => {
            if let Some(order) = payments.orders.get_mut(&b.order) {
                order.way = b.way;
                order.code = None;
            }
        }
        Event::PaymentCodeAsked(b) => {
            if let Some(order) = payments.orders.get_mut(&b.order) {
                order.code = Some(b.question);
            }
        }
        Event::PaymentConfirmed(b) => confirmed(payments, b),
        Event::PaymentExpired(b) => close(payments, &b.order, Standing::Expired),
        Event::RefundAsked(b) => refund_asked(payments, b),
        Event::PaymentRefunded(b) => refunded(payments, b),
        Event::PaymentNoted(b) => noted(payments, b),
        Event::PaymentsReconciled(_) => payments.book.reopen(),
        Event::ApplicationAccepted(b) => accepted(payments, b),
        Event::ApplicationConfirmed(b) => {
            if let Some(id) = payments.sessions.get(&b.session).cloned() {
                payments.begin_term(&id);
            }
        }
        Event::ApplicationLapsed(b) => {
            claim(payments, &b.session, Claim::Lapsed);
            close(payments, &b.order, Standing::Expired);
        }
        Event::NoticeAsked(b) => noticed(payments, b),
        Event::ApplicationEnded(b) => match b.outcome {
            ApplicationOutcome::Accepted | ApplicationOutcome::Provisional => {}
            ApplicationOutcome::Window
            | ApplicationOutcome::Refused
            | ApplicationOutcome::Cancelled
            | ApplicationOutcome::TimedOut
            | ApplicationOutcome::DeviceFailed
            | ApplicationOutcome::Interrupted
            | ApplicationOutcome::NotPaid => claim(payments, &b.session, Claim::Ended),
        },
        Event::ApplicationCompensated(b) => claim(payments, &b.session, Claim::Rejected),
        _ => {}
    }
    payments.date(recorded.now);
}

fn ordered(payments: &mut Payments, b: &PaymentOrdered, phone: Option<SealedField>) {
    let order = Order {
        session: b.session.clone(),
        amount_fen: b.amount_fen,
        way: b.way,
        code: None,
        valid_s: b.valid_s,
        expires_ms: None,
        standing: Standing::Open,
        claim: Claim::Due,
        phone,
        receipts: Vec::new(),
    };
    payments.orders.insert(b.order.clone(), order);
    payments.sessions.insert(b.session.clone(), b.order.clone());
    payments.undated.insert(b.order.clone());
    payments.book.ordered(b.way, b.amount_fen);
}

fn confirmed(payments: &mut Payments, b: &PaymentConfirmed) {
    close(payments, &b.order, Standing::Paid);
    let transaction = match &b.witness {
        PaymentWitness::Centre { transaction } => Some(transaction.clone()),
        PaymentWitness::Terminal { .. } => None,
    };
    if let Some(order) = payments.orders.get_mut(&b.order) {
        let way = b.way.unwrap_or(order.way);
        order.receipts.push(Receipt {
            transaction,
            amount_fen: b.amount_fen,
            way,
            fate: Fate::Kept,
            by_void_code: false,
        });
        payments.book.kept(way, b.amount_fen);
    }
}

/// One that is provisional can be paid when the centre knows of it.
fn accepted(payments: &mut Payments, b: &ApplicationAccepted) {
    let Some((id, term)) = b.order.as_ref().zip(b.term) else {
        return;
    };
    payments.set_term(id, Term::new(term, b.entered.phone.clone()));
    if b.provisional.is_empty() {
        payments.begin_term(id);
    }
}

fn noticed(payments: &mut Payments, b: &NoticeAsked) {
    let Some(order) = payments.sessions.get(&b.session) else {
        return;
    };
    match b.cause {
        NoticeCause::PaymentDue => {
            if let Some(term) = payments.terms.get_mut(order) {
                term.is_noticed = true;
            }
        }
        NoticeCause::Refund => {
            if let Some(order) = payments.orders.get_mut(order) {
                order.phone = None;
            }
        }
        NoticeCause::Lapsed => {}
    }
}

/// Nothing more is taken for the order.
fn close(payments: &mut Payments, id: &OrderId, standing: Standing) {
    payments.forget_deadline(id);
    payments.end_term(id);
    if let Some(order) = payments.orders.get_mut(id) {
        if order.standing == Standing::Open {
            payments.book.not_open(order.amount_fen);
        }
        order.standing = standing;
    }
}

/// Of what was kept, or of what came in without need just now.
fn refund_asked(payments: &mut Payments, b: &RefundAsked) {
    let Some(order) = payments.orders.get_mut(&b.order) else {
        return;
    };
    let way = b.way.unwrap_or(order.way);
    if let Some(receipt) = order.receipt_of(b.transaction.as_ref()) {
        if receipt.fate == Fate::Kept {
            receipt.fate = Fate::Owed;
            payments.book.owed(receipt.amount_fen);
        }
        return;
    }
    order.receipts.push(Receipt {
        transaction: b.transaction.clone(),
        amount_fen: b.amount_fen,
        way,
        fate: Fate::Owed,
        by_void_code: b.cause == RefundCause::VoidCode,
    });
    payments.book.came_and_owed(way, b.amount_fen);
}

fn refunded(payments: &mut Payments, b: &PaymentRefunded) {
    let Some(order) = payments.orders.get_mut(&b.order) else {
        return;
    };
    let mut receipts = order.receipts.iter_mut();
    let owed = receipts.find(|r| r.fate == Fate::Owed && r.amount_fen == b.amount_fen);
    if let Some(receipt) = owed {
        receipt.fate = Fate::Refunded(b.transaction.clone());
        payments.book.refunded(receipt.way, b.amount_fen);
    }
}

/// The network names what a terminal had said before.
fn noted(payments: &mut Payments, b: &PaymentNoted) {
    let (PaymentOddity::Repeated, Some(transaction)) = (b.oddity, &b.transaction) else {
        return;
    };
    let Some(order) = payments.orders.get_mut(&b.order) else {
        return;
    };
    if order.receipt_of(Some(transaction)).is_none()
        && let Some(receipt) = order.receipt_of(None)
    {
        receipt.transaction = Some(transaction.clone());
    }
}

/// Once rejected, it stays so; and what has ended does not run again.
fn claim(payments: &mut Payments, session: &SessionId, claim: Claim) {
    let Some(id) = payments.sessions.get(session).cloned() else {
        return;
    };
    if let Some(order) = payments.orders.get_mut(&id)
        && order.claim == Claim::Due
    {
        order.claim = claim;
        payments.end_term(&id);
        payments.set_deadline(&id);
    }
}

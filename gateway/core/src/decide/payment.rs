//! Payments in a decision. The workflow of an application calls [`order`], [`choose_way`] and [`settle`]; the rest comes from the
//! centre, from a terminal, or with time.

use schemas::acceptance::AcceptanceSite;
use schemas::downlink::application::{PaymentConfirmed, PaymentRefunded};
use schemas::event::Event;
use schemas::event::application::{ApplicationLapsed, NoticeAsked};
use schemas::event::centre::InstructionRefusal;
use schemas::event::payment::{PaymentOrdered, PaymentWitness};
use schemas::ids::{DeviceId, OrderId, SessionId};
use schemas::message::peripheral::{Fen, PaymentMethod};
use schemas::words::application::{NoticeCause, PaymentWay};

use super::application;
use super::draft::Draft;
use crate::payment::{self, Claim, Money, Standing};

/// Orders that expire or lapse in one decision, so that a station which was off for long does not write them all at once. The next ones
/// follow with the next.
const EXPIRED_AT_ONCE: usize = 50;
const HOUR_S: u32 = 3_600;

/// Opens the order of an application; that which it has, if it has one. None: the log's numbers have become longer than an order's can
/// be. `site` is the one that accepts.
pub(super) fn order(
    draft: &mut Draft<'_>,
    session: &SessionId,
    site: &AcceptanceSite,
    amount_fen: Fen,
    way: PaymentWay,
    hours: u16,
) -> Option<OrderId> {
    if let Some(order) = of_session(draft, session) {
        return Some(order);
    }
    close_day(draft);
    let (incarnation, index) = (draft.state().incarnation(), draft.state().next_index());
    let order = OrderId::of_event(site, incarnation, index).ok()?;
    let opened = PaymentOrdered {
        session: session.clone(),
        order: order.clone(),
        amount_fen,
        way,
        valid_s: u32::from(hours).saturating_mul(HOUR_S),
    };
    let opened = payment::ordered(&draft.state().payments, opened)?;
    draft.push(opened);
    Some(order)
}

/// How the citizen wants to pay an open order.
pub(super) fn choose_way(draft: &mut Draft<'_>, order: &OrderId, way: PaymentWay) {
    draft.touch_order(order);
    if let Some(chosen) = payment::way_chosen(&draft.state().payments, order, way) {
        draft.push(chosen);
    }
}

/// What the station may not keep after the events that were just pushed ([`ApplicationEnded`] without an acceptance,
/// [`ApplicationCompensated`]) is asked back, once.
///
/// [`ApplicationEnded`]: schemas::event::application::ApplicationEnded
/// [`ApplicationCompensated`]: schemas::event::application::ApplicationCompensated
pub(super) fn settle(draft: &mut Draft<'_>, session: &SessionId) {
    let Some(order) = of_session(draft, session) else {
        return;
    };
    if let Some(asked) = payment::settled(&draft.state().payments, &order) {
        close_day(draft);
        record(draft, &order, asked);
    }
}

/// The centre has it from a payment network that an order is paid.
pub(super) fn confirmed(draft: &mut Draft<'_>, told: &PaymentConfirmed) {
    let money = Money {
        amount_fen: told.amount_fen,
        witness: PaymentWitness::Centre {
            transaction: told.transaction.clone(),
        },
        way: told.way,
        paid_ms: told.paid_ms,
        code: told.code,
    };
    came(draft, &told.order, money);
}

/// A terminal has it from a payment network that an order is paid. What it says of orders that are not the station's stays its report.
pub(super) fn reported(
    draft: &mut Draft<'_>,
    device: &DeviceId,
    order: &OrderId,
    amount_fen: Fen,
    method: PaymentMethod,
) {
    draft.touch_order(order);
    if !draft.state().payments.orders.contains_key(order) {
        return;
    }
    let mut ways = PaymentWay::ALL.iter().copied();
    let way = ways.find(|way| way.method() == Some(method));
    let is_new = |way: &PaymentWay| {
        let known = draft.state().payments.orders.get(order);
        known.is_some_and(|known| known.way != *way)
    };
    if let Some(way) = way.filter(is_new) {
        choose_way(draft, order, way);
    }
    let device = device.clone();
    let money = Money {
        amount_fen,
        witness: PaymentWitness::Terminal { device },
        way,
        paid_ms: None,
        code: None,
    };
    came(draft, order, money);
}

/// The centre gave back what it was asked for.
pub(super) fn refunded(
    draft: &mut Draft<'_>,
    told: &PaymentRefunded,
) -> Result<(), InstructionRefusal> {
    draft.touch_order(&told.order);
    let payments = &draft.state().payments;
    if !payments.orders.contains_key(&told.order) {
        return Err(InstructionRefusal::Unusable);
    }
    let refunded = payment::refunded(payments, &told.order, told.amount_fen, &told.transaction);
    let refunded = refunded.ok_or(InstructionRefusal::Outdated)?;
    close_day(draft);
    draft.push(refunded);
    Ok(())
}

/// Lets orders expire, has citizens reminded of what is not paid, and ends the day.
pub(super) fn tick(draft: &mut Draft<'_>) {
    close_day(draft);
    let mut expired = payment::expired(&draft.base.payments, draft.now);
    expired.truncate(EXPIRED_AT_ONCE);
    for event in expired {
        draft.push(event);
    }
    let mut notices = payment::notices(&draft.base.payments, draft.now);
    notices.truncate(EXPIRED_AT_ONCE);
    for notice in notices {
        draft.push(notice);
    }
}

/// All that the centre had told at `read_ms` is known here: what nobody paid by its term lapses. A station that cannot hear the centre does
/// not know what was paid.
pub(super) fn heard(draft: &mut Draft<'_>, read_ms: u64) {
    let mut over = payment::lapsed(&draft.base.payments, draft.now, read_ms);
    over.truncate(EXPIRED_AT_ONCE);
    for order in over {
        lapse(draft, &order);
    }
}

/// Nobody paid what was accepted: it has lapsed, and the citizen is told. None: it is paid, or nobody has to pay it any more.
pub(super) fn lapse(draft: &mut Draft<'_>, order: &OrderId) -> Option<()> {
    let payments = &draft.base.payments;
    let known = payments.orders.get(order).filter(|o| is_unpaid(o))?;
    let session = known.session.clone();
    // Before there were terms, the order alone knew where.
    let of_term = payments.terms.get(order).and_then(|t| t.phone.clone());
    let phone = of_term.or_else(|| known.phone.clone());
    close_day(draft);
    draft.push(ApplicationLapsed {
        session: session.clone(),
        order: order.clone(),
    });
    application::needs_no_papers(draft, &session);
    if let Some(phone) = phone {
        draft.push(NoticeAsked {
            session,
            cause: NoticeCause::Lapsed,
            by: None,
            phone,
        });
    }
    Some(())
}

/// The order of an acceptance that nobody paid, with or without a term. While the citizen stands at the kiosk nothing is accepted yet.
pub(super) fn unpaid(draft: &Draft<'_>, session: &SessionId) -> Option<OrderId> {
    let payments = &draft.base.payments;
    let id = payments.sessions.get(session)?;
    let order = payments.orders.get(id)?;
    let is_under_way = draft.base.application(session).is_some();
    (is_unpaid(order) && !is_under_way).then(|| id.clone())
}

fn is_unpaid(order: &payment::Order) -> bool {
    order.standing != Standing::Paid && order.claim == Claim::Due
}

fn came(draft: &mut Draft<'_>, order: &OrderId, money: Money) {
    draft.touch_order(order);
    let facts = payment::money_came(&draft.state().payments, order, money);
    close_day(draft);
    for fact in facts {
        record(draft, order, fact);
    }
}

/// Records what follows of an order. Whoever is owed money is told so (T2).
fn record(draft: &mut Draft<'_>, order: &OrderId, fact: Event) {
    let is_refund = matches!(fact, Event::RefundAsked(_));
    draft.push(fact);
    let notice = payment::refund_notice(&draft.state().payments, order);
    if let Some(notice) = notice.filter(|_| is_refund) {
        draft.push(notice);
    }
}

/// The order of an application, brought into the draft.
fn of_session(draft: &mut Draft<'_>, session: &SessionId) -> Option<OrderId> {
    let own = draft.state().payments.sessions.get(session);
    let order = own.or_else(|| draft.base.payments.sessions.get(session))?;
    let order = order.clone();
    draft.touch_order(&order);
    Some(order)
}

/// What is counted next is of a day of its own, if the day of the sums is over.
fn close_day(draft: &mut Draft<'_>) {
    if let Some(closed) = payment::reconciled(&draft.state().payments, draft.now) {
        draft.push(closed);
    }
}

#[cfg(test)]
#[path = "payment_code_tests.rs"]
mod code_tests;
#[cfg(test)]
#[path = "payment_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "payment_term_tests.rs"]
mod term_tests;
#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;

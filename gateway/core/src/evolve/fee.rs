//! The fee of an application under way (A12): its order, how it is paid, and the code that is scanned. What comes in is the payments' own.

use schemas::event::Event;
use schemas::event::device::PaymentReported;
use schemas::event::payment::PaymentConfirmed;
use schemas::ids::OrderId;
use schemas::message::peripheral::PaymentState;
use schemas::time::{ClockTrust, Deadline};
use schemas::words::application::PaymentFault;

use super::Recorded;
use super::application::of;
use crate::application::PayCode;
use crate::state::State;

/// Applies what concerns the fee; another event changes nothing here.
pub(super) fn apply(state: &mut State, recorded: Recorded<'_>) {
    ordered(state, recorded.event);
    code(state, recorded);
}

fn ordered(state: &mut State, event: &Event) {
    if let Event::PaymentOrdered(b) = event {
        if let Some(a) = of(state, &b.session) {
            a.order = Some(b.order.clone());
            a.way = Some(b.way);
            a.notice.payment = None;
        }
    } else if let Event::PaymentWayChosen(b) = event {
        let mut open = state.applications.open.values_mut();
        if let Some(a) = open.find(|a| a.order.as_ref() == Some(&b.order)) {
            a.way = Some(b.way);
            a.code = PayCode::None;
            a.notice.payment = None;
        }
    } else if let Event::PaymentConfirmed(b) = event {
        paid(state, b);
    } else if let Event::PaymentReported(b) = event {
        reported(state, b);
    }
}

/// What the page says of a payment that did not come about. A late word of the way before says nothing of the present one.
fn reported(state: &mut State, b: &PaymentReported) {
    let fault = match b.state {
        PaymentState::Declined => PaymentFault::Declined,
        PaymentState::Cancelled => PaymentFault::Cancelled,
        PaymentState::TimedOut => PaymentFault::TimedOut,
        PaymentState::Unknown => PaymentFault::Unknown,
        PaymentState::Waiting | PaymentState::Paid => return,
    };
    let mut open = state.applications.open.values_mut();
    if let Some(a) = open.find(|a| a.awaits_payment(&b.order, b.method)) {
        a.notice.payment = Some(fault);
    }
}

/// Whoever paid has the receipt of the way that was paid, whatever the page asked by then.
fn paid(state: &mut State, b: &PaymentConfirmed) {
    let known = state.payments.orders.get(&b.order);
    let way = b.way.or_else(|| known.map(|order| order.way));
    let is_of = |order: &Option<OrderId>| order.as_ref() == Some(&b.order);
    let applications = &mut state.applications;
    if let Some(a) = applications.open.values_mut().find(|a| is_of(&a.order)) {
        a.paid = true;
        a.way = way.or(a.way);
    }
    if let Some(a) = applications.last.values_mut().find(|a| is_of(&a.order)) {
        a.paid = true;
        a.way = way.or(a.way);
    }
}

/// The code that a phone scans to pay.
fn code(state: &mut State, recorded: Recorded<'_>) {
    if let Event::PaymentCodeAsked(b) = recorded.event {
        if let Some(a) = of(state, &b.session) {
            a.questions = b.question;
            a.code = PayCode::Asked(b.question);
        }
    } else if let Event::PaymentCodeReceived(b) = recorded.event
        && let Some(a) = of(state, &b.session)
    {
        let page_ms = u64::from(a.policy.payment_wait_s) * 1_000;
        let left_ms = match recorded.now.trust {
            ClockTrust::Synchronised => b.expires_ms.saturating_sub(recorded.now.wall_ms),
            // Nobody knows how long that is: the page itself is over by then.
            ClockTrust::Unsynchronised => page_ms,
        };
        a.code = PayCode::Shown {
            code: b.code.clone(),
            until: Deadline::after(recorded.now, left_ms),
        };
        if let Some(stage) = &mut a.stage {
            stage.deadline = Deadline::after(recorded.now, page_ms);
        }
    }
}

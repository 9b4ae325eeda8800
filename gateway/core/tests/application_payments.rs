//! How the fee of an application is paid: in one way after another, while the page says something else, and late (A12).
#![allow(
    clippy::unwrap_used,
    clippy::trivially_copy_pass_by_ref,
    clippy::match_same_arms,
    clippy::items_after_statements,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    dead_code,
    missing_debug_implementations,
    unreachable_pub,
    unused_imports,
    reason = "a test stops at the first surprise; each test file uses a part of the hall"
)]

mod hall;

use gateway_core::{Entry, Outcome};
use hall::citizen::{finish, up_to};
use hall::{Case, Fault, GOOD, Hall, Link};
use schemas::event::Event;
use schemas::event::application::Decision;
use schemas::ids::SessionId;
use schemas::message::application::StepName as S;
use schemas::message::peripheral::{PaymentMethod, PaymentState};
use schemas::words::application::{ApplicationOutcome, PaymentWay, RejectionReason};

/// Somebody who chooses WeChat Pay and then waits.
const WAITS: Case = Case {
    fault: Fault::PaymentNever,
    ..GOOD
};

fn step(hall: &Hall) -> Option<S> {
    hall.prompt("kiosk-1").unwrap().1.step
}

fn choose(hall: &mut Hall, way: PaymentWay) {
    let chosen = hall.enter("kiosk-1", Entry::Payment(way));
    assert!(matches!(chosen, Outcome::Accepted(_)), "{chosen:?}");
}

fn waiting() -> (Hall, SessionId) {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &WAITS, "kiosk-1", S::AwaitPayment);
    (hall, session)
}

/// A12: whoever was declined, or went back, may choose the same way again; the order is the same.
#[test]
fn a12_the_same_way_can_be_chosen_again() {
    let (mut hall, _) = waiting();
    let order = hall.order();
    hall.terminal(&order, PaymentMethod::Wechat, PaymentState::Declined);
    assert_eq!(step(&hall), Some(S::ChoosePayment));
    choose(&mut hall, PaymentWay::Wechat);
    assert_eq!(step(&hall), Some(S::AwaitPayment), "after a refusal");
    hall.enter("kiosk-1", Entry::Back);
    choose(&mut hall, PaymentWay::Wechat);
    assert_eq!(step(&hall), Some(S::AwaitPayment), "after back");
    assert_eq!(hall.count("station.payment.ordered.v1"), 1);
    assert!(hall.paid(&order, 2_000, 1));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::Accepted));
}

/// A12: what is paid while the page asks how to pay is paid: the application is accepted and keeps it.
#[test]
fn a12_a_payment_that_comes_while_the_citizen_chooses_counts() {
    let (mut hall, _) = waiting();
    hall.enter("kiosk-1", Entry::Back);
    assert_eq!(step(&hall), Some(S::ChoosePayment));
    let order = hall.order();
    assert!(hall.paid(&order, 2_000, 1));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::Accepted));
    assert_eq!(prompt.paid, Some(true));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);
}

/// A12: what a terminal says late of the way before does not stop the present one.
#[test]
fn a12_a_late_word_of_the_way_before_changes_nothing() {
    let (mut hall, _) = waiting();
    let order = hall.order();
    hall.enter("kiosk-1", Entry::Back);
    choose(&mut hall, PaymentWay::Alipay);
    let number = hall.prompt("kiosk-1").unwrap().1.number;
    for state in [
        PaymentState::Cancelled,
        PaymentState::Declined,
        PaymentState::TimedOut,
    ] {
        hall.terminal(&order, PaymentMethod::Wechat, state);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(
            (prompt.step, prompt.number),
            (Some(S::AwaitPayment), number)
        );
    }
    hall.terminal(&order, PaymentMethod::Alipay, PaymentState::Cancelled);
    assert_eq!(step(&hall), Some(S::ChoosePayment));
}

/// A12, A17: an order that was made without a link is paid when there is one again, however long that took; what the centre rejects
/// is given back all the same.
#[test]
fn a12_an_order_made_without_a_link_stays_payable() {
    let mut hall = Hall::new();
    hall.granted(1, 10);
    let case = Case {
        link: Link::Granted,
        ..WAITS
    };
    let session = hall.begin("kiosk-1");
    let outcome = finish(&mut hall, &case, "kiosk-1", &session);
    assert_eq!(outcome, ApplicationOutcome::Provisional);
    let order = hall.order();
    for _ in 0..10 {
        hall.advance(72 * 3_600_000);
    }
    assert_eq!(hall.count("station.payment.expired.v1"), 0);
    assert!(hall.paid(&order, 2_000, 1));
    assert_eq!(hall.count("station.payment.confirmed.v1"), 1);
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);
    let reason = RejectionReason::NotEligible;
    assert!(hall.decided(&session, Decision::Rejected { reason }));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    assert_eq!(hall.state, hall.replay());
}

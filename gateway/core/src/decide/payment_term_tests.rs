//! A12, T2: what is accepted and not paid lapses with a day in China, and the citizen is told before and then.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use schemas::event::Event;
use schemas::ids::{OrderId, SessionId};
use schemas::time::ClockTrust;
use schemas::words::application::{NoticeCause, PaymentWay, ProvisionalCause, RefundCause};

use super::tests::{FEE, HOUR_MS, House, cause, names};
use super::{lapse, tick};
use crate::payment::Standing;

/// From noon of the first day to the end of the fifteenth day after it.
const TERM_MS: u64 = (12 + 15 * 24) * HOUR_MS;
const NOTICE_MS: u64 = TERM_MS - 3 * 24 * HOUR_MS;

/// What happens from now on, but for the sums of days.
fn happens(house: &mut House, after_ms: u64) -> Vec<Event> {
    house.now.wall_ms += after_ms;
    let mut events = house.act(tick);
    events.retain(|event| !matches!(event, Event::PaymentsReconciled(_)));
    events
}

fn accepted(house: &mut House) -> OrderId {
    let order = house.order(1, PaymentWay::Wechat);
    house.accept(1, &[]);
    order
}

/// A12, T2: the notice comes once, three days before the end, and names the last day; then it lapses, once, and the citizen is told.
#[test]
fn a12_what_nobody_pays_lapses_after_a_notice() {
    let mut house = House::new();
    let order = accepted(&mut house);
    assert_eq!(
        house
            .state
            .payable_until(&SessionId::from_index(1))
            .unwrap()
            .to_string(),
        "2026-12-06"
    );
    assert!(happens(&mut house, NOTICE_MS - 1).is_empty());
    assert_eq!(house.state.payments.left_ms(&house.now), Some(1));
    let told = happens(&mut house, 1);
    let [Event::NoticeAsked(notice)] = told.as_slice() else {
        unreachable!("{told:?}")
    };
    assert_eq!(notice.cause, NoticeCause::PaymentDue);
    assert_eq!(notice.by.unwrap().to_string(), "2026-12-06");
    assert!(happens(&mut house, TERM_MS - NOTICE_MS - 1).is_empty());
    let over = happens(&mut house, 1);
    assert_eq!(names(&over), ["application.lapsed", "notice.asked"]);
    assert!(happens(&mut house, 1_000 * HOUR_MS).is_empty());
    assert_eq!(
        house.state.payments.orders[&order].standing,
        Standing::Expired
    );
    assert_eq!(house.state.payments().open, 0);
}

/// A12: what is paid after the lapse is asked back, once, whoever says so; what is paid before it is kept, and nothing lapses.
#[test]
fn a12_what_is_paid_after_the_lapse_is_asked_back_once() {
    let mut house = House::new();
    let order = accepted(&mut house);
    happens(&mut house, TERM_MS);
    let paid = house.centre(&order, FEE, "T1");
    assert_eq!(cause(&paid), Some(RefundCause::Lapsed));
    assert_eq!(cause(&house.centre(&order, FEE, "T1")), None, "told again");
    assert_eq!(cause(&house.terminal(&order, FEE)), None, "it is the same");
    assert_eq!(
        cause(&house.centre(&order, FEE, "T2")),
        Some(RefundCause::PaidTwice)
    );
    assert_eq!(house.state.payments().kept_fen, 0);

    let mut house = House::new();
    let order = accepted(&mut house);
    happens(&mut house, TERM_MS - 1);
    assert_eq!(
        names(&house.centre(&order, FEE, "T1")),
        ["payment.confirmed"]
    );
    assert!(happens(&mut house, 1_000 * HOUR_MS).is_empty());
    assert_eq!(house.state.payments().kept_fen, u64::from(FEE));
}

/// A12, A17: a provisional acceptance can be paid when the centre knows of it, so its time begins with the confirmation.
#[test]
fn a17_the_time_of_a_provisional_acceptance_begins_with_its_confirmation() {
    let mut house = House::new();
    house.order(1, PaymentWay::Wechat);
    house.accept(1, &[ProvisionalCause::Eligibility]);
    assert!(
        happens(&mut house, 1_000 * HOUR_MS).is_empty(),
        "nobody could pay"
    );
    // At 4 in the morning.
    house.confirm(1);
    let rest_ms = (20 + 15 * 24) * HOUR_MS;
    assert_eq!(names(&happens(&mut house, rest_ms - 1)), ["notice.asked"]);
    assert_eq!(names(&happens(&mut house, 1))[0], "application.lapsed");
}

/// A12: nothing lapses by a clock that cannot be believed; one that comes to be believed begins the time, or ends it.
#[test]
fn a12_nothing_lapses_by_a_clock_that_is_not_believed() {
    let mut house = House::new();
    house.now.trust = ClockTrust::Unsynchronised;
    let order = accepted(&mut house);
    assert!(happens(&mut house, 2 * TERM_MS).is_empty());
    assert_eq!(house.state.payments.left_ms(&house.now), None);
    assert_eq!(house.state.payments.terms[&order].ends_ms, None);
    house.now.trust = ClockTrust::Synchronised;
    // The first event under it.
    house.order(2, PaymentWay::Wechat);
    assert!(house.state.payments.terms[&order].ends_ms > Some(house.now.wall_ms));
    house.now.trust = ClockTrust::Unsynchronised;
    assert!(happens(&mut house, 2 * TERM_MS).is_empty());
    house.now.trust = ClockTrust::Synchronised;
    let over = happens(&mut house, 0);
    assert_eq!(
        names(&over),
        ["application.lapsed", "notice.asked"],
        "no notice that it ends soon"
    );
}

/// A12: the centre may give up what nobody paid; not what is paid, and not twice.
#[test]
fn a12_the_centre_gives_up_only_what_nobody_paid() {
    let gives_up = |house: &mut House, order: &OrderId| {
        let mut followed = false;
        house.act(|draft| followed = lapse(draft, order).is_some());
        followed
    };
    let mut house = House::new();
    let order = accepted(&mut house);
    house.confirm(1);
    assert!(gives_up(&mut house, &order));
    assert!(!gives_up(&mut house, &order));
    assert!(happens(&mut house, 2 * TERM_MS).is_empty());
    let mut house = House::new();
    let order = accepted(&mut house);
    house.centre(&order, FEE, "T1");
    assert!(!gives_up(&mut house, &order));
    let mut house = House::new();
    let order = house.order(1, PaymentWay::Wechat);
    assert!(!gives_up(&mut house, &order), "nothing was accepted for it");
}

//! A12, T2: what is accepted and not paid lapses with a day in China, and the citizen is told before and then.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use schemas::event::Event;
use schemas::ids::{OrderId, SessionId};
use schemas::time::ClockTrust;
use schemas::words::application::{
    ApplicationOutcome, NoticeCause, PaymentWay, ProvisionalCause, RefundCause,
};

use super::tests::{FEE, HOUR_MS, House, cause, names};
use super::{heard, lapse, tick, unpaid};
use crate::payment::Standing;

/// From noon of the first day to the end of the fifteenth day after it.
const TERM_MS: u64 = (12 + 15 * 24) * HOUR_MS;
/// To 9 in the morning of the day behind it, and of the third day before its end.
const LAPSE_MS: u64 = TERM_MS + 9 * HOUR_MS;
const NOTICE_MS: u64 = LAPSE_MS - 3 * 24 * HOUR_MS;

/// What happens from now on without a link, but for the sums of days.
fn alone(house: &mut House, after_ms: u64) -> Vec<Event> {
    house.now.wall_ms += after_ms;
    let mut events = house.act(tick);
    events.retain(|event| !matches!(event, Event::PaymentsReconciled(_)));
    events
}

/// All that the centre told until `read_ms` was read.
fn read(house: &mut House, read_ms: u64) -> Vec<Event> {
    let mut events = house.act(|draft| heard(draft, read_ms));
    events.retain(|event| !matches!(event, Event::PaymentsReconciled(_)));
    events
}

/// What happens from now on with a link over which the centre says nothing.
fn happens(house: &mut House, after_ms: u64) -> Vec<Event> {
    let mut events = alone(house, after_ms);
    let now_ms = house.now.wall_ms;
    events.extend(read(house, now_ms));
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
    assert!(happens(&mut house, LAPSE_MS - NOTICE_MS - 1).is_empty());
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
    happens(&mut house, LAPSE_MS);
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
    happens(&mut house, LAPSE_MS - 1);
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
    let rest_ms = (20 + 15 * 24 + 9) * HOUR_MS;
    assert!(happens(&mut house, rest_ms - 1).is_empty());
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
    let gives_up = |house: &mut House| {
        let mut followed = false;
        house.act(|draft| {
            let order = unpaid(draft, &SessionId::from_index(1));
            followed = order.and_then(|order| lapse(draft, &order)).is_some();
        });
        followed
    };
    let mut house = House::new();
    accepted(&mut house);
    house.confirm(1);
    assert!(gives_up(&mut house));
    assert!(!gives_up(&mut house));
    assert!(happens(&mut house, 2 * TERM_MS).is_empty());
    let mut house = House::new();
    let order = accepted(&mut house);
    house.centre(&order, FEE, "T1");
    assert!(!gives_up(&mut house));
    let mut house = House::new();
    house.order(1, PaymentWay::Wechat);
    house.end(1, ApplicationOutcome::TimedOut);
    assert!(!gives_up(&mut house), "nothing was accepted for it");
}

/// A12: a station without a link cannot know what was paid, so nothing lapses by its clock. What was paid in time counts however late it
/// is told; what nobody paid lapses when all that the centre told has been read.
#[test]
fn a12_nothing_lapses_until_the_centre_was_heard() {
    for is_paid in [true, false] {
        let mut house = House::new();
        let order = accepted(&mut house);
        let noon_ms = house.now.wall_ms;
        assert_eq!(names(&alone(&mut house, NOTICE_MS)), ["notice.asked"]);
        assert!(alone(&mut house, 20 * 24 * HOUR_MS - NOTICE_MS).is_empty());
        if is_paid {
            let paid_ms = Some(noon_ms + 3 * 24 * HOUR_MS);
            let paid = house.centre_says(&order, FEE, "T1", None, paid_ms);
            assert_eq!(names(&paid), ["payment.confirmed"]);
        }
        let over = happens(&mut house, 0);
        assert_eq!(over.is_empty(), is_paid, "{over:?}");
        assert_eq!(house.state.payments().kept_fen > 0, is_paid);
    }
}

/// A12: what was paid in the last minute of the last day, and told after midnight, is paid.
#[test]
fn a12_what_is_paid_before_midnight_is_paid() {
    let mut house = House::new();
    let order = accepted(&mut house);
    happens(&mut house, NOTICE_MS);
    let midnight_ms = house.now.wall_ms + TERM_MS - NOTICE_MS;
    assert!(happens(&mut house, TERM_MS - NOTICE_MS + 3_000).is_empty());
    let paid = house.centre_says(&order, FEE, "T1", None, Some(midnight_ms - 2_000));
    assert_eq!(names(&paid), ["payment.confirmed"]);
    assert!(happens(&mut house, 2 * TERM_MS).is_empty());
}

/// A12: what counts is when the reading began, not when its end was worked off; a time that is still to come is none.
#[test]
fn a12_a_reading_from_before_the_end_lets_nothing_lapse() {
    let mut house = House::new();
    accepted(&mut house);
    let noon_ms = house.now.wall_ms;
    alone(&mut house, LAPSE_MS - 1);
    assert!(read(&mut house, noon_ms + LAPSE_MS).is_empty());
    alone(&mut house, 10 * 24 * HOUR_MS + 1);
    assert!(read(&mut house, noon_ms + LAPSE_MS - 1).is_empty());
    assert_eq!(
        names(&read(&mut house, noon_ms + LAPSE_MS))[0],
        "application.lapsed"
    );
}

/// A12, T2: citizens are told by day. What falls due while the station is off, or without a link, waits for the next morning.
#[test]
fn t2_nobody_is_told_at_night() {
    let mut house = House::new();
    accepted(&mut house);
    // 9 in the evening.
    assert!(happens(&mut house, NOTICE_MS + 12 * HOUR_MS).is_empty());
    assert_eq!(house.state.payments.left_ms(&house.now), Some(12 * HOUR_MS));
    assert!(happens(&mut house, 12 * HOUR_MS - 1).is_empty());
    assert_eq!(names(&happens(&mut house, 1)), ["notice.asked"]);
    // 3 in the morning, two days behind the end.
    assert!(happens(&mut house, (2 * 24 + 24 - 6) * HOUR_MS).is_empty());
    let over = happens(&mut house, 6 * HOUR_MS);
    assert_eq!(names(&over), ["application.lapsed", "notice.asked"]);
}

/// A12: an accepted order can be paid until the end of its term, not only as long as one that was not accepted; what was paid in time
/// and is told after the lapse is asked back as what it is.
#[test]
fn a12_an_accepted_order_expires_with_its_term() {
    for (paid_ms, why) in [
        (TERM_MS - 1, RefundCause::Lapsed),
        (TERM_MS, RefundCause::OrderExpired),
    ] {
        let mut house = House::new();
        let order = accepted(&mut house);
        let noon_ms = house.now.wall_ms;
        happens(&mut house, LAPSE_MS);
        let paid = house.centre_says(&order, FEE, "T1", None, Some(noon_ms + paid_ms));
        assert_eq!(cause(&paid), Some(why));
    }
}

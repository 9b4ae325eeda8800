//! A12: payments by codes that phones scan, those that are valid and those that are void.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use schemas::words::application::{ApplicationOutcome, PaymentOddity, PaymentWay, RefundCause};

use super::choose_way;
use super::tests::{FEE, House, cause, names, oddity};
use crate::payment::Standing;

/// A12: a code is void when another way to pay, or another code, was chosen: a payment by it is asked back, and the order is still open.
#[test]
fn a12_a_payment_by_a_void_code_is_asked_back() {
    let mut house = House::new();
    let order = house.order(1, PaymentWay::Wechat);
    house.ask_code(1, &order, 3);
    house.act(|draft| choose_way(draft, &order, PaymentWay::Alipay));
    let paid = house.scanned(&order, 3, "T1");
    assert_eq!(names(&paid), ["payment.noted", "payment.refund-asked"]);
    assert_eq!(cause(&paid), Some(RefundCause::VoidCode));
    assert_eq!(
        oddity(&house.scanned(&order, 3, "T1")),
        Some(PaymentOddity::Repeated)
    );
    house.ask_code(1, &order, 4);
    house.ask_code(1, &order, 5);
    assert_eq!(
        cause(&house.scanned(&order, 4, "T2")),
        Some(RefundCause::VoidCode)
    );
    assert_eq!(house.state.payments.orders[&order].standing, Standing::Open);
    // A terminal's payment is not taken for one of those.
    assert_eq!(names(&house.terminal(&order, FEE))[0], "payment.way-chosen");
    assert_eq!(house.state.payments.orders[&order].standing, Standing::Paid);
    let fee = u64::from(FEE);
    let totals = house.state.payments();
    assert_eq!((totals.kept_fen, totals.owed_fen), (fee, 2 * fee));
}

/// A12: the code that is valid pays the order, also when the page is gone, and once.
#[test]
fn a12_a_valid_code_pays_once() {
    let mut house = House::new();
    let order = house.order(1, PaymentWay::Wechat);
    house.ask_code(1, &order, 3);
    house.end(1, ApplicationOutcome::Accepted);
    assert_eq!(
        names(&house.scanned(&order, 3, "T1")),
        ["payment.confirmed"]
    );
    assert_eq!(
        cause(&house.scanned(&order, 3, "T2")),
        Some(RefundCause::PaidTwice)
    );
}

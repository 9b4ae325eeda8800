//! A citizen at the first kiosk who has the fee to pay.

use super::prelude::*;

/// Somebody who chooses WeChat Pay and then waits.
pub const WAITS: Case = Case {
    fault: Fault::PaymentNever,
    ..GOOD
};

pub fn step(hall: &Hall) -> Option<S> {
    hall.prompt("kiosk-1").unwrap().1.step
}

pub fn choose(hall: &mut Hall, way: PaymentWay) {
    let chosen = hall.enter("kiosk-1", Entry::Payment(way));
    assert!(matches!(chosen, Outcome::Accepted(_)), "{chosen:?}");
}

pub fn waiting() -> (Hall, SessionId) {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &WAITS, "kiosk-1", S::AwaitPayment);
    (hall, session)
}

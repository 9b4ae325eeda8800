//! How a phone pays the fee of an application, by the code that the kiosk shows (A12).

use crate::hall::citizen::on_to;
use crate::hall::payment::{WAITS, choose, step, waiting};
use crate::hall::prelude::*;
use schemas::words::application::{InputName, PaymentFault};

fn shown(hall: &Hall) -> Option<String> {
    let code = hall.prompt("kiosk-1").unwrap().1.payment_code;
    code.map(|code| code.as_str().to_owned())
}

/// A12: the page shows the code that the centre gave, and nothing of it before or after; a payment by it ends the application.
#[test]
fn a12_a_phone_pays_by_the_code_on_the_page() {
    let (mut hall, session) = waiting();
    let question = hall.code_question();
    assert_eq!(shown(&hall), None);
    assert!(hall.give_code(&session, question, 7_200_000));
    assert_eq!(
        shown(&hall),
        Some(format!("weixin://wxpay/bizpayurl?pr=invented{question}"))
    );
    assert!(
        !hall.give_code(&session, question, 7_200_000),
        "an answer counts once"
    );
    assert!(hall.scanned(&hall.order(), question, 1));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (prompt.outcome, prompt.paid),
        (Some(ApplicationOutcome::Accepted), Some(true))
    );
    assert_eq!(shown(&hall), None);
    assert_eq!(hall.state, hall.replay());
}

/// A12: whoever chooses another way to pay is not shown the old code any more, and a payment by it is asked back while the order waits for
/// the new one; an answer to the old question is too late.
#[test]
fn a12_another_way_voids_the_code() {
    let (mut hall, session) = waiting();
    let old = hall.code_question();
    hall.enter("kiosk-1", Entry::Back);
    choose(&mut hall, PaymentWay::Alipay);
    let new = hall.code_question();
    assert_ne!(old, new);
    assert!(!hall.give_code(&session, old, 7_200_000), "too late");
    assert!(hall.give_code(&session, new, 7_200_000));
    let order = hall.order();
    assert!(hall.scanned(&order, old, 1));
    assert_eq!(step(&hall), Some(S::AwaitPayment), "it pays nothing");
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    assert!(hall.scanned(&order, new, 2));
    assert_eq!(hall.prompt("kiosk-1").unwrap().1.paid, Some(true));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    assert_eq!(hall.count("station.payment.confirmed.v1"), 1);
}

/// A12: neither cash nor a card is paid by a code, so none is asked for; and choosing one voids the code there was.
#[test]
fn a12_no_code_is_asked_for_where_no_phone_pays() {
    for way in [
        PaymentWay::UnionpayCard,
        PaymentWay::Quickpass,
        PaymentWay::CashAtWindow,
    ] {
        let (mut hall, session) = waiting();
        let old = hall.code_question();
        assert!(hall.give_code(&session, old, 7_200_000));
        hall.enter("kiosk-1", Entry::Back);
        choose(&mut hall, way);
        assert_eq!(hall.count("station.payment.code-asked.v1"), 1);
        assert_eq!(shown(&hall), None);
        assert!(hall.scanned(&hall.order(), old, 1));
        assert_eq!(hall.count("station.payment.refund-asked.v1"), 1, "{way:?}");
    }
}

/// A12: when the time of a code is over the citizen chooses again, and gets another one; a code that comes after its time is shown to
/// nobody.
#[test]
fn a12_a_code_has_its_time() {
    let (mut hall, session) = waiting();
    let question = hall.code_question();
    assert!(!hall.give_code(&session, question, 0), "its time was over");
    assert!(hall.give_code(&session, question, 60_000));
    assert!(hall.wait());
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (prompt.step, prompt.payment_fault),
        (Some(S::ChoosePayment), Some(PaymentFault::CodeOver))
    );
    choose(&mut hall, PaymentWay::Wechat);
    assert_ne!(hall.code_question(), question);
    assert_eq!((step(&hall), shown(&hall)), (Some(S::AwaitPayment), None));
    assert_eq!(hall.state, hall.replay());
}

/// A12: without a code the page waits as long as for any answer of the centre, then the citizen chooses again, and whoever is gone by then is
/// accepted: the notice holds the order. A code that comes then is refused; one that was shown has the page's whole time, and pays the order still after it.
#[test]
fn a12_what_the_page_no_longer_waits_for() {
    let (mut hall, session) = waiting();
    let question = hall.code_question();
    hall.advance(19_999);
    assert_eq!(step(&hall), Some(S::AwaitPayment));
    hall.advance(1);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (prompt.step, prompt.payment_fault),
        (Some(S::ChoosePayment), Some(PaymentFault::NoCode))
    );
    assert!(hall.wait());
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (prompt.outcome, prompt.paid),
        (Some(ApplicationOutcome::Accepted), Some(false))
    );
    assert!(!hall.give_code(&session, question, 7_200_000));
    let (mut hall, session) = waiting();
    let question = hall.code_question();
    hall.advance(19_999);
    assert!(hall.give_code(&session, question, 7_200_000));
    hall.advance(119_999);
    assert_eq!(step(&hall), Some(S::AwaitPayment));
    hall.advance(1);
    assert_eq!(
        hall.prompt("kiosk-1").unwrap().1.outcome,
        Some(ApplicationOutcome::Accepted)
    );
    assert!(hall.scanned(&hall.order(), question, 1));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);
    assert_eq!(hall.prompt("kiosk-1").unwrap().1.paid, Some(true));
}

/// A8, A12, A17: a centre that does not answer the first question is not waited for again: no code for the phone, and none to pay with, which
/// the page says. The citizen pays at a terminal, or later.
#[test]
fn a17_a_silent_centre_is_waited_for_once() {
    let (mut hall, case) = (Hall::new(), offline());
    hall.granted(1, 10);
    let session = up_to(&mut hall, &case, "kiosk-1", S::AwaitEligibility);
    let began = hall.now.mono_ms;
    on_to(&mut hall, &case, "kiosk-1", &session, S::ChoosePayment);
    assert_eq!(hall.now.mono_ms - began, 5_000, "its time for one answer");
    for way in [PaymentWay::Wechat, PaymentWay::Wechat, PaymentWay::Alipay] {
        choose(&mut hall, way);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(
            (prompt.step, prompt.payment_fault),
            (Some(S::ChoosePayment), Some(PaymentFault::NoCode))
        );
        assert!(prompt.inputs.contains(&InputName::PayLater));
    }
    choose(&mut hall, PaymentWay::UnionpayCard);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (prompt.step, prompt.payment_fault),
        (Some(S::AwaitPayment), None)
    );
    hall.enter("kiosk-1", Entry::PayLater);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (prompt.outcome, prompt.paid),
        (Some(ApplicationOutcome::Provisional), Some(false))
    );
    for nobody_asked in [
        "station.application.sms-asked.v1",
        "station.payment.code-asked.v1",
    ] {
        assert_eq!(hall.count(nobody_asked), 0, "{nobody_asked}");
    }
    assert_eq!(hall.state.papers_due().count(), 1);
    assert_eq!(hall.state, hall.replay());
}

/// Somebody who wants to pay by phone while the centre does not answer.
fn offline() -> Case {
    Case {
        link: Link::Granted,
        ..WAITS
    }
}

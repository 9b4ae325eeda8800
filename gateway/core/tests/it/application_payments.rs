//! How the fee of an application is paid: in one way after another, while the page says something else, and late (A12).

use crate::hall::payment::{WAITS, choose, step, waiting};
use crate::hall::prelude::*;
use schemas::words::application::{InputName, NoticeCause, PaymentFault};

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

/// A12: whoever went back or was declined, and then goes away, is accepted as one who goes away while the payment is waited for: the notice
/// holds the order, by the way that was chosen last. Where nothing was ordered nothing is accepted.
#[test]
fn a12_an_order_holds_whatever_page_the_citizen_leaves() {
    for is_declined in [false, true] {
        let (mut hall, _) = waiting();
        let order = hall.order();
        if is_declined {
            hall.terminal(&order, PaymentMethod::Wechat, PaymentState::Declined);
        } else {
            hall.enter("kiosk-1", Entry::Back);
        }
        assert_eq!(step(&hall), Some(S::ChoosePayment));
        assert!(hall.wait());
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(
            (prompt.outcome, prompt.payment, prompt.paid),
            (
                Some(ApplicationOutcome::Accepted),
                Some(PaymentWay::Wechat),
                Some(false)
            )
        );
        let due: Vec<_> = hall.state.papers_due().collect();
        assert!(matches!(due.as_slice(), [(_, Some(fee))] if fee.by.is_some()));
        assert_eq!(hall.state, hall.replay());
    }
    let mut hall = Hall::new();
    up_to(&mut hall, &WAITS, "kiosk-1", S::ChoosePayment);
    assert!(hall.wait());
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::TimedOut));
}

/// A12, A16: whoever cannot or will not pay now need not wait for it, once something is ordered.
#[test]
fn a12_an_order_can_be_left_to_be_paid_later() {
    let mut hall = Hall::new();
    up_to(&mut hall, &WAITS, "kiosk-1", S::ChoosePayment);
    let offers = |hall: &Hall| {
        let inputs = hall.prompt("kiosk-1").unwrap().1.inputs;
        inputs.contains(&InputName::PayLater)
    };
    assert!(!offers(&hall), "nothing is ordered");
    hall.enter("kiosk-1", Entry::PayLater);
    assert_eq!(step(&hall), Some(S::ChoosePayment));
    for goes_back in [false, true] {
        let (mut hall, _) = waiting();
        if goes_back {
            hall.enter("kiosk-1", Entry::Back);
        }
        assert!(offers(&hall));
        hall.enter("kiosk-1", Entry::PayLater);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(
            (prompt.outcome, prompt.paid),
            (Some(ApplicationOutcome::Accepted), Some(false))
        );
        assert!(hall.paid(&hall.order(), 2_000, 1));
        assert_eq!(hall.prompt("kiosk-1").unwrap().1.paid, Some(true));
        assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);
        assert_eq!(hall.state, hall.replay());
    }
}

/// A12, T2: whoever paid what is given back is told so, once, however the session ended.
#[test]
fn a12_a_refund_is_told_once() {
    let cancel = |hall: &mut Hall, session: &SessionId| {
        let session = session.clone();
        hall.request("kiosk-1", gateway_core::Request::Cancel { session });
    };
    let restart = |hall: &mut Hall, _: &SessionId| hall.restart();
    let reject = |hall: &mut Hall, session: &SessionId| {
        while hall.prompt("kiosk-1").unwrap().1.outcome.is_none() {
            assert!(hall.wait());
        }
        let reason = RejectionReason::NotEligible;
        assert!(hall.decided(session, Decision::Rejected { reason }));
    };
    type End = fn(&mut Hall, &SessionId);
    let ends: [(&str, End); 3] = [
        ("cancelled", cancel),
        ("restarted", restart),
        ("rejected", reject),
    ];
    for (how, end) in ends {
        let (mut hall, session) = waiting();
        let order = hall.order();
        end(&mut hall, &session);
        assert_eq!(refunds_told(&hall, &session), 0, "{how}: nothing is paid");
        for transaction in [1, 2, 2] {
            assert!(hall.paid(&order, 2_000, transaction), "{how}");
            assert_eq!(refunds_told(&hall, &session), 1, "{how}");
        }
        assert_eq!(hall.count("station.payment.refund-asked.v1"), 2, "{how}");
        assert_eq!(hall.state, hall.replay(), "{how}");
    }
}

fn refunds_told(hall: &Hall, of: &SessionId) -> usize {
    let is_told = |event: &Event| matches!(event, Event::NoticeAsked(b) if b.session == *of && b.cause == NoticeCause::Refund);
    let events = hall.log.iter().filter(|(_, event)| is_told(event));
    events.count()
}

/// A12: the page says what became of a payment at the terminal, until another way is chosen; an uncertain one is waited for.
#[test]
fn a12_the_page_says_why_a_payment_did_not_come_about() {
    let faults = [
        (PaymentState::Waiting, None, S::AwaitPayment),
        (
            PaymentState::Declined,
            Some(PaymentFault::Declined),
            S::ChoosePayment,
        ),
        (
            PaymentState::Cancelled,
            Some(PaymentFault::Cancelled),
            S::ChoosePayment,
        ),
        (
            PaymentState::TimedOut,
            Some(PaymentFault::TimedOut),
            S::ChoosePayment,
        ),
        (
            PaymentState::Unknown,
            Some(PaymentFault::Unknown),
            S::AwaitPayment,
        ),
    ];
    for (state, fault, page) in faults {
        let (mut hall, _) = waiting();
        let order = hall.order();
        hall.terminal(&order, PaymentMethod::Alipay, state);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(prompt.payment_fault, None, "of another way: {state:?}");
        hall.terminal(&order, PaymentMethod::Wechat, state);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!((prompt.payment_fault, prompt.step), (fault, Some(page)));
        if page == S::AwaitPayment {
            hall.enter("kiosk-1", Entry::Back);
        }
        assert_eq!(hall.prompt("kiosk-1").unwrap().1.payment_fault, fault);
        choose(&mut hall, PaymentWay::Wechat);
        assert_eq!(hall.prompt("kiosk-1").unwrap().1.payment_fault, None);
        assert_eq!(hall.state, hall.replay());
    }
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

const DAY_MS: u64 = 86_400_000;

/// A12, T2: what is accepted and never paid lapses; the kiosk says so if nobody was there since, the person may apply again, and what is
/// paid then is given back, once.
#[test]
fn a12_who_does_not_pay_may_apply_again() {
    let mut hall = Hall::new();
    hall.advance(2 * 3_600_000);
    assert_eq!(WAITS.go(&mut hall, "kiosk-1").paid, Some(false));
    let order = hall.order();
    // From 10 in the morning to the morning behind the fifteenth day after.
    for (days, told, over) in [(12, 0, 0), (1, 1, 0), (2, 1, 0), (1, 2, 1)] {
        hall.advance(days * DAY_MS);
        hall.centre_read();
        assert_eq!(hall.count("station.notice.asked.v1"), told);
        assert_eq!(hall.count("station.application.lapsed.v1"), over);
    }
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::NotPaid));
    assert_eq!(
        (prompt.order, prompt.fee_fen),
        (None, None),
        "nothing is due"
    );
    // Nobody can be asked: the station itself knows that nothing of theirs is under way.
    hall.granted(1, 10);
    let case = Case {
        link: Link::Granted,
        ..WAITS
    };
    let again = case.go(&mut hall, "kiosk-1");
    assert_eq!(again.outcome, Some(ApplicationOutcome::Provisional));
    for _ in 0..2 {
        assert!(hall.paid(&order, 2_000, 1));
    }
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    assert!(hall.paid(&hall.order(), 2_000, 2));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    assert_eq!(hall.state, hall.replay());
}

/// A12: the centre gives up what nobody paid, decided or not, without a ticket: there is nothing for an officer to go on with.
#[test]
fn a12_the_centre_gives_up_what_nobody_paid() {
    let reason = RejectionReason::NotPaid;
    for is_confirmed in [true, false] {
        let mut hall = Hall::new();
        let session = hall.begin("kiosk-1");
        finish(&mut hall, &WAITS, "kiosk-1", &session);
        if is_confirmed {
            let (site, place) = accepted(&hall);
            assert!(hall.decided(&session, Decision::Confirmed { site, place }));
        }
        assert!(hall.decided(&session, Decision::Rejected { reason }));
        assert_eq!(hall.count("station.application.lapsed.v1"), 1);
        assert!(
            !hall.decided(&session, Decision::Rejected { reason }),
            "once"
        );
        assert!(hall.state.window_tickets().is_empty());
        assert_eq!(hall.state, hall.replay());
    }
}

/// A12: a payment that was first in the log stands against the centre's giving up.
#[test]
fn a12_what_is_paid_is_not_given_up() {
    let mut hall = Hall::new();
    let session = hall.begin("kiosk-1");
    finish(&mut hall, &WAITS, "kiosk-1", &session);
    assert!(hall.paid(&hall.order(), 2_000, 1));
    let reason = RejectionReason::NotPaid;
    assert!(!hall.decided(&session, Decision::Rejected { reason }));
    hall.advance(30 * DAY_MS);
    hall.centre_read();
    assert_eq!(hall.count("station.application.lapsed.v1"), 0);
    assert_eq!(hall.count("station.notice.asked.v1"), 0);
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);
}

fn accepted(hall: &Hall) -> (AcceptanceSite, DailyPlace) {
    let events = hall.log.iter().map(|(_, event)| event);
    let mut accepted = events.filter_map(|event| match event {
        Event::ApplicationAccepted(b) => Some((b.site.clone(), b.place)),
        _ => None,
    });
    accepted.next().unwrap()
}

/// A12: the centre also gives up what was accepted before there were terms, and nothing while the citizen stands at the kiosk.
#[test]
fn a12_the_centre_gives_up_what_has_no_term() {
    let gives_up = |hall: &mut Hall, session: &SessionId| {
        let reason = RejectionReason::NotPaid;
        hall.decided(session, Decision::Rejected { reason })
    };
    let (mut hall, session) = waiting();
    assert!(!gives_up(&mut hall, &session));
    finish(&mut hall, &WAITS, "kiosk-1", &session);
    for (_, event) in &mut hall.log {
        if let Event::ApplicationAccepted(b) = event {
            b.term = None;
        }
    }
    hall.state = hall.replay();
    hall.advance(30 * DAY_MS);
    hall.centre_read();
    assert_eq!(hall.count("station.application.lapsed.v1"), 0);
    assert!(gives_up(&mut hall, &session));
    assert!(!gives_up(&mut hall, &session), "once");
    assert_eq!(hall.count("station.notice.asked.v1"), 1, "they are told");
    assert!(hall.paid(&hall.order(), 2_000, 1));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    assert_eq!(hall.state, hall.replay());
}

//! Applications beside each other, back and forth, restarted, answered late, paid late (A8, A12, A14, A15, A17).

use crate::hall::prelude::*;
use gateway_core::Request;
use schemas::acceptance::DailySequence;
use schemas::civil::CivilDate;
use schemas::time::ClockTrust;
use schemas::words::application::{EligibilityVerdict, InputName, Language};

fn places(hall: &Hall) -> Vec<DailyPlace> {
    let events = hall.log.iter().map(|(_, event)| event);
    let places = events.filter_map(|event| match event {
        Event::ApplicationAccepted(b) => Some(b.place),
        _ => None,
    });
    places.collect()
}

/// A double tap: an entry for another step than the present one is refused, and changes nothing but that it is recorded.
#[test]
fn a1_an_entry_for_another_step_changes_nothing() {
    let mut hall = Hall::new();
    let session = hall.begin("kiosk-1");
    let kind = || Entry::Kind(Kind::Renewal);
    let first = hall.enter_at("kiosk-1", session.clone(), 1, kind());
    assert_eq!(first, Outcome::Accepted(Some(session.clone())));
    let before = hall.prompt("kiosk-1");
    let length = hall.log.len();
    for (session, step, entry) in [
        (session.clone(), 1, kind()),
        (session.clone(), 9, kind()),
        (session.clone(), 2, kind()),
        (session.clone(), 2, Entry::DocumentsDone),
    ] {
        let again = hall.enter_at("kiosk-1", session, step, entry);
        assert_eq!(again, Outcome::Refused(RefusalReason::OutOfStep));
    }
    let other = hall.enter_at("kiosk-2", session, 2, Entry::Residence(Residence::Local));
    assert_eq!(other, Outcome::Refused(RefusalReason::NoSuchSession));
    assert_eq!(hall.prompt("kiosk-1"), before);
    assert_eq!(hall.log.len(), length + 5, "each refusal is a fact");
}

/// Back gives up what was entered from there on, and the way through is the same again. Another language changes no step.
#[test]
fn back_leads_to_every_page_and_on_again() {
    for step in [
        S::ChooseResidence,
        S::ReadCard,
        S::AwaitEligibility,
        S::ConfirmIdentity,
        S::GivePortrait,
        S::TakeLivePhoto,
        S::GivePhone,
        S::KeySmsCode,
        S::RightFinger,
        S::LeftFinger,
        S::AttachDocuments,
        S::Sign,
        S::ChoosePayment,
    ] {
        let mut hall = Hall::new();
        let session = up_to(&mut hall, &GOOD, "kiosk-1", step);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert!(prompt.inputs.contains(&InputName::Back), "{step:?}");
        hall.enter("kiosk-1", Entry::Language(Language::En));
        let (_, same) = hall.prompt("kiosk-1").unwrap();
        assert_eq!((same.number, same.step), (prompt.number, prompt.step));
        assert_eq!(same.language, Some(Language::En));
        let back = hall.enter("kiosk-1", Entry::Back);
        assert!(matches!(back, Outcome::Accepted(_)), "{step:?}: {back:?}");
        let (_, before) = hall.prompt("kiosk-1").unwrap();
        assert!(
            before.step < Some(step),
            "{step:?} led to {:?}",
            before.step
        );
        let outcome = finish(&mut hall, &GOOD, "kiosk-1", &session);
        assert_eq!(outcome, ApplicationOutcome::Accepted, "{step:?}");
        assert_eq!(hall.state, hall.replay());
    }
    let mut hall = Hall::new();
    hall.begin("kiosk-1");
    let back = hall.enter("kiosk-1", Entry::Back);
    assert_eq!(back, Outcome::Refused(RefusalReason::NotOffered));
}

/// Two kiosks share a reader: the second waits, sees for what, and is served when the first is done.
#[test]
fn a_shared_device_serves_one_step_at_a_time() {
    let mut hall = Hall::new();
    let first = up_to(&mut hall, &GOOD, "kiosk-1", S::ReadCard);
    let other = Case { who: 2, ..GOOD };
    let second = up_to(&mut hall, &other, "kiosk-2", S::ReadCard);
    let (_, waiting) = hall.prompt("kiosk-2").unwrap();
    assert_eq!(waiting.awaits, Some(device("reader-3")));
    assert_eq!(hall.effects().len(), 1);
    GOOD.once(&mut hall, "kiosk-1", &first);
    let (_, served) = hall.prompt("kiosk-2").unwrap();
    assert_eq!((served.step, served.awaits), (Some(S::ReadCard), None));
    for (case, kiosk, session) in [(other, "kiosk-2", &second), (GOOD, "kiosk-1", &first)] {
        let outcome = finish(&mut hall, &case, kiosk, session);
        assert_eq!(outcome, ApplicationOutcome::Accepted);
    }
}

/// A restart at every step ends the session as interrupted, once; the next one begins at once, and its number is another.
#[test]
fn a_restart_at_every_step_interrupts() {
    let mut interrupted = std::collections::BTreeSet::new();
    for steps in 0..60 {
        let mut hall = Hall::new();
        let session = hall.begin("kiosk-1");
        let mut ended = false;
        for _ in 0..steps {
            ended = ended || GOOD.once(&mut hall, "kiosk-1", &session).is_some();
        }
        if ended {
            // A renewal that is paid at the window has no step for the number and none for the payment.
            assert_eq!(interrupted.len(), 17, "{interrupted:?}");
            return;
        }
        let had = hall.state.sessions().next().is_some();
        interrupted.extend(hall.prompt("kiosk-1").and_then(|(_, prompt)| prompt.step));
        hall.restart();
        if had {
            let (_, prompt) = hall.prompt("kiosk-1").unwrap();
            assert_eq!(prompt.outcome, Some(ApplicationOutcome::Interrupted));
        }
        assert_eq!(hall.count("station.application.ended.v1"), 1);
        assert_eq!(hall.count("station.application.recorded.v1"), 1);
        // Somebody else: at the last step the first one was accepted.
        let prompt = Case { who: 2, ..GOOD }.go(&mut hall, "kiosk-1");
        assert_eq!(prompt.outcome, Some(ApplicationOutcome::Accepted));
    }
}

/// A12: who pays after the session was interrupted gets it back, once; who pays for an acceptance does not.
#[test]
fn a12_what_is_paid_without_an_acceptance_is_asked_back() {
    let case = Case {
        fault: Fault::PaymentNever,
        ..GOOD
    };
    let mut hall = Hall::new();
    up_to(
        &mut hall,
        &Case { who: 2, ..case },
        "kiosk-1",
        S::AwaitPayment,
    );
    let interrupted = hall.order();
    hall.restart();
    assert!(hall.paid(&interrupted, 2_000, 1));
    hall.paid(&interrupted, 2_000, 1);
    assert_eq!(hall.count("station.payment.confirmed.v1"), 1);
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    let session = up_to(&mut hall, &case, "kiosk-1", S::AwaitPayment);
    let paid = hall.order();
    assert!(hall.paid(&paid, 2_000, 2));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        prompt.outcome,
        Some(ApplicationOutcome::Accepted),
        "{session}"
    );
    assert_eq!(prompt.paid, Some(true));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
}

/// A12: the notice holds the order, which can be paid when the session is over.
#[test]
fn a12_an_order_can_be_paid_later() {
    let case = Case {
        fault: Fault::PaymentNever,
        ..GOOD
    };
    let mut hall = Hall::new();
    let prompt = case.go(&mut hall, "kiosk-1");
    assert_eq!(
        (prompt.paid, prompt.payment),
        (Some(false), Some(PaymentWay::Wechat))
    );
    assert_eq!(prompt.order, Some(hall.order()));
    assert!(hall.paid(&prompt.order.unwrap(), 2_000, 1));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);
    assert_eq!(hall.prompt("kiosk-1").unwrap().1.paid, Some(true));
}

/// A15, A17: a rejection leads to a ticket, a notice and the money back; the first decision counts, and one for a session that never
/// was does no harm.
#[test]
fn a17_the_centres_decision_counts_once() {
    let rejected = Decision::Rejected {
        reason: RejectionReason::AlreadyAppliedElsewhere,
    };
    let mut hall = Hall::new();
    hall.granted(1, 10);
    let case = Case {
        fault: Fault::PaymentNever,
        link: Link::Granted,
        ..GOOD
    };
    let session = hall.begin("kiosk-1");
    let outcome = finish(&mut hall, &case, "kiosk-1", &session);
    assert_eq!(outcome, ApplicationOutcome::Provisional);
    let paid = hall.order();
    assert!(hall.paid(&paid, 2_000, 1));
    assert!(hall.decided(&session, rejected.clone()));
    let (_, compensated) = hall
        .log
        .iter()
        .rev()
        .find(|(_, event)| matches!(event, Event::ApplicationCompensated(_)))
        .unwrap();
    let Event::ApplicationCompensated(compensated) = compensated else {
        panic!("{compensated:?}");
    };
    assert!(compensated.phone.is_some());
    assert_eq!(compensated.ticket.as_str(), "W1-1");
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 1);
    let place = places(&hall)[0];
    let site = AcceptanceSite::new("110105001").unwrap();
    for (session, outcome) in [
        (session.clone(), rejected.clone()),
        (session, Decision::Confirmed { site, place }),
        (SessionId::from_index(9_999), rejected),
    ] {
        assert!(!hall.decided(&session, outcome));
    }
    assert_eq!(hall.count("station.application.compensated.v1"), 1);
    assert_eq!(hall.count("station.application.confirmed.v1"), 0);
    assert_eq!(hall.state, hall.replay());
}

/// A17: the centre's word that comes after a provisional decision, and before the acceptance, is what counts; and a centre that is there
/// again is asked for a code.
#[test]
fn a17_a_late_word_of_the_centre_counts_until_the_acceptance() {
    for (verdict, outcome) in [
        (EligibilityVerdict::Eligible, ApplicationOutcome::Accepted),
        (EligibilityVerdict::Flagged, ApplicationOutcome::Refused),
        (EligibilityVerdict::Window, ApplicationOutcome::Window),
    ] {
        let mut hall = Hall::new();
        hall.granted(1, 10);
        let granted = Case {
            link: Link::Granted,
            ..GOOD
        };
        let session = up_to(&mut hall, &granted, "kiosk-1", S::GivePortrait);
        assert!(hall.judged(&session, 1, verdict));
        assert!(!hall.judged(&session, 1, verdict), "twice");
        let found = finish(&mut hall, &GOOD, "kiosk-1", &session);
        assert_eq!(found, outcome);
        let goes_on = outcome == ApplicationOutcome::Accepted;
        assert_eq!(
            hall.count("station.application.sms-asked.v1"),
            usize::from(goes_on)
        );
    }
}

/// A17: no more provisional acceptances than the grant allows; what ended without one is not counted, and a new grant begins anew.
#[test]
fn a17_a_grant_allows_so_many() {
    let case = Case {
        link: Link::Granted,
        ..GOOD
    };
    let mut hall = Hall::new();
    hall.granted(1, 2);
    let session = up_to(&mut hall, &case, "kiosk-1", S::GivePortrait);
    hall.request("kiosk-1", Request::Cancel { session });
    let mut outcomes = Vec::new();
    for who in 1..4 {
        let case = Case { who, ..case };
        outcomes.push(case.go(&mut hall, "kiosk-1").outcome.unwrap());
    }
    use ApplicationOutcome::{Provisional, Window};
    assert_eq!(outcomes, [Provisional, Provisional, Window]);
    hall.granted(2, 1);
    let case = Case { who: 4, ..case };
    assert_eq!(case.go(&mut hall, "kiosk-1").outcome, Some(Provisional));
}

/// A13, A17: the day's count never goes back, whatever the clock does, and a clock that is not believed opens no new day.
#[test]
fn a13_acceptance_numbers_never_go_back() {
    let mut hall = Hall::new();
    let day = 86_400_000;
    let mut who = 0;
    let mut go = |trust, shift: i64| {
        who += 1;
        hall.now.trust = trust;
        hall.now.wall_ms = hall.now.wall_ms.saturating_add_signed(shift);
        Case { who, ..GOOD }.go(&mut hall, "kiosk-1");
        places(&hall)
            .last()
            .map(|p| (p.date.to_string(), p.sequence.get()))
    };
    let place = |date: &str, n| Some((date.to_owned(), n));
    use ClockTrust::{Synchronised, Unsynchronised};
    assert_eq!(
        go(Unsynchronised, 400 * day),
        None,
        "not the first day either"
    );
    assert_eq!(go(Synchronised, -400 * day), place("2026-11-22", 1));
    assert_eq!(go(Synchronised, 0), place("2026-11-22", 2));
    assert_eq!(go(Unsynchronised, 400 * day), place("2026-11-22", 3));
    assert_eq!(go(Synchronised, -400 * day + day), place("2026-11-23", 1));
    assert_eq!(go(Synchronised, -day), place("2026-11-23", 2));
    assert_eq!(go(Unsynchronised, -900 * day), place("2026-11-23", 3));
}

/// A13: when all numbers of a day are given the citizen goes to the window, and nothing is lost.
#[test]
fn a13_a_full_day_leads_to_the_window() {
    let mut hall = Hall::new();
    let place = DailyPlace {
        date: CivilDate::new(2026, 11, 22).unwrap(),
        sequence: DailySequence::LAST,
    };
    let carried = schemas::event::application::AcceptancesCarriedOver {
        place,
        printed: Vec::new(),
    };
    hall.record(carried.into());
    let prompt = GOOD.go(&mut hall, "kiosk-1");
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::Window));
    let carried = gateway_core::carry_over(&hall.state);
    assert!(carried.events.iter().any(|event| matches!(
        event,
        Event::AcceptancesCarriedOver(b) if b.place == place
    )));
}

/// A12, A17: whoever leaves a log is told what is open in it.
#[test]
fn a17_what_a_new_log_leaves_behind_is_counted() {
    let case = Case {
        fault: Fault::PaymentNever,
        ..GOOD
    };
    let mut hall = Hall::new();
    let left = |hall: &Hall| {
        let left = gateway_core::carry_over(&hall.state).left;
        (left.acceptances, left.tickets, left.orders, left.refunds)
    };
    assert_eq!(left(&hall), (0, 0, 0, 0));
    case.go(&mut hall, "kiosk-1");
    assert_eq!(left(&hall), (1, 0, 1, 0));
    let accepted = hall.order();
    up_to(
        &mut hall,
        &Case { who: 2, ..case },
        "kiosk-1",
        S::AwaitPayment,
    );
    let interrupted = hall.order();
    hall.restart();
    assert!(hall.paid(&accepted, 2_000, 1) && hall.paid(&interrupted, 2_000, 2));
    // Its papers were lost, so it has a ticket.
    assert_eq!(left(&hall), (1, 1, 0, 1));
}

/// A8: a code is sent again on request, but not for ever.
#[test]
fn a8_codes_are_sent_again_but_not_for_ever() {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &GOOD, "kiosk-1", S::KeySmsCode);
    assert!(matches!(
        hall.enter("kiosk-1", Entry::Retry),
        Outcome::Accepted(_)
    ));
    assert!(hall.answer(&session, EligibilityVerdict::Eligible));
    let third = hall.enter("kiosk-1", Entry::Retry);
    assert_eq!(third, Outcome::Refused(RefusalReason::NotOffered));
    assert_eq!(hall.count("station.application.sms-asked.v1"), 2);
    let outcome = finish(&mut hall, &GOOD, "kiosk-1", &session);
    assert_eq!(outcome, ApplicationOutcome::Accepted);
}

/// Whoever walks away is not waited for, and nobody goes on in their place.
#[test]
fn who_walks_away_ends_the_session() {
    for step in [S::ChooseKind, S::GivePortrait, S::Sign, S::ChoosePayment] {
        let mut hall = Hall::new();
        up_to(&mut hall, &GOOD, "kiosk-1", step);
        hall.advance(90_000);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(
            prompt.outcome,
            Some(ApplicationOutcome::TimedOut),
            "{step:?}"
        );
    }
}

//! What is doubtful does not pass by itself: a card whose time to renew nobody could judge (A3), faces and fingers that were found to
//! differ (A7, A9), a fee for what cannot be accepted (A12).

use crate::hall::prelude::*;
use gateway_core::{FacesReply, FingerReply, Reply};
use schemas::time::ClockTrust;
use schemas::words::Completion;
use schemas::words::application::{ApplicationRefusal, ProvisionalCause, WindowReason};

const RENEWAL: Case = Case {
    kind: Kind::Renewal,
    ..GOOD
};

fn causes(hall: &Hall) -> Vec<ProvisionalCause> {
    let events = hall.log.iter().map(|(_, event)| event);
    let mut accepted = events.filter_map(|event| match event {
        Event::ApplicationAccepted(b) => Some(b.provisional.clone()),
        _ => None,
    });
    accepted.next().unwrap()
}

/// A3: the clock was not believed when the card was read, and is later: then it is judged, before anything is accepted or paid.
#[test]
fn a3_the_time_to_renew_is_judged_as_soon_as_the_clock_is_believed() {
    for (card, refusal) in [
        (Card::Good, None),
        (Card::Early, Some(ApplicationRefusal::RenewalTooEarly)),
        (Card::Late, Some(ApplicationRefusal::RenewalTooLate)),
        (Card::LongTerm, Some(ApplicationRefusal::CardLongTerm)),
    ] {
        let mut hall = Hall::new();
        hall.now.trust = ClockTrust::Unsynchronised;
        let case = Case { card, ..RENEWAL };
        let session = up_to(&mut hall, &case, "kiosk-1", S::GivePhone);
        hall.now.trust = ClockTrust::Synchronised;
        let outcome = finish(&mut hall, &case, "kiosk-1", &session);
        let (_, page) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(page.refusal, refusal, "{card:?}");
        let ordered = hall.count("station.payment.ordered.v1");
        assert_eq!(ordered == 0, refusal.is_some(), "{card:?}");
        if refusal.is_none() {
            assert_eq!(outcome, ApplicationOutcome::Accepted);
        }
    }
}

/// A3, A17: a card that does not say when it expires is for the centre to judge; of one that was lost nobody asks.
#[test]
fn a3_a_card_without_an_end_is_provisional() {
    for (kind, causes_of_card) in [
        (Kind::Renewal, vec![ProvisionalCause::Expiry]),
        (Kind::Lost, vec![ProvisionalCause::Comparison]),
    ] {
        let case = Case {
            kind,
            card: Card::Undated,
            ..GOOD
        };
        let mut hall = Hall::new();
        let page = case.go(&mut hall, "kiosk-1");
        assert_eq!(page.outcome, Some(ApplicationOutcome::Provisional));
        assert_eq!(causes(&hall), causes_of_card, "{kind:?}");
    }
}

fn faces(score: Option<u16>) -> Reply {
    Reply::Faces(FacesReply {
        completion: match score {
            Some(_) => Completion::Success,
            None => Completion::HardwareError,
        },
        score,
        refusal: None,
        which: None,
    })
}

/// Answers what is asked at `step`, the next ones in turn; what comes of it.
fn answered(step: S, replies: &[Reply]) -> (ApplicationOutcome, Option<WindowReason>) {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &RENEWAL, "kiosk-1", step);
    for reply in replies {
        crate::hall::citizen::on_to(&mut hall, &RENEWAL, "kiosk-1", &session, step);
        let effect = hall.effects().first().cloned().unwrap();
        hall.reply(&effect, reply.clone());
    }
    let outcome = finish(&mut hall, &RENEWAL, "kiosk-1", &session);
    assert_eq!(hall.state, hall.replay());
    (outcome, hall.prompt("kiosk-1").unwrap().1.window_reason)
}

/// A7, A15: faces that were found to differ pass by a score alone, and not because the matcher fails afterwards.
#[test]
fn a7_faces_that_differ_do_not_pass_without_a_score() {
    use ApplicationOutcome::{Accepted, Provisional, Window};
    for (scores, outcome) in [
        (&[Some(30), Some(97)][..], Accepted),
        (&[None], Provisional),
        (&[Some(30), None], Window),
    ] {
        let replies: Vec<_> = scores.iter().map(|score| faces(*score)).collect();
        let found = answered(S::CompareLive, &replies);
        let reason = (outcome == Window).then_some(WindowReason::LiveDiffers);
        assert_eq!(found, (outcome, reason), "{scores:?}");
    }
}

/// A9, A15: the same of a finger.
#[test]
fn a9_a_finger_that_differs_does_not_pass_without_a_score() {
    use ApplicationOutcome::{Accepted, Provisional, Window};
    for (scores, outcome) in [
        (&[Some(10), Some(90)][..], Accepted),
        (&[None], Provisional),
        (&[Some(10), None, None], Window),
    ] {
        let finger = |score: &Option<u16>| {
            Reply::Finger(FingerReply {
                completion: Completion::Success,
                quality: Some(80),
                image: Some(crate::hall::blob(0x22)),
                score: *score,
            })
        };
        let replies: Vec<_> = scores.iter().map(finger).collect();
        let found = answered(S::RightFinger, &replies);
        let reason = (outcome == Window).then_some(WindowReason::FingersDiffer);
        assert_eq!(found, (outcome, reason), "{scores:?}");
    }
}

/// A12, A13: where no acceptance number can be given nobody is asked to pay.
#[test]
fn a12_nobody_pays_for_what_cannot_be_accepted() {
    let mut hall = Hall::new();
    hall.now.trust = ClockTrust::Unsynchronised;
    let page = RENEWAL.go(&mut hall, "kiosk-1");
    assert_eq!(page.window_reason, Some(WindowReason::ClockNotTrusted));
    assert_eq!(hall.count("station.payment.ordered.v1"), 0);
    assert_eq!(
        hall.count("station.application.signed.v1"),
        1,
        "all else is there"
    );
}

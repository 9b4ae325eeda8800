//! What a citizen cannot get around by going back, asking twice or coming again, and whom the station does not serve (A5 to A9, A17).

use crate::hall::blob;
use crate::hall::citizen::checks;
use crate::hall::prelude::*;
use gateway_core::{FacesReply, Reply, Request};
use schemas::event::application::Comparison;
use schemas::ids::OperatorId;
use schemas::key::LookupKeyId;
use schemas::message::face::{ComparedPicture, FaceRefusal};
use schemas::message::keyed::SmsCode;
use schemas::message::kiosk::MaintenanceTarget;
use schemas::words::Completion;
use schemas::words::application::{
    ApplicationRefusal, ComparisonPending, FacePair, InputFault, PortraitCheck, PortraitWay,
    WindowReason,
};

/// Goes on and back from `step` each time that fewer attempts are left. What the page said is left, and why it ended.
fn fail_and_go_back(case: &Case, step: S) -> (Vec<u16>, Option<WindowReason>) {
    let mut hall = Hall::new();
    hall.rules.application.as_mut().unwrap().policy.sms = false;
    let session = hall.begin("kiosk-1");
    let mut left: Vec<u16> = Vec::new();
    for _ in 0..300 {
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        if prompt.outcome.is_some() {
            return (left, prompt.window_reason);
        }
        if prompt.step == Some(step) && left.last() != prompt.attempts_left.as_ref() {
            left.extend(prompt.attempts_left);
            if left.len() > 1 {
                hall.enter("kiosk-1", Entry::Back);
                continue;
            }
        }
        case.once(&mut hall, "kiosk-1", &session);
    }
    panic!("{step:?} can be tried for ever: {left:?}");
}

/// A3, A6 to A9: going back gives no attempt back.
#[test]
fn a9_back_gives_no_attempt_back() {
    for (kind, fault, step, left, reason) in [
        (
            Kind::Lost,
            Fault::NumberInvalid,
            S::KeyNumber,
            vec![3, 2, 1],
            WindowReason::NumberFailed,
        ),
        (
            Kind::Renewal,
            Fault::PortraitChecks,
            S::GivePortrait,
            vec![3, 2, 1],
            WindowReason::PortraitFailed,
        ),
        (
            Kind::Renewal,
            Fault::LiveDiffers,
            S::TakeLivePhoto,
            vec![2, 1],
            WindowReason::LiveDiffers,
        ),
        (
            Kind::Renewal,
            Fault::PhonesDiffer,
            S::GivePhone,
            vec![2, 1],
            WindowReason::PhoneFailed,
        ),
        (
            Kind::Renewal,
            Fault::FingersPoor,
            S::RightFinger,
            vec![3, 2, 1],
            WindowReason::FingersNotCaptured,
        ),
    ] {
        let case = Case {
            kind,
            fault,
            ..GOOD
        };
        let found = fail_and_go_back(&case, step);
        assert_eq!(found, (left, Some(reason)), "{step:?}");
    }
}

/// A8: no more codes are sent than attempts there are, to whatever numbers; then the way leads to the window.
#[test]
fn a8_no_more_codes_are_sent_by_going_back() {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &GOOD, "kiosk-1", S::KeySmsCode);
    for _ in 0..100 {
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        if prompt.outcome.is_some() {
            assert_eq!(prompt.outcome, Some(ApplicationOutcome::Window));
            assert_eq!(prompt.window_reason, Some(WindowReason::PhoneFailed));
            assert_eq!(hall.count("station.application.sms-asked.v1"), 2);
            return;
        }
        if prompt.step == Some(S::KeySmsCode) {
            hall.enter("kiosk-1", Entry::Back);
        } else {
            GOOD.once(&mut hall, "kiosk-1", &session);
        }
    }
    panic!("codes are sent for ever");
}

/// Whoever applies while the centre cannot be asked.
const ALONE: Case = Case {
    link: Link::Granted,
    ..GOOD
};

fn alone() -> Hall {
    let mut hall = Hall::new();
    hall.granted(1, 10);
    hall
}

/// A17: while the centre cannot be asked nobody applies, and pays, twice: not after an acceptance that it has not decided, under
/// whichever lookup key, and not beside an application that may come to one.
#[test]
fn a17_nobody_applies_twice_while_nobody_can_be_asked() {
    let retagged = Case {
        card: Card::Retagged,
        ..ALONE
    };
    let other = Case { who: 2, ..ALONE };
    let mut hall = alone();
    let first = hall.begin("kiosk-1");
    finish(&mut hall, &ALONE, "kiosk-1", &first);
    for again in [ALONE, retagged] {
        let prompt = again.go(&mut hall, "kiosk-2");
        assert_eq!(prompt.refusal, Some(ApplicationRefusal::AlreadyApplied));
    }
    assert_eq!(hall.count("station.payment.ordered.v1"), 1);
    let key = LookupKeyId::new("0a1b2c3d").unwrap();
    assert!(hall.state.lookup_keys_in_use().contains(&key));
    let reason = RejectionReason::Documents;
    assert!(hall.decided(&first, Decision::Rejected { reason }));
    assert!(!hall.state.lookup_keys_in_use().contains(&key));
    for case in [retagged, other] {
        let prompt = case.go(&mut hall, "kiosk-1");
        assert_eq!(prompt.outcome, Some(ApplicationOutcome::Provisional));
    }
}

/// A12, A17: a number is in one application at a time, whether the centre can be asked or not. The other machine says so before anything
/// is ordered, and takes it once the first one has ended; what was accepted and is not decided stands against it then.
#[test]
fn a12_a17_a_number_is_at_one_machine_at_a_time() {
    let refusal = |case: Case, hall: &mut Hall| case.go(hall, "kiosk-2").refusal;
    for case in [GOOD, ALONE] {
        let retagged = Case {
            card: Card::Retagged,
            ..case
        };
        let mut hall = alone();
        let first = up_to(&mut hall, &case, "kiosk-1", S::GivePortrait);
        for again in [case, retagged] {
            let refused = refusal(again, &mut hall);
            assert_eq!(refused, Some(ApplicationRefusal::AtAnotherMachine));
        }
        let cancel = Request::Cancel { session: first };
        assert!(matches!(
            hall.request("kiosk-1", cancel),
            Outcome::Accepted(_)
        ));
        let second = up_to(&mut hall, &case, "kiosk-2", S::GivePortrait);
        finish(&mut hall, &case, "kiosk-2", &second);
        let refused = refusal(case, &mut hall);
        assert_eq!(refused, Some(ApplicationRefusal::AlreadyApplied));
        assert_eq!(hall.count("station.payment.ordered.v1"), 1);
    }
}

fn maintain(hall: &mut Hall, name: &str) {
    let request = Request::SetMaintenance {
        operator: OperatorId::new("operator-1").unwrap(),
        target: MaintenanceTarget::Device(device(name)),
        on: true,
    };
    let outcome = hall.request("kiosk-2", request);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

fn comparisons(hall: &Hall) -> Vec<Comparison> {
    let events = hall.log.iter().map(|(_, event)| event);
    let compared = events.filter_map(|event| match event {
        Event::ApplicationFacesCompared(b) => Some(b.comparison.clone()),
        _ => None,
    });
    compared.collect()
}

/// A3, A7, V3: what an operator works on is not asked: a matcher counts as away, a card as unreadable.
#[test]
fn a7_a_device_in_maintenance_is_away() {
    let mut hall = Hall::new();
    maintain(&mut hall, "faces-1");
    let prompt = GOOD.go(&mut hall, "kiosk-1");
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::Provisional));
    let reason = ComparisonPending::MatcherAway;
    let away = Comparison::Pending { reason };
    assert_eq!(comparisons(&hall), [away.clone(), away]);
    maintain(&mut hall, "reader-3");
    hall.begin("kiosk-1");
    hall.enter("kiosk-1", Entry::Kind(Kind::Renewal));
    hall.enter("kiosk-1", Entry::Residence(GOOD.residence));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.card_unreadable, Some(true));
    assert!(hall.effects().is_empty());
}

/// A8: a page says what was wrong with the last code, and no more of it once another one is asked for.
#[test]
fn a8_a_new_code_ends_what_was_said_of_the_last_one() {
    let mut hall = Hall::new();
    up_to(&mut hall, &GOOD, "kiosk-1", S::KeySmsCode);
    let wrong = Entry::SmsCode(SmsCode::new("000000").unwrap());
    let refused = hall.enter("kiosk-1", wrong);
    assert_eq!(refused, Outcome::Refused(RefusalReason::CodeWrong));
    let fault = |hall: &Hall| hall.prompt("kiosk-1").unwrap().1.fault;
    assert_eq!(fault(&hall), Some(InputFault::CodeWrong));
    hall.enter("kiosk-1", Entry::Retry);
    assert_eq!(fault(&hall), None);
}

/// What the matcher of faces refuses, at the portrait.
fn refuse(hall: &mut Hall, refusal: FaceRefusal, which: Option<ComparedPicture>) {
    up_to(hall, &GOOD, "kiosk-1", S::ComparePortrait);
    let effect = hall.effects().first().cloned().unwrap();
    let reply = FacesReply {
        completion: Completion::Success,
        score: None,
        refusal: Some(refusal),
        which,
    };
    hall.reply(&effect, Reply::Faces(reply));
}

/// A6, A7: what the matcher has against the citizen's picture is named to them; what it has against the historical one they cannot
/// mend, and the centre compares.
#[test]
fn a7_a_refusal_is_about_the_picture_it_names() {
    for (refusal, check) in [
        (FaceRefusal::NoFace, PortraitCheck::OneFace),
        (FaceRefusal::SeveralFaces, PortraitCheck::OneFace),
        (FaceRefusal::TooPoor, PortraitCheck::Sharpness),
        (FaceRefusal::PoorLight, PortraitCheck::Lighting),
    ] {
        for which in [None, Some(ComparedPicture::Probe)] {
            let mut hall = Hall::new();
            refuse(&mut hall, refusal, which);
            let (_, prompt) = hall.prompt("kiosk-1").unwrap();
            assert_eq!(prompt.failed_checks, [check]);
        }
        let mut hall = Hall::new();
        refuse(&mut hall, refusal, Some(ComparedPicture::Reference));
        let reason = ComparisonPending::Unsupported;
        assert_eq!(comparisons(&hall), [Comparison::Pending { reason }]);
        let (_, prompt) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(prompt.step, Some(S::TakeLivePhoto));
    }
}

/// A7: what is wrong with a live photo is named, and the camera waits until the citizen has read it. When no attempt is left the ticket
/// says why, and no score was made up.
#[test]
fn a7_an_unusable_live_photo_is_named_and_repeated() {
    let mut hall = Hall::new();
    let case = Case {
        fault: Fault::LiveUnusable,
        ..GOOD
    };
    let session = up_to(&mut hall, &case, "kiosk-1", S::RetakeLivePhoto);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.failed_checks, [PortraitCheck::OneFace]);
    assert_eq!(prompt.attempts_left, Some(1));
    assert!(
        hall.effects().is_empty(),
        "nobody is photographed meanwhile"
    );
    assert_eq!(
        hall.enter("kiosk-1", Entry::SmsCode(SmsCode::new("000000").unwrap())),
        Outcome::Refused(RefusalReason::OutOfStep)
    );
    let outcome = finish(&mut hall, &case, "kiosk-1", &session);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(
        (outcome, prompt.window_reason),
        (ApplicationOutcome::Window, Some(WindowReason::NoLivePhoto))
    );
    assert_eq!(hall.count("station.application.live-photo-archived.v1"), 2);
    assert_eq!(hall.count("station.application.live-photo-rejected.v1"), 2);
    let live = hall.log.iter().filter(|(_, event)| {
        matches!(event, Event::ApplicationFacesCompared(b) if b.pair == FacePair::LiveHistorical)
    });
    assert_eq!(live.count(), 0);
    assert_eq!(hall.state, hall.replay());
}

/// A7: whoever does not go on after a bad live photo ends the session, as on any other page; back leads to the portrait.
#[test]
fn a7_a_bad_live_photo_is_a_page_like_any_other() {
    let case = Case {
        fault: Fault::LiveUnusable,
        ..GOOD
    };
    let mut hall = Hall::new();
    up_to(&mut hall, &case, "kiosk-1", S::RetakeLivePhoto);
    hall.advance(90_000);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::TimedOut));
    let mut hall = Hall::new();
    up_to(&mut hall, &case, "kiosk-1", S::RetakeLivePhoto);
    hall.enter("kiosk-1", Entry::Back);
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.step, Some(S::GivePortrait));
    assert!(prompt.failed_checks.is_empty());
}

/// A6: a check of the standard that nobody made is one that failed, and is named.
#[test]
fn a6_a_check_that_was_not_made_has_failed() {
    let mut hall = Hall::new();
    up_to(&mut hall, &GOOD, "kiosk-1", S::GivePortrait);
    let portrait = |checks| Entry::Portrait {
        way: PortraitWay::Booth,
        picture: Some(blob(0x33)),
        receipt: None,
        checks,
    };
    let one = checks(true).into_iter().take(1).collect();
    hall.enter("kiosk-1", portrait(one));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.failed_checks, [PortraitCheck::Background]);
    hall.enter("kiosk-1", portrait(checks(true)));
    let (_, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(prompt.step, Some(S::ComparePortrait));
}

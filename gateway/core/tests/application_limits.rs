//! What a citizen cannot get around by going back, asking twice or coming again, and whom the station does not serve (A5 to A9, A17).
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

use gateway_core::Entry;
use hall::citizen::up_to;
use hall::{Case, Fault, GOOD, Hall, Link};
use schemas::message::application::StepName as S;
use schemas::words::application::{ApplicationKind as Kind, ApplicationOutcome, WindowReason};

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

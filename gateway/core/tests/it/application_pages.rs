//! What a page offers and warns of (A3, A6, A8, A9): nothing that is then refused, and a reason where a step comes again.

use crate::hall::blob;
use crate::hall::prelude::*;
use schemas::message::application::ApplicationPrompt;
use schemas::words::application::{
    DocumentKind, FingerPosition, InputName, PageNotice as Notice, WindowReason,
};

const RENEWAL: Case = Case {
    kind: Kind::Renewal,
    ..GOOD
};

fn page(hall: &Hall) -> ApplicationPrompt {
    hall.prompt("kiosk-1").unwrap().1
}

/// Goes on until the page fits.
fn on(
    hall: &mut Hall,
    case: &Case,
    session: &SessionId,
    fits: impl Fn(&ApplicationPrompt) -> bool,
) -> ApplicationPrompt {
    for _ in 0..100 {
        let page = page(hall);
        if fits(&page) {
            return page;
        }
        case.once(hall, "kiosk-1", session);
    }
    panic!("it does not come to that: {:?}", page(hall));
}

/// A3: a card that was read is found again only when it was lifted, whether the citizen goes back or says that it is not theirs.
#[test]
fn a3_a_card_that_was_read_has_to_be_lifted() {
    for entry in [Entry::Back, Entry::ConfirmIdentity(false)] {
        let mut hall = Hall::new();
        let session = up_to(&mut hall, &RENEWAL, "kiosk-1", S::ReadCard);
        assert_eq!(page(&hall).notice, None);
        on(&mut hall, &RENEWAL, &session, |page| {
            page.step == Some(S::ConfirmIdentity)
        });
        hall.enter("kiosk-1", entry);
        let again = on(&mut hall, &RENEWAL, &session, |page| {
            page.step == Some(S::ReadCard)
        });
        assert_eq!(again.notice, Some(Notice::LiftCard));
        let next = on(&mut hall, &RENEWAL, &session, |page| {
            page.step == Some(S::ConfirmIdentity)
        });
        assert_eq!(next.notice, None);
    }
}

/// A6, A15: after the last attempt the page still names what the portrait failed.
#[test]
fn a6_the_last_page_names_the_failed_checks() {
    let case = Case {
        fault: Fault::PortraitChecks,
        ..GOOD
    };
    let mut hall = Hall::new();
    let ended = case.go(&mut hall, "kiosk-1");
    assert_eq!(ended.window_reason, Some(WindowReason::PortraitFailed));
    assert!(!ended.failed_checks.is_empty());
    // Who failed at something else does not read of an earlier portrait.
    let case = Case {
        fault: Fault::FingersPoor,
        ..GOOD
    };
    let ended = case.go(&mut Hall::new(), "kiosk-1");
    assert!(ended.failed_checks.is_empty());
}

/// A8: another code is offered as long as one is left; the last one is announced as such, and so is that a number leads to the window
/// once none is left.
#[test]
fn a8_the_last_code_is_announced() {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &GOOD, "kiosk-1", S::KeySmsCode);
    let max = hall
        .rules
        .application
        .as_ref()
        .unwrap()
        .policy
        .sms_attempts_max;
    for left in (1..max).rev() {
        let asked = page(&hall);
        assert!(asked.inputs.contains(&InputName::Retry), "{left} are left");
        assert_eq!(asked.notice, None);
        let number = asked.number;
        hall.enter("kiosk-1", Entry::Retry);
        on(&mut hall, &GOOD, &session, |page| {
            page.step == Some(S::KeySmsCode) && page.number != number
        });
    }
    let last = page(&hall);
    assert!(!last.inputs.contains(&InputName::Retry));
    assert_eq!(last.notice, Some(Notice::LastCode));
    let refused = hall.enter("kiosk-1", Entry::Retry);
    assert_eq!(refused, Outcome::Refused(RefusalReason::NotOffered));
    hall.enter("kiosk-1", Entry::Back);
    assert_eq!(page(&hall).step, Some(S::GivePhone));
    assert_eq!(page(&hall).notice, Some(Notice::NoCodeLeft));
}

/// A1: there is no way back from the first page, and what says so is not the text of a list.
#[test]
fn a1_the_first_page_offers_no_way_back() {
    let mut hall = Hall::new();
    hall.begin("kiosk-1");
    assert!(!page(&hall).inputs.contains(&InputName::Back));
    let refused = hall.enter("kiosk-1", Entry::Back);
    assert_eq!(refused, Outcome::Refused(RefusalReason::NotOffered));
}

/// A7, A9: a step that comes again says why.
#[test]
fn a7_a9_a_step_that_comes_again_says_why() {
    for (fault, step, notice) in [
        (Fault::LiveDiffers, S::TakeLivePhoto, Notice::LiveAgain),
        (Fault::FingersPoor, S::RightFinger, Notice::FingerAgain),
        (Fault::FingersDiffer, S::RightFinger, Notice::FingerDiffers),
    ] {
        let case = Case { fault, ..RENEWAL };
        let mut hall = Hall::new();
        let session = up_to(&mut hall, &case, "kiosk-1", step);
        let first = page(&hall);
        assert_eq!(first.notice, None, "{fault:?}");
        let again = on(&mut hall, &case, &session, |page| {
            page.step == Some(step) && page.number != first.number
        });
        assert_eq!(again.notice, Some(notice));
    }
}

/// A9: a card that says which finger it holds has that one asked for by its name.
#[test]
fn a9_the_finger_of_the_card_is_named() {
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &RENEWAL, "kiosk-1", S::RightFinger);
    assert_eq!(page(&hall).position, None, "the card does not say it");
    let left = on(&mut hall, &RENEWAL, &session, |page| {
        page.step == Some(S::LeftFinger)
    });
    assert_eq!(left.position, Some(FingerPosition::LeftIndex));
    finish(&mut hall, &RENEWAL, "kiosk-1", &session);
    let accepted = hall.log.iter().find_map(|(_, event)| match event {
        Event::ApplicationAccepted(b) => Some(&b.entered.fingers),
        _ => None,
    });
    let positions: Vec<_> = accepted.unwrap().iter().map(|f| f.position).collect();
    assert_eq!(positions, [None, Some(FingerPosition::LeftIndex)]);
}

/// A3, A9: who laid no card down, or put no finger on, is told so, and nothing of a bad card or print.
#[test]
fn a3_a9_nobody_is_told_of_what_was_not_there() {
    let mut hall = Hall::new();
    up_to(&mut hall, &RENEWAL, "kiosk-1", S::ReadCard);
    hall.advance(110_000);
    assert_eq!(page(&hall).notice, Some(Notice::NoCard));
    let mut hall = Hall::new();
    hall.lost("reader-3");
    let session = hall.begin("kiosk-1");
    for _ in 0..2 {
        RENEWAL.once(&mut hall, "kiosk-1", &session);
    }
    let shown = page(&hall);
    assert_eq!(shown.notice, Some(Notice::ReaderAway));
    assert_eq!(
        (shown.step, shown.card_unreadable),
        (Some(S::ChooseKind), Some(true))
    );
    let mut hall = Hall::new();
    up_to(&mut hall, &RENEWAL, "kiosk-1", S::RightFinger);
    hall.advance(110_000);
    assert_eq!(page(&hall).notice, Some(Notice::NoFinger));
}

/// A10, A11: the page knows what was chosen and scanned, and offers no more scans than are taken.
#[test]
fn a10_the_page_knows_what_was_scanned() {
    let mut hall = Hall::new();
    let policy = &mut hall.rules.application.as_mut().unwrap().policy;
    policy.documents_max = 2;
    up_to(&mut hall, &RENEWAL, "kiosk-1", S::AttachDocuments);
    let kind = DocumentKind::HouseholdRegister;
    for scans in 0..2 {
        let shown = page(&hall);
        assert_eq!(shown.documents, vec![kind; scans]);
        assert!(shown.inputs.contains(&InputName::Document));
        hall.enter("kiosk-1", Entry::Document(kind, Some(blob(0x44))));
    }
    assert!(!page(&hall).inputs.contains(&InputName::Document));
    hall.enter("kiosk-1", Entry::DocumentsDone);
    let shown = page(&hall);
    assert_eq!(shown.step, Some(S::Sign));
    assert_eq!(shown.documents, vec![kind; 2]);
    assert_eq!(shown.residence, Some(Residence::Local));
}

/// A9: back from a hand is the hand before.
#[test]
fn a9_back_from_the_left_hand_is_the_right_one() {
    let mut hall = Hall::new();
    up_to(&mut hall, &RENEWAL, "kiosk-1", S::LeftFinger);
    hall.enter("kiosk-1", Entry::Back);
    assert_eq!(page(&hall).step, Some(S::RightFinger));
}

/// A12: a kiosk without a terminal offers no payment by card, and takes none.
#[test]
fn a12_cards_are_taken_where_there_is_a_terminal() {
    let cards = [PaymentWay::UnionpayCard, PaymentWay::Quickpass];
    for (kiosk, offers) in [("kiosk-1", true), ("kiosk-2", false)] {
        let mut hall = Hall::new();
        up_to(&mut hall, &RENEWAL, kiosk, S::ChoosePayment);
        let (_, shown) = hall.prompt(kiosk).unwrap();
        assert!(shown.payments.contains(&PaymentWay::Wechat));
        for way in cards {
            assert_eq!(shown.payments.contains(&way), offers, "{kiosk}");
        }
        let chosen = hall.enter(kiosk, Entry::Payment(cards[0]));
        assert_eq!(matches!(chosen, Outcome::Accepted(_)), offers, "{chosen:?}");
    }
}

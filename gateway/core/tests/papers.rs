//! A13, A15: the papers of an application are due when it has ended, and are recorded once, for whoever still stands at the kiosk.
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

use gateway_core::{Input, Outcome};
use hall::{Case, Fault, GOOD, Hall, device};
use schemas::event::paper::{IssuedPaper, MissingPaper, PapersIssued};
use schemas::ids::{PaperHash, SessionId};
use schemas::words::application::{ApplicationOutcome, PaymentWay};
use schemas::words::paper::{PaperFault, PaperKind, PaperState};

const ISSUED: &str = "station.application.papers-issued.v1";

fn made(session: &SessionId, faults: &[PaperFault]) -> Input {
    let papers = vec![IssuedPaper {
        paper: PaperKind::Certificate,
        sha256: PaperHash::of(b"a certificate"),
    }];
    let missing = faults.iter().map(|fault| MissingPaper {
        paper: PaperKind::RegistrationForm,
        fault: *fault,
    });
    Input::PapersMade(Box::new(PapersIssued {
        session: session.clone(),
        kiosk: device("kiosk-1"),
        papers,
        missing: missing.collect(),
    }))
}

/// The session that ended, and how its papers stand.
fn shown(hall: &Hall) -> (SessionId, Option<PaperState>) {
    let (session, prompt) = hall.prompt("kiosk-1").unwrap();
    (session, prompt.papers)
}

/// A13: papers are due from the acceptance on, with the fee as it stands; they are recorded once, and then they are not due.
#[test]
fn a13_papers_are_due_until_they_are_recorded() {
    let mut hall = Hall::new();
    let page = GOOD.go(&mut hall, "kiosk-1");
    assert_eq!(page.outcome, Some(ApplicationOutcome::Accepted));
    let (session, state) = shown(&hall);
    assert_eq!(state, Some(PaperState::Printing));
    let due: Vec<_> = hall.state.papers_due().collect();
    let [(of, Some(fee))] = due.as_slice() else {
        panic!("{due:?}");
    };
    assert_eq!(*of, &session);
    assert_eq!((fee.way, fee.paid), (PaymentWay::CashAtWindow, false));
    assert_eq!(fee.amount.get(), 2_000);

    assert_eq!(hall.input(made(&session, &[])), Outcome::Accepted(None));
    assert_eq!(shown(&hall).1, Some(PaperState::Issued));
    assert_eq!(hall.state.papers_due().count(), 0);
    assert_eq!(hall.input(made(&session, &[])), Outcome::Unchanged);
    assert_eq!(hall.count(ISSUED), 1);
    assert_eq!(hall.state, hall.replay());
}

/// A13: a paper that was left out is said; papers that come when another session has begun are given to nobody.
#[test]
fn a13_papers_that_are_left_out_or_late_are_known() {
    let mut hall = Hall::new();
    GOOD.go(&mut hall, "kiosk-1");
    let (session, _) = shown(&hall);
    hall.input(made(&session, &[PaperFault::Character]));
    assert_eq!(shown(&hall).1, Some(PaperState::Incomplete));

    GOOD.go(&mut hall, "kiosk-1");
    let (late, _) = shown(&hall);
    hall.begin("kiosk-1");
    assert_eq!(hall.input(made(&late, &[])), Outcome::Unchanged);
    assert_eq!(hall.count(ISSUED), 1);
    assert_eq!(hall.state, hall.replay());
}

/// A13, A15: what papers are made of ends with the program, so the page of the next life sends to the staff. Whoever was refused
/// or went away has no papers.
#[test]
fn a15_a_restart_loses_papers_that_were_not_made() {
    let mut hall = Hall::new();
    let poor = Case {
        fault: Fault::FingersPoor,
        ..GOOD
    };
    let page = poor.go(&mut hall, "kiosk-1");
    assert_eq!(page.outcome, Some(ApplicationOutcome::Window));
    let (session, state) = shown(&hall);
    assert_eq!(state, Some(PaperState::Printing));
    hall.restart();
    assert_eq!(shown(&hall), (session, Some(PaperState::Incomplete)));
    assert_eq!(hall.state.papers_due().count(), 0);
    let unreadable = Case {
        card: hall::Card::Unreadable,
        ..GOOD
    };
    let mut hall = Hall::new();
    unreadable.go(&mut hall, "kiosk-1");
    assert_eq!(shown(&hall).1, None);
}

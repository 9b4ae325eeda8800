//! A13, A15: the papers of an application are due when it has ended, and are recorded once, for whoever still stands at the kiosk.

use crate::hall::prelude::*;
use gateway_core::{Answer, Input, Request, WindowInput};
use schemas::downlink::application::WindowOutcome;
use schemas::event::paper::{IssuedPaper, MissingPaper, PapersIssued, PapersNotHandedOut};
use schemas::ids::{OperatorId, PaperHash, TicketNumber, TransactionId};
use schemas::words::application::{ApplicationKind, WindowReason, WindowResult};
use schemas::words::paper::{PaperFault, PaperKind, PaperState};

const ISSUED: &str = "station.application.papers-issued.v1";
const GONE: Outcome = Outcome::Refused(RefusalReason::PapersGone);

/// Whose number it is, and where that stands.
fn accepted(hall: &Hall, session: &SessionId) -> (AcceptanceSite, DailyPlace) {
    let mut events = hall.log.iter().map(|(_, event)| event);
    let accepted = events.find_map(|event| match event {
        Event::ApplicationAccepted(b) if b.session == *session => Some((b.site.clone(), b.place)),
        _ => None,
    });
    accepted.unwrap()
}

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

/// A12: whoever paid has the receipt of the way that was paid, also when the page asked for another one by then.
#[test]
fn a12_who_paid_has_the_receipt_of_the_way_that_was_paid() {
    let waits = Case {
        fault: Fault::PaymentNever,
        ..GOOD
    };
    for is_declined in [false, true] {
        let mut hall = Hall::new();
        let session = up_to(&mut hall, &waits, "kiosk-1", S::AwaitPayment);
        let order = hall.order();
        if is_declined {
            hall.terminal(&order, PaymentMethod::Wechat, PaymentState::Declined);
        } else {
            hall.enter("kiosk-1", Entry::Back);
        }
        assert!(hall.paid(&order, 2_000, 1));
        let due: Vec<_> = hall.state.papers_due().collect();
        let [(of, Some(fee))] = due.as_slice() else {
            panic!("{due:?}");
        };
        assert_eq!(*of, &session);
        assert_eq!((fee.way, fee.paid), (PaymentWay::Wechat, true));
        let transaction = fee.transaction.as_ref().map(TransactionId::as_str);
        assert_eq!(transaction, Some("T1"));
        let (_, page) = hall.prompt("kiosk-1").unwrap();
        assert_eq!(page.payment, Some(PaymentWay::Wechat));
        assert_eq!(hall.state, hall.replay());
    }
}

/// What tickets for papers say, in the order of the log.
fn tickets(hall: &Hall) -> Vec<PapersNotHandedOut> {
    let events = hall.log.iter().map(|(_, event)| event);
    let tickets = events.filter_map(|event| match event {
        Event::PapersNotHandedOut(body) => Some(body.clone()),
        _ => None,
    });
    tickets.collect()
}

fn missing(faults: &[(PaperKind, PaperFault)]) -> Vec<MissingPaper> {
    let missing = faults.iter();
    missing
        .map(|(paper, fault)| MissingPaper {
            paper: *paper,
            fault: *fault,
        })
        .collect()
}

/// All papers of an acceptance with a fee.
fn all(fault: PaperFault) -> Vec<MissingPaper> {
    use PaperKind::{Certificate, PaymentNotice, RegistrationForm};
    missing(&[Certificate, RegistrationForm, PaymentNotice].map(|paper| (paper, fault)))
}

fn get_papers(hall: &mut Hall, session: &SessionId) -> Outcome {
    hall.input(Input::Request {
        kiosk: device("kiosk-1"),
        deadline_ms: u64::MAX,
        request: Request::PapersGone {
            session: session.clone(),
        },
    })
}

/// The page of an acceptance whose papers wait at the window.
fn assert_at_window(hall: &Hall, session: &SessionId, ticket: &str) {
    let (shown, prompt) = hall.prompt("kiosk-1").unwrap();
    assert_eq!(shown, *session);
    assert_eq!(prompt.outcome, Some(ApplicationOutcome::Accepted));
    assert!(prompt.acceptance_number.is_some());
    assert_eq!(prompt.papers, Some(PaperState::Incomplete));
    assert_eq!(
        prompt.ticket.as_ref().map(TicketNumber::as_str),
        Some(ticket)
    );
    let reason = Some(WindowReason::PapersNotHandedOut);
    assert_eq!(prompt.window_reason, reason);
    let open = hall.state.window_tickets();
    let [open] = open.as_slice() else {
        panic!("{open:?}")
    };
    assert_eq!((&open.session, open.reason), (session, reason));
    let entered = usize::try_from(open.entered.unwrap()).unwrap();
    assert!(matches!(&hall.log[entered].1, Event::ApplicationAccepted(b) if b.session == *session));
    assert!(hall.state.may_come_to_window(session, &hall.now));
}

/// A13, A15: a paper that was left out waits at the window, with a ticket that says which; papers that come when another session has begun
/// are given to nobody, and all of them wait there.
#[test]
fn a13_papers_that_are_left_out_or_late_wait_at_the_window() {
    let mut hall = Hall::new();
    GOOD.go(&mut hall, "kiosk-1");
    let (session, _) = shown(&hall);
    hall.input(made(&session, &[PaperFault::Character]));
    assert_at_window(&hall, &session, "W1-1");
    let form = (PaperKind::RegistrationForm, PaperFault::Character);
    assert_eq!(tickets(&hall)[0].missing, missing(&[form]));
    assert!(tickets(&hall)[0].phone.is_some(), "the citizen is told");

    Case { who: 2, ..GOOD }.go(&mut hall, "kiosk-1");
    let (late, _) = shown(&hall);
    hall.begin("kiosk-1");
    assert_eq!(hall.input(made(&late, &[])), Outcome::Accepted(None));
    assert_eq!(hall.input(made(&late, &[])), Outcome::Unchanged);
    assert_eq!(hall.count(ISSUED), 1);
    assert_eq!(tickets(&hall)[1].missing, all(PaperFault::TooLate));
    assert_eq!(tickets(&hall).len(), 2);
    assert_eq!(hall.state, hall.replay());
}

/// A13, A15, T2: a death between the acceptance and its papers leads to a ticket, once, whatever dies afterwards. The acceptance stands: it
/// is neither refused nor asked back, and the centre confirms it without taking the ticket away.
#[test]
fn a13_a15_papers_that_a_death_lost_wait_at_the_window() {
    let mut hall = Hall::new();
    GOOD.go(&mut hall, "kiosk-1");
    let (session, _) = shown(&hall);
    for _ in 0..3 {
        hall.restart();
        assert_at_window(&hall, &session, "W1-1");
        assert_eq!(hall.input(made(&session, &[])), Outcome::Unchanged);
        assert_eq!(get_papers(&mut hall, &session), GONE);
    }
    let [ticket] = tickets(&hall).try_into().unwrap();
    assert_eq!(ticket.missing, all(PaperFault::NotHeld));
    assert_eq!(ticket.held_h, Some(72));
    assert_eq!(hall.count("station.payment.refund-asked.v1"), 0);

    let (site, place) = accepted(&hall, &session);
    assert!(hall.decided(&session, Decision::Confirmed { site, place }));
    assert_at_window(&hall, &session, "W1-1");
    assert_eq!(hall.state, hall.replay());
}

/// A13: the log says that the papers went out, and the kiosk that it has not got them. Asked for in another session, or while they are
/// made, they lead to nothing.
#[test]
fn a13_papers_that_the_kiosk_never_got_wait_at_the_window() {
    let mut hall = Hall::new();
    GOOD.go(&mut hall, "kiosk-1");
    let (session, _) = shown(&hall);
    assert_eq!(get_papers(&mut hall, &session), GONE);
    hall.input(made(&session, &[]));
    hall.restart();
    assert_eq!(shown(&hall).1, Some(PaperState::Issued));
    let other = SessionId::from_index(1);
    assert_eq!(get_papers(&mut hall, &other), GONE);
    assert!(tickets(&hall).is_empty());
    for _ in 0..2 {
        assert_eq!(get_papers(&mut hall, &session), GONE);
        assert_at_window(&hall, &session, "W1-1");
    }
    assert_eq!(tickets(&hall).len(), 1);
    assert_eq!(hall.state, hall.replay());
}

/// A15: who is rejected keeps the ticket number, and no papers wait any more; who was rejected before gets no ticket for papers.
#[test]
fn a15_a_rejection_takes_the_place_of_papers() {
    let reason = RejectionReason::Portrait;
    for before in [true, false] {
        let mut hall = Hall::new();
        GOOD.go(&mut hall, "kiosk-1");
        let (session, _) = shown(&hall);
        if !before {
            hall.restart();
        }
        assert!(hall.decided(&session, Decision::Rejected { reason }));
        hall.restart();
        let [open] = hall.state.window_tickets().try_into().unwrap();
        assert_eq!(open.ticket.as_str(), "W1-1");
        assert_eq!(open.reason, Some(WindowReason::ReviewRejected));
        assert_eq!(tickets(&hall).len(), usize::from(!before));
        // The next one is another number.
        GOOD.go(&mut hall, "kiosk-1");
        hall.restart();
        assert_eq!(tickets(&hall).last().unwrap().ticket.as_str(), "W1-2");
        assert_eq!(hall.state, hall.replay());
    }
}

/// A15: an officer hands the papers out, and that ends the ticket. What does not fit the ticket is refused, from whomever it comes.
#[test]
fn a15_a_ticket_for_papers_ends_with_the_papers() {
    let mut hall = Hall::new();
    GOOD.go(&mut hall, "kiosk-1");
    let (session, _) = shown(&hall);
    hall.restart();
    let ticket = TicketNumber::of(1, 1);
    let close = |result| {
        Input::Window(WindowInput::Close {
            operator: OperatorId::new("operator-1").unwrap(),
            ticket: ticket.clone(),
            result,
        })
    };
    for result in [WindowResult::Accepted, WindowResult::Refused] {
        let no = Outcome::Refused(RefusalReason::NotAChoice);
        assert_eq!(hall.input(close(result)), no, "{result:?}");
        let by_centre = WindowOutcome {
            incarnation: 1,
            session: session.clone(),
            ticket: ticket.clone(),
            result,
        };
        assert!(!hall.told(Answer::Window(by_centre)), "{result:?}");
    }
    let done = Outcome::Accepted(Some(session.clone()));
    assert_eq!(hall.input(close(WindowResult::PapersHandedOut)), done);
    assert!(hall.state.window_tickets().is_empty());
    hall.restart();
    assert!(
        hall.state.window_tickets().is_empty(),
        "it does not come again"
    );
    assert!(
        hall.state.may_come_to_window(&session, &hall.now),
        "not decided yet"
    );
    assert_eq!(hall.state, hall.replay());

    let poor = Case {
        who: 2,
        fault: Fault::FingersPoor,
        ..GOOD
    };
    poor.go(&mut hall, "kiosk-1");
    let other = Input::Window(WindowInput::Close {
        operator: OperatorId::new("operator-1").unwrap(),
        ticket: TicketNumber::of(1, 2),
        result: WindowResult::PapersHandedOut,
    });
    let no = Outcome::Refused(RefusalReason::NotAChoice);
    assert_eq!(hall.input(other), no);
}

/// A13, A15: a ticket that was not printed is still on the page of the next life, and needs no second one. Whoever was refused or went away
/// has no papers.
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
    assert!(tickets(&hall).is_empty());
    let unreadable = Case {
        card: Card::Unreadable,
        ..GOOD
    };
    let mut hall = Hall::new();
    unreadable.go(&mut hall, "kiosk-1");
    assert_eq!(shown(&hall).1, None);
}

/// How an acceptance loses its papers, with what the log says of it then.
type Lose = fn(&mut Hall, &SessionId);
const LOSES: [(&str, Lose); 3] = [
    ("left out", |hall, session| {
        hall.input(made(session, &[PaperFault::Character]));
    }),
    ("died", |hall, _| hall.restart()),
    ("never came", |hall, session| {
        hall.input(made(session, &[]));
        get_papers(hall, session);
    }),
];

/// A13, A15: an officer finds what a ticket for papers is for, whether the centre confirmed the acceptance before it was issued or after.
#[test]
fn a15_a_ticket_for_papers_says_what_it_is_for() {
    for (how, lose) in LOSES {
        for is_confirmed_first in [true, false] {
            let mut hall = Hall::new();
            GOOD.go(&mut hall, "kiosk-1");
            let (session, _) = shown(&hall);
            let (site, place) = accepted(&hall, &session);
            let confirmed = Decision::Confirmed { site, place };
            if is_confirmed_first {
                assert!(hall.decided(&session, confirmed));
                lose(&mut hall, &session);
            } else {
                lose(&mut hall, &session);
                assert!(hall.decided(&session, confirmed));
            }
            let [open] = hall.state.window_tickets().try_into().unwrap();
            assert!(open.entered.is_some(), "{how}, {is_confirmed_first}");
            assert_eq!(open.kind, Some(ApplicationKind::Renewal), "{how}");
            assert_at_window(&hall, &session, "W1-1");
            assert_eq!(hall.state, hall.replay());
        }
    }
}

/// What takes an acceptance away, or what is known of it.
const ENDS: [(&str, Lose); 3] = [
    ("rejected", |hall, session| {
        let reason = RejectionReason::Portrait;
        assert!(hall.decided(session, Decision::Rejected { reason }));
    }),
    ("given up", |hall, session| {
        let reason = RejectionReason::NotPaid;
        assert!(hall.decided(session, Decision::Rejected { reason }));
    }),
    ("erased", |hall, session| {
        let session = session.clone();
        let known = true;
        hall.input(Input::Erase {
            session,
            known,
            has_keys: true,
        });
    }),
];

/// A13, G7: who is rejected, given up or erased while their papers are set gets none, and nobody waits for them.
#[test]
fn a13_no_papers_are_issued_of_what_has_ended() {
    for (how, end) in ENDS {
        let mut hall = Hall::new();
        GOOD.go(&mut hall, "kiosk-1");
        let (session, _) = shown(&hall);
        end(&mut hall, &session);
        assert_eq!(shown(&hall).1, None, "{how}");
        assert_eq!(hall.state.papers_due().count(), 0, "{how}");
        hall.input(made(&session, &[]));
        hall.input(made(&session, &[PaperFault::Character]));
        assert_eq!(hall.count(ISSUED), 0, "{how}");
        hall.restart();
        assert!(tickets(&hall).is_empty(), "{how}");
        assert_eq!(hall.state, hall.replay());
    }
}

/// A13: papers that were issued are asked for by a kiosk within minutes. One that asks days later, or for what was rejected, given up or
/// erased meanwhile, gets nobody a ticket.
#[test]
fn a13_a_kiosk_that_asks_late_gets_nobody_a_ticket() {
    const MINUTE_MS: u64 = 60_000;
    let issued = || {
        let mut hall = Hall::new();
        GOOD.go(&mut hall, "kiosk-1");
        let (session, _) = shown(&hall);
        hall.input(made(&session, &[]));
        (hall, session)
    };
    for (minutes, count) in [(9, 1), (10, 0), (3 * 24 * 60, 0)] {
        let (mut hall, session) = issued();
        hall.advance(minutes * MINUTE_MS);
        hall.restart();
        assert_eq!(get_papers(&mut hall, &session), GONE);
        assert_eq!(tickets(&hall).len(), count, "{minutes}");
    }
    for (how, end) in ENDS {
        let (mut hall, session) = issued();
        end(&mut hall, &session);
        // An officer has seen to whatever ticket there is.
        for open in hall.state.window_tickets() {
            hall.input(Input::Window(WindowInput::Close {
                operator: OperatorId::new("operator-1").unwrap(),
                ticket: open.ticket,
                result: WindowResult::NotCome,
            }));
        }
        assert_eq!(get_papers(&mut hall, &session), GONE);
        assert!(tickets(&hall).is_empty(), "{how}");
        assert_eq!(hall.state, hall.replay());
    }
}

/// A12, A15: what lapses needs no papers: their ticket is closed with it.
#[test]
fn a15_a_lapse_closes_the_ticket_for_papers() {
    for by_centre in [true, false] {
        let mut hall = Hall::new();
        if let Some(rules) = &mut hall.rules.application {
            rules.ticket_held_h = 24 * 30;
        }
        GOOD.go(&mut hall, "kiosk-1");
        let (session, _) = shown(&hall);
        hall.restart();
        assert_at_window(&hall, &session, "W1-1");
        if by_centre {
            let reason = RejectionReason::NotPaid;
            assert!(hall.decided(&session, Decision::Rejected { reason }));
        } else {
            hall.advance((16 * 24 + 2) * 3_600_000);
            hall.centre_read();
        }
        assert_eq!(hall.count("station.application.lapsed.v1"), 1);
        assert!(hall.state.window_tickets().is_empty());
        assert!(!hall.state.may_come_to_window(&session, &hall.now));
        assert_eq!(hall.state, hall.replay());
    }
}

/// A13: a log from before papers were owed says nothing of those that came late, so it owes nobody any.
#[test]
fn a13_an_old_log_owes_no_papers() {
    for is_issued in [true, false] {
        let mut hall = Hall::new();
        GOOD.go(&mut hall, "kiosk-1");
        let (session, _) = shown(&hall);
        if is_issued {
            hall.input(made(&session, &[PaperFault::Character]));
        }
        let is_new = |event: &Event| matches!(event, Event::PapersNotHandedOut(_));
        hall.log.retain(|(_, event)| !is_new(event));
        for (_, event) in &mut hall.log {
            if let Event::ApplicationAccepted(b) = event {
                b.papers.clear();
            }
        }
        hall.restart();
        assert_eq!(get_papers(&mut hall, &session), GONE);
        hall.restart();
        assert!(tickets(&hall).is_empty());
        assert_eq!(shown(&hall).1, Some(PaperState::Incomplete));
    }
}

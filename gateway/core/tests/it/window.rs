//! A15: window tickets. Officers open and close them, the centre closes them, nobody does and they lapse.

use crate::hall::prelude::*;
use gateway_core::{Answer, Input, WindowInput, papers_left_ms, tickets_left_ms};
use schemas::downlink::application::WindowOutcome;
use schemas::event::application::WindowTicketClosed;
use schemas::ids::{OperatorId, TicketNumber};
use schemas::key::RecipientId;
use schemas::words::application::{WindowReason, WindowResult};

const HOUR_MS: u64 = 3_600_000;
const OPENED: &str = "station.application.window-ticket-opened.v1";
const CLOSED: &str = "station.application.window-ticket-closed.v1";

fn ends(hall: &mut Hall, case: &Case, kiosk: &str) -> (SessionId, ApplicationOutcome) {
    let session = hall.begin(kiosk);
    for _ in 0..200 {
        if let Some(prompt) = case.once(hall, kiosk, &session) {
            return (session, prompt.outcome.unwrap());
        }
    }
    panic!("it does not end");
}

/// A ticket, because the centre is away and there is no grant.
fn ticketed(hall: &mut Hall) -> SessionId {
    let case = Case {
        kind: Kind::Lost,
        link: Link::Down,
        ..GOOD
    };
    let (session, outcome) = ends(hall, &case, "kiosk-1");
    assert_eq!(outcome, ApplicationOutcome::Window);
    session
}

fn operator() -> OperatorId {
    OperatorId::new("operator-1").unwrap()
}

fn number(text: &str) -> TicketNumber {
    TicketNumber::new(text).unwrap()
}

fn open(ticket: &str) -> Input {
    Input::Window(WindowInput::Open {
        operator: operator(),
        ticket: number(ticket),
        key: RecipientId::of(&[7; 8]),
    })
}

fn close(ticket: &str, result: WindowResult) -> Input {
    Input::Window(WindowInput::Close {
        operator: operator(),
        ticket: number(ticket),
        result,
    })
}

fn closed(hall: &Hall) -> Vec<WindowTicketClosed> {
    let events = hall.log.iter().map(|(_, event)| event);
    let closed = events.filter_map(|event| match event {
        Event::WindowTicketClosed(body) => Some(body.clone()),
        _ => None,
    });
    closed.collect()
}

/// A15: what is done with a ticket that is open, closed, or was never issued: the outcome, and how many events say so.
#[test]
fn a15_an_officer_opens_and_closes_a_ticket_once() {
    let mut hall = Hall::new();
    let session = ticketed(&mut hall);
    let done = || Outcome::Accepted(Some(session.clone()));
    let no = Outcome::Refused;
    let accepted = WindowResult::Accepted;
    for (input, outcome, counts) in [
        (open("W1-2"), no(RefusalReason::TicketUnknown), (0, 0)),
        (open("W2-1"), no(RefusalReason::TicketUnknown), (0, 0)),
        (open("W1-0"), no(RefusalReason::TicketUnknown), (0, 0)),
        (
            close("W1-2", accepted),
            no(RefusalReason::TicketUnknown),
            (0, 0),
        ),
        (open("W1-1"), done(), (1, 0)),
        (open("W1-1"), done(), (2, 0)),
        (close("W1-1", accepted), done(), (2, 1)),
        (
            close("W1-1", WindowResult::Refused),
            no(RefusalReason::TicketClosed),
            (2, 1),
        ),
        (open("W1-1"), no(RefusalReason::TicketClosed), (2, 1)),
    ] {
        let shown = format!("{input:?}");
        assert_eq!(hall.input(input), outcome, "{shown}");
        assert_eq!((hall.count(OPENED), hall.count(CLOSED)), counts, "{shown}");
        assert_eq!(hall.state, hall.replay());
    }
    let [closed] = closed(&hall).try_into().unwrap();
    assert_eq!((closed.result, closed.by), (accepted, Some(operator())));
    let late = hall.told(Answer::Window(WindowOutcome {
        incarnation: 1,
        session,
        ticket: number("W1-1"),
        result: WindowResult::Refused,
    }));
    assert!(!late, "the first word counts, whoever says it");
}

/// A15: the list names what an officer needs to find the citizen's case, and nothing of the person.
#[test]
fn a15_open_tickets_are_listed_without_the_person() {
    let mut hall = Hall::new();
    assert!(hall.state.window_tickets().is_empty());
    let issued_ms = hall.now.wall_ms;
    let session = ticketed(&mut hall);
    let [ticket] = hall.state.window_tickets().try_into().unwrap();
    assert_eq!(
        (&ticket.ticket, &ticket.session),
        (&number("W1-1"), &session)
    );
    assert_eq!(ticket.kind, Some(Kind::Lost));
    assert_eq!(ticket.reason, Some(WindowReason::NoGrant));
    assert!(ticket.issued_ms.unwrap() >= issued_ms);
    let index = usize::try_from(ticket.entered.unwrap()).unwrap();
    assert!(
        matches!(&hall.log[index].1, Event::WindowTicketIssued(b) if b.entered.holder.is_some())
    );
    assert!(hall.state.may_come_to_window(&session, &hall.now));
    hall.input(close("W1-1", WindowResult::NotCome));
    assert!(hall.state.window_tickets().is_empty());
    assert!(!hall.state.may_come_to_window(&session, &hall.now));
}

/// A15: a ticket that nobody closes lapses once, after the time that it was issued for, over a restart; nothing of it stays.
#[test]
fn a15_a_ticket_that_nobody_closes_lapses() {
    let mut hall = Hall::new();
    hall.rules.application.as_mut().unwrap().ticket_held_h = 2;
    let session = ticketed(&mut hall);
    hall.rules.application.as_mut().unwrap().ticket_held_h = 72;
    hall.advance(HOUR_MS);
    hall.restart();
    assert_eq!(hall.count(CLOSED), 0);
    let left_ms = tickets_left_ms(&hall.state, &hall.now).unwrap();
    assert!(
        left_ms <= HOUR_MS && left_ms > HOUR_MS - 600_000,
        "{left_ms}"
    );
    hall.advance(left_ms - 1);
    assert_eq!(hall.count(CLOSED), 0);
    hall.advance(1);
    hall.advance(HOUR_MS);
    let [closed] = closed(&hall).try_into().unwrap();
    assert_eq!((closed.result, closed.by), (WindowResult::Lapsed, None));
    assert_eq!(tickets_left_ms(&hall.state, &hall.now), None);
    assert!(!hall.state.may_come_to_window(&session, &hall.now));
    assert_eq!(
        hall.input(open("W1-1")),
        Outcome::Refused(RefusalReason::TicketClosed)
    );
    assert_eq!(hall.state, hall.replay());
}

/// A15, A17: what was accepted can still come to the window until the centre has confirmed it; rejected, its ticket leads to what the
/// acceptance holds.
#[test]
fn a17_a_rejected_acceptance_comes_to_the_window_with_all_that_was_entered() {
    for confirmed in [true, false] {
        let mut hall = Hall::new();
        let case = Case {
            fault: Fault::PaymentNever,
            ..GOOD
        };
        let (session, _) = ends(&mut hall, &case, "kiosk-1");
        let events = hall.log.iter().enumerate();
        let (index, place, site) = events
            .clone()
            .find_map(|(index, (_, event))| match event {
                Event::ApplicationAccepted(b) => Some((index as u64, b.place, b.site.clone())),
                _ => None,
            })
            .unwrap();
        assert!(hall.state.may_come_to_window(&session, &hall.now));
        hall.papers(&session, "kiosk-1");
        let decision = if confirmed {
            Decision::Confirmed { site, place }
        } else {
            Decision::Rejected {
                reason: RejectionReason::Portrait,
            }
        };
        assert!(hall.decided(&session, decision));
        // Confirmed, its kiosk may still say for ten minutes that the papers never came, over a restart too.
        let left_ms = |hall: &Hall| papers_left_ms(&hall.state, &hall.now);
        assert_eq!(left_ms(&hall), confirmed.then_some(600_000));
        hall.advance(599_999);
        hall.restart();
        assert_eq!(left_ms(&hall), confirmed.then_some(1));
        assert!(hall.state.may_come_to_window(&session, &hall.now));
        hall.advance(1);
        assert_eq!(left_ms(&hall), None);
        let may_come = hall.state.may_come_to_window(&session, &hall.now);
        assert_eq!(may_come, !confirmed);
        let tickets = hall.state.window_tickets();
        assert_eq!(tickets.is_empty(), confirmed);
        for ticket in tickets {
            assert_eq!(ticket.entered, Some(index));
            assert_eq!(ticket.reason, Some(WindowReason::ReviewRejected));
            assert_eq!(ticket.kind, Some(GOOD.kind));
        }
    }
}

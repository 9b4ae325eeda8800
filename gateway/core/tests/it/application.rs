//! Every way through an application, as a table: what the citizen is, what goes wrong, and how it then must end (A1 to A17).

use crate::hall::prelude::*;
use schemas::message::application::ApplicationPrompt;
use schemas::time::ClockTrust;
use schemas::words::application::{
    ApplicationOutcome as Outcome, ApplicationRefusal as Refusal, WindowReason as Window,
};

/// How a case must end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Accepted,
    Provisional,
    Window(Window),
    Refused(Refusal),
    /// The card cannot be read: the citizen is back at the choice of kind.
    Back,
}

/// What the requirements say of a case, in the order in which the citizen meets it.
fn expected(case: &Case) -> End {
    let renewal = case.kind == Kind::Renewal;
    let trusted = case.clock == Clock::Trusted;
    let refused = [
        (case.kind.reason().is_none(), Refusal::KindAtWindow),
        (
            case.residence == Residence::OtherProvince,
            Refusal::ResidenceNotAccepted,
        ),
    ];
    if let Some((_, reason)) = refused.iter().find(|(holds, _)| *holds) {
        return End::Refused(*reason);
    }
    if renewal && case.card == Card::Unreadable {
        return End::Back;
    }
    if !renewal && case.fault == Fault::NumberInvalid {
        return End::Window(Window::NumberFailed);
    }
    if case.card == Card::Permit {
        return End::Refused(Refusal::NotInScope);
    }
    if trusted && case.card == Card::Child {
        return End::Refused(Refusal::UnderAge);
    }
    let by_calendar = match case.card {
        Card::Early => Some(Refusal::RenewalTooEarly),
        Card::Late => Some(Refusal::RenewalTooLate),
        Card::LongTerm => Some(Refusal::CardLongTerm),
        _ => None,
    };
    if let Some(reason) = by_calendar.filter(|_| renewal && trusted) {
        return End::Refused(reason);
    }
    match case.link {
        Link::Up => {}
        Link::Down => return End::Window(Window::NoGrant),
        Link::Granted if !trusted => return End::Window(Window::ClockNotTrusted),
        Link::Granted if case.residence != Residence::Local => {
            return End::Window(Window::NoGrant);
        }
        Link::Granted if case.card == Card::Flagged => return End::Refused(Refusal::Flagged),
        Link::Granted => {}
    }
    // A card that was read with its picture is what faces and fingers are compared with.
    let compared = renewal && case.card != Card::Plain;
    let window = match case.fault {
        Fault::PortraitChecks => Some(Window::PortraitFailed),
        Fault::PortraitDiffers if compared => Some(Window::PortraitDiffers),
        Fault::CameraBroken => Some(Window::NoLivePhoto),
        Fault::LiveDiffers if compared => Some(Window::LiveDiffers),
        Fault::LiveUnusable if compared => Some(Window::NoLivePhoto),
        Fault::PhonesDiffer => Some(Window::PhoneFailed),
        Fault::CodeWrong if case.link == Link::Up => Some(Window::PhoneFailed),
        Fault::FingersPoor | Fault::ScannerLost => Some(Window::FingersNotCaptured),
        Fault::FingersDiffer if compared => Some(Window::FingersDiffer),
        _ => None,
    };
    if let Some(reason) = window {
        return End::Window(reason);
    }
    // No number was given before, and this clock opens no day.
    if !trusted {
        return End::Window(Window::ClockNotTrusted);
    }
    let comparable = !matches!(case.fault, Fault::MatcherAway | Fault::PoorReference);
    let settled = compared && comparable && case.link == Link::Up && trusted;
    if settled {
        End::Accepted
    } else {
        End::Provisional
    }
}

fn found(prompt: &ApplicationPrompt) -> End {
    match prompt.outcome.unwrap() {
        Outcome::Accepted => End::Accepted,
        Outcome::Provisional => End::Provisional,
        Outcome::Window => End::Window(prompt.window_reason.unwrap()),
        Outcome::Refused => End::Refused(prompt.refusal.unwrap()),
        Outcome::Cancelled => End::Back,
        other => panic!("{other:?}"),
    }
}

fn hall_of(case: &Case) -> Hall {
    let mut hall = Hall::new();
    if case.link == Link::Granted {
        hall.granted(1, 100);
    }
    if case.clock == Clock::Untrusted {
        hall.now.trust = ClockTrust::Unsynchronised;
    }
    hall
}

const CARDS: [Card; 9] = [
    Card::Good,
    Card::Plain,
    Card::Unreadable,
    Card::Child,
    Card::Early,
    Card::Late,
    Card::LongTerm,
    Card::Flagged,
    Card::Permit,
];
const FAULTS: [Fault; 15] = [
    Fault::None,
    Fault::NumberInvalid,
    Fault::PortraitChecks,
    Fault::PortraitDiffers,
    Fault::CameraBroken,
    Fault::LiveDiffers,
    Fault::LiveUnusable,
    Fault::PoorReference,
    Fault::MatcherAway,
    Fault::PhonesDiffer,
    Fault::CodeWrong,
    Fault::FingersPoor,
    Fault::FingersDiffer,
    Fault::ScannerLost,
    Fault::PaymentNever,
];

/// Who and where, with nothing going wrong; and whatever can go wrong, with people who may apply.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        for residence in Residence::ALL {
            for card in CARDS {
                with_link_and_clock(&mut cases, *kind, *residence, card, Fault::None);
            }
        }
    }
    for kind in [Kind::Renewal, Kind::Lost, Kind::Damaged] {
        for card in [Card::Good, Card::Plain] {
            for fault in FAULTS {
                with_link_and_clock(&mut cases, kind, Residence::Local, card, fault);
            }
        }
    }
    cases
}

fn with_link_and_clock(
    cases: &mut Vec<Case>,
    kind: Kind,
    residence: Residence,
    card: Card,
    fault: Fault,
) {
    for link in [Link::Up, Link::Granted, Link::Down] {
        for clock in [Clock::Trusted, Clock::Untrusted] {
            cases.push(Case {
                who: 1,
                kind,
                residence,
                card,
                link,
                clock,
                fault,
            });
        }
    }
}

/// A1 to A17: kind × residence × card × link × clock × failure. Each way ends as the requirements say, with the events that go
/// with it, and replay leaves the same state.
#[test]
fn every_way_through_ends_as_it_must() {
    let mut ends = std::collections::BTreeMap::<String, u32>::new();
    for case in cases() {
        let mut hall = hall_of(&case);
        let prompt = case.go(&mut hall, "kiosk-1");
        let end = found(&prompt);
        assert_eq!(end, expected(&case), "{case:?}");
        agrees(&hall, &case, &end, &prompt);
        *ends.entry(format!("{end:?}")).or_default() += 1;
    }
    assert!(ends.len() >= 17, "{ends:?}");
}

fn agrees(hall: &Hall, case: &Case, end: &End, prompt: &ApplicationPrompt) {
    let counts = [
        (
            "station.application.accepted.v1",
            matches!(end, End::Accepted | End::Provisional),
        ),
        (
            "station.application.window-ticket-issued.v1",
            matches!(end, End::Window(_)),
        ),
        (
            "station.application.refused.v1",
            matches!(end, End::Refused(_)),
        ),
        ("station.application.recorded.v1", true),
        ("station.application.ended.v1", true),
    ];
    for (name, holds) in counts {
        assert_eq!(hall.count(name), usize::from(holds), "{case:?}: {name}");
    }
    assert_eq!(prompt.acceptance_number.is_some(), counts[0].1, "{case:?}");
    assert_eq!(prompt.ticket.is_some(), counts[1].1, "{case:?}");
    assert_eq!(prompt.fee_fen.is_some(), counts[0].1, "{case:?}");
    if *end != End::Back {
        assert_eq!(prompt.kind, Some(case.kind), "{case:?}");
    }
    assert_eq!(hall.state, hall.replay(), "{case:?}");
    assert!(hall.effects().is_empty() && hall.state.sessions().next().is_none());
    if let Some(Event::ApplicationAccepted(accepted)) = hall
        .log
        .iter()
        .map(|(_, event)| event)
        .find(|event| matches!(event, Event::ApplicationAccepted(_)))
    {
        let e = &accepted.entered;
        assert!(e.holder.is_some() && e.phone.is_some() && e.signature.is_some());
        assert_eq!((e.fingers.len(), e.documents.len()), (2, 1));
        assert_eq!(accepted.provisional.is_empty(), *end == End::Accepted);
        assert!(accepted.order.is_some());
    }
}

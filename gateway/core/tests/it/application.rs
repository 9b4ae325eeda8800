//! Every way through an application, as a table: what the citizen is, what goes wrong, and how it then must end (A1 to A17).

#[path = "application_said.rs"]
mod said;

use crate::hall::prelude::*;
use gateway_core::{Input, PeripheralReport};
use schemas::message::application::ApplicationPrompt;
use schemas::message::peripheral::Fen;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{
    ApplicationOutcome as Outcome, ApplicationRefusal as Refusal, ProvisionalCause,
    WindowReason as Window,
};
use schemas::words::paper::{PaperKind, PaperState};

/// What the hall is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It accepts nobody from another province, and its number would be its first.
    Usual,
    /// It accepts all residences, as the shipped policy says.
    AllResidences,
    /// It gave a number before.
    GaveNumbers,
}

/// How the fee is paid at the kiosk, where the case comes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paid {
    /// As the case says: in cash at the window, or never.
    No,
    /// By card: it needs no link.
    AtTerminal,
    /// By phone: the centre confirms it, where it can.
    ByConfirmation,
}

/// A case, and what it meets.
#[derive(Debug, Clone, Copy)]
struct Row {
    case: Case,
    place: Place,
    paid: Paid,
}

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
fn expected(Row { case, place, .. }: &Row) -> End {
    let renewal = case.kind == Kind::Renewal;
    let trusted = case.clock == Clock::Trusted;
    let refused = [
        (case.kind.reason().is_none(), Refusal::KindAtWindow),
        (
            case.residence == Residence::OtherProvince && *place != Place::AllResidences,
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
    // Where no number was given before, this clock opens no day.
    if !trusted && *place != Place::GaveNumbers {
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

fn hall_of(Row { case, place, .. }: &Row) -> Hall {
    let mut hall = Hall::new();
    if *place == Place::AllResidences
        && let Some(rules) = &mut hall.rules.application
    {
        rules.policy.residences = Residence::ALL.to_vec();
    }
    if case.link == Link::Granted {
        hall.granted(1, 100);
    }
    if *place == Place::GaveNumbers {
        let before = Case { who: 9, ..GOOD };
        before.go(&mut hall, "kiosk-1");
        let (session, _) = hall.prompt("kiosk-1").unwrap();
        hall.papers(&session, "kiosk-1");
    }
    if case.clock == Clock::Untrusted {
        hall.now.trust = ClockTrust::Unsynchronised;
    }
    hall
}

impl Row {
    /// Goes through from the first touch to the end; what the kiosk shows then.
    fn go(&self, hall: &mut Hall) -> ApplicationPrompt {
        if self.case.fault == Fault::MatcherAway {
            hall.lost("faces-1");
        }
        let session = hall.begin("kiosk-1");
        for _ in 0..200 {
            let (_, prompt) = hall.prompt("kiosk-1").unwrap();
            if prompt.card_unreadable == Some(true) {
                said::unreadable(hall, &prompt);
            }
            if prompt.step == Some(S::ChoosePayment) && self.paid == Paid::AtTerminal {
                let chosen = Entry::Payment(PaymentWay::UnionpayCard);
                hall.enter("kiosk-1", chosen);
            } else if prompt.step == Some(S::AwaitPayment) && self.is_paid() {
                self.pay(hall, prompt.fee_fen.unwrap());
            } else if let Some(prompt) = self.case.once(hall, "kiosk-1", &session) {
                return prompt;
            }
        }
        panic!("{self:?} does not end");
    }

    fn is_paid(&self) -> bool {
        match self.paid {
            Paid::No => false,
            Paid::AtTerminal => true,
            Paid::ByConfirmation => self.case.link == Link::Up,
        }
    }

    fn pay(&self, hall: &mut Hall, amount_fen: Fen) {
        let order = hall.order();
        if self.paid == Paid::ByConfirmation {
            assert!(hall.paid(&order, amount_fen.get(), 1));
            return;
        }
        let report = PeripheralReport::Payment {
            order,
            amount_fen,
            method: PaymentMethod::UnionpayCard,
            state: PaymentState::Paid,
        };
        let device = device("terminal-1");
        hall.input(Input::Peripheral { device, report });
    }
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

/// Who and where, with nothing going wrong; whatever can go wrong, with people who may apply; and how they pay.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in Kind::ALL.iter().copied() {
        for card in CARDS {
            for residence in Residence::ALL.iter().copied() {
                let case = Case {
                    kind,
                    residence,
                    card,
                    ..GOOD
                };
                with_link_and_clock(&mut rows, case, Place::Usual, Paid::No);
            }
            let residence = Residence::OtherProvince;
            let case = Case {
                kind,
                residence,
                card,
                ..GOOD
            };
            with_link_and_clock(&mut rows, case, Place::AllResidences, Paid::No);
        }
    }
    for kind in [Kind::Renewal, Kind::Lost, Kind::Damaged] {
        for card in [Card::Good, Card::Plain] {
            let case = Case { kind, card, ..GOOD };
            for fault in FAULTS {
                let case = Case { fault, ..case };
                with_link_and_clock(&mut rows, case, Place::Usual, Paid::No);
                with_link_and_clock(&mut rows, case, Place::GaveNumbers, Paid::No);
            }
            let fault = Fault::PaymentNever;
            for paid in [Paid::AtTerminal, Paid::ByConfirmation] {
                let case = Case { fault, ..case };
                with_link_and_clock(&mut rows, case, Place::GaveNumbers, paid);
            }
        }
    }
    rows
}

fn with_link_and_clock(rows: &mut Vec<Row>, case: Case, place: Place, paid: Paid) {
    for link in [Link::Up, Link::Granted, Link::Down] {
        for clock in [Clock::Trusted, Clock::Untrusted] {
            let case = Case {
                link,
                clock,
                ..case
            };
            rows.push(Row { case, place, paid });
        }
    }
}

/// A1 to A17: kind × residence × card × link × clock × failure × payment. Each way ends as the requirements say, with the events, the
/// papers and the words that go with it, and replay leaves the same state.
#[test]
fn every_way_through_ends_as_it_must() {
    let mut ends = std::collections::BTreeMap::<String, u32>::new();
    let (mut paid, mut by_clock) = (0, 0);
    for row in rows() {
        let mut hall = hall_of(&row);
        let before = hall.log.len();
        let prompt = row.go(&mut hall);
        let end = found(&prompt);
        assert_eq!(end, expected(&row), "{row:?}");
        agrees(&hall, before, &row, &end, &prompt);
        said::last_page(&hall, &row, &end, &prompt);
        paid += u32::from(prompt.paid == Some(true));
        by_clock += u32::from(end == End::Provisional && row.case.clock == Clock::Untrusted);
        *ends.entry(format!("{end:?}")).or_default() += 1;
    }
    assert!(ends.len() >= 17, "{ends:?}");
    assert!(
        paid > 20 && by_clock > 20,
        "{paid} paid, {by_clock} by clock"
    );
}

fn count(events: &[(Now, Event)], name: &str) -> usize {
    let types = crate::station::types(events).into_iter();
    types.filter(|of| *of == name).count()
}

fn agrees(hall: &Hall, before: usize, row: &Row, end: &End, prompt: &ApplicationPrompt) {
    let events = &hall.log[before..];
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
        assert_eq!(count(events, name), usize::from(holds), "{row:?}: {name}");
    }
    assert_eq!(prompt.acceptance_number.is_some(), counts[0].1, "{row:?}");
    assert_eq!(prompt.ticket.is_some(), counts[1].1, "{row:?}");
    assert_eq!(prompt.fee_fen.is_some(), counts[0].1, "{row:?}");
    if *end != End::Back {
        assert_eq!(prompt.kind, Some(row.case.kind), "{row:?}");
    }
    assert_eq!(hall.state, hall.replay(), "{row:?}");
    assert!(hall.effects().is_empty() && hall.state.sessions().next().is_none());
    for (_, event) in events {
        if let Event::ApplicationAccepted(accepted) = event {
            let e = &accepted.entered;
            assert!(e.holder.is_some() && e.phone.is_some() && e.signature.is_some());
            // Whoever came first has brought the page.
            let pages = usize::from(row.place != Place::GaveNumbers);
            assert_eq!((e.fingers.len(), e.documents.len()), (2, pages));
            assert_eq!(accepted.provisional.is_empty(), *end == End::Accepted);
            let by_clock = accepted.provisional.contains(&ProvisionalCause::Clock);
            assert_eq!(by_clock, row.case.clock == Clock::Untrusted, "{row:?}");
            assert!(accepted.order.is_some());
            assert_eq!(accepted.papers, PAPERS, "{row:?}");
        }
    }
    papers_are_due(hall, before, row, end, prompt);
}

/// The papers of an acceptance with a fee (A13).
const PAPERS: [PaperKind; 3] = [
    PaperKind::Certificate,
    PaperKind::RegistrationForm,
    PaperKind::PaymentNotice,
];

/// A12, A13, A15: the papers of an acceptance are due with its fee as it stands, a ticket is due with what was ordered, and else nothing is.
fn papers_are_due(hall: &Hall, before: usize, row: &Row, end: &End, prompt: &ApplicationPrompt) {
    let due: Vec<_> = hall.state.papers_due().map(|(_, fee)| fee).collect();
    let printing = Some(PaperState::Printing);
    match end {
        End::Accepted | End::Provisional => {
            let [Some(fee)] = due.as_slice() else {
                panic!("{row:?}: {due:?}")
            };
            let amount = match row.case.kind {
                Kind::Renewal => 2_000,
                _ => 4_000,
            };
            let is_paid = row.is_paid();
            assert_eq!((fee.amount.get(), fee.paid), (amount, is_paid), "{row:?}");
            let confirmed = count(&hall.log[before..], "station.payment.confirmed.v1");
            assert_eq!(confirmed, usize::from(is_paid), "{row:?}");
            assert_eq!(prompt.papers, printing, "{row:?}");
        }
        End::Window(_) => {
            let [fee] = due.as_slice() else {
                panic!("{row:?}: {due:?}")
            };
            let ordered = count(&hall.log[before..], "station.payment.ordered.v1");
            assert_eq!(fee.is_some(), ordered > 0, "{row:?}");
            assert!(fee.as_ref().is_none_or(|fee| !fee.paid), "{row:?}");
            assert_eq!(prompt.papers, printing, "{row:?}");
        }
        End::Refused(_) | End::Back => {
            assert!(due.is_empty() && prompt.papers.is_none(), "{row:?}");
        }
    }
}

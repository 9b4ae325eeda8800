//! For any sequence of entries, device answers, words of the centre, payments, ticks, losses and restarts: replay equals the live
//! state, no application is paid by two orders, each acceptance number is given once and never goes back, no session is without an
//! end, no device serves two sessions, what somebody paid does not lapse however late that is told, what has ended owes no papers, an
//! officer finds what a ticket for papers is for, and nothing personal is in any event (A1 to A17, G7).

use std::collections::{BTreeMap, BTreeSet};

use crate::hall::REGISTERED;
use crate::hall::prelude::*;
use crate::hall::{self, BIRTH_DATES, CODE, DEVICES, KIOSKS};
use gateway_core::{Answer, Input, Reply, Request, WindowInput};
use proptest::prelude::*;
use schemas::citizen::MaskedName;
use schemas::downlink::application::EligibilityAnswered;
use schemas::event::paper::{MissingPaper, PapersIssued};
use schemas::ids::{OperatorId, OrderId, TicketNumber};
use schemas::key::RecipientId;
use schemas::time::ClockTrust;
use schemas::words::Completion;
use schemas::words::application::{
    DocumentKind, EligibilityVerdict, InputFault, ProvisionalCause, WindowReason, WindowResult,
};
use schemas::words::paper::{PaperFault, PaperKind};

#[derive(Debug, Clone)]
enum Action {
    Start {
        kiosk: usize,
    },
    Cancel {
        kiosk: usize,
    },
    /// Whatever is next, as this case does it.
    Go {
        kiosk: usize,
        case: usize,
    },
    /// What a citizen of this case enters next.
    Enter {
        kiosk: usize,
        case: usize,
    },
    /// Something else than what is asked, at the present step or another.
    Stray {
        kiosk: usize,
        pick: usize,
        off: u32,
    },
    /// A device answers as it should, badly, or its answer is lost.
    Device {
        pick: usize,
        manner: usize,
    },
    Answer {
        pick: usize,
        verdict: usize,
    },
    /// The centre answers an old question.
    Late {
        pick: usize,
        question: u32,
    },
    Decide {
        pick: usize,
        confirm: bool,
    },
    Pay {
        pick: usize,
        amount: u32,
        transaction: u32,
    },
    /// A citizen pays, and the centre tells it when the station reads again.
    PayUntold {
        pick: usize,
    },
    /// The station reads all that the centre has to tell.
    Read,
    /// The centre gives up what nobody paid, as far as it knows.
    GiveUp {
        pick: usize,
    },
    Erase {
        pick: usize,
    },
    /// A kiosk says that it has not got the papers of its last session.
    GetPapers {
        kiosk: usize,
    },
    Terminal {
        pick: usize,
        state: usize,
    },
    Grant {
        max: u32,
    },
    Advance {
        ms: u64,
    },
    Clock {
        trusted: bool,
        day: i64,
    },
    /// An officer opens or closes a ticket.
    Window {
        ticket: u32,
        result: Option<usize>,
    },
    /// The papers of an application are made, sooner or later.
    Papers {
        kiosk: usize,
        pick: usize,
        is_whole: bool,
    },
    Restart,
    Lost {
        device: usize,
    },
    Online {
        device: usize,
    },
}

fn action() -> impl Strategy<Value = Action> {
    let pick = 0..6usize;
    prop_oneof![
        4 => (0..2usize).prop_map(|kiosk| Action::Start { kiosk }),
        1 => (0..2usize).prop_map(|kiosk| Action::Cancel { kiosk }),
        60 => (0..2usize, prop_oneof![9 => 0..4usize, 1 => 4..6usize])
            .prop_map(|(kiosk, case)| Action::Go { kiosk, case }),
        10 => (0..2usize, 0..6usize).prop_map(|(kiosk, case)| Action::Enter { kiosk, case }),
        3 => (0..2usize, 0..14usize, 0..2u32).prop_map(|(kiosk, pick, off)| Action::Stray { kiosk, pick, off }),
        12 => (pick.clone(), prop_oneof![4 => Just(0usize), 1 => Just(1), 1 => Just(2)])
            .prop_map(|(pick, manner)| Action::Device { pick, manner }),
        4 => (pick.clone(), prop_oneof![9 => Just(0usize), 1 => 1..9usize])
            .prop_map(|(pick, verdict)| Action::Answer { pick, verdict }),
        1 => (pick.clone(), 0..4u32).prop_map(|(pick, question)| Action::Late { pick, question }),
        3 => (pick.clone(), any::<bool>()).prop_map(|(pick, confirm)| Action::Decide { pick, confirm }),
        4 => (pick.clone(), prop_oneof![4 => Just(2_000u32), 2 => Just(4_000), 1 => Just(1)], 0..4u32)
            .prop_map(|(pick, amount, transaction)| Action::Pay { pick, amount, transaction }),
        3 => (pick.clone(), 0..6usize).prop_map(|(pick, state)| Action::Terminal { pick, state }),
        1 => (0..4u32).prop_map(|max| Action::Grant { max }),
        2 => pick.clone().prop_map(|pick| Action::PayUntold { pick }),
        2 => Just(Action::Read),
        1 => pick.clone().prop_map(|pick| Action::GiveUp { pick }),
        1 => pick.clone().prop_map(|pick| Action::Erase { pick }),
        1 => (0..2usize).prop_map(|kiosk| Action::GetPapers { kiosk }),
        4 => prop_oneof![Just(1u64), Just(5_000), Just(21_000), Just(91_000), Just(130_000), Just(73 * 3_600_000), Just(16 * DAY_MS)]
            .prop_map(|ms| Action::Advance { ms }),
        1 => (any::<bool>(), prop_oneof![4 => -2..3i64, 1 => Just(20)]).prop_map(|(trusted, day)| Action::Clock { trusted, day }),
        2 => (0..4u32, proptest::option::of(0..3usize))
            .prop_map(|(ticket, result)| Action::Window { ticket, result }),
        2 => (0..2usize, pick.clone(), any::<bool>())
            .prop_map(|(kiosk, pick, is_whole)| Action::Papers { kiosk, pick, is_whole }),
        1 => Just(Action::Restart),
        1 => (0..7usize).prop_map(|device| Action::Lost { device }),
        3 => (0..7usize).prop_map(|device| Action::Online { device }),
    ]
}

const DAY_MS: u64 = 86_400_000;

/// A payment that the centre has heard of, and the station at first has not.
#[derive(Debug)]
struct Payment {
    order: OrderId,
    paid_ms: u64,
    /// How long the log was.
    at: usize,
    is_told: bool,
}

const CASES: [Case; 6] = [
    GOOD,
    Case {
        kind: Kind::Lost,
        ..GOOD
    },
    Case {
        fault: Fault::PaymentNever,
        ..GOOD
    },
    Case {
        kind: Kind::Damaged,
        residence: Residence::Province,
        ..GOOD
    },
    Case {
        card: Card::Plain,
        fault: Fault::CodeWrong,
        ..GOOD
    },
    Case {
        kind: Kind::Lost,
        fault: Fault::NumberInvalid,
        ..GOOD
    },
];

fn sessions(hall: &Hall) -> Vec<SessionId> {
    let events = hall.log.iter().map(|(_, event)| event);
    let sessions = events.filter_map(|event| match event {
        Event::ApplicationStarted(b) => Some(b.session.clone()),
        _ => None,
    });
    sessions.collect()
}

fn orders(hall: &Hall) -> Vec<(SessionId, OrderId)> {
    let events = hall.log.iter().map(|(_, event)| event);
    let orders = events.filter_map(|event| match event {
        Event::PaymentOrdered(b) => Some((b.session.clone(), b.order.clone())),
        _ => None,
    });
    orders.collect()
}

fn newest<T: Clone>(all: &[T], pick: usize) -> Option<T> {
    all.iter().rev().nth(pick % all.len().max(1)).cloned()
}

fn stray(pick: usize) -> Entry {
    match pick {
        0 => Entry::Kind(Kind::FirstIssue),
        1 => Entry::Residence(Residence::Local),
        2 => Entry::Number(None),
        3 => Entry::ConfirmIdentity(false),
        4 => Entry::Phone(Err(InputFault::PhonesDiffer)),
        5 => Entry::Document(DocumentKind::Other, None),
        6 => Entry::DocumentsDone,
        7 => Entry::Signature(None),
        8 => Entry::Payment(PaymentWay::Alipay),
        9..=11 => Entry::Back,
        12 => Entry::Retry,
        _ => Entry::Language(schemas::words::application::Language::En),
    }
}

/// What is between the station and a centre that keeps nothing back.
fn told_by_centre(hall: &mut Hall, paid: &mut Vec<Payment>, action: &Action) {
    match *action {
        Action::PayUntold { pick } => {
            if let Some((_, order)) = newest(&orders(hall), pick) {
                paid.push(Payment {
                    order,
                    paid_ms: hall.now.wall_ms,
                    at: hall.log.len(),
                    is_told: false,
                });
            }
        }
        Action::Read => {
            for (nth, payment) in (1_000..).zip(paid) {
                if !std::mem::replace(&mut payment.is_told, true) {
                    let fee = fee(hall, &payment.order);
                    hall.paid_at(&payment.order, fee, nth, payment.paid_ms);
                }
            }
            hall.centre_read();
        }
        Action::GiveUp { pick } => {
            let is_paid = |order: &OrderId| paid.iter().any(|payment| payment.order == *order);
            let unpaid = newest(&orders(hall), pick).filter(|(_, order)| !is_paid(order));
            if let Some((session, _)) = unpaid {
                let reason = RejectionReason::NotPaid;
                hall.decided(&session, Decision::Rejected { reason });
            }
        }
        _ => {}
    }
}

fn fee(hall: &Hall, order: &OrderId) -> u32 {
    let mut events = hall.log.iter().map(|(_, event)| event);
    let fee = events.find_map(|event| match event {
        Event::PaymentOrdered(b) if b.order == *order => Some(b.amount_fen.get()),
        _ => None,
    });
    fee.unwrap()
}

fn apply(hall: &mut Hall, paid: &mut Vec<Payment>, action: &Action) {
    told_by_centre(hall, paid, action);
    done_here(hall, action);
}

/// An answer to any question, and now and then for another log.
fn late(hall: &mut Hall, pick: usize, question: u32) {
    if let Some(session) = newest(&sessions(hall), pick) {
        let told = EligibilityAnswered {
            incarnation: hall.state.incarnation() + u32::from(pick == 5),
            session,
            question,
            verdict: EligibilityVerdict::Eligible,
            name: MaskedName::new(REGISTERED).ok(),
        };
        hall.told(Answer::Eligibility(told));
    }
}

fn done_here(hall: &mut Hall, action: &Action) {
    match *action {
        Action::Start { kiosk } => {
            hall.start(KIOSKS[kiosk]);
        }
        Action::Cancel { kiosk } => {
            if let Some((session, _)) = hall.prompt(KIOSKS[kiosk]) {
                hall.request(KIOSKS[kiosk], Request::Cancel { session });
            }
        }
        Action::Go { kiosk, case } => {
            let kiosk = KIOSKS[kiosk];
            let prompt = hall.prompt(kiosk);
            if let Some((session, _)) = prompt.filter(|(_, prompt)| prompt.outcome.is_none()) {
                CASES[case].once(hall, kiosk, &session);
            }
        }
        Action::Enter { kiosk, case } => {
            let kiosk = KIOSKS[kiosk];
            let prompt = hall.prompt(kiosk).map(|(_, prompt)| prompt);
            if let Some(entry) = prompt.and_then(|prompt| CASES[case].entry(hall, &prompt)) {
                hall.enter(kiosk, entry);
            }
        }
        Action::Stray { kiosk, pick, off } => {
            if let Some((session, prompt)) = hall.prompt(KIOSKS[kiosk]) {
                let step = prompt.number.unwrap_or(1).saturating_sub(off);
                hall.enter_at(KIOSKS[kiosk], session, step, stray(pick));
            }
        }
        Action::Device { pick, manner } => device_acts(hall, pick, manner),
        Action::Answer { pick, verdict } => {
            if let Some(session) = newest(&sessions(hall), pick) {
                hall.answer(&session, EligibilityVerdict::ALL[verdict]);
            }
        }
        Action::Late { pick, question } => late(hall, pick, question),
        Action::Decide { pick, confirm } => decide(hall, pick, confirm),
        Action::Pay {
            pick,
            amount,
            transaction,
        } => {
            if let Some((_, order)) = newest(&orders(hall), pick) {
                hall.paid(&order, amount, transaction);
            }
        }
        Action::Terminal { pick, state } => {
            if let Some((_, order)) = newest(&orders(hall), pick) {
                hall.terminal(&order, PaymentMethod::Wechat, PaymentState::ALL[state]);
            }
        }
        Action::Grant { max } => {
            let version = hall.grant_version().unwrap_or(0) + 1;
            hall.granted(version, max);
        }
        Action::Advance { ms } => hall.advance(ms),
        Action::Clock { trusted, day } => {
            hall.now.trust = if trusted {
                ClockTrust::Synchronised
            } else {
                ClockTrust::Unsynchronised
            };
            hall.now.wall_ms = hall.now.wall_ms.saturating_add_signed(day * 86_400_000);
        }
        Action::PayUntold { .. } | Action::Read | Action::GiveUp { .. } => {}
        Action::Erase { pick } => {
            if let Some(session) = newest(&sessions(hall), pick) {
                let known = true;
                hall.input(Input::Erase {
                    session,
                    known,
                    has_keys: true,
                });
            }
        }
        Action::GetPapers { kiosk } => {
            if let Some((session, _)) = hall.prompt(KIOSKS[kiosk]) {
                hall.request(KIOSKS[kiosk], Request::PapersGone { session });
            }
        }
        Action::Window { ticket, result } => window_acts(hall, ticket, result),
        Action::Papers {
            kiosk,
            pick,
            is_whole,
        } => made(hall, KIOSKS[kiosk], pick, is_whole),
        Action::Restart => hall.restart(),
        Action::Lost { device } => hall.lost(DEVICES[device]),
        Action::Online { device } => hall.online(DEVICES[device]),
    }
}

fn window_acts(hall: &mut Hall, ticket: u32, result: Option<usize>) {
    let operator = OperatorId::new("operator-1").unwrap();
    let ticket = TicketNumber::of(1, ticket);
    hall.input(Input::Window(match result {
        Some(result) => WindowInput::Close {
            operator,
            ticket,
            result: WindowResult::ALL[result],
        },
        None => WindowInput::Open {
            operator,
            ticket,
            key: RecipientId::of(&[7; 8]),
        },
    }));
}

fn device_acts(hall: &mut Hall, pick: usize, manner: usize) {
    let effects = hall.effects();
    let Some(effect) = effects.get(pick % effects.len().max(1)) else {
        return;
    };
    let reply = match (manner, hall.orderly(effect)) {
        (0, reply) => reply,
        (1, Reply::Read(_)) => hall::UNREADABLE,
        (1, Reply::Captured(_)) => Reply::Captured(Err(Completion::HardwareError)),
        (1, Reply::Finger(mut reply)) => {
            reply.quality = Some(3);
            Reply::Finger(reply)
        }
        (1, Reply::Faces(mut reply)) => {
            reply.score = Some(20);
            Reply::Faces(reply)
        }
        // Lost on the way.
        _ => return,
    };
    hall.reply(effect, reply);
}

fn decide(hall: &mut Hall, pick: usize, confirm: bool) {
    let events = hall.log.iter().map(|(_, event)| event);
    let accepted: Vec<_> = events
        .filter_map(|event| match event {
            Event::ApplicationAccepted(b) => Some((b.session.clone(), b.site.clone(), b.place)),
            _ => None,
        })
        .collect();
    if let Some((session, site, place)) = newest(&accepted, pick) {
        let outcome = if confirm {
            Decision::Confirmed { site, place }
        } else {
            Decision::Rejected {
                reason: RejectionReason::Other,
            }
        };
        hall.decided(&session, outcome);
    }
}

fn made(hall: &mut Hall, kiosk: &str, pick: usize, is_whole: bool) {
    let events = hall.log.iter().map(|(_, event)| event);
    let accepted: Vec<_> = events
        .filter_map(|event| match event {
            Event::ApplicationAccepted(b) => Some(b.session.clone()),
            _ => None,
        })
        .collect();
    if let Some(session) = newest(&accepted, pick) {
        let missing = MissingPaper {
            paper: PaperKind::Certificate,
            fault: PaperFault::Character,
        };
        let missing = (!is_whole).then_some(missing);
        hall.input(Input::PapersMade(Box::new(PapersIssued {
            session,
            kiosk: device(kiosk),
            papers: Vec::new(),
            missing: missing.into_iter().collect(),
        })));
    }
}

/// What holds at every moment.
fn holds_now(hall: &Hall) {
    let serving: Vec<_> = hall.state.applications().filter_map(|(.., d)| d).collect();
    let devices: BTreeSet<_> = serving.iter().collect();
    assert_eq!(devices.len(), serving.len(), "a device serves two sessions");
    for effect in hall.effects() {
        assert!(devices.contains(&&effect.device), "{effect:?}");
    }
    for ticket in hall.state.window_tickets() {
        if ticket.reason == Some(WindowReason::PapersNotHandedOut) {
            let entered = usize::try_from(ticket.entered.unwrap()).unwrap();
            let is_of = |event: &Event| matches!(event, Event::ApplicationAccepted(b) if b.session == ticket.session);
            assert!(is_of(&hall.log[entered].1), "{ticket:?}");
        }
    }
}

/// Whoever has paid is never told that they have not: what is paid does not lapse.
fn holds_of_paid(hall: &Hall, paid: &[Payment]) {
    for payment in paid {
        let since = hall.log.iter().skip(payment.at);
        let is_lapse = |event: &Event| matches!(event, Event::ApplicationLapsed(b) if b.order == payment.order);
        assert_eq!(
            since.filter(|(_, event)| is_lapse(event)).count(),
            0,
            "{payment:?}"
        );
    }
}

/// What holds of a whole log.
fn holds_of(hall: &Hall) {
    assert!(hall.replay() == hall.state, "replay differs");
    let (mut open, mut ended) = (BTreeSet::new(), BTreeSet::new());
    let mut places: Vec<DailyPlace> = Vec::new();
    let (mut accepted, mut decided) = (BTreeSet::new(), BTreeSet::new());
    let mut ordered: BTreeMap<SessionId, OrderId> = BTreeMap::new();
    let (mut paid, mut refunded) = (BTreeSet::new(), BTreeSet::new());
    let (mut tickets, mut rejected) = (BTreeSet::new(), BTreeSet::new());
    let mut closed = BTreeSet::new();
    let mut missed = BTreeMap::new();
    // What was rejected, has lapsed, or is erased.
    let (mut lapsed, mut gone) = (BTreeSet::new(), BTreeSet::new());
    let waits = |tickets: &BTreeSet<TicketNumber>, closed: &BTreeSet<_>, ticket: &TicketNumber| {
        tickets.contains(ticket) && !closed.contains(ticket)
    };
    let mut alone = BTreeMap::new();
    for (_, event) in &hall.log {
        match event {
            Event::ApplicationStarted(b) => assert!(open.insert(b.session.clone())),
            Event::ApplicationEnded(b) => {
                assert!(open.remove(&b.session) && ended.insert(b.session.clone()));
            }
            Event::ApplicationAccepted(b) => {
                assert!(open.contains(&b.session) && accepted.insert(b.session.clone()));
                assert!(
                    places.last().is_none_or(|last| *last < b.place),
                    "{places:?}"
                );
                places.push(b.place);
                if b.provisional.contains(&ProvisionalCause::Eligibility) {
                    let before = alone.insert(b.entered.number.clone(), b.session.clone());
                    let is_open = |session: &SessionId| {
                        !decided.contains(session) && !lapsed.contains(session)
                    };
                    let before = before.filter(is_open);
                    assert_eq!(before, None, "one person twice, and nobody was asked");
                }
                assert_eq!(b.entered.fingers.len(), 2, "A9");
                assert!(b.entered.signature.is_some() && b.entered.phone.is_some());
                assert_eq!(b.order.as_ref(), ordered.get(&b.session), "A12");
            }
            Event::ApplicationConfirmed(b) => assert!(decided.insert(b.session.clone())),
            Event::ApplicationCompensated(b) => {
                assert!(accepted.contains(&b.session) && decided.insert(b.session.clone()));
                rejected.insert(b.session.clone());
                gone.insert(b.session.clone());
                let has_ticket = missed.get(&b.session) == Some(&b.ticket);
                assert_ne!(
                    has_ticket && !closed.contains(&b.ticket),
                    tickets.insert(b.ticket.clone())
                );
            }
            Event::ApplicationLapsed(b) => {
                assert!(accepted.contains(&b.session) && lapsed.insert(b.session.clone()));
                assert!(!paid.contains(&b.order), "what is paid has lapsed");
                gone.insert(b.session.clone());
            }
            Event::ErasureAsked(b) => drop(gone.insert(b.session.clone())),
            Event::PapersIssued(b) => assert!(!gone.contains(&b.session), "papers of nothing"),
            Event::PapersNotHandedOut(b) => {
                assert!(!gone.contains(&b.session), "papers of nothing");
                assert!(accepted.contains(&b.session) && !rejected.contains(&b.session));
                let before = missed.insert(b.session.clone(), b.ticket.clone());
                assert_eq!(before, None, "told twice (T2)");
                assert!(tickets.insert(b.ticket.clone()));
            }
            Event::WindowTicketIssued(b) => assert!(tickets.insert(b.ticket.clone())),
            Event::WindowTicketOpened(b) => assert!(waits(&tickets, &closed, &b.ticket)),
            Event::WindowTicketClosed(b) => {
                assert!(waits(&tickets, &closed, &b.ticket) && closed.insert(b.ticket.clone()));
            }
            Event::PaymentOrdered(b) => {
                let before = ordered.insert(b.session.clone(), b.order.clone());
                assert_eq!(before, None, "two orders for one application");
            }
            Event::PaymentConfirmed(b) => assert!(paid.insert(b.order.clone()), "paid twice"),
            Event::RefundAsked(b) => drop(refunded.insert(b.order.clone())),
            _ => {}
        }
        let data = event.to_data().unwrap();
        for canary in BIRTH_DATES.iter().chain([&CODE]) {
            assert!(!data.get().contains(canary), "{}", event.type_name());
        }
        assert!(data.get().len() < 6_000, "{}", event.type_name());
    }
    for (session, order) in &ordered {
        let stands =
            accepted.contains(session) && !rejected.contains(session) && !lapsed.contains(session);
        let owed = paid.contains(order) && !stands && !open.contains(session);
        assert!(
            !owed || refunded.contains(order),
            "paid, and not given back"
        );
    }
    let waiting = hall.state.window_tickets().into_iter();
    let waiting: BTreeSet<_> = waiting.map(|ticket| ticket.ticket).collect();
    assert_eq!(waiting, &tickets - &closed);
    let under_way: BTreeSet<_> = hall.state.sessions().cloned().collect();
    assert_eq!(open, under_way, "a session without an end");
}

/// Whatever was under way comes to an end by itself.
fn comes_to_rest(hall: &mut Hall) {
    for _ in 0..200 {
        if hall.state.sessions().next().is_none() {
            return;
        }
        assert!(hall.wait(), "a session without a deadline");
    }
    panic!("a session that never ends");
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    /// A1 to A17, G7.
    #[test]
    fn any_sequence_keeps_what_must_hold(actions in prop::collection::vec(action(), 1..250)) {
        let (mut hall, mut paid) = (Hall::new(), Vec::new());
        hall.granted(1, 2);
        for action in &actions {
            apply(&mut hall, &mut paid, action);
            holds_now(&hall);
        }
        holds_of(&hall);
        comes_to_rest(&mut hall);
        holds_of(&hall);
        holds_of_paid(&hall, &paid);
    }
}

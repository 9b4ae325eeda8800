//! A12: whatever is said of payments, in whatever order, and over restarts: what was paid is what is kept, owed and given back; an
//! order is charged once; what is not due is asked back once; and no acceptance can be paid for ever.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use schemas::event::Event;
use schemas::ids::{OrderId, SessionId};
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{ApplicationOutcome, NoticeCause, PaymentWay, ProvisionalCause};

use super::tests::{DUE_DAYS, FEE, HOUR_MS, House};
use super::{choose_way, heard, lapse, tick};
use crate::payment::{Claim, Fate, Standing};

#[derive(Debug, Clone)]
enum Action {
    Order {
        session: u64,
        way: usize,
    },
    Choose {
        session: u64,
        way: usize,
    },
    Terminal {
        session: u64,
        wrong: bool,
    },
    Centre {
        session: u64,
        nth: u8,
        wrong: bool,
        way: Option<usize>,
        ago_hours: Option<u64>,
    },
    /// By a code that is never valid.
    VoidCode {
        session: u64,
        nth: u8,
    },
    Stranger,
    End {
        session: u64,
        outcome: usize,
    },
    Reject {
        session: u64,
    },
    Accept {
        session: u64,
        provisional: bool,
    },
    Confirm {
        session: u64,
    },
    GiveUp {
        session: u64,
    },
    Refund {
        session: u64,
        nth: u8,
        wrong: bool,
    },
    Tick,
    Advance {
        hours: u64,
    },
    Trust(bool),
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    let session = || 1..4u64;
    prop_oneof![
        4 => (session(), 0..5usize).prop_map(|(session, way)| Action::Order { session, way }),
        1 => (session(), 0..5usize).prop_map(|(session, way)| Action::Choose { session, way }),
        4 => (session(), prop::bool::weighted(0.2)).prop_map(|(session, wrong)| Action::Terminal { session, wrong }),
        6 => (session(), 0..3u8, prop::bool::weighted(0.2), prop::option::of(0..5usize), prop::option::of(0..60u64))
            .prop_map(|(session, nth, wrong, way, ago_hours)| Action::Centre { session, nth, wrong, way, ago_hours }),
        2 => (session(), 0..2u8).prop_map(|(session, nth)| Action::VoidCode { session, nth }),
        1 => Just(Action::Stranger),
        2 => (session(), 0..8usize).prop_map(|(session, outcome)| Action::End { session, outcome }),
        1 => session().prop_map(|session| Action::Reject { session }),
        4 => (session(), any::<bool>()).prop_map(|(session, provisional)| Action::Accept { session, provisional }),
        2 => session().prop_map(|session| Action::Confirm { session }),
        1 => session().prop_map(|session| Action::GiveUp { session }),
        3 => (session(), 0..3u8, prop::bool::weighted(0.2))
            .prop_map(|(session, nth, wrong)| Action::Refund { session, nth, wrong }),
        3 => Just(Action::Tick),
        2 => prop_oneof![Just(1u64), Just(13), Just(49), Just(300)].prop_map(|hours| Action::Advance { hours }),
        1 => prop::bool::weighted(0.7).prop_map(Action::Trust),
        1 => Just(Action::Restart),
    ]
}

/// What the world did, told by nobody but itself.
#[derive(Default)]
struct Network {
    /// Transactions of the right amount, and of another, that the station was told of.
    right: BTreeMap<OrderId, BTreeSet<String>>,
    wrong: BTreeMap<OrderId, BTreeSet<String>>,
    /// Transactions by a void code, told while the order was open: money of its own.
    void: BTreeMap<OrderId, BTreeSet<String>>,
    /// Orders that a terminal said are paid.
    terminals: BTreeSet<OrderId>,
}

impl Network {
    /// How many payments came in for an order, as far as can be told. A terminal's is one of the network's.
    fn payments(&self, order: &OrderId) -> (usize, usize) {
        let of =
            |told: &BTreeMap<OrderId, BTreeSet<String>>| told.get(order).map_or(0, BTreeSet::len);
        let terminal = usize::from(self.terminals.contains(order));
        let right = of(&self.right).max(terminal);
        (right + of(&self.void), of(&self.wrong))
    }
}

fn apply(house: &mut House, network: &mut Network, action: &Action) {
    let own = |house: &House, session: u64| {
        let orders = &house.state.payments.sessions;
        orders.get(&SessionId::from_index(session)).cloned()
    };
    let amount = |wrong: bool| FEE + u32::from(wrong);
    match *action {
        Action::Order { session, way } => {
            house.order(session, PaymentWay::ALL[way]);
        }
        Action::Choose { session, way } => {
            if let Some(order) = own(house, session) {
                house.act(|draft| choose_way(draft, &order, PaymentWay::ALL[way]));
            }
        }
        Action::Terminal { session, wrong } => {
            if let Some(order) = own(house, session) {
                house.terminal(&order, amount(wrong));
                if !wrong {
                    network.terminals.insert(order);
                }
            }
        }
        Action::Centre {
            session,
            nth,
            wrong,
            way,
            ago_hours,
        } => {
            if let Some(order) = own(house, session) {
                let transaction = format!("{order}-{nth}-{wrong}");
                let way = way.map(|way| PaymentWay::ALL[way]);
                let paid_ms = ago_hours.map(|hours| house.now.wall_ms - hours * HOUR_MS);
                house.centre_says(&order, amount(wrong), &transaction, way, paid_ms);
                let told = if wrong {
                    &mut network.wrong
                } else {
                    &mut network.right
                };
                told.entry(order).or_default().insert(transaction);
            }
        }
        Action::VoidCode { session, nth } => {
            if let Some(order) = own(house, session) {
                void_code(house, network, order, nth);
            }
        }
        Action::Stranger => {
            house.centre(&OrderId::new("110105001i7e1").unwrap(), FEE, "T0");
        }
        Action::End { session, outcome } => {
            house.end(session, ApplicationOutcome::ALL[outcome]);
        }
        Action::Reject { session } => {
            house.reject(session);
        }
        Action::Accept {
            session,
            provisional,
        } => {
            // Nothing is accepted twice.
            if !is_accepted(house, session) {
                let causes = [ProvisionalCause::Eligibility];
                house.accept(session, &causes[..usize::from(provisional)]);
            }
        }
        Action::Confirm { session } => {
            house.confirm(session);
        }
        Action::GiveUp { session } => {
            if let Some(order) = own(house, session).filter(|_| is_accepted(house, session)) {
                house.act(|draft| {
                    lapse(draft, &order);
                });
            }
        }
        Action::Refund {
            session,
            nth,
            wrong,
        } => {
            if let Some(order) = own(house, session) {
                house.refund(&order, amount(wrong), &format!("R-{order}-{nth}-{wrong}"));
            }
        }
        Action::Tick => {
            house.act(tick);
        }
        Action::Advance { hours } => house.now.wall_ms += hours * HOUR_MS,
        Action::Trust(trusted) => {
            house.now.trust = if trusted {
                ClockTrust::Synchronised
            } else {
                ClockTrust::Unsynchronised
            };
        }
        Action::Restart => house.restart(),
    }
}

/// A payment by a code that is not valid is money of its own while the order is open; else it is one as any other.
fn void_code(house: &mut House, network: &mut Network, order: OrderId, nth: u8) {
    let transaction = format!("{order}-void-{nth}");
    let is_open = house.state.payments.orders[&order].standing == Standing::Open;
    house.scanned(&order, 999, &transaction);
    let void = network.void.entry(order.clone()).or_default();
    if is_open {
        void.insert(transaction);
    } else if !void.contains(&transaction) {
        network.right.entry(order).or_default().insert(transaction);
    }
}

fn is_accepted(house: &House, session: u64) -> bool {
    let session = SessionId::from_index(session);
    let of = |event: &Event| matches!(event, Event::ApplicationAccepted(b) if b.session == session);
    house.log.iter().any(|(_, event)| of(event))
}

/// T2, A12: once all time is over nothing that was accepted for good, or that the centre confirmed, can be paid for ever; nothing lapses
/// twice, nothing that lapsed keeps money, and nobody is told twice, or told that the time ends soon when it is over.
fn check_terms(house: &mut House) {
    house.now.trust = ClockTrust::Synchronised;
    house.end(98, ApplicationOutcome::Cancelled);
    for _ in 0..3 {
        house.act(tick);
        house.now.wall_ms += (u64::from(DUE_DAYS) + 1) * 24 * HOUR_MS;
    }
    house.act(tick);
    // At 10 in the morning the centre has told all that it has to tell.
    let read_ms = house.now.wall_ms.next_multiple_of(24 * HOUR_MS) + 2 * HOUR_MS;
    house.now.wall_ms = read_ms;
    house.act(|draft| heard(draft, read_ms));
    let (mut lapsed, mut told, mut payable) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, event) in &house.log {
        match event {
            Event::ApplicationAccepted(b) if b.provisional.is_empty() => {
                payable.extend(b.order.clone());
            }
            Event::ApplicationConfirmed(b) if is_accepted_before(house, &b.session) => {
                payable.extend(house.state.payments.sessions.get(&b.session).cloned());
            }
            Event::ApplicationLapsed(b) => assert!(lapsed.insert(b.order.clone())),
            Event::NoticeAsked(b) => {
                assert!(told.insert((b.session.clone(), b.cause)), "told twice");
                let order = &house.state.payments.sessions[&b.session];
                let is_over = lapsed.contains(order);
                assert_eq!(is_over, b.cause == NoticeCause::Lapsed);
            }
            _ => {}
        }
    }
    for (id, order) in &house.state.payments.orders {
        if payable.contains(id) {
            assert!(order.standing != Standing::Open, "for ever: {order:?}");
        }
        assert!(!lapsed.contains(id) || order.kept().is_none());
    }
}

/// A confirmation counts only where something with an order was accepted before.
fn is_accepted_before(house: &House, session: &SessionId) -> bool {
    let events = house.log.iter().map(|(_, event)| event);
    let mut before = events.take_while(
        |event| !matches!(event, Event::ApplicationConfirmed(b) if b.session == *session),
    );
    before.any(|event| matches!(event, Event::ApplicationAccepted(b) if b.session == *session && b.order.is_some()))
}

/// What must hold at any moment.
fn check(house: &House, network: &Network) {
    let payments = &house.state.payments;
    let mut sums = [0u64; 3];
    for (id, order) in &payments.orders {
        let right = order
            .receipts
            .iter()
            .filter(|r| r.amount_fen == order.amount_fen);
        let right = right.count();
        assert_eq!(
            (right, order.receipts.len() - right),
            network.payments(id),
            "{order:?}"
        );
        let kept = order.receipts.iter().filter(|r| r.fate == Fate::Kept);
        let kept: Vec<_> = kept.collect();
        assert!(kept.len() <= 1 && kept.iter().all(|r| r.amount_fen == order.amount_fen));
        assert!(kept.is_empty() || order.claim == Claim::Due, "{order:?}");
        assert!(order.standing != Standing::Expired || order.claim != Claim::Due);
        assert_eq!(asked(house, id), order.receipts.len() - kept.len());
        for receipt in &order.receipts {
            let place = match receipt.fate {
                Fate::Kept => 0,
                Fate::Owed => 1,
                Fate::Refunded(_) => 2,
            };
            sums[place] += u64::from(receipt.amount_fen.get());
        }
    }
    let totals = house.state.payments();
    assert_eq!(
        sums,
        [totals.kept_fen, totals.owed_fen, totals.refunded_fen]
    );
    let open = payments
        .orders
        .values()
        .filter(|o| o.standing == Standing::Open);
    assert_eq!(u32::try_from(open.count()).unwrap(), totals.open);
}

fn asked(house: &House, order: &OrderId) -> usize {
    let of =
        |(_, event): &&(Now, Event)| matches!(event, Event::RefundAsked(b) if b.order == *order);
    house.log.iter().filter(of).count()
}

/// The days' sums, once all days are over, are what was paid and given back.
fn check_days(house: &mut House) {
    house.now.trust = ClockTrust::Synchronised;
    house.end(99, ApplicationOutcome::Cancelled);
    house.now.wall_ms += 49 * HOUR_MS;
    house.act(tick);
    let totals = house.state.payments();
    let (mut paid, mut refunded, mut last) = (0, 0, None);
    for (_, event) in &house.log {
        if let Event::PaymentsReconciled(b) = event {
            (paid, refunded) = (paid + b.paid_fen, refunded + b.refunded_fen);
            assert!(last < Some(b.day), "a day is reconciled once");
            last = Some(b.day);
        }
    }
    assert_eq!(
        paid,
        totals.kept_fen + totals.owed_fen + totals.refunded_fen
    );
    assert_eq!(refunded, totals.refunded_fen);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A12: see the module.
    #[test]
    fn a12_nothing_is_lost_and_nothing_is_charged_twice(actions in prop::collection::vec(action(), 1..60)) {
        let (mut house, mut network) = (House::new(), Network::default());
        for action in &actions {
            apply(&mut house, &mut network, action);
            check(&house, &network);
        }
        prop_assert_eq!(&house.replayed().payments, &house.state.payments);
        check_terms(&mut house);
        check(&house, &network);
        check_days(&mut house);
    }
}

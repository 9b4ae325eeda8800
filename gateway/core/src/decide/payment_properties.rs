//! A12: whatever is said of payments, in whatever order, and over restarts: what was paid is what is kept, owed and given back; an
//! order is charged once; and what is not due is asked back once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use schemas::event::Event;
use schemas::ids::{OrderId, SessionId};
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{ApplicationOutcome, PaymentWay};

use super::tests::{FEE, HOUR_MS, House};
use super::{choose_way, tick};
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
    Stranger,
    End {
        session: u64,
        outcome: usize,
    },
    Reject {
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
        1 => Just(Action::Stranger),
        2 => (session(), 0..8usize).prop_map(|(session, outcome)| Action::End { session, outcome }),
        1 => session().prop_map(|session| Action::Reject { session }),
        3 => (session(), 0..3u8, prop::bool::weighted(0.2))
            .prop_map(|(session, nth, wrong)| Action::Refund { session, nth, wrong }),
        3 => Just(Action::Tick),
        2 => prop_oneof![Just(1u64), Just(13), Just(49)].prop_map(|hours| Action::Advance { hours }),
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
    /// Orders that a terminal said are paid.
    terminals: BTreeSet<OrderId>,
}

impl Network {
    /// How many payments came in for an order, as far as can be told. A terminal's is one of the network's.
    fn payments(&self, order: &OrderId) -> (usize, usize) {
        let of =
            |told: &BTreeMap<OrderId, BTreeSet<String>>| told.get(order).map_or(0, BTreeSet::len);
        let terminal = usize::from(self.terminals.contains(order));
        (of(&self.right).max(terminal), of(&self.wrong))
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
        Action::Stranger => {
            house.centre(&OrderId::new("110105001i7e1").unwrap(), FEE, "T0");
        }
        Action::End { session, outcome } => {
            house.end(session, ApplicationOutcome::ALL[outcome]);
        }
        Action::Reject { session } => {
            house.reject(session);
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
        check_days(&mut house);
    }
}

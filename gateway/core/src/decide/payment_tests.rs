//! A12: orders, confirmations, refunds, deadlines and days, case by case.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeMap;

use schemas::acceptance::DailyPlace;
use schemas::civil::CivilDate;
use schemas::event::Event;
use schemas::event::application::{
    ApplicationAccepted, ApplicationCompensated, ApplicationConfirmed, ApplicationEnded, Entered,
    PaymentTerm,
};
use schemas::event::payment::{PaymentCodeAsked, PaymentExpired};
use schemas::event::pickup::PickupPolicy;
use schemas::ids::{BootId, TicketNumber, TransactionId};
use schemas::sealed::SealedField;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::{
    ApplicationOutcome, PaymentOddity, ProvisionalCause, RefundCause, RejectionReason,
};

use super::*;
use crate::evolve::{Recorded, evolve};
use crate::payment::Standing;
use crate::rules::{Eligibility, RegistryPolicy, Rules};
use crate::state::State;

/// 21 November 2026, 12:00 in Beijing.
const NOON_MS: u64 = 1_795_233_600_000;
pub(super) const HOUR_MS: u64 = 3_600_000;
pub(super) const FEE: u32 = 2_000;
const VALID_HOURS: u16 = 48;
pub(super) const DUE_DAYS: u16 = 15;
const NOTICE_DAYS: u16 = 3;

pub(super) struct House {
    rules: Rules,
    pub(super) state: State,
    pub(super) log: Vec<(Now, Event)>,
    pub(super) now: Now,
}

impl House {
    pub(super) fn new() -> Self {
        Self {
            rules: rules(),
            state: State::default(),
            log: Vec::new(),
            now: Now {
                wall_ms: NOON_MS,
                boot: BootId::new("00000000-0000-4000-8000-000000000001").unwrap(),
                mono_ms: 0,
                trust: ClockTrust::Synchronised,
            },
        }
    }

    /// Decides, checks that the draft saw what the log will say, and applies.
    pub(super) fn act(&mut self, decide: impl FnOnce(&mut Draft<'_>)) -> Vec<Event> {
        let mut draft = Draft::new(&self.state, &self.rules, &self.now);
        decide(&mut draft);
        let drafted = draft.state().payments.clone();
        let events = draft.into_events();
        for event in &events {
            self.log.push((self.now.clone(), event.clone()));
            let (index, now) = (self.state.next_index, &self.now);
            evolve(&mut self.state, Recorded { index, now, event });
        }
        for (id, order) in &drafted.orders {
            let same = |o: &payment::Order| (o.standing, o.claim, o.receipts.clone());
            assert_eq!(same(order), same(&self.state.payments.orders[id]));
        }
        events
    }

    pub(super) fn order(&mut self, session: u64, way: PaymentWay) -> OrderId {
        let (session, site) = (SessionId::from_index(session), site());
        let fee = Fen::new(FEE).unwrap();
        let mut opened = None;
        self.act(|draft| opened = order(draft, &session, &site, fee, way, VALID_HOURS));
        opened.unwrap()
    }

    pub(super) fn centre(&mut self, order: &OrderId, amount: u32, transaction: &str) -> Vec<Event> {
        self.centre_says(order, amount, transaction, None, None)
    }

    pub(super) fn centre_says(
        &mut self,
        order: &OrderId,
        amount: u32,
        transaction: &str,
        way: Option<PaymentWay>,
        paid_ms: Option<u64>,
    ) -> Vec<Event> {
        let told = PaymentConfirmed {
            order: order.clone(),
            amount_fen: Fen::new(amount).unwrap(),
            transaction: TransactionId::new(transaction).unwrap(),
            way,
            paid_ms,
            code: None,
        };
        self.act(|draft| confirmed(draft, &told))
    }

    /// The centre is asked for a code.
    pub(super) fn ask_code(&mut self, session: u64, order: &OrderId, question: u32) {
        let asked = PaymentCodeAsked {
            session: SessionId::from_index(session),
            question,
            order: order.clone(),
            way: PaymentWay::Wechat,
            amount_fen: Fen::new(FEE).unwrap(),
        };
        self.act(|draft| draft.push(asked));
    }

    /// A payment by a code.
    pub(super) fn scanned(&mut self, order: &OrderId, code: u32, transaction: &str) -> Vec<Event> {
        let told = PaymentConfirmed {
            order: order.clone(),
            amount_fen: Fen::new(FEE).unwrap(),
            transaction: TransactionId::new(transaction).unwrap(),
            way: Some(PaymentWay::Wechat),
            paid_ms: None,
            code: Some(code),
        };
        self.act(|draft| confirmed(draft, &told))
    }

    pub(super) fn terminal(&mut self, order: &OrderId, amount: u32) -> Vec<Event> {
        let device = DeviceId::new("terminal-1").unwrap();
        let (amount, method) = (Fen::new(amount).unwrap(), PaymentMethod::Wechat);
        self.act(|draft| reported(draft, &device, order, amount, method))
    }

    pub(super) fn refund(&mut self, order: &OrderId, amount: u32, transaction: &str) -> bool {
        let told = PaymentRefunded {
            order: order.clone(),
            amount_fen: Fen::new(amount).unwrap(),
            transaction: TransactionId::new(transaction).unwrap(),
        };
        let mut followed = false;
        self.act(|draft| followed = refunded(draft, &told).is_ok());
        followed
    }

    pub(super) fn end(&mut self, session: u64, outcome: ApplicationOutcome) -> Vec<Event> {
        let session = SessionId::from_index(session);
        let kiosk = DeviceId::new("kiosk-1").unwrap();
        let ended = ApplicationEnded {
            session: session.clone(),
            kiosk,
            outcome,
        };
        self.act(|draft| {
            draft.push(ended);
            settle(draft, &session);
        })
    }

    pub(super) fn reject(&mut self, session: u64) -> Vec<Event> {
        let session = SessionId::from_index(session);
        let compensated = ApplicationCompensated {
            session: session.clone(),
            reason: RejectionReason::NotEligible,
            ticket: TicketNumber::new("W1-1").unwrap(),
            held_h: None,
            phone: None,
            comparisons: Vec::new(),
        };
        self.act(|draft| {
            draft.push(compensated);
            settle(draft, &session);
        })
    }

    pub(super) fn accept(&mut self, session: u64, provisional: &[ProvisionalCause]) -> Vec<Event> {
        let session = SessionId::from_index(session);
        let order = self.state.payments.sessions.get(&session).cloned();
        let term = PaymentTerm {
            due_days: DUE_DAYS,
            notice_days: NOTICE_DAYS,
        };
        let entered = Entered {
            phone: SealedField::new(format!("v1.{}.{}", "0a".repeat(16), "A".repeat(40))).ok(),
            ..Entered::default()
        };
        let accepted = ApplicationAccepted {
            session,
            kiosk: DeviceId::new("kiosk-1").unwrap(),
            site: site(),
            place: place(),
            reason: 2,
            provisional: provisional.to_vec(),
            order,
            term: Some(term),
            papers: Vec::new(),
            entered: Box::new(entered),
        };
        self.act(|draft| draft.push(accepted))
    }

    pub(super) fn confirm(&mut self, session: u64) -> Vec<Event> {
        let confirmed = ApplicationConfirmed {
            session: SessionId::from_index(session),
            site: site(),
            place: place(),
            renumbered: false,
            printed: None,
            comparisons: Vec::new(),
        };
        self.act(|draft| draft.push(confirmed))
    }

    pub(super) fn replayed(&self) -> State {
        let mut state = State::default();
        for (index, (now, event)) in (0u64..).zip(&self.log) {
            evolve(&mut state, Recorded { index, now, event });
        }
        state
    }

    pub(super) fn restart(&mut self) {
        let mut bytes = Vec::new();
        ciborium::into_writer(&self.state, &mut bytes).unwrap();
        self.state = ciborium::from_reader(bytes.as_slice()).unwrap();
    }
}

fn place() -> DailyPlace {
    let today = CivilDate::in_china(NOON_MS);
    DailyPlace::next(None, today).unwrap()
}

fn site() -> AcceptanceSite {
    AcceptanceSite::new("110105001").unwrap()
}

fn rules() -> Rules {
    Rules {
        kiosks: BTreeMap::new(),
        machines: BTreeMap::new(),
        devices: BTreeMap::new(),
        registry: RegistryPolicy::default(),
        pickup: PickupPolicy {
            hold_s: 30,
            finger_attempts_max: 3,
            finger_score_min: 60,
            old_card_attempts_max: 2,
            step_timeout_s: 60,
            command_timeout_s: 10,
        },
        eligibility: Eligibility {
            residences: [].into(),
            grounds: [].into(),
        },
        application: None,
        motion_timeout_s: 20,
        query_attempts_max: 3,
        dedupe_days: 7,
    }
}

pub(super) fn names(events: &[Event]) -> Vec<&'static str> {
    let last = |event: &Event| {
        let name = event.type_name();
        name.trim_start_matches("station.").trim_end_matches(".v1")
    };
    events.iter().map(last).collect()
}

pub(super) fn oddity(events: &[Event]) -> Option<PaymentOddity> {
    events.iter().find_map(|event| match event {
        Event::PaymentNoted(b) => Some(b.oddity),
        _ => None,
    })
}

pub(super) fn cause(events: &[Event]) -> Option<RefundCause> {
    events.iter().find_map(|event| match event {
        Event::RefundAsked(b) => Some(b.cause),
        _ => None,
    })
}

/// A12: the first confirmation counts; the same again says nothing new; another one is asked back under its own transaction.
#[test]
fn a12_an_order_is_charged_once() {
    let mut house = House::new();
    let order = house.order(1, PaymentWay::Wechat);
    assert_eq!(
        house.order(1, PaymentWay::Alipay),
        order,
        "one application has one order"
    );
    assert_eq!(names(&house.terminal(&order, FEE)), ["payment.confirmed"]);
    let named = house.centre(&order, FEE, "T1");
    assert_eq!(
        oddity(&named),
        Some(PaymentOddity::Repeated),
        "it is the terminal's payment"
    );
    assert_eq!(
        oddity(&house.centre(&order, FEE, "T1")),
        Some(PaymentOddity::Repeated)
    );
    assert_eq!(
        oddity(&house.terminal(&order, FEE)),
        Some(PaymentOddity::Repeated)
    );
    let second = house.centre(&order, FEE, "T2");
    assert_eq!(names(&second), ["payment.noted", "payment.refund-asked"]);
    assert_eq!(cause(&second), Some(RefundCause::PaidTwice));
    assert_eq!(names(&house.centre(&order, FEE, "T2")), ["payment.noted"]);
    assert!(!house.refund(&order, FEE + 1, "R1"), "no such debt");
    assert!(house.refund(&order, FEE, "R1"));
    assert!(!house.refund(&order, FEE, "R1"), "given back once");
    let totals = house.state.payments();
    let fee = u64::from(FEE);
    assert_eq!(
        (totals.kept_fen, totals.owed_fen, totals.refunded_fen),
        (fee, 0, fee)
    );
}

/// A12: what does not fit is noted and never counted; another amount that the network names is asked back.
#[test]
fn a12_what_does_not_fit_is_not_counted() {
    let mut house = House::new();
    let order = house.order(1, PaymentWay::Wechat);
    let unknown = OrderId::new("110105001i1e999").unwrap();
    let noted = house.centre(&unknown, FEE, "T1");
    assert_eq!(
        (names(&noted), oddity(&noted)),
        (vec!["payment.noted"], Some(PaymentOddity::UnknownOrder))
    );
    assert!(
        house.terminal(&unknown, FEE).is_empty(),
        "a terminal's report is a fact of its own"
    );
    assert_eq!(names(&house.terminal(&order, FEE + 1)), ["payment.noted"]);
    assert_eq!(
        cause(&house.centre(&order, FEE + 1, "T2")),
        Some(RefundCause::WrongAmount)
    );
    assert_eq!(house.state.payments.orders[&order].standing, Standing::Open);
    assert_eq!(
        names(&house.centre(&order, FEE, "T3")),
        ["payment.confirmed"]
    );
}

/// A12, A15: money that the station may not keep is asked back once, whether it came before the end or after it.
#[test]
fn a12_what_is_not_due_is_asked_back_once() {
    use ApplicationOutcome as O;
    type End = fn(&mut House) -> Vec<Event>;
    let endings: [(End, Option<RefundCause>); 4] = [
        (|house| house.end(1, O::Accepted), None),
        (|house| house.end(1, O::Provisional), None),
        (
            |house| house.end(1, O::Interrupted),
            Some(RefundCause::SessionEnded),
        ),
        (|house| house.reject(1), Some(RefundCause::Rejected)),
    ];
    for (end, why) in endings {
        let mut before = House::new();
        let order = before.order(1, PaymentWay::Alipay);
        before.centre(&order, FEE, "T1");
        assert_eq!(cause(&end(&mut before)), why);
        assert_eq!(cause(&end(&mut before)), None, "asked once");

        let mut after = House::new();
        let order = after.order(1, PaymentWay::Alipay);
        end(&mut after);
        let paid = after.centre(&order, FEE, "T1");
        assert_eq!((names(&paid)[0], cause(&paid)), ("payment.confirmed", why));
        assert_eq!(after.state.payments().owed_fen > 0, why.is_some());
    }
}

/// A12: an order that is due does not expire by the station's clock, since nobody could pay it while there was no link. One that
/// nobody should pay any more does, by a clock that can be believed.
#[test]
fn a12_an_order_expires_once_nobody_should_pay_it() {
    let mut house = House::new();
    house.now.trust = ClockTrust::Unsynchronised;
    let due = house.order(1, PaymentWay::CashAtWindow);
    let over = house.order(2, PaymentWay::Wechat);
    house.end(1, ApplicationOutcome::Provisional);
    house.end(2, ApplicationOutcome::Interrupted);
    house.now.wall_ms += 1_000 * HOUR_MS;
    assert!(house.act(tick).is_empty());
    // The first event under a clock that can be believed begins the count.
    house.now.trust = ClockTrust::Synchronised;
    let rejected = house.order(3, PaymentWay::Wechat);
    house.now.wall_ms += u64::from(VALID_HOURS) * HOUR_MS - 1;
    let ticked = house.act(tick);
    assert!(!names(&ticked).contains(&"payment.expired"), "{ticked:?}");
    assert_eq!(house.state.payments.left_ms(&house.now), Some(1));
    house.now.wall_ms += 1;
    assert_eq!(names(&house.act(tick)), ["payment.expired"]);
    assert!(house.act(tick).is_empty());
    let late = house.centre(&over, FEE, "T2");
    assert_eq!(cause(&late), Some(RefundCause::SessionEnded));
    let paid = house.centre(&due, FEE, "T1");
    assert_eq!(names(&paid), ["payment.confirmed"]);
    house.reject(3);
    assert_eq!(house.state.payments.left_ms(&house.now), Some(0));
    assert_eq!(names(&house.act(tick)), ["payment.expired"]);
    let standing = |id| house.state.payments.orders[id].standing;
    assert_eq!(
        [&due, &over, &rejected].map(standing),
        [Standing::Paid, Standing::Paid, Standing::Expired]
    );
}

/// A12: what was paid in time counts however late that is told, and also where nobody says when it was paid.
#[test]
fn a12_what_was_paid_in_time_counts_however_late_that_is_told() {
    let until_ms = NOON_MS + u64::from(VALID_HOURS) * HOUR_MS;
    for (paid_ms, counts) in [
        (None, true),
        (Some(until_ms - 1), true),
        (Some(until_ms), false),
    ] {
        let mut house = House::new();
        let id = house.order(1, PaymentWay::Wechat);
        let order = id.clone();
        house.act(|draft| draft.push(PaymentExpired { order }));
        let told = house.centre_says(&id, FEE, "T1", None, paid_ms);
        assert_eq!(
            names(&told)[0] == "payment.confirmed",
            counts,
            "{paid_ms:?}"
        );
        assert_eq!(cause(&told), (!counts).then_some(RefundCause::OrderExpired));
        let second = house.centre(&id, FEE, "T2");
        assert!(cause(&second).is_some(), "one payment is kept at the most");
        assert_eq!(house.state.payments().kept_fen > 0, counts);
    }
}

/// A12: money is booked under the way that it was paid in, not under the one that was chosen last.
#[test]
fn a12_money_is_booked_under_the_way_it_was_paid_in() {
    let mut house = House::new();
    let order = house.order(1, PaymentWay::Wechat);
    house.act(|draft| choose_way(draft, &order, PaymentWay::CashAtWindow));
    house.centre_says(&order, FEE, "T1", Some(PaymentWay::Alipay), None);
    house.centre_says(&order, FEE, "T2", Some(PaymentWay::Quickpass), None);
    assert!(house.refund(&order, FEE, "R1"));
    house.now.wall_ms += 24 * HOUR_MS;
    let ended = house.act(tick);
    let Some(Event::PaymentsReconciled(day)) = ended.first() else {
        unreachable!("{ended:?}")
    };
    let ways = day.ways.iter().map(|w| (w.way, w.paid, w.refunded));
    assert_eq!(
        ways.collect::<Vec<_>>(),
        [
            (PaymentWay::Wechat, 0, 0),
            (PaymentWay::Alipay, 1, 0),
            (PaymentWay::Quickpass, 1, 1),
        ]
    );
}

/// A12: each day is reconciled once, with what is open beyond it, and nothing of the next day is in it.
#[test]
fn a12_a_day_is_reconciled_once() {
    let mut house = House::new();
    let (paid, open) = (
        house.order(1, PaymentWay::Wechat),
        house.order(2, PaymentWay::Alipay),
    );
    house.centre(&paid, FEE, "T1");
    assert!(house.act(tick).is_empty(), "the day goes on");
    assert_eq!(house.state.payments.left_ms(&house.now), Some(12 * HOUR_MS));
    house.now.wall_ms += 12 * HOUR_MS;
    // No tick came at midnight: what comes in first is of the new day all the same.
    let next = house.centre(&open, FEE, "T2");
    let Event::PaymentsReconciled(day) = &next[0] else {
        unreachable!("{next:?}")
    };
    assert_eq!(day.day.to_string(), "2026-11-21");
    let fee = u64::from(FEE);
    assert_eq!(
        (day.ordered, day.paid, day.paid_fen, day.refunded),
        (2, 1, fee, 0)
    );
    let ways: Vec<_> = day
        .ways
        .iter()
        .map(|w| (w.way, w.ordered, w.paid_fen))
        .collect();
    assert_eq!(
        ways,
        [(PaymentWay::Wechat, 1, fee), (PaymentWay::Alipay, 1, 0)]
    );
    assert_eq!(
        day.open.map(|o| (o.orders, o.orders_fen, o.refunds)),
        Some((1, fee, 0))
    );
    house.now.wall_ms += 24 * HOUR_MS;
    assert_eq!(names(&house.act(tick)), ["payment.reconciled"]);
    house.now.wall_ms += 24 * HOUR_MS;
    assert!(
        !names(&house.act(tick)).contains(&"payment.reconciled"),
        "nothing happened that day"
    );
}

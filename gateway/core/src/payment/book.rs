//! The day's sums, and what stands open beyond the day.

use std::collections::BTreeMap;

use schemas::civil::CivilDate;
use schemas::event::payment::{PaymentsOpen, PaymentsReconciled, WaySums};
use schemas::message::peripheral::Fen;
use schemas::time::{ClockTrust, Now};
use schemas::words::application::PaymentWay;
use serde::{Deserialize, Serialize};

use super::day_ends_ms;

/// What came of all payments since the beginning of the log. Their sum is what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentTotals {
    /// What the station may keep, in fen.
    pub kept_fen: u64,
    /// What the centre was asked to give back, and has not, in fen.
    pub owed_fen: u64,
    /// What was given back, in fen.
    pub refunded_fen: u64,
    /// Orders that can still be paid.
    pub open: u32,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// The day that the sums are of, and when it began or later, in ms of the wall clock. None: nothing happened yet, or only under a
    /// clock that could not be believed; it counts to the next day that can be.
    day: Option<(CivilDate, u64)>,
    sums: BTreeMap<PaymentWay, Sums>,
    open: u32,
    open_fen: u64,
    owed: u32,
    owed_fen: u64,
    kept_fen: u64,
    refunded_fen: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    ordered: u32,
    paid: u32,
    paid_fen: u64,
    refunded: u32,
    refunded_fen: u64,
}

impl Book {
    /// The sums so far are of this day, if they are of none.
    pub(crate) fn date(&mut self, now: &Now) {
        if self.day.is_none() && !self.sums.is_empty() && now.trust == ClockTrust::Synchronised {
            self.day = Some((CivilDate::in_china(now.wall_ms), now.wall_ms));
        }
    }

    /// The event of the day, if the day is over by a clock that can be believed.
    pub(crate) fn closed(&self, now: &Now) -> Option<PaymentsReconciled> {
        let (day, _) = self.day?;
        let is_over =
            now.trust == ClockTrust::Synchronised && CivilDate::in_china(now.wall_ms) > day;
        is_over.then(|| self.reconciled(day))
    }

    /// When the day ends, in ms of the wall clock; none: no day is counted.
    pub(crate) fn day_ends_ms(&self) -> Option<u64> {
        let (_, within_ms) = self.day?;
        Some(day_ends_ms(within_ms, 0))
    }

    /// The next day begins.
    pub(crate) fn reopen(&mut self) {
        self.day = None;
        self.sums.clear();
    }

    pub(crate) fn ordered(&mut self, way: PaymentWay, amount_fen: Fen) {
        add(&mut self.of(way).ordered);
        add(&mut self.open);
        self.open_fen += fen(amount_fen);
    }

    /// An order is paid, has expired, or is known not to be open for another reason.
    pub(crate) fn not_open(&mut self, amount_fen: Fen) {
        take(&mut self.open, &mut self.open_fen, amount_fen);
    }

    pub(crate) fn kept(&mut self, way: PaymentWay, amount_fen: Fen) {
        self.came(way, amount_fen);
        self.kept_fen += fen(amount_fen);
    }

    /// What was kept is owed back.
    pub(crate) fn owed(&mut self, amount_fen: Fen) {
        self.kept_fen = self.kept_fen.saturating_sub(fen(amount_fen));
        self.owe(amount_fen);
    }

    /// Money came in that is owed back at once.
    pub(crate) fn came_and_owed(&mut self, way: PaymentWay, amount_fen: Fen) {
        self.came(way, amount_fen);
        self.owe(amount_fen);
    }

    pub(crate) fn refunded(&mut self, way: PaymentWay, amount_fen: Fen) {
        take(&mut self.owed, &mut self.owed_fen, amount_fen);
        self.refunded_fen += fen(amount_fen);
        let sums = self.of(way);
        add(&mut sums.refunded);
        sums.refunded_fen += fen(amount_fen);
    }

    pub(crate) const fn totals(&self) -> PaymentTotals {
        PaymentTotals {
            kept_fen: self.kept_fen,
            owed_fen: self.owed_fen,
            refunded_fen: self.refunded_fen,
            open: self.open,
        }
    }

    fn came(&mut self, way: PaymentWay, amount_fen: Fen) {
        let sums = self.of(way);
        add(&mut sums.paid);
        sums.paid_fen += fen(amount_fen);
    }

    fn owe(&mut self, amount_fen: Fen) {
        add(&mut self.owed);
        self.owed_fen += fen(amount_fen);
    }

    fn of(&mut self, way: PaymentWay) -> &mut Sums {
        self.sums.entry(way).or_default()
    }

    fn reconciled(&self, day: CivilDate) -> PaymentsReconciled {
        let ways = self.sums.iter().map(|(way, sums)| WaySums {
            way: *way,
            ordered: sums.ordered,
            paid: sums.paid,
            refunded: sums.refunded,
            paid_fen: sums.paid_fen,
            refunded_fen: sums.refunded_fen,
        });
        let ways: Vec<WaySums> = ways.collect();
        PaymentsReconciled {
            day,
            ordered: ways.iter().map(|sums| sums.ordered).sum(),
            paid: ways.iter().map(|sums| sums.paid).sum(),
            refunded: ways.iter().map(|sums| sums.refunded).sum(),
            paid_fen: ways.iter().map(|sums| sums.paid_fen).sum(),
            refunded_fen: ways.iter().map(|sums| sums.refunded_fen).sum(),
            ways,
            open: Some(PaymentsOpen {
                orders: self.open,
                orders_fen: self.open_fen,
                refunds: self.owed,
                refunds_fen: self.owed_fen,
            }),
        }
    }
}

fn fen(amount_fen: Fen) -> u64 {
    u64::from(amount_fen.get())
}

const fn add(count: &mut u32) {
    *count = count.saturating_add(1);
}

fn take(count: &mut u32, sum_fen: &mut u64, amount_fen: Fen) {
    *count = count.saturating_sub(1);
    *sum_fen = sum_fen.saturating_sub(fen(amount_fen));
}

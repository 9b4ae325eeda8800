//! The days of stations (A12). A station says at each day's end what came in and was given back, as it has heard; the payment networks told the
//! centre. What differs is kept and shown, and a payment that the station's log does not name is told it again.
//!
//! The networks count a payment to the day on which it was paid, a station to the day on which it heard of it. So one that was made just
//! before midnight, or while the link was down, is missing on one day and too much on a later one: the differences of all days together
//! come back to nothing, and what does not is worth somebody's time. What a terminal took the centre knows from the log alone.

use std::collections::BTreeSet;

use schemas::civil::CivilDate;
use schemas::downlink::application::PaymentConfirmed as Told;
use schemas::event::payment::{PaymentConfirmed, PaymentsReconciled, RefundAsked};
use schemas::ids::{OrderId, StationId, TransactionId};
use schemas::message::peripheral::Fen;
use serde::{Deserialize, Serialize};

use super::bills::is_of_the_kept;
use super::letters::Letter;
use super::{Office, Sender};

/// Days that are kept, of all stations together.
const DAYS_MAX: usize = 200;

/// A payment of a network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payment {
    /// As its station is told of it.
    pub(super) told: Told,
    /// The station's log names it.
    pub(super) is_heard: bool,
    /// It is in the sums of a day.
    pub(super) is_counted: bool,
}

/// Payments, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// How many.
    pub count: u64,
    /// Their sum, in fen.
    pub fen: u64,
}

/// A day of a station, as both have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The station.
    pub station: StationId,
    /// The day in China.
    pub day: CivilDate,
    /// What came in, as the station has it.
    pub station_has: Sums,
    /// What came in, as the networks and the terminals have it.
    pub centre_has: Sums,
    /// Payments until then that the station had not heard of, and was told again.
    pub told_again: u64,
}

impl Payment {
    /// It was taken just now.
    pub(super) const fn taken(told: Told) -> Self {
        Self {
            told,
            is_heard: false,
            is_counted: false,
        }
    }
}

impl Day {
    /// What the centre has more than the station, in fen.
    pub fn difference_fen(&self) -> i64 {
        let signed = |fen: u64| i64::try_from(fen).unwrap_or(i64::MAX);
        signed(self.centre_has.fen).saturating_sub(signed(self.station_has.fen))
    }
}

impl Sums {
    fn add(&mut self, amount_fen: Fen) {
        self.count = self.count.saturating_add(1);
        self.fen = self.fen.saturating_add(u64::from(amount_fen.get()));
    }
}

impl Office {
    /// The station's log names a payment.
    pub(super) fn heard_of(&mut self, order: &OrderId, transaction: Option<&TransactionId>) {
        let payments = self.bills.get_mut(order).into_iter();
        for payment in payments.flat_map(|bill| &mut bill.payments) {
            payment.is_heard |= Some(&payment.told.transaction) == transaction;
        }
    }

    /// A terminal of the station took money.
    pub(super) fn terminal_took(&mut self, sender: &Sender, amount_fen: Fen) {
        let took = self.terminals.entry(sender.stream.clone());
        took.or_default().add(amount_fen);
    }

    /// A terminal of the station took a fee. A network that tells of the same order and amount tells of the same money.
    pub(super) fn terminal_confirmed(&mut self, sender: &Sender, b: &PaymentConfirmed) {
        if let Some(bill) = self.bills.get_mut(&b.order) {
            let is_it = |p: &Payment| p.is_counted && p.told.amount_fen == b.amount_fen;
            if bill.payments.iter().any(is_it) {
                return;
            }
            bill.by_terminal = true;
        }
        self.terminal_took(sender, b.amount_fen);
    }

    /// Money that came beside what the order needed is named by the event that asks it back; without a transaction it is a terminal's.
    pub(super) fn asked_back(&mut self, sender: &Sender, b: &RefundAsked) {
        if b.transaction.is_none() && !is_of_the_kept(b.cause) {
            self.terminal_took(sender, b.amount_fen);
        }
        self.heard_of(&b.order, b.transaction.as_ref());
    }

    /// A station says what came in on a day.
    pub(super) fn reconcile(&mut self, sender: &Sender, b: &PaymentsReconciled, now_ms: u64) {
        let mut centre_has = self.terminals.remove(&sender.stream).unwrap_or_default();
        let mut unheard = Vec::new();
        let own = self.bills.values_mut().filter(|b| b.sender == *sender);
        for bill in own {
            let (amount_fen, by_terminal) = (bill.amount_fen, &mut bill.by_terminal);
            for payment in &mut bill.payments {
                let paid_on = payment.told.paid_ms.map(CivilDate::in_china);
                if paid_on.is_some_and(|day| day > b.day) {
                    continue;
                }
                if !payment.is_counted {
                    payment.is_counted = true;
                    if *by_terminal && payment.told.amount_fen == amount_fen {
                        *by_terminal = false;
                    } else {
                        centre_has.add(payment.told.amount_fen);
                    }
                }
                if !payment.is_heard {
                    unheard.push(payment.told.clone());
                }
            }
        }
        let told_again = self.tell_again(&sender.station, unheard, now_ms);
        let day = Day {
            station: sender.station.clone(),
            day: b.day,
            station_has: Sums {
                count: u64::from(b.paid),
                fen: b.paid_fen,
            },
            centre_has,
            told_again,
        };
        self.keep_day(day);
    }

    /// How many: what is still on its way to the station is not said twice.
    fn tell_again(&mut self, station: &StationId, unheard: Vec<Told>, now_ms: u64) -> u64 {
        let posted = self.outbox.iter().filter_map(|posted| posted.letter.paid());
        let posted: BTreeSet<_> = posted.cloned().collect();
        let lost = unheard
            .into_iter()
            .filter(|told| !posted.contains(&told.transaction));
        let mut told_again = 0;
        for told in lost {
            tracing::warn!(%station, order = %told.order, "a payment that the station does not name is told again");
            self.post(station, Letter::Paid(told), now_ms);
            told_again += 1;
        }
        told_again
    }

    fn keep_day(&mut self, day: Day) {
        let sum_fen = self.differences_fen.entry(day.station.clone()).or_default();
        *sum_fen = sum_fen.saturating_add(day.difference_fen());
        self.days.push_back(day);
        if self.days.len() > DAYS_MAX {
            self.days.pop_front();
        }
    }
}

//! The payment networks, as the centre has them: orders that stations opened, what citizens paid, what was given back.

use schemas::downlink::application::{PaymentConfirmed, PaymentRefunded};
use schemas::event::Event;
use schemas::event::payment::PaymentWitness;
use schemas::ids::{OrderId, SessionId, TransactionId};
use schemas::message::peripheral::Fen;
use schemas::words::application::{PaymentWay, RefundCause};
use serde::{Deserialize, Serialize};

use super::codes::Code;
use super::days::Payment;
use super::letters::Letter;
use super::{Office, Sender};

/// An order of a station.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bill {
    pub(super) sender: Sender,
    pub(super) session: SessionId,
    pub(super) amount_fen: Fen,
    pub(super) way: PaymentWay,
    /// What the networks took for it.
    #[serde(default)]
    pub(super) payments: Vec<Payment>,
    /// The station has recorded that it is paid.
    pub(super) is_confirmed: bool,
    pub(super) is_expired: bool,
    /// A terminal took the fee, and no network has told of that payment yet.
    #[serde(default)]
    pub(super) by_terminal: bool,
    /// The payment that the station had kept is to be given back.
    #[serde(default)]
    pub(super) is_given_back: bool,
    /// Refunds that the station asked for, and that it has recorded.
    pub(super) refunds: u32,
    pub(super) refunded: u32,
    /// Codes that phones scan to pay it.
    #[serde(default)]
    pub(super) codes: Vec<Code>,
}

/// How a citizen pays.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// None: as was chosen last.
    pub(super) way: Option<PaymentWay>,
    /// By the code that a station asked for by this question.
    pub(super) code: Option<u32>,
    /// None: as much as was ordered.
    pub(super) amount_fen: Option<Fen>,
}

impl Bill {
    /// Whether the card may be made: the station keeps one payment of it.
    pub(super) const fn is_paid(&self) -> bool {
        self.is_confirmed && !self.is_given_back
    }
}

impl Office {
    /// Takes what concerns a payment.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the office waits for a few kinds of events"
    )]
    pub(super) fn billed(&mut self, sender: &Sender, event: Event, now_ms: u64) {
        let bills = &mut self.bills;
        match event {
            Event::PaymentOrdered(b) => {
                let bill = Bill {
                    sender: sender.clone(),
                    session: b.session,
                    amount_fen: b.amount_fen,
                    way: b.way,
                    payments: Vec::new(),
                    is_confirmed: false,
                    is_given_back: false,
                    is_expired: false,
                    by_terminal: false,
                    refunds: 0,
                    refunded: 0,
                    codes: Vec::new(),
                };
                bills.entry(b.order).or_insert(bill);
            }
            Event::PaymentWayChosen(b) => change(bills, &b.order, |bill| bill.way = b.way),
            Event::PaymentConfirmed(b) => {
                change(bills, &b.order, |bill| bill.is_confirmed = true);
                self.paid_after_all(&b.order);
                match &b.witness {
                    PaymentWitness::Centre { transaction } => {
                        self.heard_of(&b.order, Some(transaction));
                    }
                    PaymentWitness::Terminal { .. } => self.terminal_confirmed(sender, &b),
                }
            }
            Event::PaymentNoted(b) => self.heard_of(&b.order, b.transaction.as_ref()),
            Event::PaymentsReconciled(b) => self.reconcile(sender, &b, now_ms),
            Event::PaymentExpired(b) => change(bills, &b.order, |bill| bill.is_expired = true),
            Event::PaymentRefunded(b) => change(bills, &b.order, |bill| bill.refunded += 1),
            Event::RefundAsked(b) => {
                change(bills, &b.order, |bill| {
                    bill.refunds += 1;
                    bill.is_given_back |= is_of_the_kept(b.cause);
                });
                self.asked_back(sender, &b);
                let Some(transaction) = self.next_transaction("503000", now_ms) else {
                    return;
                };
                let refunded = PaymentRefunded {
                    order: b.order,
                    amount_fen: b.amount_fen,
                    transaction,
                };
                let station = sender.station.clone();
                self.post(&station, Letter::Refunded(refunded), now_ms);
            }
            _ => {}
        }
    }

    /// A citizen pays an order; twice where the fault asks for it.
    pub(super) fn take_money(
        &mut self,
        order: &OrderId,
        taken: &Taken,
        now_ms: u64,
    ) -> Result<Vec<TransactionId>, String> {
        let bill = self.bills.get(order).ok_or("no such order")?;
        let amount_fen = taken.amount_fen.unwrap_or(bill.amount_fen);
        let way = taken.way.unwrap_or(bill.way);
        let station = bill.sender.station.clone();
        let times = if self.faults.double_payment { 2 } else { 1 };
        let mut paid = Vec::new();
        for _ in 0..times {
            let transaction = self.next_transaction("420000", now_ms);
            let transaction = transaction.ok_or("no number of a transaction can be made")?;
            let confirmed = PaymentConfirmed {
                order: order.clone(),
                amount_fen,
                transaction: transaction.clone(),
                way: Some(way),
                paid_ms: Some(now_ms),
                code: taken.code,
            };
            let payment = Payment::taken(confirmed.clone());
            change(&mut self.bills, order, |bill| bill.payments.push(payment));
            if !self.faults.lose_payments {
                self.post(&station, Letter::Paid(confirmed), now_ms);
            }
            paid.push(transaction);
        }
        Ok(paid)
    }

    /// 28 digits, as the networks have them.
    fn next_transaction(&mut self, head: &str, now_ms: u64) -> Option<TransactionId> {
        self.transactions += 1;
        TransactionId::new(format!("{head}{now_ms:013}{:09}", self.transactions)).ok()
    }
}

/// Whether what is asked back had paid the order. Else it is money that came beside it.
pub(super) const fn is_of_the_kept(cause: RefundCause) -> bool {
    match cause {
        RefundCause::SessionEnded | RefundCause::Rejected | RefundCause::Lapsed => true,
        RefundCause::PaidTwice
        | RefundCause::WrongAmount
        | RefundCause::OrderExpired
        | RefundCause::VoidCode => false,
    }
}

fn change(
    bills: &mut std::collections::BTreeMap<OrderId, Bill>,
    order: &OrderId,
    change: impl FnOnce(&mut Bill),
) {
    if let Some(bill) = bills.get_mut(order) {
        change(bill);
    }
}

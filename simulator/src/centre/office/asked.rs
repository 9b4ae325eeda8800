//! What people ask of the office, at the counter.

use schemas::downlink::application::WindowOutcome;
use schemas::ids::{OrderId, TicketNumber};
use schemas::message::peripheral::Fen;
use schemas::order::PaymentCode;
use schemas::words::application::WindowResult;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Office;
use super::bills::Taken;
use super::letters::Letter;

/// How the office misbehaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfficeFaults {
    /// Nobody is eligible, and nothing that was accepted stands.
    pub reject: bool,
    /// No answer goes out; what is answered meanwhile goes out when this ends.
    pub silent: bool,
    /// Answers go out so much later, in s.
    pub late_s: u32,
    /// What stands gets a number of the centre's own instead of the one that the station printed.
    pub renumber: bool,
    /// Each payment is confirmed a second time, as another transaction.
    pub double_payment: bool,
    /// What is paid is not confirmed: the day's sums have to find it.
    pub lose_payments: bool,
    /// How long codes to pay by are valid, in s, where it is not two hours.
    pub code_valid_s: Option<u32>,
}

/// See the module.
#[derive(Debug, Clone)]
pub enum Asked {
    /// What there is to see: orders to pay, the phone, tickets, faults.
    Look,
    /// A citizen pays an order; another amount than ordered, where one is named.
    Pay {
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Option<Fen>,
    },
    /// A citizen scans a code that a kiosk shows, and pays.
    Scan {
        /// The code.
        code: PaymentCode,
    },
    /// The centre gives up an application that nobody paid.
    GiveUp {
        /// Its order.
        order: OrderId,
    },
    /// An officer has seen to a window ticket.
    Window {
        /// The ticket.
        ticket: TicketNumber,
        /// What came of it.
        result: WindowResult,
    },
    /// Misbehave like this from now on.
    Faults(OfficeFaults),
}

impl Office {
    /// Does it. True: something changed, and has to be saved before it is answered.
    pub(super) fn asked(&mut self, asked: Asked, now_ms: u64) -> (bool, Result<Value, String>) {
        match asked {
            Asked::Look => (false, Ok(self.look())),
            Asked::Pay { order, amount_fen } => {
                let taken = Taken {
                    amount_fen,
                    ..Taken::default()
                };
                let paid = self.take_money(&order, &taken, now_ms);
                (
                    paid.is_ok(),
                    paid.map(|paid| json!({ "transactions": paid })),
                )
            }
            Asked::Scan { code } => {
                let paid = self.scan(&code, now_ms);
                (
                    paid.is_ok(),
                    paid.map(|paid| json!({ "transactions": paid })),
                )
            }
            Asked::GiveUp { order } => {
                let gave_up = self.give_up(&order, now_ms);
                (gave_up.is_ok(), gave_up.map(|()| json!({ "order": order })))
            }
            Asked::Window { ticket, result } => {
                let seen_to = self.window(&ticket, result, now_ms);
                (
                    seen_to.is_ok(),
                    seen_to.map(|()| json!({ "ticket": ticket })),
                )
            }
            Asked::Faults(faults) => {
                self.faults = faults;
                (true, Ok(json!(faults)))
            }
        }
    }

    fn window(
        &mut self,
        ticket: &TicketNumber,
        result: WindowResult,
        now_ms: u64,
    ) -> Result<(), String> {
        let at = self.tickets.iter().position(|t| t.number == *ticket);
        let at = at.ok_or("no such ticket is open")?;
        let open = self.tickets.remove(at);
        let outcome = WindowOutcome {
            incarnation: open.sender.incarnation,
            session: open.session,
            ticket: open.number,
            result,
        };
        self.post(&open.sender.station, Letter::Window(outcome), now_ms);
        Ok(())
    }

    fn look(&self) -> Value {
        let orders = self.bills.iter().map(|(order, bill)| {
            json!({ "order": order, "station": bill.sender.station, "session": bill.session,
                "amount": bill.amount_fen.to_string(), "way": bill.way, "paid": bill.payments.len(),
                "confirmed": bill.is_confirmed, "expired": bill.is_expired })
        });
        let phone = self.messages.iter();
        let phone = phone.map(|m| json!({ "phone": m.phone, "text": m.text }));
        let tickets = self.tickets.iter();
        let tickets = tickets.map(|t| json!({ "station": t.sender.station, "ticket": t.number }));
        json!({
            "orders": orders.collect::<Vec<_>>(),
            "phone": phone.collect::<Vec<_>>(),
            "tickets": tickets.collect::<Vec<_>>(),
            "faults": self.faults,
        })
    }
}

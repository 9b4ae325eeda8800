//! Events of payments (A12), and of the grants that the centre gives a station for the time without a link (A17).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::bodies;
use crate::civil::CivilDate;
use crate::ids::{DeviceId, OrderId, SessionId, TransactionId};
use crate::message::peripheral::Fen;
use crate::order::PaymentCode;
use crate::words::Residence;
use crate::words::application::{ApplicationKind, PaymentOddity, PaymentWay, RefundCause};

/// Who says that an order is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "by", deny_unknown_fields)]
pub enum PaymentWitness {
    /// The centre has it from the payment network.
    Centre {
        /// The network's transaction.
        transaction: TransactionId,
    },
    /// The kiosk's terminal has it from the payment network.
    Terminal {
        /// The terminal.
        device: DeviceId,
    },
}

/// The sums of a day for one way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaySums {
    /// The way.
    pub way: PaymentWay,
    /// Orders that were opened.
    pub ordered: u32,
    /// Payments that came in.
    pub paid: u32,
    /// Payments that were given back.
    pub refunded: u32,
    /// What was paid, in fen.
    pub paid_fen: u64,
    /// What was given back, in fen.
    pub refunded_fen: u64,
}

/// What is open when a day is reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentsOpen {
    /// Orders that can still be paid.
    pub orders: u32,
    /// Their sum, in fen.
    pub orders_fen: u64,
    /// Payments that the centre was asked to give back, and has not.
    pub refunds: u32,
    /// Their sum, in fen.
    pub refunds_fen: u64,
}

bodies! {
    /// An order was opened (A12). One application has one order at the most.
    PaymentOrdered {
        /// The session of the application.
        session: SessionId,
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Fen,
        /// How the citizen wants to pay.
        way: PaymentWay,
        /// How long it can be paid where nothing is accepted, in s; an acceptance says for how long from then on.
        valid_s: u32,
    }
    /// The citizen chose again how to pay an order. A code that it had is void.
    PaymentWayChosen {
        /// The order.
        order: OrderId,
        /// How.
        way: PaymentWay,
    }
    /// The centre is asked for a code that a phone scans to pay an order (A12). Codes of the order before it are void.
    PaymentCodeAsked {
        /// The session.
        session: SessionId,
        /// Counts up within the session: the answer names it, and so does a payment by the code.
        question: u32,
        /// The order.
        order: OrderId,
        /// Whose code.
        way: PaymentWay,
        /// How much.
        amount_fen: Fen,
    }
    /// The kiosk shows a code that the centre gave.
    PaymentCodeReceived {
        /// The session.
        session: SessionId,
        /// The order.
        order: OrderId,
        /// The question that it answers.
        question: u32,
        /// The code.
        code: PaymentCode,
        /// Until when the network takes money for it: wall clock, ms since 1970-01-01 UTC.
        expires_ms: u64,
    }
    /// An order is paid.
    PaymentConfirmed {
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Fen,
        /// Who says so.
        witness: PaymentWitness,
        /// How it was paid, where the witness says so; else as the citizen chose last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        way: Option<PaymentWay>,
        /// When the network took the money, where the witness says so: wall clock, ms since 1970-01-01 UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_ms: Option<u64>,
    }
    /// The time of an order is over that nobody should pay any more: its session ended without an acceptance, or the centre rejected it. (One
    /// that was accepted and that nobody pays lapses by an event of its own.)
    /// What is paid later is given back.
    PaymentExpired {
        /// The order.
        order: OrderId,
    }
    /// The centre is asked to give back what was paid.
    RefundAsked {
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Fen,
        /// Why.
        cause: RefundCause,
        /// Which transaction, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction: Option<TransactionId>,
        /// How it was paid, where that is known of money that was not counted before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        way: Option<PaymentWay>,
    }
    /// The centre gave it back.
    PaymentRefunded {
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Fen,
        /// The network's transaction that gave it back.
        transaction: TransactionId,
    }
    /// A confirmation that does not fit was noted. It changes nothing by itself.
    PaymentNoted {
        /// The order as it was named.
        order: OrderId,
        /// What is odd about it.
        oddity: PaymentOddity,
        /// How much, as it was said.
        amount_fen: Fen,
        /// The network's transaction, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transaction: Option<TransactionId>,
    }
    /// The sums of a day (A12).
    PaymentsReconciled {
        /// The day in China.
        day: CivilDate,
        /// Orders that were opened.
        ordered: u32,
        /// Payments that came in, those that were made without need included.
        paid: u32,
        /// Payments that were given back.
        refunded: u32,
        /// What was paid, in fen.
        paid_fen: u64,
        /// What was given back, in fen.
        refunded_fen: u64,
        /// The same by the ways to pay.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ways: Vec<WaySums>,
        /// What is left open beyond the day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        open: Option<PaymentsOpen>,
    }
    /// The centre lets the station accept provisionally while it cannot be asked (A17). Whom it flags is kept beside the log, never in it.
    GrantReceived {
        /// Counts up; a newer one replaces the one before.
        version: u32,
        /// From when it holds: wall clock, ms since 1970-01-01 UTC.
        valid_from_ms: u64,
        /// Until when it holds.
        valid_until_ms: u64,
        /// Kinds it covers.
        kinds: Vec<ApplicationKind>,
        /// Residences it covers.
        residences: Vec<Residence>,
        /// Provisional acceptances it allows.
        provisional_max: u32,
        /// How many persons it flags.
        flagged: u32,
        /// SHA-256 of its list: 64 hexadecimal digits.
        sha256: String,
    }
}

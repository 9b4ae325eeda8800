//! What the centre tells a station of applications, payments and grants (A5, A8, A12, A15, A17). An answer names the log and the
//! session it is about, so that one for an earlier log of the station does no harm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::citizen::MaskedName;
use crate::event::application::{Decision, Reviewed, SaltedCode};
use crate::ids::{OrderId, SessionId, TicketNumber, TransactionId};
use crate::message::peripheral::Fen;
use crate::order::PaymentCode;
use crate::words::Residence;
use crate::words::application::{ApplicationKind, EligibilityVerdict, PaymentWay, WindowResult};

/// Persons that a grant flags at the most.
pub const FLAGGED_MAX: usize = 2_000;

crate::text::text_newtype!(
    /// The salt of a grant's list: 32 bytes.
    GrantSalt, "grant salt", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits",
    |t| t.len() == 64 && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
);
crate::text::text_newtype!(
    /// A person whom a grant flags: 16 bytes of Argon2id (RFC 9106; version 0x13, 19,456 KiB, 2 passes, 1 lane) of the citizen number
    /// under the salt, hex. Slow, because the space of citizen numbers is small enough to search; the list is kept as keys are all the
    /// same: beside the log, readable for nobody else.
    FlaggedHash, "flagged hash", "^[0-9a-f]{32}$", "32 lower-case hexadecimal digits",
    |t| t.len() == 32 && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
);

/// The station may accept provisionally while the centre cannot be asked (A17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantIssued {
    /// Counts up; an older one than the station has is refused.
    pub version: u32,
    /// From when it holds: wall clock, ms since 1970-01-01 UTC.
    pub valid_from_ms: u64,
    /// Until when it holds.
    pub valid_until_ms: u64,
    /// Kinds it covers.
    pub kinds: Vec<ApplicationKind>,
    /// Residences it covers.
    pub residences: Vec<Residence>,
    /// Provisional acceptances it allows.
    pub provisional_max: u32,
    /// The salt of the list.
    pub salt: GrantSalt,
    /// Persons that are not accepted, at most [`FLAGGED_MAX`].
    #[schemars(length(max = 2000))]
    pub flagged: Vec<FlaggedHash>,
}

/// Whether somebody may apply at this station (A2, A5), and who they are (A4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EligibilityAnswered {
    /// The log that asked.
    pub incarnation: u32,
    /// The session.
    pub session: SessionId,
    /// The question that is answered.
    pub question: u32,
    /// The answer.
    pub verdict: EligibilityVerdict,
    /// The name of whose number it is, masked. Whoever keyed a number has shown nothing that says it is theirs, so a station never has more
    /// of it. None: the register has none, or they may not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<MaskedName>,
}

/// A code was sent to the phone of a session (A8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmsCodeSent {
    /// The log that asked.
    pub incarnation: u32,
    /// The session.
    pub session: SessionId,
    /// The question that is answered.
    pub question: u32,
    /// What the code is compared with.
    pub code: SaltedCode,
    /// How long it is valid, in s.
    pub valid_s: u32,
}

/// The centre's decision about an application that was accepted (A15, A17).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDecided {
    /// The log that accepted it.
    pub incarnation: u32,
    /// The session.
    pub session: SessionId,
    /// What was decided.
    pub outcome: Decision,
    /// What was compared for that, each pair once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub comparisons: Vec<Reviewed>,
}

/// A code that a phone scans to pay an order (A12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentCodeIssued {
    /// The log that asked.
    pub incarnation: u32,
    /// The session.
    pub session: SessionId,
    /// The question that is answered.
    pub question: u32,
    /// The code.
    pub code: PaymentCode,
    /// Until when the network takes money for it: wall clock, ms since 1970-01-01 UTC.
    pub expires_ms: u64,
}

/// An order is paid (A12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentConfirmed {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount_fen: Fen,
    /// The network's transaction.
    pub transaction: TransactionId,
    /// How it was paid; none: as the citizen chose last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<PaymentWay>,
    /// When the network took the money: wall clock, ms since 1970-01-01 UTC. None: the centre does not know, and answers for it that
    /// the order could still be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_ms: Option<u64>,
    /// By which code it was paid: the question that asked for it. None: not by one, or the centre does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
}

/// What was paid is given back (A12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRefunded {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub amount_fen: Fen,
    /// The network's transaction that gave it back.
    pub transaction: TransactionId,
}

/// An officer has seen to a window ticket (A15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowOutcome {
    /// The log that issued it.
    pub incarnation: u32,
    /// The session.
    pub session: SessionId,
    /// The ticket.
    pub ticket: TicketNumber,
    /// What came of it.
    pub result: WindowResult,
}

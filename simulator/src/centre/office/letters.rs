//! What is to be said to stations. A letter stays in the outbox until it stands in the station's stream; cut off in between, it is said
//! twice, which does no harm.

use schemas::downlink::Instruction;
use schemas::downlink::application::{
    ApplicationDecided, EligibilityAnswered, GrantIssued, PaymentCodeIssued, PaymentConfirmed,
    PaymentRefunded, SmsCodeSent, WindowOutcome,
};
use schemas::ids::{StationId, TransactionId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Office;

/// A letter in the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Posted {
    pub(super) station: StationId,
    pub(super) letter: Letter,
    /// Not before, in ms since 1970.
    pub(super) due_ms: u64,
}

/// See the module.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Letter {
    Eligibility(EligibilityAnswered),
    Code(SmsCodeSent),
    Decided(ApplicationDecided),
    Window(WindowOutcome),
    PaymentCode(PaymentCodeIssued),
    Paid(PaymentConfirmed),
    Refunded(PaymentRefunded),
    Grant(GrantIssued),
    /// The text of a manifest.
    Manifest(String),
}

impl Letter {
    /// Whether somebody waits for it, so that it can be late or kept back.
    pub(super) const fn is_answer(&self) -> bool {
        match self {
            Self::Eligibility(_)
            | Self::Code(_)
            | Self::Decided(_)
            | Self::PaymentCode(_)
            | Self::Paid(_)
            | Self::Refunded(_) => true,
            Self::Window(_) | Self::Grant(_) | Self::Manifest(_) => false,
        }
    }

    /// The transaction that it confirms, if it confirms one.
    pub(super) const fn paid(&self) -> Option<&TransactionId> {
        if let Self::Paid(told) = self {
            Some(&told.transaction)
        } else {
            None
        }
    }

    fn instruction(self) -> Result<Instruction, serde_json::Error> {
        Ok(match self {
            Self::Eligibility(body) => Instruction::EligibilityAnswered(body),
            Self::Code(body) => Instruction::SmsCodeSent(body),
            Self::Decided(body) => Instruction::ApplicationDecided(body),
            Self::Window(body) => Instruction::WindowOutcome(body),
            Self::PaymentCode(body) => Instruction::PaymentCodeIssued(body),
            Self::Paid(body) => Instruction::PaymentConfirmed(body),
            Self::Refunded(body) => Instruction::PaymentRefunded(body),
            Self::Grant(body) => Instruction::GrantIssued(body),
            Self::Manifest(text) => Instruction::ManifestIssued(RawValue::from_string(text)?),
        })
    }
}

impl core::fmt::Debug for Letter {
    // A manifest names people.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Eligibility(_) => "Eligibility",
            Self::Code(_) => "Code",
            Self::Decided(_) => "Decided",
            Self::Window(_) => "Window",
            Self::PaymentCode(_) => "PaymentCode",
            Self::Paid(_) => "Paid",
            Self::Refunded(_) => "Refunded",
            Self::Grant(_) => "Grant",
            Self::Manifest(_) => "Manifest",
        })
    }
}

impl Office {
    /// The next letter that may be said, and where it stands in the outbox. The order is kept, but for what is late or kept back.
    pub(super) fn next_letter(&self, now_ms: u64) -> Option<(usize, StationId, Instruction)> {
        let may = |posted: &Posted| {
            posted.due_ms <= now_ms && !(self.faults.silent && posted.letter.is_answer())
        };
        let (at, posted) = self.outbox.iter().enumerate().find(|(_, p)| may(p))?;
        let instruction = posted.letter.clone().instruction().ok()?;
        Some((at, posted.station.clone(), instruction))
    }

    /// It stands in the stream.
    pub(super) fn said(&mut self, at: usize) {
        self.outbox.remove(at);
    }
}

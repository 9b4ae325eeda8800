//! What a kiosk's peripherals say: barcode scanner, printer, signature pad, payment terminal. Each is a device with an id, a birth and a
//! death of its own, brought by its kiosk or by a connection of its own.
//!
//! One that its kiosk brings announces itself with the kiosk's boot id, and dies with it.

use core::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::borrow::Cow;

use super::secret::ScannedText;
use crate::ids::{BlobId, JobId, MessageId, OrderId};
use crate::text::Invalid;
use crate::words::words;

words!(
    /// How a barcode is written.
    Symbology {
        /// ISO/IEC 18004.
        Qr,
        /// ISO/IEC 15417.
        Code128,
        /// ISO/IEC 16388.
        Code39,
        /// ISO/IEC 15438.
        Pdf417,
        /// ISO/IEC 16022.
        DataMatrix,
        /// ISO/IEC 15420.
        Ean,
        /// Another one, or not told.
        Other,
    }
);
words!(
    /// A printer's paper (XFS4IoT, paper status).
    Paper {
        /// Enough.
        Full,
        /// Soon to be filled up.
        Low,
        /// None.
        Out,
        /// Stuck.
        Jammed,
    }
);
words!(
    /// Why a print failed.
    PrintFailure {
        /// No paper.
        PaperOut,
        /// Stuck paper.
        PaperJam,
        /// Its cover is open.
        CoverOpen,
        /// The mechanism failed.
        HardwareError,
        /// Not possible to print: what was sent makes no page.
        InvalidData,
    }
);
words!(
    /// Why there is no signature.
    SignatureFailure {
        /// The citizen did not want to.
        Cancelled,
        /// Nobody signed in time.
        TimedOut,
        /// The pad failed.
        HardwareError,
    }
);
words!(
    /// How is paid (A12).
    PaymentMethod {
        /// 微信支付
        Wechat,
        /// 支付宝
        Alipay,
        /// 银联卡
        UnionpayCard,
        /// 云闪付
        Quickpass,
    }
);
words!(
    /// How a payment stands at the terminal. What it means for an application is decided elsewhere.
    PaymentState {
        /// The terminal waits for the citizen.
        Waiting,
        /// The terminal has the payment network's word that it is paid.
        Paid,
        /// The network said no.
        Declined,
        /// The citizen or the kiosk stopped it, and nothing was paid.
        Cancelled,
        /// Nobody paid in time, and nothing was paid.
        TimedOut,
        /// The terminal lost the network or its power in the middle: it may be paid or not. It is asked of the network, not guessed.
        Unknown,
    }
);

/// An amount in fen (1/100 CNY): 1 to 10,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Fen(u32);

impl Fen {
    /// The largest amount: 100,000.00 CNY.
    pub const MAX: u32 = 10_000_000;

    /// Takes 1 to [`Fen::MAX`] fen.
    pub const fn new(fen: u32) -> Result<Self, Invalid> {
        if fen >= 1 && fen <= Self::MAX {
            Ok(Self(fen))
        } else {
            Err(Invalid {
                what: "amount in fen",
                rule: "1 to 10000000",
            })
        }
    }

    /// In fen.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(de)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Fen {
    fn schema_name() -> Cow<'static, str> {
        "Fen".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": 10_000_000, "description": "1/100 CNY" })
    }
}

/// How a print ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum PrintOutcome {
    /// It lies in the outlet.
    Printed,
    /// It does not, or not whole.
    Failed {
        /// Why.
        reason: PrintFailure,
    },
}

/// How the taking of a signature ended (A11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum SignatureOutcome {
    /// Signed; the image was published as this blob before.
    Signed {
        /// The blob.
        blob: BlobId,
    },
    /// There is none.
    Failed {
        /// Why.
        reason: SignatureFailure,
    },
}

/// `scan`: a barcode was read. Not retained, never logged; only the kiosk that the scanner belongs to hears it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// How it is written.
    pub symbology: Symbology,
    /// What it says.
    pub content: ScannedText,
}

/// `event/paper-changed`: the paper of a printer. QoS 1, logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperChanged {
    /// Id of this message.
    pub message_id: MessageId,
    /// How it is now.
    pub paper: Paper,
}

/// `event/print-ended`: what came of a print. QoS 1, logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrintEnded {
    /// Id of this message.
    pub message_id: MessageId,
    /// The job.
    pub job: JobId,
    /// What came of it.
    pub outcome: PrintOutcome,
}

/// `event/signature-ended`: what came of the taking of a signature. QoS 1, logged without its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureEnded {
    /// Id of this message.
    pub message_id: MessageId,
    /// The job.
    pub job: JobId,
    /// What came of it.
    pub outcome: SignatureOutcome,
}

/// `event/payment-changed`: how a payment stands at the terminal. QoS 1, logged. Nothing of the payer: no card, no account, no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentChanged {
    /// Id of this message.
    pub message_id: MessageId,
    /// The order that is paid.
    pub order: OrderId,
    /// How much.
    pub amount_fen: Fen,
    /// How.
    pub method: PaymentMethod,
    /// How it stands.
    pub state: PaymentState,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A12: an amount is money that somebody pays.
    #[test]
    fn an_amount_is_between_one_fen_and_its_limit() {
        assert_eq!(Fen::new(2_000).unwrap().to_string(), "20.00");
        assert_eq!(Fen::new(5).unwrap().to_string(), "0.05");
        for bad in [0, Fen::MAX + 1, u32::MAX] {
            assert!(Fen::new(bad).is_err(), "{bad}");
        }
    }

    /// G7: what a barcode says does not print.
    #[test]
    fn a_scan_does_not_print() {
        let scan = Scan {
            symbology: Symbology::Qr,
            content: ScannedText::new("1101050012026110100001").unwrap(),
        };
        assert!(!format!("{scan:?}").contains("11010500"));
    }
}

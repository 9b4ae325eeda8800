//! Papers that a kiosk prints for a citizen (A11 to A13, A15).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ids::SessionId;
use crate::words::words;

words!(
    /// Which paper.
    PaperKind {
        /// The collection certificate, with the barcode that a pickup begins with (P1).
        Certificate,
        /// The registration form.
        RegistrationForm,
        /// How the fee is paid, or that it is.
        PaymentNotice,
        /// The way to the window.
        WindowTicket,
    }
);

impl PaperKind {
    /// The word, as the topic has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::RegistrationForm => "registration-form",
            Self::PaymentNotice => "payment-notice",
            Self::WindowTicket => "window-ticket",
        }
    }
}

/// `paper/{kind}`: print this for the citizen. Comes when the session ends, once; carries personal data: not retained, never written
/// to disk, and the kiosk forgets it when it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// The session.
    pub session: SessionId,
    /// Which paper.
    pub kind: PaperKind,
    /// The file: PDF 1.7, A4, A5 or a roll of 80 mm, as its page says.
    pub pdf: PaperBytes,
}

/// The bytes of a paper. Personal: they do not print and are wiped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PaperBytes(Vec<u8>);

impl PaperBytes {
    /// Takes them.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for printing.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for PaperBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PaperBytes(hidden)")
    }
}

impl Serialize for PaperBytes {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&Zeroizing::new(STANDARD.encode(&self.0)))
    }
}

impl JsonSchema for PaperBytes {
    fn schema_name() -> Cow<'static, str> {
        "PaperBytes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "contentEncoding": "base64", "contentMediaType": "application/pdf", "minLength": 4,
            "description": "a PDF file; personal data"
        })
    }
}

//! Papers on their way to the kiosk that prints them (A11 to A13, A15).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ids::{JobId, MessageId, PaperHash, SessionId};
use crate::text::Invalid;
use crate::words::paper::{PaperKind, PaperMedia};

/// `papers`: a paper to be printed for the citizen, a message for each. Carries personal data: never retained, never on a broker's
/// disk, and for the one kiosk alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// Id of this message. A paper that was asked for again comes under another one.
    pub message_id: MessageId,
    /// The session.
    pub session: SessionId,
    /// Which paper.
    pub paper: PaperKind,
    /// What it is printed on.
    pub media: PaperMedia,
    /// The print job, as the printer's `event/print-ended` names it. The same when the paper comes again.
    pub job: JobId,
    /// SHA-256 of the file, as the log records it.
    pub sha256: PaperHash,
    /// The file: PDF 1.7, one page.
    pub pdf: PaperBytes,
}

/// The bytes of a paper: at most 2 MiB, base64 on the wire.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PaperBytes(Vec<u8>);

impl PaperBytes {
    /// Most bytes of a paper.
    pub const LEN_MAX: usize = 2 << 20;

    /// Takes 1 byte to [`Self::LEN_MAX`].
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, Invalid> {
        if (1..=Self::LEN_MAX).contains(&bytes.len()) {
            return Ok(Self(bytes));
        }
        bytes.zeroize();
        Err(Invalid {
            what: "paper",
            rule: "1 byte to 2 MiB",
        })
    }

    /// The file in the clear, for the printer.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Characters of its base64.
    pub const fn base64_len(&self) -> usize {
        self.0.len().div_ceil(3) * 4
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

impl<'de> Deserialize<'de> for PaperBytes {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(de)?);
        // The decoder's own error would quote the text.
        let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
            return Err(D::Error::custom("a paper is base64 (RFC 4648, section 4)"));
        };
        Self::new(bytes).map_err(D::Error::custom)
    }
}

impl JsonSchema for PaperBytes {
    fn schema_name() -> Cow<'static, str> {
        "PaperBytes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "contentEncoding": "base64", "contentMediaType": "application/pdf",
            "minLength": 4, "maxLength": 2_796_204, "description": "a paper; personal data"
        })
    }
}

/// The print job of a session's paper: `s-57-certificate`.
pub fn job_of(session: &SessionId, paper: PaperKind) -> Result<JobId, Invalid> {
    JobId::new(format!("{session}-{}", paper.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A13, G7: a job names session and paper within the length of a job's id; a paper has a limit and does not print.
    #[test]
    fn a13_a_paper_has_a_job_and_a_limit() {
        let session = SessionId::from_index(99_999_999_999_999);
        for kind in PaperKind::ALL {
            let job = job_of(&session, *kind).unwrap();
            assert!(job.as_str().ends_with(kind.as_str()));
        }
        assert!(PaperBytes::new(Vec::new()).is_err());
        assert!(PaperBytes::new(vec![0; PaperBytes::LEN_MAX + 1]).is_err());
        let paper = PaperBytes::new(b"%PDF-1.7".to_vec()).unwrap();
        assert_eq!(format!("{paper:?}"), "PaperBytes(hidden)");
        let text = serde_json::to_string(&paper).unwrap();
        assert_eq!(text.len(), paper.base64_len() + 2);
        assert_eq!(serde_json::from_str::<PaperBytes>(&text).unwrap(), paper);
    }
}

//! Commands to what compares faces (A7), a device of its own, and the capture of a finger for an application (A9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::command::CommandId;
use super::secret::Template;
use crate::ids::{BlobId, MessageId};
use crate::text::Invalid;
use crate::words::application::{FacePair, FingerPosition};
use crate::words::{Completion, Hand, words};

/// Largest picture of a face, in bytes.
pub const PICTURE_BYTES_MAX: usize = 512 * 1024;

words!(
    /// How a picture of a face is written.
    PictureFormat {
        /// ISO/IEC 10918-1.
        Jpeg,
        /// ISO/IEC 15948.
        Png,
        /// As a card's chip holds it, 1,024 bytes.
        Wlt,
    }
);

impl PictureFormat {
    /// Of a picture that a kiosk or a camera sent, by its first bytes; none: faces cannot be compared in it, because it is neither JPEG
    /// nor PNG, or longer than [`PICTURE_BYTES_MAX`].
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::of_head(bytes).filter(|_| bytes.len() <= PICTURE_BYTES_MAX)
    }

    /// What a file of any length begins as; none: as neither JPEG nor PNG.
    pub fn of_head(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else {
            None
        }
    }
}

words!(
    /// Why faces cannot be compared.
    FaceRefusal {
        /// There is no face in one of the two.
        NoFace,
        /// There are several.
        SeveralFaces,
        /// One of the two is too poor: another picture may do.
        TooPoor,
        /// One of the two is too dark, too bright or unevenly lit: another picture may do.
        PoorLight,
        /// It cannot read one of the two.
        Unsupported,
    }
);

words!(
    /// One of the two pictures that are compared.
    ComparedPicture {
        /// The historical portrait.
        Reference,
        /// What is compared with it.
        Probe,
    }
);

/// The bytes of a picture of a face. Personal: they do not print and are wiped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PictureBytes(Vec<u8>);

impl PictureBytes {
    /// Takes 1 to [`PICTURE_BYTES_MAX`] bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Invalid> {
        if (1..=PICTURE_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(Invalid {
                what: "picture of a face",
                rule: "1 to 524,288 bytes",
            })
        }
    }

    /// The bytes, for the comparison.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for PictureBytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PictureBytes(hidden)")
    }
}

impl Serialize for PictureBytes {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&Zeroizing::new(STANDARD.encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for PictureBytes {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(de)?);
        // The decoder's own error would quote the text.
        let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
            return Err(D::Error::custom(
                "a picture is base64 (RFC 4648, section 4)",
            ));
        };
        Self::new(bytes).map_err(D::Error::custom)
    }
}

impl JsonSchema for PictureBytes {
    fn schema_name() -> Cow<'static, str> {
        "PictureBytes".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "contentEncoding": "base64", "minLength": 4, "maxLength": 699_052,
            "description": "a picture of a face; personal data"
        })
    }
}

/// A picture of a face.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// How it is written.
    pub format: PictureFormat,
    /// Its bytes.
    pub bytes: PictureBytes,
}

/// `cmd/compare-faces` to a face matcher. Carries personal data: not retained, never written to disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareFacesCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// Which two.
    pub pair: FacePair,
    /// The historical portrait.
    pub reference: Picture,
    /// What is compared with it.
    pub probe: Picture,
    /// How long the gateway waits for the reply, in s.
    pub timeout_s: u16,
}

/// `cmd/compare-faces/reply`. On `success` a score or a refusal, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareFacesReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// How it ended.
    pub completion: Completion,
    /// Similarity, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub score: Option<u16>,
    /// Why there is no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<FaceRefusal>,
    /// Which picture the refusal is about, where the matcher says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub which: Option<ComparedPicture>,
}

/// `cmd/capture-finger` to a scanner: take the image of a finger, publish it on `blob/{id}/{command_id}` (PNG, 8 bits of grey), then reply with
/// the id (A9). With templates, also compare it with them. Carries personal data: not retained, never written to disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureFingerCommand {
    /// Id of this command.
    pub command_id: CommandId,
    /// Which hand the citizen was asked for.
    pub hand: Hand,
    /// Which finger; none: the one whose print the old card holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<FingerPosition>,
    /// The quality needed, 0 to 100; with less the device tries again until the time is over.
    pub quality_min: u16,
    /// What the old card holds of that hand; empty: nothing is compared.
    #[schemars(length(max = 2))]
    pub templates: Vec<Template>,
    /// How long to wait for a finger, in s.
    pub timeout_s: u16,
}

/// `cmd/capture-finger/reply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureFingerReply {
    /// Id of this message.
    pub message_id: MessageId,
    /// The command it answers.
    pub command_id: CommandId,
    /// How it ended.
    pub completion: Completion,
    /// Quality of the best image, 0 to 100, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub quality: Option<u16>,
    /// The blob, on `success`; published and acknowledged before this reply is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobId>,
    /// Similarity with the templates, 0 to 100, where they could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub score: Option<u16>,
}

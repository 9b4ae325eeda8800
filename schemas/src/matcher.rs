//! A matcher service: it compares the image of a finger with the templates of a card (GA/T 1012), and may say how good an image is.
//! Local HTTP, specified in
//! `ops/docs/matcher.md`. What travels is personal: it does not print and is wiped.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::message::Template;
use crate::text::Invalid;

/// Where images and templates are compared.
pub const VERIFY_PATH: &str = "/v1/verify";
/// Where a matcher says how good an image is, if it can.
pub const QUALITY_PATH: &str = "/v1/quality";
/// Where a matcher says that it is ready.
pub const HEALTH_PATH: &str = "/v1/health";
/// Largest image, in bytes: 512 × 512 pixels of 8 bits.
pub const IMAGE_BYTES_MAX: usize = 512 * 512;
/// Most templates of a request: those of a card.
pub const TEMPLATES_LEN_MAX: usize = 2;

/// Pixels of a finger, row by row from the top left, 0 black. Personal.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Pixels(Vec<u8>);

impl Pixels {
    /// Takes 1 to [`IMAGE_BYTES_MAX`] bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Invalid> {
        if (1..=IMAGE_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(Invalid {
                what: "image of a finger",
                rule: "1 to 262,144 bytes",
            })
        }
    }

    /// The bytes, for the comparison.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pixels(hidden)")
    }
}

impl Serialize for Pixels {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&Zeroizing::new(STANDARD.encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Pixels {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(de)?);
        // The decoder's own error would quote the text.
        let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
            return Err(D::Error::custom("an image is base64 (RFC 4648, section 4)"));
        };
        Self::new(bytes).map_err(D::Error::custom)
    }
}

impl JsonSchema for Pixels {
    fn schema_name() -> Cow<'static, str> {
        "Pixels".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "contentEncoding": "base64", "minLength": 4, "maxLength": 349_528,
            "description": "pixels row by row from the top left, 0 black; with 4 bits the left pixel in the high half of a byte; personal data"
        })
    }
}

/// An image as a sensor gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Pixels of a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Bits of a pixel.
    pub bits: Bits,
    /// `width * height * bits / 8` bytes.
    pub pixels: Pixels,
}

/// Bits of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// 16 shades, two pixels a byte.
    Four,
    /// 256 shades.
    Eight,
}

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_u8(match self {
            Self::Four => 4,
            Self::Eight => 8,
        })
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        match u8::deserialize(de)? {
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(D::Error::custom("a pixel has 4 or 8 bits")),
        }
    }
}

impl JsonSchema for Bits {
    fn schema_name() -> Cow<'static, str> {
        "Bits".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": [4, 8] })
    }
}

/// Body of `POST /v1/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The finger on the sensor.
    pub image: Image,
    /// What the card holds of that hand (GA/T 1012).
    #[schemars(length(min = 1, max = 2))]
    pub templates: Vec<Template>,
}

/// Body of the answer: a score or a refusal, never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyAnswer {
    /// Similarity of the best template.
    Score(Score),
    /// The comparison makes no sense.
    Refusal(Refusal),
}

/// Similarity or quality, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Score(u8);

impl Score {
    /// Takes 0 to 100.
    pub fn new(score: u8) -> Result<Self, Invalid> {
        if score <= 100 {
            Ok(Self(score))
        } else {
            Err(Invalid {
                what: "score",
                rule: "0 to 100",
            })
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        Self::new(u8::deserialize(de)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Score {
    fn schema_name() -> Cow<'static, str> {
        "Score".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }
}

/// Why a matcher does not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The image shows too little of a finger: another one may do.
    ImagePoor,
    /// The image has a size or depth that this matcher does not take.
    ImageUnsupported,
    /// No template can be read.
    TemplateUnreadable,
}

/// Body of `POST /v1/quality`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QualityRequest {
    /// The finger on the sensor.
    pub image: Image,
}

/// Body of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QualityAnswer {
    /// How well the finger can be told from others by this image: 0 not at all, 100 as well as can be, as NFIQ 2 counts.
    pub quality: Score,
}

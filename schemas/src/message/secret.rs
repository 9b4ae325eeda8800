//! Values that must not print: PINs, fingerprint templates, what a barcode says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::borrow::Cow;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// An operator's PIN: 4 to 32 characters. Known only until it has been compared.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

impl Pin {
    /// Takes a PIN of 4 to 32 characters.
    pub fn new(text: &str) -> Result<Self, crate::text::Invalid> {
        if (4..=32).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(crate::text::Invalid {
                what: "PIN",
                rule: "4 to 32 characters",
            })
        }
    }

    /// The PIN in the clear, for the comparison.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Pin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pin(hidden)")
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(de)?);
        Self::new(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Pin {
    fn schema_name() -> Cow<'static, str> {
        "Pin".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 4, "maxLength": 32, "writeOnly": true })
    }
}

/// What a barcode says, 1 to 512 characters: it may be a voucher or a citizen number.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ScannedText(String);

impl ScannedText {
    /// Takes a text of 1 to 512 characters.
    pub fn new(text: &str) -> Result<Self, crate::text::Invalid> {
        if (1..=512).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(crate::text::Invalid {
                what: "scanned text",
                rule: "1 to 512 characters",
            })
        }
    }

    /// The text in the clear, for whoever acts on it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for ScannedText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ScannedText(hidden)")
    }
}

impl Serialize for ScannedText {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ScannedText {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(de)?);
        Self::new(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for ScannedText {
    fn schema_name() -> Cow<'static, str> {
        "ScannedText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": 512,
            "description": "what a barcode says; may be personal data"
        })
    }
}

/// A fingerprint template as on the card's chip (GA/T 1012): at most 1,024 bytes, base64 on the wire.
/// It is serialised for one purpose only: the comparison in the scanner.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Template(Vec<u8>);

impl Template {
    /// Takes a template of 1 to 1,024 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, crate::text::Invalid> {
        if (1..=1024).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(crate::text::Invalid {
                what: "fingerprint template",
                rule: "1 to 1,024 bytes",
            })
        }
    }

    /// The bytes, for the comparison.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Template {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Template(hidden)")
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, ser: S) -> Result<S::Ok, S::Error> {
        ser.serialize_str(&Zeroizing::new(STANDARD.encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(de)?);
        // The decoder's own error would quote the text.
        let Ok(bytes) = STANDARD.decode(text.as_bytes()) else {
            return Err(D::Error::custom(
                "a template is base64 (RFC 4648, section 4)",
            ));
        };
        Self::new(bytes).map_err(D::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "contentEncoding": "base64", "minLength": 4, "maxLength": 1368,
            "description": "fingerprint template (GA/T 1012); personal data"
        })
    }
}

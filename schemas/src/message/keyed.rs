//! What a citizen keys or scans, as it was keyed: not checked yet, and it does not print.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::borrow::Cow;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::text::Invalid;

/// Declares a secret text of a length and of some characters.
macro_rules! keyed {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:literal..=$max:literal, $pattern:literal, $rule:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Checks length and characters. Nothing else is known of it yet.
            pub fn new(text: &str) -> Result<Self, Invalid> {
                let fits: fn(char) -> bool = $fits;
                if ($min..=$max).contains(&text.chars().count()) && text.chars().all(fits) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Invalid { what: $what, rule: $rule })
                }
            }

            /// The text in the clear, for whoever checks or seals it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                let text = Zeroizing::new(String::deserialize(de)?);
                Self::new(&text).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "writeOnly": true, "description": $rule })
            }
        }
    };
}

keyed!(
    /// A citizen number or a phone number as it was keyed.
    Keyed, "entry", 1..=32, "^[0-9A-Za-z +-]{1,32}$",
    "1 to 32 letters, digits, spaces or + -; personal data",
    |c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '+' | '-')
);
keyed!(
    /// The code of an SMS as it was keyed (A8).
    SmsCode, "code", 4..=8, "^[0-9]{4,8}$", "4 to 8 digits", |c| c.is_ascii_digit()
);
keyed!(
    /// The barcode of a photo receipt (A6).
    PhotoReceipt, "photo receipt", 4..=64, "^[0-9A-Za-z-]{4,64}$",
    "4 to 64 letters, digits or hyphens; personal data",
    |c| c.is_ascii_alphanumeric() || c == '-'
);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G7: nothing that is keyed prints, and an error does not quote it.
    #[test]
    fn what_is_keyed_does_not_print() {
        let number = Keyed::new("110105194912310021").unwrap();
        let code = SmsCode::new("041193").unwrap();
        let receipt = PhotoReceipt::new("330100A7741").unwrap();
        let said = format!("{number:?} {code:?} {receipt:?}");
        assert_eq!(said, "Keyed(hidden) SmsCode(hidden) PhotoReceipt(hidden)");
        let error = SmsCode::new("李小明").unwrap_err().to_string();
        assert!(!error.contains('李'), "{error}");
    }
}

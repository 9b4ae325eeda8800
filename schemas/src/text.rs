//! The one way a checked text newtype is made: a single constructor that every path, `Deserialize`
//! included, goes through. A value of such a type is valid wherever it is met.

use thiserror::Error;

/// A text that is not what its type asks for. It names the type and the rule, never the text: the
/// text may be personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid {what}: {rule}")]
pub struct Invalid {
    /// The type that refused, in words.
    pub what: &'static str,
    /// The rule that was broken, in words.
    pub rule: &'static str,
}

/// `true` if `text` has between 1 and `len_max` bytes, all of them lower-case ASCII letters, digits
/// or inner hyphens. Such a text is safe in a topic level, a file name and a URI.
pub(crate) const fn is_slug(text: &str, len_max: usize) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > len_max {
        return false;
    }
    let mut rest = bytes;
    let mut at = 0;
    while let [first, tail @ ..] = rest {
        let inner = at != 0 && !tail.is_empty();
        if !(first.is_ascii_lowercase() || first.is_ascii_digit() || (*first == b'-' && inner)) {
            return false;
        }
        at += 1;
        rest = tail;
    }
    true
}

/// `true` if 15 or more digits stand in a row. A citizen number of either length is such a row (15 digits, or 17 and a
/// check character), and so is a voucher, so no text that may be logged holds one.
pub(crate) fn has_long_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() >= 15)
}

/// Declares a newtype over `String` with one checked constructor, `Display`, serde and JSON Schema.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $pattern:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and takes it. The rule is the type's own, stated in its description.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::text::Invalid> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) {
                    Ok(Self(text))
                } else {
                    Err($crate::text::Invalid { what: $what, rule: $rule })
                }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::text::Invalid;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(de)?).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $rule })
            }
        }
    };
}
pub(crate) use text_newtype;

//! What a resident ID card states of its holder beside name and number (GA/T 490): for papers that state it again (A13). None of it
//! prints, and none of it can be serialised.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::borrow::Cow;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::text::Invalid;

/// Declares a personal text of a length, without control characters.
macro_rules! stated {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Checks length and characters.
            pub fn new(text: &str) -> Result<Self, Invalid> {
                let fits = (1..=$max).contains(&text.chars().count());
                if fits && !text.chars().any(char::is_control) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Invalid { what: $what, rule: $rule })
                }
            }

            /// The text in the clear. Only for what never leaves memory unsealed, and for the holder's own paper.
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
                json_schema!({
                    "type": "string", "minLength": 1, "maxLength": $max, "writeOnly": true, "description": $rule
                })
            }
        }
    };
}

stated!(
    /// The registered address.
    CardAddress, "address", 60, "1 to 60 characters in one line; personal data"
);
stated!(
    /// The authority that issues the card.
    CardIssuer, "issuing authority", 30, "1 to 30 characters in one line; personal data"
);

/// An ethnic group, GB/T 3304-1991.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EthnicGroup(&'static str);

/// The groups of GB/T 3304-1991 by their codes, from 01.
const GROUPS: [&str; 56] = [
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
];

impl EthnicGroup {
    /// The group of a code of two digits.
    pub fn of_code(code: &str) -> Result<Self, Invalid> {
        let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_digit());
        let number = code.parse::<usize>().ok().filter(|_| is_code);
        let group = match number {
            Some(97) => Some("其他"),
            Some(98) => Some("外国血统中国籍人士"),
            Some(number) => number.checked_sub(1).and_then(|at| GROUPS.get(at).copied()),
            None => None,
        };
        group.map(Self).ok_or(Invalid {
            what: "ethnic group",
            rule: "a code of GB/T 3304, two digits",
        })
    }

    /// As the card prints it: `汉`.
    pub const fn expose(self) -> &'static str {
        self.0
    }
}

impl core::fmt::Debug for EthnicGroup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EthnicGroup(hidden)")
    }
}

impl<'de> Deserialize<'de> for EthnicGroup {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        let code = Zeroizing::new(String::deserialize(de)?);
        Self::of_code(&code).map_err(D::Error::custom)
    }
}

impl JsonSchema for EthnicGroup {
    fn schema_name() -> Cow<'static, str> {
        "EthnicGroup".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^(0[1-9]|[1-4][0-9]|5[0-6]|97|98)$", "writeOnly": true,
            "description": "code of GB/T 3304, two digits; personal data"
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A13: codes are those of GB/T 3304, the first, the last and those that stand apart.
    #[test]
    fn a13_ethnic_groups_have_their_codes() {
        for (code, name) in [
            ("01", "汉"),
            ("05", "维吾尔"),
            ("30", "土"),
            ("56", "基诺"),
            ("97", "其他"),
        ] {
            assert_eq!(EthnicGroup::of_code(code).unwrap().expose(), name);
        }
        for bad in ["00", "57", "99", "1", "+1", "001", "", "汉"] {
            assert!(EthnicGroup::of_code(bad).is_err(), "{bad}");
        }
    }

    /// G7: what a card states does not print, and an error does not quote it.
    #[test]
    fn g7_what_a_card_states_does_not_print() {
        let address = CardAddress::new("示例市朝阳区建国路 1 号").unwrap();
        let issuer = CardIssuer::new("示例市公安局").unwrap();
        let group = EthnicGroup::of_code("01").unwrap();
        let said = format!("{address:?} {issuer:?} {group:?}");
        assert_eq!(
            said,
            "CardAddress(hidden) CardIssuer(hidden) EthnicGroup(hidden)"
        );
        for bad in [String::new(), "路".repeat(61), "路\n".to_owned()] {
            let error = CardAddress::new(&bad).unwrap_err().to_string();
            assert!(!error.contains('路'), "{error}");
        }
    }
}

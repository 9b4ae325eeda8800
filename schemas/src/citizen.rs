//! What names a citizen: the citizen number, the voucher, the name, the phone number. These types never
//! print in the clear and cannot be serialised; what leaves the process is a mask ([`crate::mask`]) or a
//! keyed tag ([`crate::lookup`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::acceptance::AcceptanceNumber;
use crate::civil::CivilDate;
use crate::text::Invalid;
use crate::words::words;

/// A citizen number (公民身份号码), GB 11643-1999: 6 digits of division (GB/T 2260), 8 of birth date, 3 of
/// sequence, 1 check character (ISO 7064 MOD 11-2). `x` is taken on input and kept as `X`.
///
/// A division code is not looked up: codes persist for life and no list is complete.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CitizenNumber(String);

impl CitizenNumber {
    /// Checks length, digits, birth date and check character.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let refuse = |rule| {
            Err(Invalid {
                what: "citizen number",
                rule,
            })
        };
        let upper = zeroize::Zeroizing::new(text.to_ascii_uppercase());
        let bytes = upper.as_bytes();
        let [body @ .., check] = bytes else {
            return refuse("18 characters");
        };
        if body.len() != 17 {
            return refuse("18 characters");
        }
        if !body.iter().all(u8::is_ascii_digit) {
            return refuse("17 digits and a check character");
        }
        if birth_date(body).is_err() {
            return refuse("digits 7 to 14 are a date");
        }
        if check_character(body) != *check {
            return refuse("the check character fits (GB 11643, ISO 7064 MOD 11-2)");
        }
        Ok(Self(upper.as_str().to_owned()))
    }

    /// The number in the clear. Only for what never leaves memory: a keyed tag, a comparison.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The birth date, digits 7 to 14. Personal data: a rule counts with it, nothing keeps or prints it.
    pub fn birth_date(&self) -> CivilDate {
        // The constructor has seen that it is one.
        birth_date(self.0.as_bytes()).unwrap_or(CivilDate::MAX)
    }

    /// The sex, by digit 17: odd is male.
    pub fn sex(&self) -> Sex {
        let odd = self
            .0
            .as_bytes()
            .get(16)
            .is_some_and(|digit| digit % 2 == 1);
        if odd { Sex::Male } else { Sex::Female }
    }

    /// Whether it is that of a resident ID card. Residents of Hong Kong, Macao and Taiwan have numbers of the same form on their residence
    /// permits, under the division codes 810000, 820000 and 830000, and foreigners on their permanent residence cards, with a 9 at first.
    pub fn is_of_resident_card(&self) -> bool {
        let others = ["810000", "820000", "830000", "9"];
        !others.iter().any(|head| self.0.starts_with(head))
    }

    /// All but the last four characters hidden, as every screen shows it (A4).
    pub fn masked(&self) -> String {
        crate::mask::number(&self.0)
    }

    /// The last four characters: all of a number that events and screens may hold (A4).
    pub fn tail(&self) -> NumberTail {
        NumberTail(crate::mask::tail(&self.0))
    }
}

words!(
    /// The sex that a resident ID card states (GB/T 2261.1).
    Sex {
        /// 男, code 1.
        Male,
        /// 女, code 2.
        Female,
    }
);

/// The check character of 17 digits: weight of digit k (from 1) is 2^(18-k) mod 11 (GB 11643, annex A).
fn check_character(body: &[u8]) -> u8 {
    let sum = body
        .iter()
        .fold(0u32, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => b'X',
        value => b'0' + u8::try_from(value).unwrap_or(0),
    }
}

fn birth_date(body: &[u8]) -> Result<CivilDate, Invalid> {
    let digits: String = body
        .iter()
        .skip(6)
        .take(8)
        .map(|d| char::from(*d))
        .collect();
    CivilDate::from_digits(&zeroize::Zeroizing::new(digits))
}

/// The code of a collection voucher (领证凭证): an acceptance number, in the hands of whoever may collect the card.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct VoucherCode(String);

impl VoucherCode {
    /// Checks what an [`AcceptanceNumber`] checks.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        match crate::acceptance::broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(Invalid {
                what: "voucher code",
                rule,
            }),
        }
    }

    /// The code in the clear. Only for what never leaves memory.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&AcceptanceNumber> for VoucherCode {
    fn from(number: &AcceptanceNumber) -> Self {
        Self(number.expose().to_owned())
    }
}

/// A citizen's name as on the card or the manifest: 1 to 30 characters, no control characters.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CitizenName(String);

impl CitizenName {
    /// Checks length and characters.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let count = text.chars().count();
        if (1..=30).contains(&count) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid {
                what: "name",
                rule: "1 to 30 characters, none of them control characters",
            })
        }
    }

    /// The name in the clear. Only for what never leaves memory unsealed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Surname hidden, the last character shown (`*明`), as every screen shows it (A4).
    pub fn masked(&self) -> MaskedName {
        MaskedName(crate::mask::name(&self.0))
    }
}

/// A mobile number of the mainland: 11 digits, the first 1, the second 3 to 9.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Checks length and digits.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let fits = matches!(text.as_bytes(), [b'1', b'3'..=b'9', rest @ ..]
            if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid {
                what: "phone number",
                rule: "11 digits, the first 1, the second 3 to 9",
            })
        }
    }

    /// The number in the clear. Only for what never leaves memory unsealed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first three and the last four digits shown (`138****5678`).
    pub fn masked(&self) -> String {
        crate::mask::phone(&self.0)
    }
}

crate::text::text_newtype!(
    /// The last four characters of a citizen number: three digits and the check character.
    NumberTail, "number tail", "^[0-9]{3}[0-9X]$", "three digits, and a digit or X",
    |t| t.len() == 4
        && t.bytes().take(3).all(|b| b.is_ascii_digit())
        && t.bytes().skip(3).all(|b| b.is_ascii_digit() || b == b'X')
);
crate::text::text_newtype!(
    /// A name with all but its last character hidden: what screens and events may hold.
    MaskedName, "masked name", "^\\*{1,30}[^*]?$", "stars and at most one last character",
    |t| {
        let count = t.chars().count();
        let stars = t.chars().take_while(|c| *c == '*').count();
        (1..=30).contains(&count) && stars >= 1 && count - stars <= 1 && !t.chars().any(char::is_control)
    }
);

/// What a type that never prints in the clear has in common: it prints its mask, and is read but never written.
macro_rules! secret {
    ($name:ident, $pattern:literal, $what:literal) => {
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
                let text = zeroize::Zeroizing::new(<String as serde::Deserialize>::deserialize(de)?);
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $what })
            }
        }
    };
}
pub(crate) use secret;

secret!(
    CitizenNumber,
    "^[0-9]{17}[0-9Xx]$",
    "citizen number, GB 11643-1999; personal data"
);
secret!(
    VoucherCode,
    "^[0-9]{22}$",
    "collection voucher, acceptance number of GA 214.4; personal data"
);
secret!(CitizenName, "^.{1,30}$", "name; personal data");
secret!(
    PhoneNumber,
    "^1[3-9][0-9]{9}$",
    "mobile number of the mainland; personal data"
);

impl core::fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl core::fmt::Display for CitizenNumber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl core::fmt::Display for VoucherCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&crate::mask::number(&self.0))
    }
}

impl core::fmt::Display for CitizenName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.masked(), f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A3, P1: the vectors of GB 11643-1999 and of its users.
    #[test]
    fn citizen_numbers_are_checked_as_the_standard_says() {
        for good in [
            "11010519491231002X",
            "11010519491231002x",
            "440524188001010014",
            "34052419800101001X",
            "370284200202205310",
            "110101202311012176",
            "810000199408230021",
            "830000199201300022",
            "932682198501010017",
            "911124198108030024",
            "370284190202205314",
        ] {
            assert!(CitizenNumber::new(good).is_ok(), "{good}");
        }
        for bad in [
            "110105194912310021",
            "110105194902290010",
            "110105194913310013",
            "",
            "1101051949123100",
            "11010519491231002Y",
            "1１0105194912310021",
            "110105491231002",
        ] {
            assert!(CitizenNumber::new(bad).is_err(), "{bad}");
        }
    }

    /// A5: what residents of Hong Kong, Macao and Taiwan and foreigners have is no resident ID card.
    #[test]
    fn a5_permits_and_permanent_residence_cards_are_told_apart() {
        for (number, is_resident) in [
            ("11010519491231002X", true),
            ("440524188001010014", true),
            ("810000199408230021", false),
            ("830000199201300022", false),
            ("932682198501010017", false),
            ("911124198108030024", false),
        ] {
            let number = CitizenNumber::new(number).unwrap();
            assert_eq!(number.is_of_resident_card(), is_resident, "{number}");
        }
    }

    /// G7: nothing that prints shows a number, a voucher or a name.
    #[test]
    fn personal_types_print_masked() {
        let number = CitizenNumber::new("11010519491231002x").unwrap();
        assert_eq!(
            format!("{number} {number:?}"),
            "**************002X **************002X"
        );
        let voucher = VoucherCode::new("1101050012026110100042").unwrap();
        assert_eq!(format!("{voucher:?}"), "******************0042");
        assert_eq!(format!("{:?}", CitizenName::new("李小明").unwrap()), "**明");
        assert_eq!(CitizenName::new("李").unwrap().masked().as_str(), "*");
    }

    /// G7: a phone number is one of the mainland, and prints masked.
    #[test]
    fn phone_numbers_are_checked_and_masked() {
        let phone = PhoneNumber::new("13812345678").unwrap();
        assert_eq!(format!("{phone} {phone:?}"), "138****5678 138****5678");
        for bad in [
            "",
            "12812345678",
            "1381234567",
            "138123456789",
            "1381234567a",
            "+8613812345678",
        ] {
            assert!(PhoneNumber::new(bad).is_err(), "{bad}");
        }
    }

    /// P1: a voucher is an acceptance number of GA 214.4.
    #[test]
    fn vouchers_are_checked() {
        assert!(VoucherCode::new("1101050012026110100001").is_ok());
        for bad in [
            "",
            "1101050012026110100000",
            "1101050012026130100001",
            "110105001202611010000A",
        ] {
            assert!(VoucherCode::new(bad).is_err(), "{bad}");
        }
    }
}

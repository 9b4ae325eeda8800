//! The acceptance number (受理号) of an application, and how a station counts them, GA 214.4-2004.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::citizen::secret;
use crate::civil::CivilDate;
use crate::text::{Invalid, text_newtype};

const SITE_LEN: usize = 9;
const DATE_LEN: usize = 8;

text_newtype!(
    /// Who accepts: 6 digits of division (GB/T 2260) and 3 of the station within it. The head of its acceptance numbers.
    AcceptanceSite, "acceptance site", "^[0-9]{9}$", "9 digits: 6 of the division, 3 of the station",
    |t| t.len() == SITE_LEN && t.bytes().all(|b| b.is_ascii_digit())
);

/// An acceptance number (受理号), GA 214.4-2004: 22 digits, 9 of site, 8 of date (CCYYMMDD), 5 of daily sequence from 00001.
///
/// On paper it is the code of the collection voucher, so whoever knows it may ask for the card: it prints masked.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct AcceptanceNumber(String);

impl AcceptanceNumber {
    /// Checks length, digits, date and that the sequence is not zero.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(Invalid {
                what: "acceptance number",
                rule,
            }),
        }
    }

    /// The number that `site` gives at `place` of its count.
    pub fn of(site: &AcceptanceSite, place: DailyPlace) -> Self {
        let date = place.date.digits();
        Self(format!("{site}{date}{:05}", place.sequence.get()))
    }

    /// The number in the clear. Only for what never leaves memory, and for the citizen's own paper.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// All but the last four digits hidden.
    pub fn masked(&self) -> String {
        crate::mask::number(&self.0)
    }

    /// Who gave it.
    pub fn site(&self) -> Option<AcceptanceSite> {
        AcceptanceSite::new(self.0.get(..SITE_LEN)?).ok()
    }

    /// Where it stands in the count of its site.
    pub fn place(&self) -> Option<DailyPlace> {
        let (date, sequence) = self.0.get(SITE_LEN..)?.split_at_checked(DATE_LEN)?;
        Some(DailyPlace {
            date: CivilDate::from_digits(date).ok()?,
            sequence: DailySequence::new(sequence.parse().ok()?).ok()?,
        })
    }
}

secret!(
    AcceptanceNumber,
    "^[0-9]{22}$",
    "acceptance number, GA 214.4-2004; personal data"
);

impl core::fmt::Display for AcceptanceNumber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The rule that `text` breaks as an acceptance number, if it breaks one.
pub(crate) fn broken_rule(text: &str) -> Option<&'static str> {
    if text.len() != 22 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Some("22 digits (GA 214.4)");
    }
    let (date, sequence) = text.get(SITE_LEN..)?.split_at_checked(DATE_LEN)?;
    if CivilDate::from_digits(date).is_err() {
        return Some("digits 10 to 17 are a date");
    }
    sequence
        .bytes()
        .all(|b| b == b'0')
        .then_some("the daily sequence starts at 00001")
}

/// The place of a number within its day: 1 to 99,999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct DailySequence(u32);

impl DailySequence {
    /// The first of a day.
    pub const FIRST: Self = Self(1);
    /// The last that five digits can write.
    pub const LAST: Self = Self(99_999);

    /// Takes 1 to 99,999.
    pub const fn new(sequence: u32) -> Result<Self, Invalid> {
        if sequence >= Self::FIRST.0 && sequence <= Self::LAST.0 {
            Ok(Self(sequence))
        } else {
            Err(Invalid {
                what: "daily sequence",
                rule: "1 to 99999",
            })
        }
    }

    /// As a number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for DailySequence {
    fn deserialize<D: serde::Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(de)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for DailySequence {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DailySequence".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 99_999 })
    }
}

/// How far a site has counted: all that has to be remembered so that no number is given twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct DailyPlace {
    /// The day.
    pub date: CivilDate,
    /// The place within it.
    pub sequence: DailySequence,
}

/// All numbers of a day are given: the site can accept nothing more until the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("all 99999 acceptance numbers of {date} are given; the next can be given a day later")]
pub struct DayIsFull {
    /// The day.
    pub date: CivilDate,
}

impl DailyPlace {
    /// The place after `newest`, on the date `today`. A day begins at 00001. Should the clock have been set back, the count goes on
    /// within the newest day: on an earlier day it could give a number again.
    pub fn next(newest: Option<Self>, today: CivilDate) -> Result<Self, DayIsFull> {
        let Some(newest) = newest.filter(|newest| newest.date >= today) else {
            return Ok(Self {
                date: today,
                sequence: DailySequence::FIRST,
            });
        };
        let date = newest.date;
        match DailySequence::new(newest.sequence.get() + 1) {
            Ok(sequence) => Ok(Self { date, sequence }),
            Err(_beyond_five_digits) => Err(DayIsFull { date }),
        }
    }
}

//! A date of the calendar, without a time or a zone: what cards, laws and acceptance numbers count in.
//!
//! Where a date does not exist there are two rules, and each caller says by the name which one it wants. Years of the law move
//! 29 February of a common year on to 1 March (GA 214.8); months of policy keep within the month they come to.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::text::Invalid;
use crate::time::{civil_from_days, days_in_month, is_date};

/// China Standard Time is 8 hours ahead of UTC all year.
const CHINA_AHEAD_MS: u64 = 8 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

/// A date of the Gregorian calendar, years 1800 to 9999. Ordered as time is. On the wire and in print `2026-11-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    year: u16,
    month: u8,
    day: u8,
}

impl CivilDate {
    /// The newest date there is.
    pub const MAX: Self = Self {
        year: 9999,
        month: 12,
        day: 31,
    };

    /// Takes a date that exists.
    pub const fn new(year: u16, month: u8, day: u8) -> Result<Self, Invalid> {
        if year <= Self::MAX.year && is_date(year, month, day) {
            Ok(Self { year, month, day })
        } else {
            Err(Invalid {
                what: "date",
                rule: "a date that exists, from 1800-01-01 to 9999-12-31",
            })
        }
    }

    /// The date in China at `wall_ms` milliseconds since 1970-01-01 UTC.
    pub fn in_china(wall_ms: u64) -> Self {
        let days = wall_ms.saturating_add(CHINA_AHEAD_MS) / DAY_MS;
        let (year, month, day) = civil_from_days(days);
        let narrow = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        u16::try_from(year)
            .ok()
            .and_then(|year| Self::new(year, narrow(month), narrow(day)).ok())
            .unwrap_or(Self::MAX)
    }

    /// Reads eight digits, CCYYMMDD (GB/T 7408), as numbers and cards have them.
    pub fn from_digits(digits: &str) -> Result<Self, Invalid> {
        let bytes = digits.as_bytes();
        if bytes.len() != 8 || !bytes.iter().all(u8::is_ascii_digit) {
            return Err(Invalid {
                what: "date",
                rule: "8 digits, CCYYMMDD",
            });
        }
        let number = |from: usize, len: usize| {
            let digits = bytes.iter().skip(from).take(len);
            digits.fold(0u16, |n, d| n * 10 + u16::from(d - b'0'))
        };
        let narrow = |value: u16| u8::try_from(value).unwrap_or(u8::MAX);
        Self::new(number(0, 4), narrow(number(4, 2)), narrow(number(6, 2)))
    }

    /// The year, 1800 to 9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Eight digits, CCYYMMDD.
    pub fn digits(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// As cards print it: `2026.11.01`.
    pub fn dotted(self) -> String {
        format!("{:04}.{:02}.{:02}", self.year, self.month, self.day)
    }

    /// The same month and day `years` later; 1 March where that is a 29 February that does not exist. None after
    /// [`CivilDate::MAX`].
    pub fn years_after(self, years: u16) -> Option<Self> {
        let year = self.year.checked_add(years)?;
        Self::new(year, self.month, self.day)
            .or_else(|_| Self::new(year, 3, 1))
            .ok()
    }

    /// The same day `months` later; the last day of that month where it is shorter. None after [`CivilDate::MAX`].
    pub fn months_after(self, months: u16) -> Option<Self> {
        Self::of_months(self.months().checked_add(u32::from(months))?, self.day)
    }

    /// The same day `months` earlier; the last day of that month where it is shorter. None before 1800-01-01.
    pub fn months_before(self, months: u16) -> Option<Self> {
        Self::of_months(self.months().checked_sub(u32::from(months))?, self.day)
    }

    /// Months since January of the year 0.
    fn months(self) -> u32 {
        u32::from(self.year) * 12 + u32::from(self.month) - 1
    }

    fn of_months(months: u32, day: u8) -> Option<Self> {
        let year = u16::try_from(months / 12).ok()?;
        let month = u8::try_from(months % 12 + 1).ok()?;
        Self::new(year, month, day.min(days_in_month(year, month))).ok()
    }

    /// Completed years of someone born on this date, on the date `on`; none before birth. Someone born on 29 February
    /// completes a year on 1 March of a common year.
    pub fn age_on(self, on: Self) -> Option<u16> {
        let years = on.year.checked_sub(self.year)?;
        let birthday_has_come = self.years_after(years)? <= on;
        if birthday_has_come {
            Some(years)
        } else {
            years.checked_sub(1)
        }
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for CivilDate {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = text.as_bytes();
        if bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-') {
            let digits: String = text.chars().filter(|c| *c != '-').collect();
            return Self::from_digits(&digits);
        }
        Err(Invalid {
            what: "date",
            rule: "written 2026-11-01",
        })
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        String::deserialize(de)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for CivilDate {
    fn schema_name() -> Cow<'static, str> {
        "CivilDate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
    }
}

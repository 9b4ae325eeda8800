//! How long a resident ID card is valid: Resident Identity Card Law, article 5; the arithmetic of GA 214.8-2004.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::civil::CivilDate;
use crate::text::Invalid;

/// What the chip holds in place of a last day.
const LONG_TERM: &str = "长期";

/// The term of validity that the law gives an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// This many years.
    Years(u16),
    /// For life, 长期.
    LongTerm,
}

impl Term {
    /// The term of someone of `age` completed years: under 16 five years, to 25 ten, to 45 twenty, then for life.
    pub const fn of_age(age: u16) -> Self {
        match age {
            0..=15 => Self::Years(5),
            16..=25 => Self::Years(10),
            26..=45 => Self::Years(20),
            46.. => Self::LongTerm,
        }
    }
}

/// The last day of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// This date.
    On(CivilDate),
    /// None: 长期.
    LongTerm,
}

impl Expiry {
    /// Reads what the chip holds: 8 digits, or `长期`. Spaces at the end fill the field.
    pub fn from_chip(text: &str) -> Result<Self, Invalid> {
        match text.trim_end_matches([' ', '\0']) {
            LONG_TERM => Ok(Self::LongTerm),
            digits => CivilDate::from_digits(digits).map(Self::On),
        }
    }
}

/// As cards print it: `2036.11.01`, or `长期`.
impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(date) => f.write_str(&date.dotted()),
            Self::LongTerm => f.write_str(LONG_TERM),
        }
    }
}

/// The days that a card is valid from and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The day it was signed (签发).
    pub from: CivilDate,
    /// The last day.
    pub to: Expiry,
}

impl Validity {
    /// Of a card signed on `signed` for someone born on `born`. Refused where that is before birth, or ends after the year 9999.
    pub fn of_card(born: CivilDate, signed: CivilDate) -> Result<Self, Invalid> {
        let age = born.age_on(signed).ok_or(Invalid {
            what: "date of signing",
            rule: "not before the birth date",
        })?;
        let to = match Term::of_age(age) {
            Term::LongTerm => Expiry::LongTerm,
            Term::Years(years) => Expiry::On(signed.years_after(years).ok_or(Invalid {
                what: "date of signing",
                rule: "the card ends by 9999-12-31",
            })?),
        };
        Ok(Self { from: signed, to })
    }
}

/// As cards print it: `2026.11.01-2036.11.01`.
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.dotted(), self.to)
    }
}

//! Time as the log keeps it: four values side by side, never corrected afterwards. Order is the
//! index, never time (evidence of a clock that jumps is in these values themselves).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::BootId;

/// Whether the wall clock can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockTrust {
    /// The system says that its clock is synchronised.
    Synchronised,
    /// It does not say so: calendar rules are provisional or wait.
    Unsynchronised,
}

/// One instant, as the machine saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, milliseconds since 1970-01-01 UTC.
    pub wall_ms: u64,
    /// The boot of the machine that `mono_ms` counts within.
    pub boot: BootId,
    /// Milliseconds since that boot, suspended time included (CLOCK_BOOTTIME).
    pub mono_ms: u64,
    /// Whether `wall_ms` can be believed.
    pub trust: ClockTrust,
}

/// An instant in monotonic time after which something is due. It holds over a restart of the
/// program; after a reboot of the machine it is due at once, since nobody knows how long that took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The boot that `mono_ms` counts within.
    pub boot: BootId,
    /// Milliseconds since that boot.
    pub mono_ms: u64,
}

impl Deadline {
    /// `ms` milliseconds after `now`.
    pub fn after(now: &Now, ms: u64) -> Self {
        Self {
            boot: now.boot.clone(),
            mono_ms: now.mono_ms.saturating_add(ms),
        }
    }

    /// Milliseconds left at `now`; 0 when due.
    pub fn left_ms(&self, now: &Now) -> u64 {
        if self.boot == now.boot {
            self.mono_ms.saturating_sub(now.mono_ms)
        } else {
            0
        }
    }

    /// `true` when the deadline has come.
    pub fn is_due(&self, now: &Now) -> bool {
        self.left_ms(now) == 0
    }
}

/// `true` if the Gregorian date exists. Nobody alive was born, and nothing was accepted, before 1800.
pub(crate) const fn is_date(year: u16, month: u8, day: u8) -> bool {
    year >= 1800 && day >= 1 && day <= days_in_month(year, month)
}

/// Days of a month of the Gregorian calendar; 0 where there is no such month.
pub(crate) const fn days_in_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// `wall_ms` as an RFC 3339 timestamp in UTC with milliseconds.
pub fn rfc3339(wall_ms: u64) -> String {
    let (days, ms) = (wall_ms / 86_400_000, wall_ms % 86_400_000);
    let (year, month, day) = civil_from_days(days);
    let (s, ms) = (ms / 1000, ms % 1000);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

/// Days since 1970-01-01 to year, month, day (proleptic Gregorian), counted in eras of 400 years
/// that begin on 1 March.
pub(crate) const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_rfc3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_305_599_999), "2026-11-21T23:59:59.999Z");
    }
}

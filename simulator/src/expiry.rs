//! When the cards end that people have at home.

use std::time::{SystemTime, UNIX_EPOCH};

use schemas::civil::CivilDate;
use schemas::validity::Expiry;

/// Of each five the first two within the months in which they may be renewed, the others not.
pub(crate) fn present_ends(at: usize) -> Expiry {
    match at % 5 {
        0 => in_months(2),
        1 => in_months(-1),
        2 => in_months(120),
        3 => Expiry::LongTerm,
        _ => in_months(-72),
    }
}

/// So many months from today. A demonstration works on any day.
pub(crate) fn in_months(months: i16) -> Expiry {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let today = CivilDate::in_china(u64::try_from(since_1970.as_millis()).unwrap_or(0));
    let date = if months < 0 {
        today.months_before(months.unsigned_abs())
    } else {
        today.months_after(months.unsigned_abs())
    };
    date.map_or(Expiry::LongTerm, Expiry::On)
}

//! When a card may be renewed because it expires (A3). The months are policy.

use crate::civil::CivilDate;
use crate::validity::Expiry;

/// The days on which a renewal is accepted, both of them included. A month that is too short for the day of expiry gives its last
/// day: a card that ends on 31 August may be renewed from the last day of February.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalWindow {
    /// The first day.
    pub opens: CivilDate,
    /// The last day.
    pub closes: CivilDate,
}

/// Where a day lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalDay {
    /// Too early: renewal is accepted from this day on.
    Early {
        /// The first day.
        opens: CivilDate,
    },
    /// Renewal is accepted.
    Open,
    /// Too late: renewal was accepted up to this day.
    Late {
        /// The last day.
        closes: CivilDate,
    },
    /// The card does not expire.
    Never,
}

impl RenewalWindow {
    /// From `months_before` months before `expires` to `months_after` months after it. A window that the calendar cuts off is
    /// as long as the calendar allows.
    pub fn around(expires: CivilDate, months_before: u16, months_after: u16) -> Self {
        Self {
            opens: expires.months_before(months_before).unwrap_or(expires),
            closes: expires.months_after(months_after).unwrap_or(CivilDate::MAX),
        }
    }

    /// Where `day` lies.
    pub fn place(self, day: CivilDate) -> RenewalDay {
        let Self { opens, closes } = self;
        if day < opens {
            RenewalDay::Early { opens }
        } else if day > closes {
            RenewalDay::Late { closes }
        } else {
            RenewalDay::Open
        }
    }
}

/// Whether a card that ends with `expiry` may be renewed on `day`.
pub fn renewal(
    expiry: Expiry,
    day: CivilDate,
    months_before: u16,
    months_after: u16,
) -> RenewalDay {
    match expiry {
        Expiry::On(expires) => {
            RenewalWindow::around(expires, months_before, months_after).place(day)
        }
        Expiry::LongTerm => RenewalDay::Never,
    }
}

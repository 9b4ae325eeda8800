//! `[payment]`: fees that are not paid at once (A12).

use schemas::event::application::PaymentTerm;

use crate::reader::Section;

/// Longest time to pay, in days.
const DUE_DAYS_MAX: u16 = 365;

/// Of fees that are not paid at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// Within what time an acceptance has to be paid, as the event that accepts records it.
    pub term: PaymentTerm,
}

impl Default for Payment {
    fn default() -> Self {
        let term = PaymentTerm {
            due_days: 15,
            notice_days: 3,
        };
        Self { term }
    }
}

pub(super) fn read(s: &mut Section<'_>, shipped: Payment) -> Payment {
    let PaymentTerm {
        due_days,
        notice_days,
    } = shipped.term;
    let due_days = s.number("due_days", 1..=i64::from(DUE_DAYS_MAX), due_days);
    // A citizen is told before the end and after the beginning.
    let notice_max = due_days.saturating_sub(1);
    let notice_days = notice_days.min(notice_max);
    let notice_days = s.number("notice_days", 0..=i64::from(notice_max), notice_days);
    let term = PaymentTerm {
        due_days,
        notice_days,
    };
    Payment { term }
}

//! Within what time an acceptance has to be paid (A12). A term counts from the acceptance; that of a provisional one from the centre's
//! confirmation, because before it knows the order nobody can pay there.

use schemas::civil::CivilDate;
use schemas::event::application::PaymentTerm;
use schemas::ids::{OrderId, SessionId};
use schemas::sealed::SealedField;
use schemas::time::Now;
use serde::{Deserialize, Serialize};

use super::{CHINA_AHEAD_MS, Claim, DAY_MS, HOUR_MS, Order, Payments, Standing, day_ends_ms};
use crate::state::State;

/// Citizens are told from this hour of the day in China on, and until the other.
const MORNING_MS: u64 = 9 * HOUR_MS;
const EVENING_MS: u64 = 21 * HOUR_MS;

/// The term of one acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Term {
    due_days: u16,
    notice_days: u16,
    /// Where the citizen is told.
    pub(crate) phone: Option<SealedField>,
    /// When it is over, in ms of the wall clock; none: it has not begun, or waits for a clock that can be believed.
    pub(crate) ends_ms: Option<u64>,
    /// The citizen was told that it ends soon.
    pub(crate) is_noticed: bool,
}

impl Term {
    pub(crate) const fn new(term: PaymentTerm, phone: Option<SealedField>) -> Self {
        Self {
            due_days: term.due_days,
            notice_days: term.notice_days,
            phone,
            ends_ms: None,
            is_noticed: false,
        }
    }

    /// It begins now, once.
    pub(crate) fn ends_after(&mut self, now: &Now) {
        let ends_ms = day_ends_ms(now.wall_ms, self.due_days);
        self.ends_ms.get_or_insert(ends_ms);
    }

    /// When the citizen is told that it ends soon, if they were not told before `now_ms`; none: they were, or are not to be.
    pub(crate) fn notice_ms(&self, now_ms: u64) -> Option<u64> {
        let is_open = !self.is_noticed && self.notice_days > 0 && self.phone.is_some();
        let before_ms = u64::from(self.notice_days).saturating_mul(DAY_MS);
        let ends_ms = self.ends_ms.filter(|_| is_open)?;
        let notice_ms = by_day_ms(ends_ms.saturating_sub(before_ms).max(now_ms));
        // Once it is over there is something else to tell.
        (notice_ms < ends_ms).then_some(notice_ms)
    }

    /// From when on what the centre has told by then shows that nobody paid in time: the morning behind the last day. The hours in
    /// between are for what was paid at its end, and told after it.
    pub(crate) fn lapses_ms(&self) -> Option<u64> {
        self.ends_ms.map(by_day_ms)
    }

    /// The last day on which it can be paid.
    pub(crate) fn last_day(&self) -> Option<CivilDate> {
        let ends_ms = self.ends_ms?;
        Some(CivilDate::in_china(ends_ms.saturating_sub(1)))
    }
}

/// The first moment from `at_ms` on at which citizens are told something.
pub(crate) const fn by_day_ms(at_ms: u64) -> u64 {
    let within_ms = at_ms.saturating_add(CHINA_AHEAD_MS) % DAY_MS;
    let wait_ms = if within_ms < MORNING_MS {
        MORNING_MS - within_ms
    } else if within_ms < EVENING_MS {
        0
    } else {
        DAY_MS - within_ms + MORNING_MS
    };
    at_ms.saturating_add(wait_ms)
}

impl Payments {
    /// The term of an order that is not paid.
    pub(crate) fn set_term(&mut self, id: &OrderId, term: Term) {
        let is_due = |order: &Order| order.standing == Standing::Open && order.claim == Claim::Due;
        if self.orders.get(id).is_some_and(is_due) {
            self.terms.insert(id.clone(), term);
        }
    }

    /// The term of an order begins, if it has one that has not.
    pub(crate) fn begin_term(&mut self, id: &OrderId) {
        let has_begun = |term: &Term| term.ends_ms.is_some();
        if self.terms.get(id).is_some_and(|term| !has_begun(term)) {
            self.begun.insert(id.clone());
        }
    }

    /// It is paid, or nobody has to pay it any more.
    pub(crate) fn end_term(&mut self, id: &OrderId) {
        self.terms.remove(id);
        self.begun.remove(id);
    }
}

impl State {
    /// The last day on which the fee of an acceptance can be paid, where it is not paid and a day is known.
    pub(crate) fn payable_until(&self, session: &SessionId) -> Option<CivilDate> {
        let order = self.payments.sessions.get(session)?;
        self.payments.terms.get(order)?.last_day()
    }
}

//! How a station numbers its payment orders.

use crate::acceptance::AcceptanceSite;
use crate::ids::OrderId;
use crate::text::Invalid;

/// What every payment network takes as a merchant's number: WeChat Pay 6 to 32 characters, UnionPay 8 to 40 letters and digits.
const LEN_MAX: usize = 32;

impl OrderId {
    /// The order that the event at `index` of the log `incarnation` opens at `site`: `110105001i1e57`. Letters and digits only, and
    /// unique without a count of its own. It is not made from the acceptance number, which whoever holds it may collect the card with.
    /// Refused where it would be longer than the networks take.
    pub fn of_event(site: &AcceptanceSite, incarnation: u32, index: u64) -> Result<Self, Invalid> {
        let id = format!("{site}i{incarnation}e{index}");
        if id.len() > LEN_MAX {
            return Err(Invalid {
                what: "order id",
                rule: "at most 32 characters, as payment networks take it",
            });
        }
        Self::new(id)
    }
}

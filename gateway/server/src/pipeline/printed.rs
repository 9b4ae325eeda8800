//! A number that the centre replaced (P1): the rules have no key to tag it with, so it is done before they are asked.

use gateway_core::{Answer, Decided, Input, Instructed, State, Told};
use schemas::acceptance::AcceptanceNumber;
use schemas::event::application::{Decision, PrintedNumber};

use crate::keys::{Domain, LookupKeys};

/// Puts the tags of the printed and the final number into a decision that confirms an acceptance.
pub(super) fn tag(input: &mut Input, state: &State, keys: &LookupKeys) {
    let Input::Instructed(Instructed { told, .. }) = input else {
        return;
    };
    if let Ok((_, Told::Answer(answer))) = told
        && let Answer::Decided(decided) = answer.as_mut()
    {
        decided.printed = numbers(decided, state, keys).map(Box::new);
    }
}

/// None: it is no other number.
fn numbers(decided: &Decided, state: &State, keys: &LookupKeys) -> Option<PrintedNumber> {
    let Decision::Confirmed { site, place } = &decided.told.outcome else {
        return None;
    };
    let known = AcceptanceNumber::of(site, *place);
    let printed = state.printed_number(&decided.told.session);
    let printed = printed.filter(|printed| *printed != known)?;
    Some(PrintedNumber {
        printed: keys.tag(Domain::Voucher, printed.expose())?,
        known: keys.tags(Domain::Voucher, known.expose()),
    })
}

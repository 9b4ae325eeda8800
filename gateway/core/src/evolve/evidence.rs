//! The evidence's own keys.

use schemas::event::evidence::{LookupKeyChanged, LookupKeyRetired};

use super::Recorded;
use crate::state::State;

pub(super) fn lookup_key_changed(
    state: &mut State,
    recorded: Recorded<'_>,
    event: &LookupKeyChanged,
) {
    let lookup = &mut state.lookup;
    lookup.current = Some(event.key.clone());
    lookup.superseded.remove(&event.key);
    lookup.superseded.insert(event.before.clone(), None);
    lookup.date(recorded.now);
}

pub(super) fn lookup_key_retired(state: &mut State, event: &LookupKeyRetired) {
    state.lookup.superseded.remove(&event.key);
}

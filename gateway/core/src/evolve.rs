//! How the facts make the state. Total: whatever is in the log can be applied.

use schemas::event::Event;
use schemas::time::Now;

use crate::state::State;

/// An event in its place in the log.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Its index.
    pub index: u64,
    /// When it was recorded.
    pub now: &'a Now,
    /// The event.
    pub event: &'a Event,
}

/// Applies an event.
pub fn evolve(state: &mut State, recorded: Recorded<'_>) {
    state.next_index = recorded.index + 1;
}

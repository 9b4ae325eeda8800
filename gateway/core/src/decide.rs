//! All the rules.

use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::time::Now;
use schemas::words::RefusalReason;

use crate::input::Input;
use crate::rules::Rules;
use crate::state::State;

/// What follows from an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The facts, in order. Empty only with [`Outcome::Unchanged`].
    pub events: Vec<Event>,
    /// What the sender is told.
    pub outcome: Outcome,
}

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done or begun; with the session it opened or belongs to.
    Accepted(Option<SessionId>),
    /// The rules said no: a recorded fact.
    Refused(RefusalReason),
    /// Nothing changed, nothing is recorded: acknowledged at once.
    Unchanged,
}

/// Decides what follows from `input` at `now`. Changes nothing.
pub fn decide(_state: &State, _rules: &Rules, _input: &Input, _now: &Now) -> Decision {
    Decision {
        events: Vec::new(),
        outcome: Outcome::Unchanged,
    }
}

//! The state of a station: what the log says of it.

/// The state, empty at first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub(crate) next_index: u64,
}

/// A card's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {}

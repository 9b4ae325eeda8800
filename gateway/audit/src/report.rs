//! What a verification found.

use schemas::envelope::EnvelopeError;
use schemas::proof::{CheckpointError, Hash};

/// Findings that are kept; more are only counted.
pub(crate) const FINDINGS_MAX: usize = 32;

/// One thing that is wrong, and where.
#[derive(Debug)]
pub struct Finding {
    /// The place in the log, from 0; none where the whole is meant.
    pub index: Option<u64>,
    /// What.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not a signed event.
    #[error("not a signed event of this contract: {0}")]
    Unreadable(EnvelopeError),
    /// Signed for another place: dropped, repeated, swapped or inserted events show so.
    #[error("the event here was signed for index {0}")]
    Index(u64),
    /// Signed for another log.
    #[error("the event belongs to the log {0}")]
    Origin(String),
    /// Signed by a key that is not in force here.
    #[error("the event names a key that is not in force here")]
    Key,
    /// Changed, or never signed.
    #[error("the signature does not fit")]
    Signature,
    /// Genuine, but its content is not as the contract says.
    #[error("the content is not as the contract says: {0}")]
    Content(EnvelopeError),
    /// What only the first event of a log can say.
    #[error("only the first event of a log can say that it begins")]
    Misplaced,
    /// A rotation of the key that does not hold.
    #[error(transparent)]
    Rotation(#[from] schemas::chain::RotationError),
    /// A checkpoint that is not one, or not signed as its size asks for.
    #[error("{name}: {error}")]
    Checkpoint {
        /// Which.
        name: String,
        /// Why.
        error: CheckpointError,
    },
    /// Events that a checkpoint covers are not there.
    #[error("{name} covers {size} events, and only {events} are there")]
    Shorter {
        /// Which checkpoint.
        name: String,
        /// Its size.
        size: u64,
        /// Events that are there.
        events: u64,
    },
    /// The events under a checkpoint are others.
    #[error("{name} says that the first {size} events have the root {expected}, but it is {found}")]
    Root {
        /// Which checkpoint.
        name: String,
        /// Its size.
        size: u64,
        /// The root it signs.
        expected: Hash,
        /// The root of what is there.
        found: Hash,
    },
    /// A checkpoint of a size at which no event is there any more.
    #[error(
        "{name} covers {size} events, which cannot be told any more: the events that are here begin with {first}"
    )]
    Pruned {
        /// Which checkpoint.
        name: String,
        /// Its size.
        size: u64,
        /// The first event that is there.
        first: u64,
    },
    /// What is given as a rotation of the key is another event.
    #[error("the event is given as a change of the signing key, and is none")]
    NoRotation,
    /// The log cannot be read further.
    #[error("the events break off here{}: {why}", after(*last))]
    BrokenOff {
        /// The last event that could be read; none where no event could.
        last: Option<u64>,
        /// Why.
        why: String,
    },
    /// A checkpoint that should be kept and is not there.
    #[error("{name} is missing")]
    Missing {
        /// Which.
        name: String,
    },
    /// Events behind the last checkpoint of what should be a closed record.
    #[error("{0} events lie behind the last checkpoint, which a closed record does not have")]
    BehindCheckpoint(u64),
}

fn after(last: Option<u64>) -> String {
    last.map_or_else(String::new, |last| {
        format!(", event {last} is the last that can be read")
    })
}

/// A checkpoint that holds: genuine, and the events under it are those that it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What findings call it.
    pub name: String,
    /// Events under it.
    pub size: u64,
}

/// The outcome.
#[derive(Debug)]
pub struct Report {
    /// Events of the log, those that were pruned included.
    pub events: u64,
    /// The first event that was looked at: what came before was pruned.
    pub first: u64,
    /// The root over them.
    pub root: Hash,
    /// Events that the largest genuine checkpoint covers; none without one.
    pub covered: Option<u64>,
    /// The checkpoints that hold, in the order in which they were given.
    pub held: Vec<Held>,
    /// Rotations of the key.
    pub rotations: u64,
    /// Genuine events of a type that this program is too old for.
    pub unknown_types: u64,
    /// The first faults found.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub faults: u64,
}

impl Report {
    /// Whether everything holds.
    pub fn is_whole(&self) -> bool {
        self.faults == 0
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            Some(index) => write!(f, "event {index}: {}", self.fault),
            None => write!(f, "{}", self.fault),
        }
    }
}

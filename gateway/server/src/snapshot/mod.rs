//! Snapshots: all that a replay of the events before one would give, in a file that the event names by its hash.
//!
//! The file is durable before its event is committed, and the event is the first of an epoch. The next start goes on from the
//! newest snapshot whose file is whole, so that the epochs before it need not be read, and may be pruned. A snapshot is derived, and
//! what it says is believed only because a signed event under a checkpoint names its hash; the changes of the signing key in it
//! are the signed events themselves, checked once more from the log's first key on.

mod contents;
mod due;
mod prunable;
mod store;

pub use contents::{Contents, ContentsError, SignedRotations};
pub use due::EpochLimits;
pub use prunable::{Beginnings, is_restorable, prunable, prune};
pub use store::{SnapshotStore, Unusable};

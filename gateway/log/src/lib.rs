//! The station's evidence log: ordered signed events that survive power loss, a Merkle tree over them, and a signed
//! checkpoint beside them; and proofs that an event is in it and that it only ever grew.
//!
//! It owns the data folder of the log and everything sled. Only this crate depends on sled, and only it can make a
//! [`Durable`], so what is not on disk cannot be acknowledged: it does not compile. Signed events are opaque bytes
//! here; this crate never reads, re-serialises or repairs one. A log that does not prove itself whole is never
//! replaced by a new empty one: opening it fails with [`Quarantine`].
//!
//! # Folder
//! | path | what |
//! |---|---|
//! | `LOCK` | held by `flock` while the log is open; holds the process id |
//! | `FORMAT` | version of the folder's layout |
//! | `HEAD` | the last signed checkpoint, a C2SP signed note |
//! | `tree/` | the hashes of the whole tree, a file for each tile level (c2sp.org/tlog-tiles: tile `N` of a level is the 8,192 bytes from `N`·8,192 on); derived |
//! | `EPOCHS` | the first index of each epoch |
//! | `log/<first index>/` | an epoch, in sled: tree `log` (big-endian index → signed event), `meta`, and one tree for each [`Space`] |
//! | `RESERVE` | preallocated room, given back when the disk is nearly full |
//!
//! Two files lie apart, beside the keys, so that a data folder that is lost or set back as a whole is noticed: the *marker* says that
//! the first start was completed ([`OpenOptions::marker`]); the *witness* holds a recent checkpoint, never newer than
//! `HEAD` ([`OpenOptions::witness`]).

mod appending;
mod checkpoint;
mod checkpoint_file;
mod committer;
mod copying;
mod durable;
mod epochs;
mod error;
mod group;
mod handle;
mod limits;
mod notary;
mod open;
mod proofs;
mod pruning;
mod room;
mod scratch;
mod stopped;
mod store;
mod tree;

pub use appending::Appending;
pub use durable::Durable;
pub use error::{AppendError, AppendRefusal, LogFailed, OpenError, Quarantine};
pub use group::{Batch, Group, KvOp, Space};
pub use handle::Log;
pub use limits::Limits;
pub use notary::{CheckpointSigner, SignedHead};
pub use open::{OpenOptions, Place, Recovered, holds_log, is_initialised};
pub use proofs::{Consistency, Inclusion, InclusionIn, ProofError};
pub use pruning::PruneError;
pub use room::{Room, RoomLevel, RoomOptions};
pub use scratch::remove_copies;
pub use stopped::StoppedLog;
pub use store::Events;
pub use tree::StoredHashes;

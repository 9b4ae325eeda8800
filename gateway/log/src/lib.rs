//! The station's evidence log: ordered signed events that survive power loss, a Merkle tree over them, and a signed
//! checkpoint beside them.
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
//! | `log/` | sled: tree `log` (big-endian index → signed event), `meta`, and one tree for each [`Space`] |
//! | `RESERVE` | preallocated room, given back when the disk is nearly full |
//!
//! The *marker* lies apart, beside the keys: it says that the first start was completed (see [`OpenOptions::marker`]).

mod appending;
mod checkpoint;
mod committer;
mod durable;
mod error;
mod group;
mod handle;
mod head;
mod limits;
mod open;
mod room;
mod store;

pub use appending::Appending;
pub use checkpoint::{CheckpointSigner, SignedHead};
pub use durable::Durable;
pub use error::{AppendError, AppendRefusal, LogFailed, OpenError, Quarantine};
pub use group::{Batch, Group, KvOp, Space};
pub use handle::Log;
pub use limits::Limits;
pub use open::{OpenOptions, Recovered, holds_log, is_initialised};
pub use room::{Room, RoomLevel, RoomOptions};
pub use store::Events;

//! Photos and scans: sealed to the centre's key at arrival, on disk before they are acknowledged.
//!
//! It owns the folder `blobs` of the data folder. What was captured cannot be read back at the station: only the
//! centre holds the private key. No byte of a blob is ever written in the clear, and a blob's file name is the SHA-256
//! of its bytes, so whoever holds an event that names it can tell that the file is the one meant.
//!
//! A blob that no reply names is an orphan: dropped when its device sends too many of them, and swept at start.

mod desk;
mod seal;
mod store;

pub use desk::{BlobDesk, BlobRefusal, Received};
pub use seal::{CentreKey, InvalidCentreKey, MAGIC, SealError, VERSION};
pub use store::{BlobStore, Sweep};

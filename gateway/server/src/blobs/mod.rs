//! Photos and scans: sealed under the key of their session at arrival, on disk before they are acknowledged.
//!
//! It owns the folder `blobs` of the data folder. What was captured cannot be read back at the station: only the
//! centre can open the session's key. No byte of a blob is ever written in the clear, and a blob's file name is the
//! SHA-256 of its bytes, so whoever holds an event that names it can tell that the file is the one meant. A blob from a
//! device that serves no session is not kept: it could not be erased with one.
//!
//! A blob that no reply names is an orphan: dropped when its device sends too many of them, and swept at start.

mod desk;
mod seal;
mod store;

pub use desk::{BlobDesk, BlobRefusal, Received};
pub use seal::{MAGIC, VERSION};
pub(crate) use seal::{hash, open};
pub use store::{BlobStore, Kept, Sweep};

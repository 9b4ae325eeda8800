//! What a power cut leaves behind, for any program that writes into a folder.
//!
//! A [`Recorder`] mounts a FUSE file system over a backing folder and keeps each write, cut, rename
//! and sync in order. From that record it builds *crash images*: folders as a power cut at one
//! position may leave them. A [`Workload`] is a program that acknowledges on its standard output what
//! it has made durable; a [`Campaign`] runs it, cuts the power at many positions, and asks the
//! program itself what is still there.
//!
//! It must never call something durable that was not synced: an image may be crueller than a real
//! disk, but not kinder. What it cannot show: faults that need two requests of one file in flight at
//! once, because the kernel holds a file's lock during its fsync on FUSE.
//!
//! A test process that is killed leaves its mount behind; `umount -l` takes it away.

pub mod build;
mod campaign;
mod content;
mod fs;
mod image;
mod live;
mod payload;
mod record;
mod recorder;
mod tree;
mod verdict;
mod workload;

pub use campaign::Campaign;
pub use image::{Dirs, Mode};
pub use record::Seq;
pub use recorder::{Recorder, RecorderError};
pub use verdict::Tally;
pub use workload::{
    Ack, AckLog, CommandFor, Limits, LineParser, Turn, VerifierFor, Witnessed, Workload,
};

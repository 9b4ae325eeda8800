//! The sync that sled believes in.
//!
//! sled 0.34.7 ends its `flush` on Linux in `sync_file_range`, which neither flushes the device's cache nor writes
//! metadata: in crash images every acknowledged event was lost. This crate defines the C symbol of that name inside
//! our program as a coalesced `fdatasync`, so that what sled believes to be stable is stable. A sync that fails once
//! fails for ever ([`sticky_error`]): the kernel may mark a page clean that it could not write, and a later sync that
//! succeeds would then prove nothing.
//!
//! It owns every sync of the log's folder, and it is the only crate of the project with `unsafe` code; that is why the
//! allocator's settings ([`keep_little`]) are here too. It must never know what is in the files.

mod coalesce;
#[cfg(feature = "bench-delay")]
mod delay;
mod files;
mod memory;
mod symbol;

#[cfg(feature = "bench-delay")]
pub use delay::{set_delay, syncs};
pub use files::{allocate, make_folder, replace_file, sync_file, sync_folder};
pub use memory::keep_little;
pub use symbol::{calls, ensure_linked, sticky_error};

/// Whether this build gives sled the kernel's own `sync_file_range` back (feature `sled-own-sync`). A program that
/// means to keep its promise refuses such a build, or says loudly that it is a test.
pub const SLED_OWN_SYNC: bool = cfg!(feature = "sled-own-sync");

fn bench_delay() {
    #[cfg(feature = "bench-delay")]
    delay::wait();
}

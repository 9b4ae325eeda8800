//! A delay added to every sync of the process, so that benchmarks compare all contenders on the same slow disk. Only in
//! builds with the feature `bench-delay`.
//!
//! Other stores sync through the C library: its `fsync` and `fdatasync` are defined here too, with the same delay. This
//! crate's own syncs are system calls and do not pass there, so that none is delayed twice.

use std::ffi::c_int;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static DELAY_US: AtomicU64 = AtomicU64::new(0);
static SYNCS: AtomicU64 = AtomicU64::new(0);

/// Adds `delay` to every sync from now on.
pub fn set_delay(delay: Duration) {
    DELAY_US.store(
        u64::try_from(delay.as_micros()).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
}

/// How many syncs there were in this process, of whatever store.
pub fn syncs() -> u64 {
    SYNCS.load(Ordering::Relaxed)
}

pub(crate) fn wait() {
    SYNCS.fetch_add(1, Ordering::Relaxed);
    let delay_us = DELAY_US.load(Ordering::Relaxed);
    if delay_us > 0 {
        std::thread::sleep(Duration::from_micros(delay_us));
    }
}

/// `fdatasync(2)` with the delay.
#[allow(unsafe_code, reason = "a benchmark delays every store's sync alike")]
#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: c_int) -> c_int {
    delayed(fd, |fd| rustix::fs::fdatasync(fd))
}

/// `fsync(2)` with the delay.
#[allow(unsafe_code, reason = "a benchmark delays every store's sync alike")]
#[unsafe(no_mangle)]
extern "C" fn fsync(fd: c_int) -> c_int {
    delayed(fd, |fd| rustix::fs::fsync(fd))
}

#[allow(
    unsafe_code,
    reason = "a descriptor crosses the C boundary as a number"
)]
fn delayed(fd: c_int, sync: fn(BorrowedFd<'_>) -> rustix::io::Result<()>) -> c_int {
    wait();
    if fd < 0 {
        crate::symbol::set_errno(libc::EBADF);
        return -1;
    }
    // SAFETY: the caller owns `fd` and keeps it open until this returns; -1 was refused above.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    match sync(fd) {
        Ok(()) => 0,
        Err(errno) => {
            crate::symbol::set_errno(errno.raw_os_error());
            -1
        }
    }
}

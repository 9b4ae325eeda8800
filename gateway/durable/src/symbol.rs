//! The C symbol `sync_file_range`, defined here so that the linker gives it to sled instead of the C library's.

use std::ffi::{c_int, c_uint};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::coalesce::SYNCS;

static CALLS: AtomicU64 = AtomicU64::new(0);

/// How often sled (or anyone) has called the replaced symbol in this process. The log refuses to run when a flush does
/// not move it: then the linker gave sled another one.
pub fn calls() -> u64 {
    CALLS.load(Ordering::Acquire)
}

/// The first error that any sync of this process met. Once there is one the process must end: no later sync proves
/// anything.
pub fn sticky_error() -> Option<io::Error> {
    SYNCS.sticky().map(io::Error::from)
}

/// Keeps this crate, and with it the symbol, in the program that calls it.
pub fn ensure_linked() {
    // The address of the symbol is used, so no linker may drop it.
    let symbol: extern "C" fn(c_int, i64, i64, c_uint) -> c_int = sync_file_range;
    std::hint::black_box(symbol);
}

/// `sync_file_range(2)` as sled calls it: answers 0 when *all* that was written to `fd` is durable, or −1 with errno.
/// The range is widened to the whole file, which is what `fdatasync` does.
#[allow(
    unsafe_code,
    reason = "the only way to give sled a sync that syncs is to define the C symbol it calls"
)]
#[unsafe(no_mangle)]
extern "C" fn sync_file_range(fd: c_int, offset: i64, nbytes: i64, flags: c_uint) -> c_int {
    CALLS.fetch_add(1, Ordering::AcqRel);
    let outcome = if crate::SLED_OWN_SYNC {
        sync_by_the_kernel(fd, offset, nbytes, flags)
    } else {
        sync_by_fdatasync(fd)
    };
    match outcome {
        Ok(()) => 0,
        Err(errno) => {
            set_errno(errno.raw_os_error());
            -1
        }
    }
}

#[allow(
    unsafe_code,
    reason = "a descriptor crosses the C boundary as a number"
)]
fn sync_by_fdatasync(fd: c_int) -> Result<(), rustix::io::Errno> {
    use std::os::fd::BorrowedFd;
    if fd < 0 {
        return Err(rustix::io::Errno::BADF);
    }
    // SAFETY: the caller of sync_file_range owns `fd` and keeps it open until this call returns, as for any system
    // call; -1 was refused above. A number that is not open is answered by the kernel with EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    SYNCS.sync(fd, |fd| {
        crate::bench_delay();
        rustix::fs::fdatasync(fd)
    })
}

/// The kernel's own call, for the test that shows why it is not enough.
#[allow(
    unsafe_code,
    reason = "the C library's symbol is shadowed by ours, so the system call is made directly"
)]
fn sync_by_the_kernel(
    fd: c_int,
    offset: i64,
    nbytes: i64,
    flags: c_uint,
) -> Result<(), rustix::io::Errno> {
    crate::bench_delay();
    // SAFETY: a plain system call with integers; no memory of ours is passed.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_sync_file_range,
            libc::c_long::from(fd),
            offset,
            nbytes,
            libc::c_long::from(flags),
        )
    };
    if answer == 0 {
        return Ok(());
    }
    let raw = io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO);
    Err(rustix::io::Errno::from_raw_os_error(raw))
}

#[allow(
    unsafe_code,
    reason = "C reports errors through errno, and sled reads it"
)]
pub(crate) fn set_errno(raw: c_int) {
    // SAFETY: __errno_location answers the address of this thread's errno, which is valid for the thread's life.
    unsafe {
        *libc::__errno_location() = raw;
    }
}

//! What the C library's allocator may keep for itself of memory that was freed (mallopt(3)).

use std::ffi::c_int;

/// A block this long or longer is mapped by itself and goes back to the kernel when it is freed, in bytes; the end of an arena
/// that is free goes back when it is longer. These are the library's own first values, but it raises both, up to 32 MiB, whenever
/// a large block is freed, and a value that is set is not raised.
const LARGE_BYTES: c_int = 128 * 1024;
/// The library's own value is eight for each processor, and each keeps what its threads freed.
const ARENAS_MAX: c_int = 2;

/// Has freed memory given back soon, for the whole process. To be called before there are other threads: each keeps the arena
/// that it has. False where the C library knows no such settings (it is not glibc) and goes its own way.
#[cfg(target_env = "gnu")]
#[allow(
    unsafe_code,
    reason = "the allocator's settings can be changed through the C library only"
)]
pub fn keep_little() -> bool {
    let settings = [
        (libc::M_MMAP_THRESHOLD, LARGE_BYTES),
        (libc::M_TRIM_THRESHOLD, LARGE_BYTES),
        (libc::M_ARENA_MAX, ARENAS_MAX),
    ];
    settings.into_iter().all(|(setting, value)| {
        // SAFETY: two integers by value; the library takes its own lock, so any thread may call at any time.
        unsafe { libc::mallopt(setting, value) == 1 }
    })
}

/// Has freed memory given back soon. False: this C library has its own way.
#[cfg(not(target_env = "gnu"))]
pub fn keep_little() -> bool {
    false
}

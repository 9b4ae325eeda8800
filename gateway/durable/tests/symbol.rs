//! The symbol as a C caller sees it: through the C library's own declaration, as sled does.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot open a file has failed"
)]

use std::os::fd::AsRawFd;

use gateway_durable::{calls, ensure_linked, sticky_error};

#[allow(unsafe_code, reason = "the symbol is called as sled calls it")]
fn as_sled_does(fd: i32) -> (i32, Option<i32>) {
    // SAFETY: integers only.
    let answer = unsafe { libc::sync_file_range(fd, 0, 0, 0) };
    (answer, std::io::Error::last_os_error().raw_os_error())
}

/// G2: the C library's declaration reaches our symbol, each call is counted, errors arrive in errno.
#[test]
fn the_declaration_that_sled_uses_reaches_our_symbol() {
    ensure_linked();
    let file = tempfile::tempfile().unwrap();
    let before = calls();
    assert_eq!(as_sled_does(file.as_raw_fd()).0, 0);
    assert_eq!(calls(), before + 1);
    assert_eq!(as_sled_does(-1), (-1, Some(libc::EBADF)));
    assert_eq!(calls(), before + 2);
    assert!(
        sticky_error().is_none(),
        "a bad descriptor is its caller's mistake"
    );
}

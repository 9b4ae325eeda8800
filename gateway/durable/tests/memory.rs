//! What the allocator keeps, seen by the kernel. Alone in its process, because the settings hold for all of it.
#![cfg(target_env = "gnu")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot read its own figures has failed"
)]

use std::hint::black_box;

/// Larger than the library takes from an arena at first, and smaller than what it takes from one after such blocks were freed.
const BLOCK_BYTES: usize = 256 * 1024;
const BLOCKS: usize = 64;

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

/// Blocks with something small and longer-lived behind each, as buffers of appends have it, and what stays when they are freed.
fn kept_of_freed_blocks() -> usize {
    drop(black_box(vec![1_u8; 4 * BLOCK_BYTES]));
    let before = resident();
    let blocks = (0..BLOCKS).map(|_| (vec![1_u8; BLOCK_BYTES], vec![1_u8; 2_000]));
    let (large, small): (Vec<_>, Vec<_>) =
        black_box(blocks.collect::<Vec<_>>()).into_iter().unzip();
    let taken = resident() - before;
    assert!(taken > BLOCKS * BLOCK_BYTES / 2, "{taken} bytes were taken");
    drop(large);
    let kept = resident().saturating_sub(before);
    drop(black_box(small));
    kept
}

/// Memory while a backlog drains stays near that at rest: freed buffers go back to the kernel. Without the settings all
/// of them stay.
#[test]
fn what_is_freed_goes_back() {
    assert!(gateway_durable::keep_little());
    let (kept, all) = (kept_of_freed_blocks(), BLOCKS * BLOCK_BYTES);
    assert!(kept < all / 8, "{kept} of {all} bytes were kept");
}

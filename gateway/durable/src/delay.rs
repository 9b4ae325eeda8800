//! A delay added to every sync, so that benchmarks compare all contenders on the same slow disk. Only in builds with
//! the feature `bench-delay`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static DELAY_US: AtomicU64 = AtomicU64::new(0);

/// Adds `delay` to every sync from now on.
pub fn set_delay(delay: Duration) {
    DELAY_US.store(
        u64::try_from(delay.as_micros()).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
}

pub(crate) fn wait() {
    let delay_us = DELAY_US.load(Ordering::Relaxed);
    if delay_us > 0 {
        std::thread::sleep(Duration::from_micros(delay_us));
    }
}

//! What the whole-system tests share: a station of real binaries in a folder of its own, MQTT clients
//! down to the byte, and a reader of the log that is left behind.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::missing_panics_doc,
    reason = "a test stops at the first surprise"
)]

pub mod adapters;
pub mod application;
pub mod canary;
pub mod centre;
pub mod certificates;
pub mod config;
pub mod kiosk;
pub mod left;
pub mod line;
pub mod load;
pub mod officer;
pub mod opened;
pub mod picture;
pub mod planted;
pub mod ports;
pub mod raw;
pub mod sealed;
pub mod search;
pub mod station;
pub mod stock;
pub mod tls_way;
pub mod trouble;

use std::time::{Duration, Instant};

/// Waits until `ready` says something, looking every few milliseconds. `what` names it if it never
/// comes.
pub fn wait_for<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A new message id.
pub fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A pseudo-random sequence from a printed seed (splitmix64), so that a run can be repeated.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Takes the seed from the environment variable `SEED`, or from the clock, and prints it.
    pub fn seeded(test: &str) -> Self {
        let from_clock = || {
            let since = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            since.as_nanos() as u64
        };
        let seed = std::env::var("SEED")
            .ok()
            .and_then(|s| s.parse().ok())
            .unwrap_or_else(from_clock);
        println!("{test}: SEED={seed}");
        Self(seed)
    }

    /// A sequence of this number.
    pub const fn of(number: u64) -> Self {
        Self(number)
    }

    /// The next value.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A value below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }
}

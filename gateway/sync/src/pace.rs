//! How much of the link may be used.

use std::time::Duration;

/// Bytes a second that the uplink may take; none: as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Bytes in a second.
    pub bytes_per_s: Option<u64>,
}

/// A call's deadline on a link of which nothing is known: what a chunk takes at 16 KiB/s, and this at the least.
const APPEND_LEAST: Duration = Duration::from_secs(10);
const SLOW_BYTES_PER_S: u64 = 16 * 1024;
/// A chunk is no larger than the link carries in this time.
const CHUNK_S: u64 = 4;

impl Pace {
    /// What the link takes for so many bytes at this pace.
    pub fn time_for(self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes_per_s.map_or(Duration::ZERO, |rate| {
            Duration::from_millis(bytes.saturating_mul(1_000) / rate.max(1))
        })
    }

    /// The largest chunk that suits the link.
    pub fn chunk_bytes(self, most: usize) -> usize {
        self.bytes_per_s.map_or(most, |rate| {
            usize::try_from(rate.saturating_mul(CHUNK_S))
                .unwrap_or(usize::MAX)
                .clamp(8 * 1024, most.max(8 * 1024))
        })
    }

    /// Until when an append of so many bytes must be answered.
    pub fn deadline(self, bytes: usize) -> Duration {
        let rate = self.bytes_per_s.unwrap_or(SLOW_BYTES_PER_S).max(1);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        APPEND_LEAST + Duration::from_secs(bytes / rate.min(SLOW_BYTES_PER_S))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G4: on a slow link chunks are small, waits are what the link takes, deadlines are longer.
    #[test]
    fn a_slow_link_gets_small_chunks_and_long_deadlines() {
        let slow = Pace {
            bytes_per_s: Some(4 * 1024),
        };
        assert_eq!(slow.chunk_bytes(256 * 1024), 16 * 1024);
        assert_eq!(slow.time_for(16 * 1024), Duration::from_secs(4));
        assert_eq!(
            slow.deadline(16 * 1024),
            APPEND_LEAST + Duration::from_secs(4)
        );
        let free = Pace::default();
        assert_eq!(free.chunk_bytes(256 * 1024), 256 * 1024);
        assert_eq!(free.time_for(1 << 20), Duration::ZERO);
    }
}

//! How much of everything.

use std::time::Duration;

/// Limits of the log. The defaults are those that the crash images were made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest signed event, in bytes. A leaf page of sled must stay far under its blob threshold, since it never
    /// syncs blob files; so at most [`Limits::EVENT_BYTES_CEILING`], whatever is configured.
    pub event_bytes_max: usize,
    /// Largest group of events that one call may append, in bytes of signed events.
    pub group_bytes_max: usize,
    /// How much of waiting calls one flush gathers, in bytes.
    pub flush_bytes_max: usize,
    /// How much may wait for the committer before callers are told that it is busy, in bytes.
    pub queue_bytes_max: usize,
    /// How many calls may wait for the committer.
    pub queue_len_max: usize,
    /// Longest value of a key-value pair, in bytes. Longer than a page's share is stored in chunks.
    pub kv_value_bytes_max: usize,
    /// Longest key, in bytes.
    pub kv_key_bytes_max: usize,
    /// How long a flush waits for more calls when several are about. A call that is alone never waits.
    pub gather_window: Duration,
    /// A checkpoint is begun at the latest after this many events …
    pub checkpoint_events_max: u64,
    /// … or this long after the first event that none covers.
    pub checkpoint_delay_max: Duration,
    /// Commits wait for `HEAD` when it lags by this many events (its disk is slower than the log's).
    pub checkpoint_lag_events_max: u64,
    /// The witness beside the keys is brought up to `HEAD` at the latest after this long, and no more often unless it is asked for.
    pub witness_every: Duration,
    /// sled's page cache, in bytes: pages by their length on disk, rounded up to a power of two. What is written goes to the
    /// last page and what is read soon after is near it, so a small cache serves as well as a large one.
    pub cache_bytes: u64,
    /// A copy of an epoch leaves at least so much room on the disk, in bytes; else the epoch itself is opened. It is not worth more than
    /// what the station records.
    pub copy_room_bytes: u64,
}

impl Limits {
    /// No configuration may allow a longer event than this, in bytes.
    pub const EVENT_BYTES_CEILING: usize = 8 * 1024;
    /// No configuration may allow a longer key than this, in bytes.
    pub const KV_KEY_BYTES_CEILING: usize = 1024;
    /// No configuration may allow a longer value than this, in bytes.
    pub const KV_VALUE_BYTES_CEILING: usize = 64 * 1024;

    /// Brings what must not be exceeded back under its ceiling.
    pub(crate) fn clamped(mut self) -> Self {
        self.event_bytes_max = self.event_bytes_max.min(Self::EVENT_BYTES_CEILING);
        self.kv_key_bytes_max = self.kv_key_bytes_max.min(Self::KV_KEY_BYTES_CEILING);
        self.kv_value_bytes_max = self.kv_value_bytes_max.min(Self::KV_VALUE_BYTES_CEILING);
        self.checkpoint_lag_events_max = self
            .checkpoint_lag_events_max
            .max(self.checkpoint_events_max.saturating_mul(2));
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes_max: 6 * 1024,
            group_bytes_max: 128 * 1024,
            flush_bytes_max: 512 * 1024,
            queue_bytes_max: 8 * 1024 * 1024,
            queue_len_max: 8192,
            kv_value_bytes_max: 64 * 1024,
            kv_key_bytes_max: 1024,
            gather_window: Duration::from_micros(100),
            checkpoint_events_max: 256,
            checkpoint_delay_max: Duration::from_secs(1),
            checkpoint_lag_events_max: 4096,
            witness_every: Duration::from_secs(10),
            cache_bytes: 4 * 1024 * 1024,
            copy_room_bytes: 1 << 30,
        }
    }
}

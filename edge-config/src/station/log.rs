//! `[log]`: how long the log's events are kept, and in what portions.

use crate::reader::Section;

/// Nobody may keep events for a shorter time: the audit period.
pub const AUDIT_DAYS_MIN: u16 = 190;

/// How long the log's events are kept, and in what portions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRules {
    /// An epoch of the log ends after this many events …
    pub epoch_events: u64,
    /// … or this many days. Only whole epochs are pruned.
    pub epoch_days: u16,
    /// Events stay at least so many days, though the centre holds them.
    pub audit_days: u16,
}

impl Default for LogRules {
    fn default() -> Self {
        Self {
            epoch_events: 100_000,
            epoch_days: 30,
            audit_days: AUDIT_DAYS_MIN,
        }
    }
}

pub(super) fn read(s: &mut Section<'_>) -> LogRules {
    let default = LogRules::default();
    LogRules {
        epoch_events: s.number("epoch_events", 100..=5_000_000, default.epoch_events),
        epoch_days: s.number("epoch_days", 1..=365, default.epoch_days),
        audit_days: s.number(
            "audit_days",
            i64::from(AUDIT_DAYS_MIN)..=3_650,
            default.audit_days,
        ),
    }
}

//! Which events may go: those that the centre holds, and that are older than the audit period by a clock that is believed.

use gateway_log::{Log, PruneError};
use schemas::envelope;
use schemas::event::Event;
use schemas::time::{ClockTrust, Now};

use super::SnapshotStore;

const DAY_MS: u64 = 86_400_000;

/// The size before which events may be pruned. Pure. `acknowledged_size`: events that the centre holds. `epochs`: for each epoch that
/// is there, its first index and when that event was recorded, ascending. Events may go once the epoch behind them began longer ago
/// than `audit_days`. What nobody can date may not go, nor anything while the present clock is not believed.
pub fn prunable(acknowledged_size: u64, epochs: &[(u64, Now)], audit_days: u16, now: &Now) -> u64 {
    let audit_ms = u64::from(audit_days).saturating_mul(DAY_MS);
    let (mut size, mut newest_ms) = (0, 0);
    for (first, begun) in epochs
        .iter()
        .take_while(|(first, _)| *first <= acknowledged_size)
    {
        if [begun.trust, now.trust] != [ClockTrust::Synchronised; 2] {
            continue;
        }
        // A clock that was set back does not make an epoch older than the one before it.
        newest_ms = newest_ms.max(begun.wall_ms);
        if now.wall_ms.saturating_sub(newest_ms) >= audit_ms {
            size = *first;
        }
    }
    size
}

/// Prunes what may go. Blocks, and reads the first event of every epoch. The index of the first event that is left.
pub fn prune(
    log: &Log,
    snapshots: &SnapshotStore,
    acknowledged_size: u64,
    audit_days: u16,
    now: &Now,
) -> Result<u64, PruneError> {
    let mut epochs = Vec::new();
    for first in log.epochs() {
        let Some(event) = log.read(first..first.saturating_add(1)).next() else {
            continue;
        };
        if let Ok(entry) = envelope::read(&event?.1) {
            epochs.push((first, entry.meta.now));
        }
    }
    let size = prunable(acknowledged_size, &epochs, audit_days, now);
    log.prune(size, |_, event| is_restorable(snapshots, event))
}

/// Whether an epoch's first event names a snapshot that is there.
pub fn is_restorable(snapshots: &SnapshotStore, event: &[u8]) -> bool {
    match envelope::read(event).map(|entry| entry.event) {
        Ok(Event::SnapshotTaken(taken)) => snapshots.holds(&taken),
        Ok(_) | Err(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use schemas::ids::BootId;

    use super::*;

    fn on(day: u64, trust: ClockTrust) -> Now {
        Now {
            wall_ms: 1_700_000_000_000 + day * DAY_MS,
            boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
            mono_ms: 0,
            trust,
        }
    }

    /// G4: only what the centre holds and what is older than the audit period goes, by a clock that is believed at both ends.
    #[test]
    fn events_go_when_the_centre_holds_them_and_the_audit_period_is_over() {
        use ClockTrust::{Synchronised as Yes, Unsynchronised as No};
        let at = |first, day, trust| (first, on(day, trust));
        let epochs = [
            at(0, 0, Yes),
            at(100, 30, Yes),
            at(200, 60, No),
            at(300, 90, Yes),
        ];
        let cases = [
            // Acknowledged, day, trust; prunable.
            (1_000, 219, Yes, 0),
            (1_000, 220, Yes, 100),
            (1_000, 279, Yes, 100),
            (1_000, 280, Yes, 300),
            (1_000, 280, No, 0),
            (299, 280, Yes, 100),
            (300, 280, Yes, 300),
            (99, 280, Yes, 0),
            (0, 9_000, Yes, 0),
            (1_000, 10, Yes, 0),
        ];
        for (acknowledged, day, trust, expected) in cases {
            let size = prunable(acknowledged, &epochs, 190, &on(day, trust));
            assert_eq!(size, expected, "{acknowledged} on day {day}, {trust:?}");
        }
        let set_back = [at(0, 100, Yes), at(100, 3, Yes)];
        assert_eq!(prunable(1_000, &set_back, 190, &on(250, Yes)), 0);
        assert_eq!(prunable(1_000, &set_back, 190, &on(290, Yes)), 100);
    }
}

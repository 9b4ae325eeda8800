//! Which events may go: those that the centre holds, and that are older than the audit period by a clock that is believed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_log::{Log, LogFailed, PruneError};
use schemas::envelope;
use schemas::event::Event;
use schemas::event::evidence::SnapshotTaken;
use schemas::time::{ClockTrust, Now};

use super::SnapshotStore;

const DAY_MS: u64 = 86_400_000;

/// What the first events of epochs say. It never changes, and a closed epoch is copied whole to be read, so that each is looked into once.
/// Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Beginnings(Arc<Mutex<BTreeMap<u64, Beginning>>>);

/// What an epoch's first event says.
#[derive(Debug, Clone, Default)]
struct Beginning {
    /// When it was recorded; none where the event cannot be read.
    at: Option<Now>,
    /// The snapshot that it names.
    snapshot: Option<SnapshotTaken>,
}

impl Beginnings {
    /// Of the epoch with this first index. Blocks, and opens the epoch the first time.
    fn of(&self, log: &Log, first: u64) -> Result<Beginning, LogFailed> {
        if let Some(known) = self.all().get(&first) {
            return Ok(known.clone());
        }
        let Some(stored) = log.read(first..first.saturating_add(1)).next() else {
            // It has no durable event yet.
            return Ok(Beginning::default());
        };
        let entry = envelope::read(&stored?.1).ok();
        let found = entry.map_or_else(Beginning::default, |entry| Beginning {
            at: Some(entry.meta.now),
            snapshot: snapshot(entry.event),
        });
        self.all().insert(first, found.clone());
        Ok(found)
    }

    /// What was pruned is not asked for again.
    fn forget_before(&self, first: u64) {
        self.all().retain(|known, _| *known >= first);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Beginning>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The size before which events may be pruned. `acknowledged_size`: events that the centre holds. `epochs`: the first index of each epoch
/// that is there, ascending. `begun`: when that event was recorded, asked for no more epochs than it takes. Events may go once the epoch
/// behind them began longer ago than `audit_days`. What nobody can date may not go, nor anything while the present clock is not believed.
pub fn prunable<E>(
    acknowledged_size: u64,
    epochs: &[u64],
    mut begun: impl FnMut(u64) -> Result<Option<Now>, E>,
    audit_days: u16,
    now: &Now,
) -> Result<u64, E> {
    let audit_ms = u64::from(audit_days).saturating_mul(DAY_MS);
    let (mut size, mut newest_ms) = (0, 0);
    if now.trust != ClockTrust::Synchronised {
        return Ok(size);
    }
    for first in epochs
        .iter()
        .take_while(|first| **first <= acknowledged_size)
    {
        let dated = begun(*first)?.filter(|begun| begun.trust == ClockTrust::Synchronised);
        let Some(begun) = dated else { continue };
        // A clock that was set back does not make an epoch older than the one before it.
        newest_ms = newest_ms.max(begun.wall_ms);
        if now.wall_ms.saturating_sub(newest_ms) < audit_ms {
            break;
        }
        size = *first;
    }
    Ok(size)
}

/// Prunes what may go. Blocks, and opens what `beginnings` does not know yet. The index of the first event that is left.
pub fn prune(
    log: &Log,
    snapshots: &SnapshotStore,
    beginnings: &Beginnings,
    acknowledged_size: u64,
    audit_days: u16,
    now: &Now,
) -> Result<u64, PruneError> {
    let epochs = log.epochs();
    let begun = |first| Ok::<_, LogFailed>(beginnings.of(log, first)?.at);
    let size = prunable(acknowledged_size, &epochs, begun, audit_days, now)?;
    let oldest = log.first_index();
    // The log would open epochs to find out the same.
    if size <= oldest || restorable(log, snapshots, beginnings, &epochs)? <= oldest {
        return Ok(oldest);
    }
    let left = log.prune(size, |_, event| is_restorable(snapshots, event))?;
    beginnings.forget_before(left);
    Ok(left)
}

/// The first index of the newest epoch whose state can be restored, 0 if there is none.
fn restorable(
    log: &Log,
    snapshots: &SnapshotStore,
    beginnings: &Beginnings,
    epochs: &[u64],
) -> Result<u64, LogFailed> {
    let covered = log.head().checkpoint.size;
    for first in epochs.iter().rev().filter(|first| **first < covered) {
        let named = beginnings.of(log, *first)?.snapshot;
        if named.is_some_and(|taken| snapshots.holds(&taken)) {
            return Ok(*first);
        }
    }
    Ok(0)
}

fn snapshot(event: Event) -> Option<SnapshotTaken> {
    if let Event::SnapshotTaken(taken) = event {
        Some(taken)
    } else {
        None
    }
}

/// Whether an epoch's first event names a snapshot that is there.
pub fn is_restorable(snapshots: &SnapshotStore, event: &[u8]) -> bool {
    let named = envelope::read(event).ok();
    let named = named.and_then(|entry| snapshot(entry.event));
    named.is_some_and(|taken| snapshots.holds(&taken))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use gateway_log::Group;
    use schemas::envelope::{KeyId, Meta, Origin, Source};
    use schemas::event::station::{Presence, PresenceChanged};
    use schemas::ids::{BootId, DeviceId, TreeRoot};

    use super::*;
    use crate::testing;

    fn on(day: u64, trust: ClockTrust) -> Now {
        Now {
            wall_ms: 1_700_000_000_000 + day * DAY_MS,
            boot: BootId::new("0190b7a2-1f00-7000-8000-000000000001").unwrap(),
            mono_ms: 0,
            trust,
        }
    }

    fn size(acknowledged: u64, epochs: &[(u64, Now)], now: &Now) -> u64 {
        let firsts: Vec<_> = epochs.iter().map(|(first, _)| *first).collect();
        let known: BTreeMap<_, _> = epochs.iter().cloned().collect();
        let begun = |first| Ok::<_, LogFailed>(known.get(&first).cloned());
        prunable(acknowledged, &firsts, begun, 190, now).unwrap()
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
            let size = size(acknowledged, &epochs, &on(day, trust));
            assert_eq!(size, expected, "{acknowledged} on day {day}, {trust:?}");
        }
        let set_back = [at(0, 100, Yes), at(100, 3, Yes)];
        assert_eq!(size(1_000, &set_back, &on(250, Yes)), 0);
        assert_eq!(size(1_000, &set_back, &on(290, Yes)), 100);
    }

    /// Begins an epoch with this event. Nobody looks at the signature here.
    async fn begin(log: &Log, event: &Event, now: Now) {
        let meta = Meta {
            source: Source::Gateway,
            now,
            cause: None,
        };
        let (index, origin) = (log.next_index(), Origin::new(testing::ORIGIN).unwrap());
        let key = KeyId::of(&[0; 32]);
        let signed = envelope::seal(&origin, index, &meta, event, key, |_| [0; 64]).unwrap();
        let group = Group::new(index, ()).batch(vec![signed]).sealed();
        let group = if index > 0 {
            group.beginning_epoch()
        } else {
            group
        };
        drop(log.append(group).await.unwrap());
    }

    /// G4: a closed epoch is copied whole to be read. None is opened again for what its first event says, and none behind the one that is
    /// too young to let others go.
    #[tokio::test]
    async fn g4_no_closed_epoch_is_opened_twice_to_see_what_may_go() {
        use ClockTrust::{Synchronised, Unsynchronised};
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let keys = crate::keys::open(&at("keys"), &at("data"), &at("marker")).unwrap();
        let log = testing::log_on_disk(place.path(), &keys);
        let snapshots = SnapshotStore::of(place.path());
        let presence = Event::PresenceChanged(PresenceChanged {
            device: DeviceId::new("reader-1").unwrap(),
            presence: Presence::Offline,
        });
        let state = snapshots.write(b"a state").unwrap();
        for epoch in 0..10 {
            // The clock of the first five was not believed.
            let trust = if epoch < 5 {
                Unsynchronised
            } else {
                Synchronised
            };
            let taken = SnapshotTaken {
                state: state.clone(),
                state_len: 7,
                size: epoch,
                root: TreeRoot::new("0".repeat(64)).unwrap(),
            };
            let event = if epoch == 7 {
                taken.into()
            } else {
                presence.clone()
            };
            begin(&log, &event, on(epoch * 10, trust)).await;
        }
        assert_eq!(log.epochs().len(), 10);
        let (beginnings, opened) = (Beginnings::default(), || log.closed_epochs_opened());
        let look = |day, trust| {
            let now = on(day, trust);
            prune(&log, &snapshots, &beginnings, 1_000, 190, &now).unwrap()
        };
        let before = opened();
        assert_eq!((look(200, Unsynchronised), opened()), (0, before));
        assert_eq!(look(200, Synchronised), 0);
        assert_eq!(opened(), before + 6, "up to the first one that is dated");
        for day in 201..240 {
            assert_eq!(look(day, Synchronised), 0);
        }
        assert_eq!(opened(), before + 6);
        assert_eq!(look(260, Synchronised), 7);
        let pruned = opened();
        assert_eq!(look(261, Synchronised), 7);
        assert_eq!(opened(), pruned);
        assert_eq!(log.epochs(), [7, 8, 9]);
    }
}

//! What is left of the old log, and how much of it is genuine: from its beginning, or from a snapshot where its first events were
//! pruned.

use std::path::Path;

use gateway_core::{Recorded, State, evolve};
use gateway_log::StoppedLog;
use schemas::chain::KeyChain;
use schemas::envelope::{KeyId, Origin, Signed};
use schemas::event::Event;
use schemas::proof::{Checkpoint, NoteKey, SignedNote};

use crate::snapshot::SnapshotStore;

/// Without the first key nothing is proven; but a `HEAD` that names another log shows that the number is wrong, and the number of the new
/// log, which follows from it, might be one that was used before.
pub(super) fn check_name(data: &Path, origin: &Origin) -> anyhow::Result<()> {
    let head = std::fs::read_to_string(data.join("HEAD")).unwrap_or_default();
    let named = SignedNote::parse(&head)
        .ok()
        .and_then(|note| Checkpoint::parse_body(note.text()).ok());
    if let Some(checkpoint) = named {
        anyhow::ensure!(
            checkpoint.origin == origin.as_str(),
            "the log in {} names itself {}, not {origin}: give its number, or put it elsewhere if it does not belong here",
            data.display(),
            checkpoint.origin
        );
    }
    Ok(())
}

pub(super) fn known_keys(chain: &KeyChain) -> Vec<NoteKey> {
    let keys = std::iter::once(*chain.first()).chain(chain.rotations().map(|(_, key)| *key));
    keys.filter_map(|key| NoteKey::new(chain.origin().as_str(), key).ok())
        .collect()
}

/// A checkpoint of the old log. As far as the log was read it must be signed as its size asks for; beyond that, by a key that is
/// known.
pub(super) fn checkpoint_by(
    proven: Option<&(KeyChain, u64)>,
    keys: &[NoteKey],
    origin: &Origin,
    note: &str,
) -> Option<Checkpoint> {
    let signed = SignedNote::parse(note).ok()?;
    let checkpoint = Checkpoint::parse_body(signed.text()).ok()?;
    if let Some((chain, _)) = proven.filter(|(_, events)| checkpoint.size <= *events) {
        return chain.open(note, &gateway_audit::check).ok();
    }
    let genuine = keys
        .iter()
        .any(|key| signed.verified_by(key, gateway_audit::check));
    (genuine && checkpoint.origin == origin.as_str()).then_some(checkpoint)
}

/// The state before the oldest event that is there, or before a later epoch where its snapshot is not; the index to go on from.
pub(super) fn restore(
    log: &StoppedLog,
    data: &Path,
    chain: &mut KeyChain,
    state: &mut State,
) -> u64 {
    let snapshots = SnapshotStore::of(data);
    let epochs = log.epochs();
    let oldest = epochs.first().copied().unwrap_or(0);
    for first in epochs.into_iter().filter(|_| oldest > 0) {
        let Some(Ok((_, signed))) = log.read(first..first.saturating_add(1)).next() else {
            continue;
        };
        let Ok(contents) = snapshots.of_event(&signed, chain.origin()) else {
            continue;
        };
        if let Ok((followed, _)) = contents.chain(chain.clone()) {
            *chain = followed;
            *state = contents.into_state();
            return first;
        }
    }
    // Without any there is no state, and reading says from where on.
    0
}

/// The state as far as the log proves itself.
pub(super) fn replay(
    log: StoppedLog,
    first: u64,
    chain: &mut KeyChain,
    state: &mut State,
) -> (u64, Option<String>) {
    let mut events = first;
    for stored in log.into_events(first) {
        let (index, signed) = match stored {
            Ok(stored) => stored,
            Err(failed) => return (events, Some(failed.to_string())),
        };
        if let Err(error) = take(index, &signed, chain, state) {
            return (events, Some(format!("event {index}: {error:#}")));
        }
        events += 1;
    }
    (events, None)
}

fn take(index: u64, signed: &[u8], chain: &mut KeyChain, state: &mut State) -> anyhow::Result<()> {
    let event = Signed::read(signed)?;
    let key = *chain.in_force(index);
    let genuine = event.index() == index
        && event.origin() == chain.origin()
        && event.key_id() == KeyId::of(&key)
        && event.is_genuine(|message, signature| gateway_audit::check(&key, message, signature));
    anyhow::ensure!(genuine, "it is not genuine");
    let entry = event.into_entry()?;
    if let Event::KeyRotated(rotation) = &entry.event {
        chain.rotate(index, rotation, &gateway_audit::check)?;
    }
    evolve(
        state,
        Recorded {
            index,
            now: &entry.meta.now,
            event: &entry.event,
        },
    );
    Ok(())
}

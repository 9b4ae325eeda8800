//! Looks for what is to go up. All of it reads the disk.

use std::collections::BTreeSet;
use std::io;

use gateway_log::{Log, LogFailed};
use schemas::envelope;
use schemas::event::Event;
use schemas::key::SealingKeyId;

use super::queue::{Item, Queue, Waiting};
use crate::blobs::BlobStore;
use crate::sealing::SealingDesk;

/// The events of these that say what goes up.
pub(super) fn wanted(log: &Log, from: u64, end: u64) -> Result<Vec<(u64, Event)>, LogFailed> {
    let mut found = Vec::new();
    for stored in log.read(from..end) {
        let (index, signed) = stored?;
        let entry = envelope::read(&signed).ok();
        found.extend(
            entry
                .filter(|entry| Queue::is_wanted(&entry.event))
                .map(|entry| (index, entry.event)),
        );
    }
    Ok(found)
}

/// The keys whose way up had begun and that are still here: whether it ended is not known any more. `size`: of the log now, which has
/// the end of their sessions.
pub(super) fn keys_on_their_way(sealing: &SealingDesk, size: u64) -> io::Result<Vec<Waiting>> {
    let keys = sealing.store().leaving()?.into_iter();
    Ok(keys
        .map(|key| waiting(Item::Key(key), None, size))
        .collect())
}

/// Everything that is here, blobs first. What belongs to an open session is named by events that are still there.
pub(super) fn all_that_is_here(
    blobs: &BlobStore,
    sealing: &SealingDesk,
    from: u64,
    size: u64,
) -> io::Result<Vec<Waiting>> {
    let (open, closed): (BTreeSet<_>, BTreeSet<_>) = sealing
        .store()
        .names()?
        .into_iter()
        .partition(|key| is_open(sealing, key));
    let mut items = Vec::new();
    for name in blobs.names()? {
        // Without an open session no blob has to be opened to see whose it is.
        let is_open =
            !open.is_empty() && blobs.key_of(&name).is_some_and(|key| open.contains(&key));
        if !is_open {
            items.push(Item::Blob(name));
        }
    }
    items.extend(closed.into_iter().map(Item::Key));
    let items = items.into_iter();
    Ok(items.map(|item| waiting(item, Some(from), size)).collect())
}

fn is_open(sealing: &SealingDesk, key: &SealingKeyId) -> bool {
    let session = sealing.store().session_of(key);
    session.is_some_and(|session| sealing.is_open(&session))
}

fn waiting(item: Item, from: Option<u64>, size: u64) -> Waiting {
    Waiting {
        item,
        session: None,
        from,
        end: size.saturating_sub(1),
    }
}

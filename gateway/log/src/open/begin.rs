//! Where the reading of a log begins: at the newest epoch whose state the caller can restore, so that the epochs before it need
//! not be read.

use schemas::proof::{Frontier, NoteKey};

use super::files::Folder;
use super::trial;
use super::unreadable;
use super::verify::{Begun, Claims};
use crate::epochs::{Copies, EpochList, EpochStore, Owner, check_origin};
use crate::error::{LogFailed, OpenError, Quarantine};
use crate::limits::Limits;
use crate::store::{EpochsStore as _, SledStore, Store as _, Stored};

/// The epochs of a log, none of them read yet.
pub(super) struct Epochs {
    pub(super) store: EpochStore,
    pub(super) list: EpochList,
    /// Where they are copied to, to be looked at.
    pub(super) copies: Copies,
    /// Whether the newest that `EPOCHS` names held no event, so that it is to be given up.
    pub(super) abandoned: bool,
}

/// Opens the newest epoch, has the caller restore the state before one, and compares the stored hashes of those before that.
pub(super) fn run(
    folder: &Folder,
    identity: &NoteKey,
    claims: &Claims,
    limits: &Limits,
    restore: impl FnMut(u64, &[u8]) -> bool,
) -> Result<(Epochs, Begun), OpenError> {
    let epochs = open(folder, identity, claims, limits)?;
    let tree = choose(&epochs, claims, restore)?;
    let begun = Begun::behind(&epochs, folder.path(), tree, claims)?;
    Ok((epochs, begun))
}

/// The others are only looked for.
fn open(
    folder: &Folder,
    identity: &NoteKey,
    claims: &Claims,
    limits: &Limits,
) -> Result<Epochs, OpenError> {
    let place = folder.epochs();
    let list = EpochList::read(&place.list())?.ok_or(Quarantine::Missing("EPOCHS"))?;
    let copies = Copies::within(folder.path(), limits.copy_room_bytes);
    let open_newest = |list: &EpochList| -> Result<SledStore, OpenError> {
        trial::epoch(folder, &copies, list, identity, claims)?;
        let newest = list.newest();
        place
            .remove_half_snapshots(newest)
            .map_err(OpenError::io("remove sled's half-written snapshots"))?;
        let store =
            SledStore::open(&place.epoch(newest), limits.cache_bytes).map_err(unreadable)?;
        check_origin(&store, identity)?;
        Ok(store)
    };
    let newest = open_newest(&list)?;
    let is_empty = newest.stored_events().next().is_none();
    let is_claimed = claims.head.size().max(claims.witness.size()) > list.newest();
    let new = |list: &EpochList, newest| {
        let owner = Owner {
            identity: identity.clone(),
            copies: copies.clone(),
        };
        EpochStore::new(
            folder.path(),
            Some(owner),
            limits.cache_bytes,
            list.clone(),
            newest,
        )
    };
    match list.without_newest() {
        // Its first event was under a checkpoint before it was acknowledged, so none ever was.
        Some(before) if is_empty && !is_claimed => {
            drop(newest);
            Ok(Epochs {
                store: new(&before, open_newest(&before)?),
                list: before,
                copies: copies.clone(),
                abandoned: true,
            })
        }
        _ => Ok(Epochs {
            store: new(&list, newest),
            list,
            copies: copies.clone(),
            abandoned: false,
        }),
    }
}

/// The tree before the first event to be read. `restore` is shown the first event of each epoch, the newest first, until
/// it has restored the state before one.
fn choose(
    epochs: &Epochs,
    claims: &Claims,
    mut restore: impl FnMut(u64, &[u8]) -> bool,
) -> Result<Frontier, OpenError> {
    // What no checkpoint covers is not built upon.
    let covered = claims.head.size();
    for first in epochs.list.firsts().rev().filter(|first| *first < covered) {
        if first == 0 {
            return Ok(Frontier::new());
        }
        let event = epochs.store.events(first..first.saturating_add(1)).next();
        let Some(event) = event.transpose().map_err(unreadable)? else {
            continue;
        };
        if restore(first, &event.1) {
            return epochs.store.frontier(first).map_err(unreadable);
        }
    }
    match epochs.list.oldest() {
        0 => Ok(Frontier::new()),
        first => Err(Quarantine::NoSnapshot { first }.into()),
    }
}

/// The events from `first` on, which begins an epoch, up to `until`, which begins another; as they are stored.
pub(super) fn stored(
    epochs: &Epochs,
    first: u64,
    until: u64,
) -> impl Iterator<Item = Result<Stored, LogFailed>> + Send + use<> {
    let store = epochs.store.clone();
    let firsts: Vec<u64> = epochs
        .list
        .firsts()
        .filter(|epoch| (first..until).contains(epoch))
        .collect();
    firsts.into_iter().flat_map(move |epoch| {
        let (opened, failed) = match store.epoch(epoch) {
            Ok(opened) => (Some(opened), None),
            Err(failed) => (None, Some(Err(failed))),
        };
        let events = opened.into_iter().flat_map(|epoch| {
            // Stays open while it is read.
            epoch.stored_events().inspect(move |_| {
                let _kept = &epoch;
            })
        });
        failed.into_iter().chain(events)
    })
}

/// Brings the folders after what was found: gives up an epoch that was never used, and removes what a crash left of one that was
/// being begun or pruned.
pub(super) fn settle(folder: &Folder, epochs: &Epochs) -> Result<(), OpenError> {
    let place = epochs.store.place();
    let doing = || OpenError::io("remove what is left of an epoch");
    let left = place.unlisted(&epochs.list).map_err(doing())?;
    for first in left
        .iter()
        .copied()
        .filter(|first| *first > epochs.list.oldest())
    {
        refuse_events(folder, &epochs.copies, first)?;
    }
    if epochs.abandoned {
        epochs.list.write(&place.list()).map_err(doing())?;
    }
    for first in left {
        tracing::info!(first_index = first, "removing what is left of an epoch");
        place.remove(first).map_err(doing())?;
    }
    Ok(())
}

/// An epoch that was not begun to the end holds no event, and may not even open. One that holds some was begun, so the list is an
/// older one.
fn refuse_events(folder: &Folder, copies: &Copies, first: u64) -> Result<(), OpenError> {
    folder
        .epochs()
        .remove_half_snapshots(first)
        .map_err(OpenError::io("look at what is left of an epoch"))?;
    if trial::holds_any(folder, copies, first)? {
        return Err(Quarantine::EpochUnlisted { first }.into());
    }
    Ok(())
}

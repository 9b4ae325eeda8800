//! The first start, or one that was interrupted.

use schemas::proof::{Frontier, NoteKey};

use super::files::Folder;
use super::marker::Marker;
use super::verify::Claims;
use super::{Opened, format, prove_sync};
use crate::checkpoint_file::Claim;
use crate::epochs::{Copies, EpochList, EpochStore, Owner, write_beginning};
use crate::error::{OpenError, Quarantine};
use crate::limits::Limits;
use crate::notary::{Notary, Urgency};
use crate::store::SledStore;
use crate::tree::CatchUp;

/// Makes an empty log, after making sure that none was there.
pub(super) fn run(
    folder: &Folder,
    marker: &Marker,
    identity: &NoteKey,
    mut notary: Notary,
    claims: &Claims<Option<Claim>>,
    limits: &Limits,
) -> Result<Opened, OpenError> {
    refuse_a_lost_marker(folder, claims, limits)?;
    for claim in [&claims.head, &claims.witness].into_iter().flatten() {
        // Over no event, so there is one key that can have signed it.
        claim.check_signature(notary.signer())?;
    }
    remove_unfinished(folder)?;

    format::write_newest(folder)?;
    let tree = Frontier::new();
    let head = notary.publish(&tree, Urgency::Usual)?;
    let (place, list) = (folder.epochs(), EpochList::first());
    place
        .make_all()
        .map_err(OpenError::io("make the log's folder"))?;
    let store = SledStore::open(&place.epoch(0), limits.cache_bytes)?;
    write_beginning(&store, identity, &tree)?;
    prove_sync(&store)?;
    let stored_tree = CatchUp::begin(folder.path(), 0).finish(&tree);
    folder.sync_all(0)?;
    list.write(&place.list())
        .map_err(OpenError::io("write EPOCHS"))?;
    notary.witness()?;
    marker.write()?;
    let owner = Owner {
        identity: identity.clone(),
        copies: Copies::within(folder.path(), limits.copy_room_bytes),
    };
    let store = EpochStore::new(folder.path(), Some(owner), limits.cache_bytes, list, store);
    Ok(Opened {
        store,
        first: 0,
        tree,
        stored_tree,
        notary,
        head,
    })
}

/// No event can exist before the marker does; so if there is one, the marker was lost.
fn refuse_a_lost_marker(
    folder: &Folder,
    claims: &Claims<Option<Claim>>,
    limits: &Limits,
) -> Result<(), OpenError> {
    let has_head = claims.head.is_some();
    let claimed = [&claims.head, &claims.witness].into_iter().flatten();
    // Whoever signed it: a checkpoint over an event is no checkpoint of a first start.
    let head_events = claimed.map(Claim::size).max().unwrap_or(0);
    let has_log = holds_epoch(folder);
    // `HEAD` is durable before sled's folder is made, so a log without one has lost it. Neither case is
    // opened to look: that would write.
    let events = if has_log && has_head && head_events == 0 {
        events_in_log(folder, limits)?
    } else {
        0
    };
    if head_events > 0 || events > 0 || (has_log && !has_head) {
        return Err(Quarantine::MarkerMissing {
            events,
            head_events,
        }
        .into());
    }
    Ok(())
}

/// Whether there is a first epoch, or any other: those begin only behind events.
fn holds_epoch(folder: &Folder) -> bool {
    let place = folder.epochs();
    let others = place.unlisted(&EpochList::first());
    place.require(0).is_ok() || others.is_ok_and(|others| !others.is_empty())
}

/// A folder that sled was cut off from making may not open; it then holds no event.
fn events_in_log(folder: &Folder, limits: &Limits) -> Result<u64, OpenError> {
    let place = folder.epochs();
    let others = place.unlisted(&EpochList::first());
    let others = others.map_err(OpenError::io("list the epochs"))?;
    if let Some(first) = others.into_iter().max() {
        return Ok(first);
    }
    place
        .remove_half_snapshots(0)
        .map_err(OpenError::io("remove sled's half-written snapshots"))?;
    let Ok(store) = SledStore::open(&place.epoch(0), limits.cache_bytes) else {
        return Ok(0);
    };
    let counted = store.stored_events().take_while(Result::is_ok).count();
    Ok(u64::try_from(counted).unwrap_or(u64::MAX))
}

fn remove_unfinished(folder: &Folder) -> Result<(), OpenError> {
    match std::fs::remove_dir_all(folder.epochs().all()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OpenError::Io {
            doing: "remove an unfinished log".to_owned(),
            source,
        }),
    }
}

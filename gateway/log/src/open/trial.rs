//! A look at a copy before the log itself is opened. sled drops what follows a damaged record as if it had never been written; a log that is
//! refused must still hold it, because it can be evidence and may be mended.

use schemas::proof::NoteKey;

use super::files::Folder;
use super::unreadable;
use super::verify::Claims;
use crate::epochs::{Copies, EpochList, check_origin};
use crate::error::{OpenError, Quarantine};
use crate::scratch::Scratch;
use crate::store::SledStore;

/// sled's page cache for a single look, in bytes.
const SMALL_CACHE_BYTES: u64 = 1 << 20;

/// Refuses an epoch that is somebody else's, or from which sled would lose what a checkpoint covers. `list` is of the log up to this epoch.
pub(super) fn epoch(
    folder: &Folder,
    copies: &Copies,
    list: &EpochList,
    identity: &NoteKey,
    claims: &Claims,
) -> Result<(), OpenError> {
    let first = list.newest();
    let epoch = folder.epochs().epoch(first);
    let copied = copies.make(&epoch);
    let copied = copied.map_err(OpenError::io("copy the newest epoch"))?;
    let Some(copy) = copied else {
        return Ok(());
    };
    let store = SledStore::open(copy.path(), SMALL_CACHE_BYTES).map_err(unreadable)?;
    check_origin(&store, identity)?;
    let ends = store.ends().map_err(unreadable)?;
    if ends.is_some_and(|(oldest, _)| oldest != Some(first)) {
        return Err(Quarantine::Gap { expected: first }.into());
    }
    // A last key that is no index was not left behind by sled's mending; it is named when every event is read.
    let size = ends.map_or(Some(first), |(_, last)| Some(last?.saturating_add(1)));
    if let Some(size) = size.filter(|size| *size < claims.head.size().max(claims.witness.size())) {
        claims.check_covered(size)?;
    }
    Ok(())
}

/// Whether an epoch that the list does not name holds events.
pub(super) fn holds_any(folder: &Folder, copies: &Copies, first: u64) -> Result<bool, OpenError> {
    let epoch = folder.epochs().epoch(first);
    let copied = copies.make(&epoch);
    let copied = copied.map_err(OpenError::io("look at what is left of an epoch"))?;
    let looked_at = copied.as_ref().map_or(epoch.as_path(), Scratch::path);
    let store = SledStore::open(looked_at, SMALL_CACHE_BYTES);
    Ok(store.is_ok_and(|store| store.stored_events().any(|event| event.is_ok())))
}

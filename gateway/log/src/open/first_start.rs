//! The first start, or one that was interrupted.

use schemas::proof::Frontier;

use super::files::Folder;
use super::marker::Marker;
use super::{format, prove_sync};
use crate::checkpoint::{Notary, SignedHead};
use crate::error::{OpenError, Quarantine};
use crate::limits::Limits;
use crate::store::SledStore;

/// Makes an empty log, after making sure that none was there.
pub(super) fn run(
    folder: &Folder,
    marker: &Marker,
    notary: &Notary,
    head: Option<SignedHead>,
    limits: &Limits,
) -> Result<(SledStore, Frontier, SignedHead), OpenError> {
    refuse_a_lost_marker(folder, head.as_ref(), limits)?;
    remove_unfinished(folder)?;

    format::write_newest(folder)?;
    let tree = Frontier::new();
    let head = notary.sign(&tree)?;
    let store = SledStore::open(&folder.log(), limits.cache_bytes)?;
    store.set_meta(&[("origin", notary.key.to_vkey().as_bytes())])?;
    prove_sync(&store)?;
    folder.sync_all()?;
    marker.write()?;
    Ok((store, tree, head))
}

/// No event can exist before the marker does; so if there is one, the marker was lost.
fn refuse_a_lost_marker(
    folder: &Folder,
    head: Option<&SignedHead>,
    limits: &Limits,
) -> Result<(), OpenError> {
    let head_events = head.map_or(0, |head| head.checkpoint.size);
    let has_log = folder.require_log().is_ok();
    // `HEAD` is durable before sled's folder is made, so a log without one has lost it. Neither case is
    // opened to look: that would write.
    let events = if has_log && head.is_some() && head_events == 0 {
        events_in_log(folder, limits)?
    } else {
        0
    };
    if head_events > 0 || events > 0 || (has_log && head.is_none()) {
        return Err(Quarantine::MarkerMissing {
            events,
            head_events,
        }
        .into());
    }
    Ok(())
}

/// A folder that sled was cut off from making may not open; it then holds no event.
fn events_in_log(folder: &Folder, limits: &Limits) -> Result<u64, OpenError> {
    folder.remove_half_snapshots()?;
    let Ok(store) = SledStore::open(&folder.log(), limits.cache_bytes) else {
        return Ok(0);
    };
    let counted = store.stored_events().take_while(Result::is_ok).count();
    Ok(u64::try_from(counted).unwrap_or(u64::MAX))
}

fn remove_unfinished(folder: &Folder) -> Result<(), OpenError> {
    match std::fs::remove_dir_all(folder.log()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OpenError::Io {
            doing: "remove an unfinished log".to_owned(),
            source,
        }),
    }
}

//! Whether the log is whole: every index there, and the tree the one that `HEAD` was signed over. sled's recovery can
//! silently drop the tail of an older segment, or answer an empty tree; so nothing it says is taken on trust.

use schemas::proof::{Checkpoint, Frontier, NoteKey};

use super::{scan, unreadable};
use crate::error::{OpenError, Quarantine};
use crate::store::SledStore;

/// The log says itself whose it is.
pub(super) fn origin(store: &SledStore, key: &NoteKey) -> Result<(), OpenError> {
    let found = store.meta("origin").map_err(unreadable)?;
    let found = found.ok_or(Quarantine::Missing("the log's own record of its origin"))?;
    if found != key.to_vkey().as_bytes() {
        return Err(Quarantine::Origin {
            part: "log",
            found: String::from_utf8_lossy(&found).into_owned(),
            expected: key.to_vkey(),
        }
        .into());
    }
    Ok(())
}

/// Has every event read by `read`, shows what that answers to `apply` in order, and answers the tree.
pub(super) fn tree<T: Send>(
    store: &SledStore,
    head: &Checkpoint,
    read: impl Fn(u64, &[u8]) -> T + Sync,
    mut apply: impl FnMut(u64, T),
) -> Result<Frontier, OpenError> {
    let mut tree = Frontier::new();
    let mut root_at_head = None;
    scan::each(store, read, |leaf, read| {
        if tree.size() == head.size {
            root_at_head = Some(tree.root());
        }
        apply(tree.size(), read);
        tree.append_leaf(leaf);
    })?;
    if tree.size() < head.size {
        let (events, head_events) = (tree.size(), head.size);
        return Err(Quarantine::Shorter {
            events,
            head_events,
        }
        .into());
    }
    let found = root_at_head.unwrap_or_else(|| tree.root());
    if found != head.root {
        return Err(Quarantine::OtherRoot {
            size: head.size,
            found,
            expected: head.root,
        }
        .into());
    }
    Ok(tree)
}

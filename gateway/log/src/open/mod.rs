//! Opening: everything that must hold before the first acknowledgement.
//!
//! Order of the very first start, each step durable before the next: the station's keys (by the caller); `FORMAT`;
//! `HEAD` at size 0; the first epoch, empty; `EPOCHS`; the witness beside the keys; the marker there. Only then is a [`Log`] handed out, so no event can
//! exist before the marker does. From that follows what a missing part means:
//!
//! - marker there: the first start was completed, so everything must be there. Any part missing is quarantined.
//! - marker missing, and `HEAD`, witness and log are empty or missing: the first start was interrupted, and is done again.
//!   Nothing can be lost by that, because nothing was there.
//! - marker missing, and `HEAD`, witness or log hold an event: the marker was lost. Quarantined.

mod begin;
mod files;
mod first_start;
mod format;
mod lock;
mod marker;
mod scan;
mod trial;
mod upgrade;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use schemas::proof::{Frontier, Hash, NoteKey};

use crate::checkpoint::{Checkpoints, Desk};
use crate::checkpoint_file::{CheckpointFile, Claim};
use crate::committer::{Committer, Driver, Shared};
use crate::epochs::{Copies, EpochList, EpochStore};
use crate::error::{LogFailed, OpenError, Quarantine};
use crate::handle::{Entrance, Inner, Log, Way};
use crate::limits::Limits;
use crate::notary::{CheckpointSigner, Notary, SignedHead, Urgency};
use crate::room::{RoomKeeper, RoomOptions};
use crate::store::{MemoryStore, SledStore};
use crate::tree::StoredTree;
use begin::Epochs;
use files::Folder;
use verify::{Begun, Claims};

pub use files::holds_log;
pub(crate) use lock::lock_stopped;
pub use marker::is_initialised;

/// How to open a log.
pub struct OpenOptions {
    /// The log's first key. Its name is the log's origin, `gateway.<province>/station/<id>/<incarnation>`. It stays the same when
    /// the key is replaced: it says which log this is, not who signs now.
    pub identity: NoteKey,
    /// A file in the folder of the keys. It says that the first start was completed; only the log writes it.
    pub marker: PathBuf,
    /// Another file there. It holds a recent checkpoint, so that a data folder that was set back is noticed; only the log
    /// writes it.
    pub witness: PathBuf,
    /// The station's keys.
    pub signer: Box<dyn CheckpointSigner>,
    /// How much of everything.
    pub limits: Limits,
    /// When the disk counts as nearly full.
    pub room: RoomOptions,
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("origin", &self.identity.name())
            .finish_non_exhaustive()
    }
}

/// Where an event stands that is read while the log is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its index.
    pub index: u64,
    /// Whether `HEAD` covers it. What it does not cover only the event's own signature vouches for.
    pub covered: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Events in the log.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// What `HEAD` covered before it was brought up to `size`.
    pub head_size: u64,
    /// The first event that was read: the first one of an epoch, whose state before it the caller restored.
    pub read_from: u64,
    /// Whether this was the first start.
    pub first_start: bool,
}

impl Log {
    /// Opens the log in `folder`, making it at the first start. Blocks, and reads every event of the newest epoch.
    pub fn open(folder: &Path, options: OpenOptions) -> Result<(Self, Recovered), OpenError> {
        Self::open_restoring(folder, options, |_, _| true, |_, _| (), |_, ()| {})
    }

    /// The same, and shows each event from index 0 on to `visit` with its index, in order.
    pub fn open_visiting(
        folder: &Path,
        options: OpenOptions,
        mut visit: impl FnMut(u64, &[u8]),
    ) -> Result<(Self, Recovered), OpenError> {
        let copy = |_, event: &[u8]| event.to_vec();
        Self::open_reading(folder, options, copy, |index, event| visit(index, &event))
    }

    /// The same, so that state is rebuilt in the pass that verifies: `read` takes each event apart, several at a time on
    /// threads of this call; `apply` gets what it answered, with the index, in order, on the caller's thread. What was
    /// built is worth nothing when this fails. The signer is asked about `HEAD` and the witness only after the last `apply`,
    /// which may have told it of keys. A log whose first events were pruned is refused.
    pub fn open_reading<T: Send>(
        folder: &Path,
        options: OpenOptions,
        read: impl Fn(Place, &[u8]) -> T + Sync,
        apply: impl FnMut(u64, T),
    ) -> Result<(Self, Recovered), OpenError> {
        Self::open_restoring(folder, options, |_, _| false, read, apply)
    }

    /// The same for a caller that keeps snapshots of its state: `restore` is shown the first event of each epoch with its index, the
    /// newest first, until it has restored the state before that event and answers so. Reading begins there; epochs before it are
    /// only looked for, and their stored hashes compared with the tree. Without any, it begins at index 0.
    pub fn open_restoring<T: Send>(
        folder: &Path,
        options: OpenOptions,
        restore: impl FnMut(u64, &[u8]) -> bool,
        read: impl Fn(Place, &[u8]) -> T + Sync,
        apply: impl FnMut(u64, T),
    ) -> Result<(Self, Recovered), OpenError> {
        gateway_durable::ensure_linked();
        let OpenOptions {
            identity,
            marker,
            witness,
            signer,
            limits,
            room,
        } = options;
        let limits = limits.clamped();
        let folder = Folder::prepare(folder)?;
        let lock = lock::take(&folder)?;
        format::check(&folder)?;
        let copies = Copies::within(folder.path(), limits.copy_room_bytes);
        copies
            .sweep()
            .map_err(OpenError::io("remove copies of epochs"))?;
        let marker = marker::Marker::read(marker, &identity)?;
        let head_file = CheckpointFile::head(folder.path());
        let witness_file = CheckpointFile::witness(witness);
        let claims = Claims::read(&head_file, &witness_file, identity.name())?;
        let first_start = !marker.is_present();
        if !first_start {
            // Before anything is made: a folder that lacks a part is left as it was found.
            require_parts(&folder, &claims)?;
        }
        let room = RoomKeeper::open(folder.path(), room)?;
        let every = limits.witness_every;
        let notary = Notary::on_disk(signer, identity.name(), head_file, witness_file, every);

        let mut opened = if first_start {
            first_start::run(&folder, &marker, &identity, notary, &claims, &limits)?
        } else {
            let claims = claims.required()?;
            let begun = begin::run(&folder, &identity, &claims, &limits, restore)?;
            existing(&folder, begun, notary, claims, read, apply)?
        };
        let recovered = Recovered {
            size: opened.tree.size(),
            root: opened.tree.root(),
            head_size: opened.head.checkpoint.size,
            read_from: opened.first,
            first_start,
        };
        // What was appended after the last checkpoint may or may not have been acknowledged; both are right.
        if opened.tree.size() > opened.head.checkpoint.size {
            opened.head = opened.notary.publish(&opened.tree, Urgency::Usual)?;
        }
        opened.notary.witness_stored(&opened.head)?;
        let log = start(opened, identity, limits, room, lock)?;
        Ok((log, recovered))
    }

    /// A log in memory, for simulation: no thread, no clock; each call is done when it returns, and a checkpoint is
    /// signed every [`Limits::checkpoint_events_max`] events.
    pub fn in_memory(
        identity: NoteKey,
        signer: Box<dyn CheckpointSigner>,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let limits = limits.clamped();
        let mut notary = Notary::in_memory(signer, identity.name());
        let tree = Frontier::new();
        let desk = Desk::new(notary.publish(&tree, Urgency::Usual)?);
        let store = Arc::new(MemoryStore::default());
        let stored_tree = Arc::new(StoredTree::in_memory());
        let shared = Arc::new(Shared::default());
        let checkpoints = Checkpoints::Inline(notary, Arc::clone(&desk));
        let committer = Committer::new(
            store.clone(),
            Arc::clone(&shared),
            limits,
            None,
            checkpoints,
            tree,
            Arc::clone(&stored_tree),
        );
        let way = Way::Inline(Box::new(committer));
        let entrance = Mutex::new(Entrance { next_index: 0, way });
        Ok(Self::new(Inner {
            entrance,
            shared,
            store,
            desk,
            tree: stored_tree,
            identity,
            limits,
            room: None,
            _lock: None,
        }))
    }
}

/// A log that is whole, before its threads are started.
struct Opened {
    store: EpochStore,
    /// The first event that was read.
    first: u64,
    tree: Frontier,
    stored_tree: StoredTree,
    notary: Notary,
    /// What `HEAD` holds.
    head: SignedHead,
}

/// What a completed first start left behind.
fn require_parts(folder: &Folder, claims: &Claims<Option<Claim>>) -> Result<(), OpenError> {
    if claims.head.is_none() {
        return Err(Quarantine::Missing("HEAD").into());
    }
    if claims.witness.is_none() {
        return Err(Quarantine::Missing("the witness beside the keys").into());
    }
    format::require(folder)?;
    let place = folder.epochs();
    let list = EpochList::read(&place.list())?.ok_or(Quarantine::Missing("EPOCHS"))?;
    for first in list.firsts() {
        place.require(first)?;
    }
    Ok(())
}

/// A log whose first start was completed.
fn existing<T: Send>(
    folder: &Folder,
    (epochs, begun): (Epochs, Begun),
    notary: Notary,
    claims: Claims,
    read: impl Fn(Place, &[u8]) -> T + Sync,
    apply: impl FnMut(u64, T),
) -> Result<Opened, OpenError> {
    let first = begun.size();
    let (tree, stored) = begun.finish(&epochs, &claims, notary.signer(), read, apply)?;
    let accepted = notary.signer().accepts(tree.size());
    accepted.map_err(Quarantine::Refused)?;
    let stored_tree = stored.finish(&tree);
    begin::settle(folder, &epochs)?;
    prove_sync(&epochs.store.newest())?;
    folder.sync_all(epochs.list.newest())?;
    Ok(Opened {
        store: epochs.store,
        first,
        tree,
        stored_tree,
        notary,
        head: claims.head.head,
    })
}

/// Writes and flushes something, and refuses to go on unless that reached our own sync.
fn prove_sync(store: &SledStore) -> Result<(), OpenError> {
    if !store.reaches_our_sync()? {
        return Err(OpenError::SyncNotOurs);
    }
    if gateway_durable::SLED_OWN_SYNC {
        tracing::error!("test build: sled syncs its own way, and what is acknowledged may be lost");
    }
    Ok(())
}

fn start(
    opened: Opened,
    identity: NoteKey,
    limits: Limits,
    room: RoomKeeper,
    lock: std::fs::File,
) -> Result<Log, OpenError> {
    let (store, room) = (Arc::new(opened.store), Arc::new(room));
    let (tree, stored_tree) = (opened.tree, Arc::new(opened.stored_tree));
    let shared = Arc::new(Shared::default());
    let desk = Desk::new(opened.head);
    let next_index = tree.size();
    let threads = OpenError::io("start the log's threads");
    let checkpoints = Checkpoints::thread(opened.notary, Arc::clone(&desk));
    let (sender, queue) = std::sync::mpsc::channel();
    let thread = checkpoints.and_then(|checkpoints| {
        let committer = Committer::new(
            store.clone(),
            Arc::clone(&shared),
            limits,
            Some(Arc::clone(&room)),
            checkpoints,
            tree,
            Arc::clone(&stored_tree),
        );
        let driver = Driver::new(committer, queue);
        std::thread::Builder::new()
            .name("log-committer".to_owned())
            .spawn(|| driver.run())
    });
    let way = Way::Thread(sender, thread.map_err(threads)?);
    Ok(Log::new(Inner {
        entrance: Mutex::new(Entrance { next_index, way }),
        shared,
        store,
        desk,
        tree: stored_tree,
        identity,
        limits,
        room: Some(room),
        _lock: Some(lock),
    }))
}

fn unreadable(failed: LogFailed) -> OpenError {
    Quarantine::Unreadable(failed.to_string()).into()
}

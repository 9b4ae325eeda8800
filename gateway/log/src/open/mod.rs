//! Opening: everything that must hold before the first acknowledgement.
//!
//! Order of the very first start, each step durable before the next: the station's keys (by the caller); `FORMAT`;
//! `HEAD` at size 0; sled's folder, empty; the marker beside the keys. Only then is a [`Log`] handed out, so no event can
//! exist before the marker does. From that follows what a missing part means:
//!
//! - marker there: the first start was completed, so everything must be there. Any part missing is quarantined.
//! - marker missing, and `HEAD` and log are empty or missing: the first start was interrupted, and is done again.
//!   Nothing can be lost by that, because nothing was there.
//! - marker missing, and `HEAD` or log hold an event: the marker was lost. Quarantined.

mod files;
mod first_start;
mod format;
mod lock;
mod marker;
mod scan;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use schemas::proof::{Frontier, Hash, NoteKey};

use crate::checkpoint::{CheckpointSigner, Checkpoints, Desk, Notary, SignedHead};
use crate::committer::{Committer, Driver, Shared};
use crate::error::{LogFailed, OpenError, Quarantine};
use crate::handle::{Entrance, Inner, Log, Way};
use crate::head::HeadFile;
use crate::limits::Limits;
use crate::room::{RoomKeeper, RoomOptions};
use crate::store::{MemoryStore, SledStore};
use files::Folder;

pub use files::holds_log;
pub use marker::is_initialised;

/// How to open a log.
pub struct OpenOptions {
    /// `gateway.<province>/station/<id>/<incarnation>`: the name of the log and of its key.
    pub origin: String,
    /// A file in the folder of the keys. It says that the first start was completed; only the log writes it.
    pub marker: PathBuf,
    /// The station's key.
    pub signer: Box<dyn CheckpointSigner>,
    /// How much of everything.
    pub limits: Limits,
    /// When the disk counts as nearly full.
    pub room: RoomOptions,
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
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
    /// Whether this was the first start.
    pub first_start: bool,
}

impl Log {
    /// Opens the log in `folder`, making it at the first start. Blocks, and reads every event.
    pub fn open(folder: &Path, options: OpenOptions) -> Result<(Self, Recovered), OpenError> {
        Self::open_reading(folder, options, |_, _| (), |_, ()| {})
    }

    /// The same, and shows each event to `visit` with its index, in order.
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
    /// built is worth nothing when this fails.
    pub fn open_reading<T: Send>(
        folder: &Path,
        options: OpenOptions,
        read: impl Fn(u64, &[u8]) -> T + Sync,
        apply: impl FnMut(u64, T),
    ) -> Result<(Self, Recovered), OpenError> {
        gateway_durable::ensure_linked();
        let OpenOptions {
            origin,
            marker,
            signer,
            limits,
            room,
        } = options;
        let limits = limits.clamped();
        let key = note_key(origin, signer.as_ref())?;
        let folder = Folder::prepare(folder)?;
        let lock = lock::take(&folder)?;
        format::check(&folder)?;
        let marker = marker::Marker::read(marker, &key)?;
        let head_file = HeadFile::in_folder(folder.path());
        let head = head_file.read(&key, signer.as_ref())?;
        let first_start = !marker.is_present();
        if !first_start {
            // Before anything is made: a folder that lacks a part is left as it was found.
            require_parts(&folder, head.as_ref())?;
        }
        let room = RoomKeeper::open(folder.path(), room)?;
        let notary = Notary {
            signer,
            key,
            file: Some(head_file),
        };

        let (store, tree, head) = if first_start {
            first_start::run(&folder, &marker, &notary, head, &limits)?
        } else {
            existing(&folder, &notary, head, &limits, read, apply)?
        };
        let recovered = Recovered {
            size: tree.size(),
            root: tree.root(),
            head_size: head.checkpoint.size,
            first_start,
        };
        // What was appended after the last checkpoint may or may not have been acknowledged; both are right.
        let head = if tree.size() > head.checkpoint.size {
            notary.sign(&tree)?
        } else {
            head
        };
        let log = start(store, notary, tree, head, limits, room, lock)?;
        Ok((log, recovered))
    }

    /// A log in memory, for simulation: no thread, no clock; each call is done when it returns, and a checkpoint is
    /// signed every [`Limits::checkpoint_events_max`] events.
    pub fn in_memory(
        origin: &str,
        signer: Box<dyn CheckpointSigner>,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let limits = limits.clamped();
        let key = note_key(origin.to_owned(), signer.as_ref())?;
        let notary = Notary {
            signer,
            key: key.clone(),
            file: None,
        };
        let tree = Frontier::new();
        let desk = Desk::new(notary.sign(&tree)?);
        let store = Arc::new(MemoryStore::default());
        let shared = Arc::new(Shared::default());
        let checkpoints = Checkpoints::Inline(notary, Arc::clone(&desk));
        let committer = Committer::new(
            store.clone(),
            Arc::clone(&shared),
            limits,
            None,
            checkpoints,
            tree,
        );
        let way = Way::Inline(Box::new(committer));
        let entrance = Mutex::new(Entrance { next_index: 0, way });
        Ok(Self::new(Inner {
            entrance,
            shared,
            store,
            desk,
            key,
            limits,
            room: None,
            _lock: None,
        }))
    }
}

/// What a completed first start left behind.
fn require_parts(folder: &Folder, head: Option<&SignedHead>) -> Result<(), OpenError> {
    head.ok_or(Quarantine::Missing("HEAD"))?;
    format::require(folder)?;
    folder.require_log()?;
    Ok(())
}

/// A log whose first start was completed.
fn existing<T: Send>(
    folder: &Folder,
    notary: &Notary,
    head: Option<SignedHead>,
    limits: &Limits,
    read: impl Fn(u64, &[u8]) -> T + Sync,
    apply: impl FnMut(u64, T),
) -> Result<(SledStore, Frontier, SignedHead), OpenError> {
    let head = head.ok_or(Quarantine::Missing("HEAD"))?;
    folder.remove_half_snapshots()?;
    let store = SledStore::open(&folder.log(), limits.cache_bytes).map_err(unreadable)?;
    verify::origin(&store, &notary.key)?;
    let tree = verify::tree(&store, &head.checkpoint, read, apply)?;
    prove_sync(&store)?;
    folder.sync_all()?;
    Ok((store, tree, head))
}

/// Writes and flushes something, and refuses to go on unless that reached our own sync.
fn prove_sync(store: &SledStore) -> Result<(), OpenError> {
    let before = gateway_durable::calls();
    let opened = store
        .meta("opened")?
        .and_then(|count| count.try_into().ok());
    let opened = opened.map_or(0, u64::from_be_bytes).wrapping_add(1);
    store.set_meta(&[("opened", &opened.to_be_bytes())])?;
    if gateway_durable::calls() == before {
        return Err(OpenError::SyncNotOurs);
    }
    if gateway_durable::SLED_OWN_SYNC {
        tracing::error!("test build: sled syncs its own way, and what is acknowledged may be lost");
    }
    Ok(())
}

fn start(
    store: SledStore,
    notary: Notary,
    tree: Frontier,
    head: SignedHead,
    limits: Limits,
    room: RoomKeeper,
    lock: std::fs::File,
) -> Result<Log, OpenError> {
    let (store, room) = (Arc::new(store), Arc::new(room));
    let shared = Arc::new(Shared::default());
    let key = notary.key.clone();
    let desk = Desk::new(head);
    let next_index = tree.size();
    let threads = OpenError::io("start the log's threads");
    let checkpoints = Checkpoints::thread(notary, Arc::clone(&desk));
    let (sender, queue) = std::sync::mpsc::channel();
    let thread = checkpoints.and_then(|checkpoints| {
        let committer = Committer::new(
            store.clone(),
            Arc::clone(&shared),
            limits,
            Some(Arc::clone(&room)),
            checkpoints,
            tree,
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
        key,
        limits,
        room: Some(room),
        _lock: Some(lock),
    }))
}

fn note_key(origin: String, signer: &dyn CheckpointSigner) -> Result<NoteKey, OpenError> {
    NoteKey::new(origin, signer.public_key())
        .map_err(|error| OpenError::Options(format!("the origin: {error}")))
}

fn unreadable(failed: LogFailed) -> OpenError {
    Quarantine::Unreadable(failed.to_string()).into()
}

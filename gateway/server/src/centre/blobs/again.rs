//! Blobs that the centre asked for again: it lacks them, or holds them damaged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_log::{Log, LogFailed, Space};
use schemas::ids::BlobHash;
use tokio::sync::Notify;

use super::fault::Fault;
use crate::blobs::BlobStore;

const PREFIX: &[u8] = b"again/";
/// Pairs that are written at once: a group of the log has a limit.
const PAIRS_LEN: usize = 256;

/// The blobs that are to go up again. Cheap to clone.
#[derive(Debug, Clone)]
pub(in crate::centre) struct Again(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    log: Log,
    blobs: BlobStore,
    asked: Mutex<BTreeSet<BlobHash>>,
    more: Notify,
}

impl Again {
    /// With what was asked for and has not gone up yet. Reads the disk.
    pub(in crate::centre) fn open(log: Log, blobs: BlobStore) -> Result<Self, LogFailed> {
        let pairs = log.kv_load(Space::UPLOAD)?;
        let names = pairs.keys().filter_map(|key| {
            let name = std::str::from_utf8(key.strip_prefix(PREFIX)?).ok()?;
            BlobHash::new(name).ok()
        });
        Ok(Self(Arc::new(Inner {
            asked: Mutex::new(names.collect()),
            log,
            blobs,
            more: Notify::new(),
        })))
    }

    /// Marks those of these blobs that are here; durable when this resolves. Answers how many.
    pub(in crate::centre) async fn ask(&self, names: Vec<BlobHash>) -> Result<usize, AskError> {
        let blobs = self.0.blobs.clone();
        let look = move || names.into_iter().filter(|name| blobs.holds(name)).collect();
        let here: Vec<BlobHash> = panics::off_runtime(look).await?;
        for part in here.chunks(PAIRS_LEN) {
            let pairs = part.iter().map(|name| (pair(name), Some(Vec::new())));
            let marked = self.0.log.kv_apply(Space::UPLOAD, pairs.collect(), ());
            marked.await.map(drop)?;
        }
        let count = here.len();
        self.asked().extend(here);
        self.0.more.notify_one();
        Ok(count)
    }

    /// The next ones, so many at the most.
    pub(super) fn next(&self, most: usize) -> Vec<BlobHash> {
        self.asked().iter().take(most).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.asked().len()
    }

    /// Whether this one was asked for.
    pub(super) fn wants(&self, name: &BlobHash) -> bool {
        self.asked().contains(name)
    }

    /// Until one was asked for.
    pub(super) async fn more(&self) {
        self.0.more.notified().await;
    }

    /// This one is up.
    pub(super) async fn done(&self, name: &BlobHash) -> Result<(), Fault> {
        let pair = (pair(name), None);
        let kept = self.0.log.kv_apply(Space::UPLOAD, vec![pair], ()).await;
        self.asked().remove(name);
        Ok(kept.map(drop)?)
    }

    fn asked(&self) -> MutexGuard<'_, BTreeSet<BlobHash>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was asked for could not be marked.
#[derive(Debug, thiserror::Error)]
pub(in crate::centre) enum AskError {
    #[error("it cannot be looked for: {0}")]
    Ended(#[from] panics::Unfinished),
    #[error(transparent)]
    Mark(#[from] gateway_log::AppendError),
}

fn pair(name: &BlobHash) -> Vec<u8> {
    [PREFIX, name.as_str().as_bytes()].concat()
}

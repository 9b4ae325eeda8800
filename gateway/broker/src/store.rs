//! The port through which sessions, queues, retained messages and wills survive a restart.
//!
//! To a store all of it is one ordered map of byte keys to byte values; the encoding is the
//! broker's own (`codec`). The broker calls `apply` from one task, one call at a time, in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);
/// A key and its new value; `None` removes the key.
pub type StoreOp = (Vec<u8>, Option<Vec<u8>>);

/// A store that could not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("broker store: {0}")]
    Io(Arc<str>),
    /// This write cannot be made, and nothing of it counts; others can.
    #[error("broker store refused a write: {0}")]
    Refused(Arc<str>),
    /// An entry is not in a form this version knows.
    #[error("broker store holds an entry this version cannot read: {0}")]
    Corrupt(&'static str),
    /// The broker is shutting down and takes no more writes.
    #[error("broker store is closed")]
    Closed,
}

impl StoreError {
    /// From any error, keeping its words.
    pub fn io(error: impl std::fmt::Display) -> Self {
        Self::Io(error.to_string().into())
    }

    /// From any refusal, keeping its words.
    pub fn refused(refusal: impl std::fmt::Display) -> Self {
        Self::Refused(refusal.to_string().into())
    }
}

/// An ordered, durable key-value map.
pub trait Store: Send + Sync + 'static {
    /// Everything stored, in any order. Called once, at start.
    fn load(&self) -> Result<Vec<Entry>, StoreError>;

    /// Applies all operations or none, in order. Resolves when they are durable. Calls are never
    /// concurrent; the broker groups what is waiting into one call. What is refused ([`StoreError::Refused`]) is brought
    /// again in smaller parts, in the same order.
    fn apply(&self, ops: Vec<StoreOp>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// A store in memory: for tests, and for stations that accept to forget.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    entries: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl MemoryStore {
    /// Number of entries held.
    pub fn len(&self) -> usize {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Nothing held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store for MemoryStore {
    fn load(&self) -> Result<Vec<Entry>, StoreError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(entries
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect())
    }

    fn apply(&self, ops: Vec<StoreOp>) -> BoxFuture<'static, Result<(), StoreError>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in ops {
            match value {
                Some(value) => {
                    entries.insert(key, value);
                }
                None => {
                    entries.remove(&key);
                }
            }
        }
        drop(entries);
        std::future::ready(Ok(())).boxed()
    }
}

//! The twin in memory. Nothing survives it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemas::proof::Frontier;

use super::{EpochsStore, Events, Store, Write};
use crate::error::LogFailed;
use crate::group::Space;

#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    events: BTreeMap<u64, Vec<u8>>,
    kv: BTreeMap<Space, BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The tree before each epoch but the first, by the index that it begins with.
    epochs: BTreeMap<u64, Frontier>,
    /// What came before was pruned.
    oldest: u64,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn write(&self, write: &Write) -> Result<(), LogFailed> {
        let mut contents = self.lock();
        contents
            .events
            .extend((write.first_index..).zip(write.events.iter().cloned()));
        for (space, ops) in &write.kv {
            let pairs = contents.kv.entry(*space).or_default();
            for (key, value) in ops {
                match value {
                    Some(value) => pairs.insert(key.clone(), value.clone()),
                    None => pairs.remove(key),
                };
            }
        }
        Ok(())
    }

    fn events(&self, range: Range<u64>) -> Events {
        let contents = self.lock();
        let (index, first_index) = (range.start, contents.oldest);
        if index < first_index && index < range.end {
            return Box::new(std::iter::once(Err(LogFailed::Pruned {
                index,
                first_index,
            })));
        }
        let found: Vec<_> = contents
            .events
            .range(range)
            .map(|(index, event)| Ok((*index, event.clone())))
            .collect();
        Box::new(found.into_iter())
    }

    fn kv_load(&self, space: Space) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed> {
        Ok(self.lock().kv.get(&space).cloned().unwrap_or_default())
    }
}

impl EpochsStore for MemoryStore {
    fn begin_epoch(&self, tree: &Frontier) -> Result<(), LogFailed> {
        if tree.size() > 0 {
            self.lock().epochs.insert(tree.size(), tree.clone());
        }
        Ok(())
    }

    fn epochs(&self) -> Vec<u64> {
        let contents = self.lock();
        let later = contents.epochs.range(contents.oldest.saturating_add(1)..);
        std::iter::once(contents.oldest)
            .chain(later.map(|(first, _)| *first))
            .collect()
    }

    fn frontier(&self, first: u64) -> Result<Frontier, LogFailed> {
        let tree = self.lock().epochs.get(&first).cloned();
        Ok(tree.unwrap_or_default())
    }

    fn drop_before(&self, first: u64) -> Result<(), LogFailed> {
        let mut contents = self.lock();
        contents.events = contents.events.split_off(&first);
        contents.oldest = first;
        Ok(())
    }
}

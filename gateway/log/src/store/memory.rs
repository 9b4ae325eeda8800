//! The twin in memory. Nothing survives it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Events, Store, Write};
use crate::error::LogFailed;
use crate::group::Space;

#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    events: BTreeMap<u64, Vec<u8>>,
    kv: BTreeMap<Space, BTreeMap<Vec<u8>, Vec<u8>>>,
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
        let found: Vec<_> = self
            .lock()
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

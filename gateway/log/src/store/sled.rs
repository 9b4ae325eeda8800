//! The only file of the project that calls sled.
//!
//! sled 0.34.7 with its sync replaced (gateway-durable). Its rules, each found by replaying recorded writes into crash
//! images: several keys only through `apply_batch`; no value near its blob threshold; never flush inside a transaction;
//! one flush for a group; no thread of its own that flushes in between.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::{Events, Store, Write, chunks};
use crate::epochs::Copies;
use crate::error::LogFailed;
use crate::group::{KvOp, Space};
use crate::scratch::Scratch;

/// Pairs are copied in groups of this size, in bytes: what the crash images were made with.
const COPY_BYTES: usize = 64 * 1024;

/// sled's page cache of a folder that is only read, in bytes: from front to back, or an event here and there.
const READING_CACHE_BYTES: u64 = 1 << 20;
/// Look-ups for each event that is read, see [`accounted`].
const LOOK_UPS: u32 = 1;
/// Where the cache is to be small: with eight events to a page, each page nearly fills a block of accesses by itself.
const READING_LOOK_UPS: u32 = 6;

/// Two indexes, each as far as its key is one.
pub(crate) type Ends = (Option<u64>, Option<u64>);

/// sled's folder, opened.
#[derive(Debug)]
pub(crate) struct SledStore {
    // Trees before the database: sled wants its own handle dropped last.
    log: sled::Tree,
    meta: sled::Tree,
    db: sled::Db,
    look_ups: u32,
    /// Where it is a copy that is opened. Removed when sled is closed.
    _copy: Option<Scratch>,
}

impl SledStore {
    /// Opens or makes sled's folder. A damaged one can make sled panic, which is answered as an error.
    pub(crate) fn open(folder: &Path, cache_bytes: u64) -> Result<Self, LogFailed> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes)
            // The committer flushes; a thread that flushes in between would only add syncs.
            .flush_every_ms(None);
        let db = guarded(|| config.open())?;
        let log = guarded(|| db.open_tree("log"))?;
        let meta = guarded(|| db.open_tree("meta"))?;
        Ok(Self {
            log,
            meta,
            db,
            look_ups: LOOK_UPS,
            _copy: None,
        })
    }

    /// Opens a closed epoch for reading with little memory: a copy of it, if there is room for one.
    pub(crate) fn open_for_reading(copies: &Copies, epoch: &Path) -> Result<Self, LogFailed> {
        let copied = copies.make(epoch);
        let copy = copied.map_err(|error| LogFailed::NotCopied(error.to_string()))?;
        let folder = copy.as_ref().map_or(epoch, Scratch::path);
        let store = Self::open(folder, READING_CACHE_BYTES)?;
        Ok(Self {
            look_ups: READING_LOOK_UPS,
            _copy: copy,
            ..store
        })
    }

    /// The indexes of the first and the last event; none if there is no event.
    pub(crate) fn ends(&self) -> Result<Option<Ends>, LogFailed> {
        let index = |(key, _): (sled::IVec, sled::IVec)| {
            let key = <[u8; 8]>::try_from(key.as_ref());
            key.map(u64::from_be_bytes).ok()
        };
        let (first, last) = (guarded(|| self.log.first())?, guarded(|| self.log.last())?);
        Ok(first
            .zip(last)
            .map(|(first, last)| (index(first), index(last))))
    }

    /// A note that the log keeps about itself.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, LogFailed> {
        guarded(|| self.meta.get(key)).map(|value| value.map(|value| value.to_vec()))
    }

    /// Writes such notes, all or none, and flushes.
    pub(crate) fn set_meta(&self, pairs: &[(&str, &[u8])]) -> Result<(), LogFailed> {
        let mut batch = sled::Batch::default();
        for (key, value) in pairs {
            batch.insert(*key, *value);
        }
        guarded(|| self.meta.apply_batch(batch))?;
        self.flush()
    }

    /// Writes and flushes something. False where that did not reach this program's own sync, so that nothing is ever durable.
    pub(crate) fn reaches_our_sync(&self) -> Result<bool, LogFailed> {
        let before = gateway_durable::calls();
        let opened = self.meta("opened")?.and_then(|count| count.try_into().ok());
        let opened = opened.map_or(0, u64::from_be_bytes).wrapping_add(1);
        self.set_meta(&[("opened", &opened.to_be_bytes())])?;
        Ok(gateway_durable::calls() != before)
    }

    /// Takes over the pairs of every space from another folder, as they are stored, and flushes.
    pub(crate) fn copy_pairs(&self, from: &Self) -> Result<(), LogFailed> {
        for space in Space::ALL {
            let source = guarded(|| from.db.open_tree(space.name()))?;
            let target = guarded(|| self.db.open_tree(space.name()))?;
            let (mut batch, mut bytes) = (sled::Batch::default(), 0);
            for pair in &source {
                let (key, value) = guarded(|| pair)?;
                bytes += key.len() + value.len();
                batch.insert(key, value);
                if bytes >= COPY_BYTES {
                    guarded(|| target.apply_batch(std::mem::take(&mut batch)))?;
                    self.flush()?;
                    bytes = 0;
                }
            }
            guarded(|| target.apply_batch(batch))?;
        }
        self.flush()
    }

    /// Every key and event, in order, as stored. For verification: nothing is assumed about the keys.
    pub(crate) fn stored_events(
        &self,
    ) -> impl Iterator<Item = Result<Stored, LogFailed>> + Send + use<> {
        accounted(self.log.clone(), self.log.iter(), LOOK_UPS)
    }

    fn flush(&self) -> Result<(), LogFailed> {
        guarded(|| self.db.flush())?;
        // sled hears of a failed sync itself; one that failed on another of its threads is caught here.
        gateway_durable::sticky_error()
            .map_or(Ok(()), |error| Err(LogFailed::Sync(error.to_string())))
    }

    fn write_pairs(&self, space: Space, ops: &[KvOp]) -> Result<(), LogFailed> {
        let tree = guarded(|| self.db.open_tree(space.name()))?;
        let mut batch = sled::Batch::default();
        // Chunks that each key has once the operations before this one are done.
        let mut counts: BTreeMap<&[u8], u16> = BTreeMap::new();
        for (key, value) in ops {
            let old = match counts.get(key.as_slice()) {
                Some(count) => *count,
                None => guarded(|| tree.get(chunks::chunk_key(key, 0)))?
                    .map_or(Ok(0), |stored| chunks::count(&stored))?,
            };
            let stored = value.as_deref().map_or(Ok(Vec::new()), chunks::split)?;
            let mut new = 0;
            for chunk in stored {
                batch.insert(chunks::chunk_key(key, new), chunk);
                new += 1;
            }
            for surplus in new..old {
                batch.remove(chunks::chunk_key(key, surplus));
            }
            counts.insert(key, new);
        }
        guarded(|| tree.apply_batch(batch))
    }
}

impl Store for SledStore {
    fn write(&self, write: &Write) -> Result<(), LogFailed> {
        if let [event] = write.events.as_slice() {
            // One key is whole by itself; a batch's manifest would cost a second write and sync.
            let key = write.first_index.to_be_bytes();
            guarded(|| self.log.insert(key, event.as_slice()))?;
        } else if !write.events.is_empty() {
            // One batch for the whole flush: each command's events are together in it, and it costs one record.
            let mut batch = sled::Batch::default();
            for (index, event) in (write.first_index..).zip(&write.events) {
                batch.insert(&index.to_be_bytes(), event.as_slice());
            }
            guarded(|| self.log.apply_batch(batch))?;
        }
        for (space, ops) in &write.kv {
            self.write_pairs(*space, ops)?;
        }
        self.flush()
    }

    fn events(&self, range: Range<u64>) -> Events {
        let stored = self
            .log
            .range(range.start.to_be_bytes()..range.end.to_be_bytes());
        let stored = accounted(self.log.clone(), stored, self.look_ups);
        Box::new((range.start..).zip(stored).map(|(expected, stored)| {
            let stored = stored?;
            if stored.key() != expected.to_be_bytes() {
                return Err(LogFailed::Store(format!("no event at index {expected}")));
            }
            Ok((expected, stored.signed().to_vec()))
        }))
    }

    fn kv_load(&self, space: Space) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed> {
        let tree = guarded(|| self.db.open_tree(space.name()))?;
        let mut stored = tree.iter();
        chunks::join(std::iter::from_fn(move || {
            guarded(|| stored.next().transpose())
                .transpose()
                .map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())))
        }))
    }
}

/// An event where sled keeps it.
#[derive(Debug)]
pub(crate) struct Stored {
    key: sled::IVec,
    signed: sled::IVec,
}

impl Stored {
    /// The key as stored.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The signed bytes.
    pub(crate) fn signed(&self) -> &[u8] {
        &self.signed
    }
}

/// What the iterator yields, with sled's cache kept within its size. sled counts a page into its cache only when 64
/// accesses have come together in one of its 256 shards, and evicts only then; an iterator accesses a page once, so a long
/// scan would leave 16,384 pages (120 MB of events) in memory, whatever the size of the cache. A look-up for each
/// event makes an access for each: a page has eight events, so eight pages of each shard wait to be counted (15 MB), and with
/// several look-ups fewer.
fn accounted(
    tree: sled::Tree,
    mut stored: sled::Iter,
    look_ups: u32,
) -> impl Iterator<Item = Result<Stored, LogFailed>> + Send {
    std::iter::from_fn(move || {
        guarded(|| {
            let pair = stored.next().transpose()?;
            if let Some((key, _)) = &pair {
                for _ in 0..look_ups {
                    tree.contains_key(key)?;
                }
            }
            Ok(pair)
        })
        .transpose()
        .map(|pair| pair.map(|(key, signed)| Stored { key, signed }))
    })
}

/// Calls sled. What it reports, and what it panics with on damaged files, becomes one kind of failure.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, LogFailed> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(LogFailed::Store(error.to_string())),
        Err(panic) => {
            let said = panics::said(panic.as_ref());
            Err(LogFailed::Store(format!("sled panicked: {said}")))
        }
    }
}

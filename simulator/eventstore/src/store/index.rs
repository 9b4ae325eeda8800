//! Where each event stands, in memory: by log order and by stream. Bodies stay in the file.
//!
//! Only durable events are in it: the writer adds a frame after its flush.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use crate::journal::{self, Placed};

/// Revision of the event that ends a stream for good, and the cut of a deleted stream.
pub(crate) const DELETED: u64 = 0x7fff_ffff_ffff_ffff;
/// Type of the event that ends a stream for good.
pub(crate) const TOMBSTONE_KIND: &str = "$streamDeleted";
/// Ids that are remembered for appends without an expected revision.
const RECENT_LEN: usize = 100_000;

/// An event's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Offset in the file; what clients know as commit and prepare position.
    pub(crate) position: u64,
    pub(crate) id: Uuid,
    pub(crate) revision: u64,
    stream: usize,
    kind: usize,
}

/// A stream's events. The nth is the one with revision n.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Sequence numbers in log order.
    events: Vec<usize>,
    /// Sequence number of the event that ended it for good.
    tombstone: Option<usize>,
    /// Events before it are gone; [`DELETED`]: all of them.
    truncate_before: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    all: Vec<Entry>,
    streams: HashMap<Arc<str>, Stream>,
    stream_names: Names,
    kinds: Names,
    recent: HashMap<Uuid, usize>,
    recent_order: VecDeque<Uuid>,
}

/// Names that are kept once.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<Arc<str>, usize>,
    names: Vec<Arc<str>>,
}

/// The part of a stream's metadata that is honoured.
#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "$tb", default)]
    truncate_before: u64,
}

impl Index {
    /// Adds a frame. False: it is not of the format.
    pub(crate) fn add_frame(&mut self, content: &[u8], base: u64) -> bool {
        let Some(placed) = journal::decode(content, base) else {
            return false;
        };
        for one in &placed {
            self.add(one);
        }
        true
    }

    fn add(&mut self, placed: &Placed<'_>) {
        let number = self.stream_names.number(placed.stream);
        let name = self.stream_names.name(number);
        let sequence = self.all.len();
        self.all.push(Entry {
            position: placed.position,
            id: placed.event.id,
            revision: placed.revision,
            stream: number,
            kind: self.kinds.number(placed.event.kind),
        });
        let stream = self.streams.entry(name).or_default();
        if placed.revision == DELETED {
            stream.tombstone = Some(sequence);
        } else {
            stream.events.push(sequence);
        }
        if let Some(original) = placed.stream.strip_prefix("$$") {
            // As the real server does, metadata that cannot be read says nothing.
            let metadata = serde_json::from_slice(placed.event.data);
            let metadata = metadata.unwrap_or(Metadata { truncate_before: 0 });
            let original = self.stream_names.keep(original);
            self.streams.entry(original).or_default().truncate_before = metadata.truncate_before;
        }
        self.remember(placed.event.id, sequence);
    }

    fn remember(&mut self, id: Uuid, sequence: usize) {
        if self.recent.insert(id, sequence).is_none() {
            self.recent_order.push_back(id);
        }
        if self.recent_order.len() > RECENT_LEN
            && let Some(oldest) = self.recent_order.pop_front()
        {
            self.recent.remove(&oldest);
        }
    }

    /// Number of events.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn entry(&self, sequence: usize) -> Option<Entry> {
        self.all.get(sequence).copied()
    }

    /// Sequence number of the first event at or after `position`.
    pub(crate) fn at_or_after(&self, position: u64) -> usize {
        self.all.partition_point(|entry| entry.position < position)
    }

    pub(crate) fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.get(name)
    }

    pub(crate) fn stream_name(&self, entry: Entry) -> Arc<str> {
        self.stream_names.name(entry.stream)
    }

    pub(crate) fn kind(&self, entry: Entry) -> Arc<str> {
        self.kinds.name(entry.kind)
    }

    /// The event of a stream at a revision.
    pub(crate) fn event(&self, stream: &str, revision: u64) -> Option<Entry> {
        let stream = self.streams.get(stream)?;
        self.entry(*stream.events.get(usize::try_from(revision).ok()?)?)
    }

    /// The event that ended a stream for good.
    pub(crate) fn tombstone(&self, stream: &str) -> Option<Entry> {
        self.entry(self.streams.get(stream)?.tombstone?)
    }

    /// A recent event by its id, if it is in that stream.
    pub(crate) fn recent(&self, stream: &str, id: Uuid) -> Option<Entry> {
        let entry = self.entry(*self.recent.get(&id)?)?;
        (*self.stream_names.name(entry.stream) == *stream).then_some(entry)
    }
}

impl Stream {
    pub(crate) fn is_tombstoned(&self) -> bool {
        self.tombstone.is_some()
    }

    /// Deleted, and to be begun anew by the next append.
    pub(crate) fn is_soft_deleted(&self) -> bool {
        self.truncate_before == DELETED
    }

    /// Revision of the last event, deleted ones counted.
    pub(crate) fn last(&self) -> Option<u64> {
        u64::try_from(self.events.len()).ok()?.checked_sub(1)
    }

    /// Revision of the first event that can be read.
    pub(crate) fn first(&self) -> u64 {
        self.truncate_before
    }

    /// Sequence number of the event at a revision.
    pub(crate) fn sequence(&self, revision: u64) -> Option<usize> {
        self.events.get(usize::try_from(revision).ok()?).copied()
    }
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let (number, name): (_, Arc<str>) = (self.names.len(), name.into());
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    fn keep(&mut self, name: &str) -> Arc<str> {
        let number = self.number(name);
        self.name(number)
    }

    fn name(&self, number: usize) -> Arc<str> {
        self.names.get(number).cloned().unwrap_or_default()
    }
}

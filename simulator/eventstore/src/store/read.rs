//! Reading: first where the events stand, from the index; then their bodies, from the file.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::filter::Filter;
use super::index::{Entry, Stream};
use super::{Index, Store};
use crate::journal;

/// Events of a page, at most.
const PAGE_LEN: usize = 256;
/// Events that one look at the index goes through, at most.
const SEARCH_LEN: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forwards,
    Backwards,
}

/// An event with its body.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) id: Uuid,
    pub(crate) stream: Arc<str>,
    pub(crate) revision: u64,
    pub(crate) position: u64,
    pub(crate) kind: String,
    pub(crate) is_json: bool,
    /// 100 ns from the Unix epoch.
    pub(crate) created: u64,
    pub(crate) metadata: Bytes,
    pub(crate) data: Bytes,
}

/// Part of a read.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// Events of the index that were gone through.
    pub(crate) considered: usize,
    /// What is left to go through.
    pub(crate) rest: Window,
}

/// A range that is read, of revisions or of sequence numbers. Backwards it is taken from its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) range: Range<u64>,
    pub(crate) direction: Direction,
}

/// A stream that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    NotFound,
    Deleted,
}

impl Window {
    fn take(&mut self, len: usize) -> Range<u64> {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let Range { start, end } = self.range;
        if start >= end {
            return start..start;
        }
        match self.direction {
            Direction::Forwards => {
                self.range.start = end.min(start.saturating_add(len));
                start..self.range.start
            }
            Direction::Backwards => {
                self.range.end = start.max(end.saturating_sub(len));
                self.range.end..end
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.range.is_empty()
    }
}

impl Index {
    /// Revisions of a stream that can be read.
    pub(crate) fn readable(&self, name: &str) -> Result<Range<u64>, Missing> {
        let stream = self.stream(name).ok_or(Missing::NotFound)?;
        if stream.is_tombstoned() {
            return Err(Missing::Deleted);
        }
        let last = stream.last().filter(|_last| !stream.is_soft_deleted());
        let end = last.ok_or(Missing::NotFound)? + 1;
        Ok(stream.first().min(end)..end)
    }

    /// Goes on reading a stream, at most `len_max` events.
    pub(crate) fn stream_page(&self, name: &str, mut window: Window, len_max: usize) -> Page {
        let stream = self.stream(name);
        let revisions = window.take(PAGE_LEN.min(len_max));
        let mut entries: Vec<Entry> = revisions
            .filter_map(|revision| {
                stream
                    .and_then(|stream| Stream::sequence(stream, revision))
                    .and_then(|sequence| self.entry(sequence))
            })
            .collect();
        if window.direction == Direction::Backwards {
            entries.reverse();
        }
        Page {
            considered: entries.len(),
            entries,
            rest: window,
        }
    }

    /// Goes on reading the log, at most `len_max` events that pass the filter. Deleted events are in it: the log
    /// is never scavenged.
    pub(crate) fn all_page(
        &self,
        filter: Option<&Filter>,
        mut window: Window,
        len_max: usize,
    ) -> Page {
        let len_max = PAGE_LEN.min(len_max);
        let (mut entries, mut considered) = (Vec::new(), 0);
        while considered < SEARCH_LEN && entries.len() < len_max && !window.is_empty() {
            let at = window.take(1).start;
            let entry = usize::try_from(at).ok().and_then(|at| self.entry(at));
            considered += 1;
            entries.extend(
                entry.filter(|entry| filter.is_none_or(|filter| filter.lets_pass(self, *entry))),
            );
        }
        Page {
            entries,
            considered,
            rest: window,
        }
    }

    /// The event of a stream at a revision, or the one that ended it.
    pub(crate) fn event_or_tombstone(&self, stream: &str, revision: u64) -> Option<Entry> {
        if revision == super::index::DELETED {
            return self.tombstone(stream);
        }
        self.event(stream, revision)
    }
}

impl Store {
    /// Reads the bodies of events.
    pub(crate) async fn load(&self, entries: Vec<Entry>) -> io::Result<Vec<Recorded>> {
        let shared = Arc::clone(&self.shared);
        let load = move || {
            let names: Vec<_> = {
                let index = shared.index.read();
                let index = index.unwrap_or_else(std::sync::PoisonError::into_inner);
                entries
                    .iter()
                    .map(|entry| index.stream_name(*entry))
                    .collect()
            };
            entries
                .into_iter()
                .zip(names)
                .map(|(entry, stream)| {
                    recorded(
                        entry,
                        stream,
                        journal::read_event(&shared.file, entry.position)?,
                    )
                })
                .collect()
        };
        tokio::task::spawn_blocking(load)
            .await
            .map_err(io::Error::other)?
    }
}

fn recorded(entry: Entry, stream: Arc<str>, bytes: Vec<u8>) -> io::Result<Recorded> {
    let bytes = Bytes::from(bytes);
    let event = journal::decode_event(&bytes);
    let event = event.filter(|event| event.id == entry.id);
    let event = event.ok_or_else(|| {
        io::Error::other(format!("no event at position {} any more", entry.position))
    })?;
    Ok(Recorded {
        id: event.id,
        stream,
        revision: entry.revision,
        position: entry.position,
        kind: event.kind.to_owned(),
        is_json: event.is_json,
        created: event.created,
        metadata: bytes.slice_ref(event.metadata),
        data: bytes.slice_ref(event.data),
    })
}

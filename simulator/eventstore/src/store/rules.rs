//! Whether an append is taken: the real server's rules.
//!
//! With an expected revision an append is taken at the tail; the same events, or the first of them, at the
//! revision where they already stand are answered again and not written twice. An id that is known is taken as
//! new at another revision: ids alone do not protect.

use uuid::Uuid;

use super::index::{Index, Stream};

/// What a client expects of the stream that it appends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Any,
    StreamExists,
    NoStream,
    Revision(u64),
}

/// Why an append or a deletion is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    WrongExpectedVersion {
        /// Revision of the last event, if there is one.
        current: Option<u64>,
    },
    StreamDeleted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// At this revision; the stream was deleted before, if `revive`.
    Write {
        first: u64,
        revive: bool,
    },
    /// They are there; this is the last one's revision.
    Already {
        last: u64,
    },
    Refuse(Refusal),
}

/// Decides about events with these ids. No ids: about a deletion, which is never there already.
pub(crate) fn decide(index: &Index, name: &str, expected: Expected, ids: &[Uuid]) -> Decision {
    let stream = index.stream(name);
    let current = stream.and_then(Stream::last);
    let next = current.map_or(0, |last| last + 1);
    let soft_deleted = stream.is_some_and(Stream::is_soft_deleted);
    let wrong = Decision::Refuse(Refusal::WrongExpectedVersion { current });
    let write = Decision::Write {
        first: next,
        revive: soft_deleted,
    };
    if stream.is_some_and(Stream::is_tombstoned) {
        return Decision::Refuse(Refusal::StreamDeleted);
    }
    let wanted = match expected {
        Expected::StreamExists if soft_deleted => {
            return Decision::Refuse(Refusal::StreamDeleted);
        }
        Expected::StreamExists if current.is_none() && !has_metadata(index, name) => return wrong,
        Expected::Any | Expected::StreamExists => {
            return anywhere(index, name, ids).map_or(write, |found| match found {
                Found::All { last } => Decision::Already { last },
                Found::Part => wrong,
            });
        }
        Expected::NoStream => 0,
        Expected::Revision(revision) => revision.saturating_add(1),
    };
    if wanted == next {
        return write;
    }
    if wanted > next {
        return wrong;
    }
    match at(index, name, wanted, ids) {
        Some(Found::All { last }) => Decision::Already { last },
        None if expected == Expected::NoStream && soft_deleted && !ids.is_empty() => write,
        Some(Found::Part) | None => wrong,
    }
}

/// Events that are in the stream already.
enum Found {
    All { last: u64 },
    Part,
}

/// Looks for the events from a revision on.
fn at(index: &Index, name: &str, first: u64, ids: &[Uuid]) -> Option<Found> {
    let mut last = None;
    for (revision, id) in (first..).zip(ids) {
        let there = index.event(name, revision);
        if there.is_none_or(|entry| entry.id != *id) {
            return last.map(|_revision| Found::Part);
        }
        last = Some(revision);
    }
    last.map(|last| Found::All { last })
}

/// Looks for the events among the recent ones, wherever they stand.
fn anywhere(index: &Index, name: &str, ids: &[Uuid]) -> Option<Found> {
    let mut last = None;
    for id in ids {
        let Some(entry) = index.recent(name, *id) else {
            return last.map(|_revision| Found::Part);
        };
        last = Some(entry.revision);
    }
    last.map(|last| Found::All { last })
}

fn has_metadata(index: &Index, name: &str) -> bool {
    let metadata = index.stream(&format!("$${name}"));
    metadata.and_then(Stream::last).is_some()
}

//! The one writer: takes what waits, decides, makes it durable with one flush, then answers.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::index::{DELETED, TOMBSTONE_KIND};
use super::rules::{Decision, Expected, Refusal, decide};
use super::{Outcome, Shared, Written};
use crate::journal::{HEAD_LEN, Journal, NewEvent, encode};

/// A group is closed when it holds this many bytes, or this many requests.
const GROUP_BYTES_MAX: usize = 4 << 20;
const GROUP_LEN_MAX: usize = 512;

/// What is asked for.
#[derive(Debug)]
pub(super) enum Work {
    Append(Vec<NewEvent>),
    /// It can be begun anew.
    Delete,
    /// It is ended for good.
    Tombstone,
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) stream: String,
    pub(super) expected: Expected,
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<Outcome>,
}

/// An answer that waits for the flush.
struct Waiting {
    answer: oneshot::Sender<Outcome>,
    /// The stream and revision of the event that was written, or was there.
    last: Option<(String, u64)>,
    refusal: Option<Refusal>,
}

struct Group {
    frame: Vec<u8>,
    waiting: Vec<Waiting>,
    /// Streams that have been written to. What comes next for them is decided after the flush.
    touched: HashSet<String>,
    created: u64,
}

/// Runs until all senders are gone, or the disk fails: then nothing more is answered for.
pub(super) fn run(
    mut journal: Journal,
    shared: &Arc<Shared>,
    mut requests: mpsc::Receiver<Request>,
) {
    let mut deferred = None;
    while let Some(first) = deferred.take().or_else(|| requests.blocking_recv()) {
        let mut group = Group::new();
        let mut next = Some(first);
        while let Some(request) = next.take() {
            if !group.touched.is_empty() && group.touched.contains(base(&request.stream)) {
                deferred = Some(request);
                break;
            }
            group.take(shared, request);
            if group.waiting.len() < GROUP_LEN_MAX && group.frame.len() < GROUP_BYTES_MAX {
                next = requests.try_recv().ok();
            }
        }
        if let Err(error) = group.finish(&mut journal, shared) {
            // The waiting answers are dropped with the group: nobody was told that it is durable.
            tracing::error!(%error, "the journal failed; the store stops");
            return;
        }
    }
}

/// A stream and its metadata are written to together.
fn base(stream: &str) -> &str {
    stream.strip_prefix("$$").unwrap_or(stream)
}

impl Group {
    fn new() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            frame: vec![0; HEAD_LEN],
            waiting: Vec::new(),
            touched: HashSet::new(),
            created: u64::try_from(since.as_nanos() / 100).unwrap_or(u64::MAX),
        }
    }

    fn take(&mut self, shared: &Shared, request: Request) {
        let Request {
            stream,
            expected,
            work,
            answer,
        } = request;
        let ids: Vec<Uuid> = match &work {
            Work::Append(events) => events.iter().map(|event| event.id).collect(),
            Work::Delete | Work::Tombstone => Vec::new(),
        };
        let index = shared.index.read().unwrap_or_else(PoisonError::into_inner);
        let (last, refusal) = match decide(&index, &stream, expected, &ids) {
            Decision::Refuse(refusal) => (None, Some(refusal)),
            Decision::Already { last } => (Some((stream, last)), None),
            Decision::Write { first, revive } => {
                let metadata = format!("$${stream}");
                let next_metadata = index.stream(&metadata).and_then(super::Stream::last);
                let next_metadata = next_metadata.map_or(0, |last| last + 1);
                self.touched.insert(base(&stream).to_owned());
                let last = match work {
                    Work::Append(events) => {
                        if revive {
                            self.put(&metadata, next_metadata, &[truncation(first)]);
                        }
                        self.put_all(&stream, first, &events)
                    }
                    Work::Delete => {
                        self.put(&metadata, next_metadata, &[truncation(DELETED)]);
                        Some((metadata, next_metadata))
                    }
                    Work::Tombstone => {
                        self.put(&stream, DELETED, &[tombstone()]);
                        Some((stream, DELETED))
                    }
                };
                (last, None)
            }
        };
        self.waiting.push(Waiting {
            answer,
            last,
            refusal,
        });
    }

    fn put_all(&mut self, stream: &str, first: u64, events: &[NewEvent]) -> Option<(String, u64)> {
        let len = u64::try_from(events.len()).unwrap_or(u64::MAX);
        if len > 0 {
            self.put(stream, first, events);
        }
        let last = (first + len).checked_sub(1)?;
        Some((stream.to_owned(), last))
    }

    fn put(&mut self, stream: &str, first: u64, events: &[NewEvent]) {
        encode(&mut self.frame, stream, first, self.created, events);
    }

    fn finish(mut self, journal: &mut Journal, shared: &Shared) -> std::io::Result<()> {
        if self.frame.len() > HEAD_LEN {
            let base = journal.append(&mut self.frame)?;
            let mut index = shared.index.write().unwrap_or_else(PoisonError::into_inner);
            let content = self.frame.get(HEAD_LEN..).unwrap_or_default();
            if !index.add_frame(content, base) {
                return Err(std::io::Error::other("a frame cannot be read back"));
            }
            shared.len.send_replace(index.len());
        }
        let index = shared.index.read().unwrap_or_else(PoisonError::into_inner);
        for waiting in self.waiting {
            let outcome = waiting.refusal.map_or_else(
                || {
                    Ok(Written {
                        last: waiting.last.as_ref().map(|(_, revision)| *revision),
                        position: waiting.last.as_ref().and_then(|(stream, revision)| {
                            index
                                .event_or_tombstone(stream, *revision)
                                .map(|entry| entry.position)
                        }),
                    })
                },
                Err,
            );
            if waiting.answer.send(outcome).is_err() {
                tracing::debug!("an append was committed for a client that has gone");
            }
        }
        Ok(())
    }
}

/// Metadata that says where a stream begins.
fn truncation(before: u64) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        kind: "$metadata".to_owned(),
        is_json: true,
        metadata: Bytes::new(),
        data: format!("{{\"$tb\":{before}}}").into(),
    }
}

fn tombstone() -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        kind: TOMBSTONE_KIND.to_owned(),
        is_json: false,
        metadata: Bytes::new(),
        data: Bytes::new(),
    }
}

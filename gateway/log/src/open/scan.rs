//! One pass over the log with every processor: a thread scans the store, several hash and read the events, and the caller's
//! takes what they answer, in order.
//!
//! What is under way is bounded, so the pass takes no more memory for a longer log. It must never skip, repeat or
//! reorder an event.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope};

use schemas::proof::Hash;

use super::unreadable;
use crate::error::{LogFailed, OpenError, Quarantine};
use crate::store::Stored;

/// Events that go from thread to thread together: enough that handing over costs little.
const CHUNK_LEN: usize = 64;
/// Chunks that may wait for each reader, and behind it.
const CHUNKS_WAITING: usize = 2;
/// More readers than this only take memory: the scan is one thread.
const READERS_MAX: usize = 4;

/// Events in index order with the index of the first, or why there are no more that can be trusted.
type Chunk<E> = Result<(u64, Vec<E>), OpenError>;

/// Shows each event's leaf and what `read` makes of it to `take`, in index order from `first` on. Ends with the first gap or
/// failure of the store, after what comes before that was taken.
pub(super) fn each<T: Send>(
    stored: impl Iterator<Item = Result<Stored, LogFailed>> + Send,
    first: u64,
    read: impl Fn(u64, &[u8]) -> T + Sync,
    mut take: impl FnMut(Hash, T),
) -> Result<(), OpenError> {
    let readers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let chunks = Chunks {
        stored,
        next_index: first,
        failed: None,
        ended: false,
    };
    let read = &read;
    std::thread::scope(move |scope| {
        let (mut inlets, mut outlets) = (Vec::new(), Vec::new());
        for _ in 0..readers.min(READERS_MAX) {
            let (inlet, dealt) = sync_channel(CHUNKS_WAITING);
            let (results, outlet) = sync_channel(CHUNKS_WAITING);
            spawn(scope, "log-reader", move || {
                read_chunks(&dealt, &results, read);
            })?;
            inlets.push(inlet);
            outlets.push(outlet);
        }
        spawn(scope, "log-scan", move || deal(chunks, &inlets))?;
        // In turn, as the scan hands them out; the first reader that has no more was not given any more.
        for outlet in outlets.iter().cycle() {
            let Ok(chunk) = outlet.recv() else {
                return Ok(());
            };
            for (leaf, read) in chunk?.1 {
                take(leaf, read);
            }
        }
        Ok(())
    })
}

/// Threads of a scope: a panic in one of them is one of the caller, whatever the others answered.
fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), OpenError> {
    Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .map(drop)
        .map_err(OpenError::io("start the threads that read the log"))
}

/// The log in chunks. After the first gap or failure there is nothing more.
struct Chunks<I> {
    stored: I,
    next_index: u64,
    failed: Option<OpenError>,
    ended: bool,
}

impl<I: Iterator<Item = Result<Stored, LogFailed>>> Chunks<I> {
    fn event(&mut self) -> Option<Stored> {
        let outcome = self.stored.next()?.map_err(unreadable);
        let expected = self.next_index;
        let failed = match outcome {
            Ok(stored) if stored.key() == expected.to_be_bytes() => {
                self.next_index += 1;
                return Some(stored);
            }
            Ok(_) => Quarantine::Gap { expected }.into(),
            Err(error) => error,
        };
        self.failed = Some(failed);
        None
    }
}

impl<I: Iterator<Item = Result<Stored, LogFailed>>> Iterator for Chunks<I> {
    type Item = Chunk<Stored>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.next_index;
        let mut events = Vec::new();
        while !self.ended && events.len() < CHUNK_LEN {
            match self.event() {
                Some(event) => events.push(event),
                None => self.ended = true,
            }
        }
        if events.is_empty() {
            self.failed.take().map(Err)
        } else {
            Some(Ok((first, events)))
        }
    }
}

/// Gives chunks to the readers in turn, until the end or until nobody wants more.
fn deal(chunks: impl Iterator<Item = Chunk<Stored>>, inlets: &[SyncSender<Chunk<Stored>>]) {
    for (inlet, chunk) in inlets.iter().cycle().zip(chunks) {
        if inlet.send(chunk).is_err() {
            return;
        }
    }
}

/// One reader's work, until there is no more or nobody wants it.
fn read_chunks<T>(
    chunks: &Receiver<Chunk<Stored>>,
    results: &SyncSender<Chunk<(Hash, T)>>,
    read: &impl Fn(u64, &[u8]) -> T,
) {
    for chunk in chunks {
        let chunk = chunk.map(|(first, events)| {
            let read = |(index, event): (u64, Stored)| {
                let signed = event.signed();
                (Hash::leaf(signed), read(index, signed))
            };
            (first, (first..).zip(events).map(read).collect())
        });
        if results.send(chunk).is_err() {
            return;
        }
    }
}

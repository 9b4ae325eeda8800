//! The handle that the rest of the gateway holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use schemas::proof::{Frontier, NoteKey};
use tokio::sync::{oneshot, watch};

use crate::appending::Appending;
use crate::checkpoint::Desk;
use crate::committer::{Call, Committer, Op, Shared};
use crate::error::{AppendRefusal, LogFailed};
use crate::group::{Group, KvOp, Space};
use crate::limits::Limits;
use crate::notary::SignedHead;
use crate::room::{Room, RoomKeeper, RoomLevel};
use crate::store::{EpochsStore, Events};
use crate::tree::StoredTree;

/// The station's log. Cheap to clone; all clones are one log.
///
/// The order of calls is the order of events: a call takes its place when it is made, not when its future is awaited.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) entrance: Mutex<Entrance>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Arc<dyn EpochsStore>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) tree: Arc<StoredTree>,
    pub(crate) identity: NoteKey,
    pub(crate) limits: Limits,
    pub(crate) room: Option<Arc<RoomKeeper>>,
    /// Held while the log is open. Last, so that it is given up after all else is closed.
    pub(crate) _lock: Option<File>,
}

/// Where calls get their place.
pub(crate) struct Entrance {
    pub(crate) next_index: u64,
    pub(crate) way: Way,
}

pub(crate) enum Way {
    Thread(Sender<Op>, JoinHandle<()>),
    Inline(Box<Committer>),
    Closed,
}

impl Log {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The index that the next event must be signed for: that after all calls made so far, durable or not.
    pub fn next_index(&self) -> u64 {
        self.entrance().next_index
    }

    /// How many events are durable.
    pub fn size(&self) -> u64 {
        self.0.shared.size.load(Ordering::Acquire)
    }

    /// The origin that events and checkpoints name.
    pub fn origin(&self) -> &str {
        self.0.identity.name()
    }

    /// The first key of this log, which events and checkpoints are checked by until one names another.
    pub fn key(&self) -> &NoteKey {
        &self.0.identity
    }

    /// The last checkpoint that is stored. It covers durable events only, and may lag them.
    pub fn head(&self) -> SignedHead {
        self.0.desk.head()
    }

    /// The last checkpoint that is stored, each time there is a new one: for whoever waits until one covers an event.
    pub fn heads(&self) -> watch::Receiver<SignedHead> {
        self.0.desk.heads()
    }

    /// The checkpoint over exactly the size after the last sealed group ([`Group::sealed`]) since this log was opened.
    pub fn sealed_head(&self) -> Option<SignedHead> {
        self.0.desk.sealed_head()
    }

    /// Appends a group; resolves when it is durable. A refusal changes nothing; a failure means that the process must end, and
    /// whether the group is in the log is then unknown until it is opened again. Dropping the future does not take
    /// the group back.
    pub fn append<T>(&self, group: Group<T>) -> Appending<T> {
        self.append_with(|_| group)
    }

    /// The same for callers that are not alone: `make` gets the index that its first event must be signed for, and no other call
    /// comes between. It must be quick and must not call this log.
    pub fn append_with<T>(&self, make: impl FnOnce(u64) -> Group<T>) -> Appending<T> {
        let mut entrance = self.entrance();
        let Group {
            first_index,
            batches,
            seal,
            epoch,
            value,
        } = make(entrance.next_index);
        let events: Vec<_> = batches.into_iter().flat_map(|batch| batch.0).collect();
        let end = first_index.saturating_add(events.len().try_into().unwrap_or(u64::MAX));
        let entered = self
            .check_events(first_index, entrance.next_index, &events)
            .and_then(|bytes| self.check_queue(bytes).map(|()| bytes))
            .map(|bytes| {
                entrance.next_index = end;
                let call = Call {
                    events,
                    seal,
                    epoch,
                    ..Call::default()
                };
                self.enter(&mut entrance, call, bytes)
            });
        drop(entrance);
        Appending::new(entered, value, first_index..end)
    }

    /// Changes pairs of one space, all or none; resolves when that is durable.
    pub fn kv_apply<T>(&self, space: Space, ops: Vec<KvOp>, value: T) -> Appending<T> {
        let mut entrance = self.entrance();
        let at = entrance.next_index;
        let entered = self
            .check_pairs(&ops)
            .and_then(|bytes| self.check_queue(bytes).map(|()| bytes))
            .map(|bytes| {
                let call = Call {
                    kv: Some((space, ops)),
                    ..Call::default()
                };
                self.enter(&mut entrance, call, bytes)
            });
        drop(entrance);
        Appending::new(entered, value, at..at)
    }

    /// Every pair of a space. Reads the disk: not for the hot path.
    pub fn kv_load(&self, space: Space) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, LogFailed> {
        self.0.store.kv_load(space)
    }

    /// The index of the first event that is there: 0, or what came before it was pruned ([`Log::prune`]).
    pub fn first_index(&self) -> u64 {
        self.epochs().first().copied().unwrap_or(0)
    }

    /// The first index of each epoch that is there, the oldest first. Events are appended to the last.
    pub fn epochs(&self) -> Vec<u64> {
        self.0.store.epochs()
    }

    /// How often a closed epoch was opened to be read since this log was opened. Each time it is copied whole.
    pub fn closed_epochs_opened(&self) -> u64 {
        self.0.store.closed_opened()
    }

    /// The tree over the events that were pruned. Reads the disk.
    pub fn beginning(&self) -> Result<Frontier, LogFailed> {
        self.0.store.frontier(self.first_index())
    }

    /// The durable events of these indexes, in order. What is past [`Log::size`] is not shown; what was pruned is answered with
    /// [`LogFailed::Pruned`]. Reads the disk.
    pub fn read(&self, range: Range<u64>) -> Events {
        self.0.store.events(range.start..range.end.min(self.size()))
    }

    /// What is left of the disk. Gives the reserve back, or takes it again, as that demands.
    pub fn room(&self) -> std::io::Result<Room> {
        self.0.room.as_ref().map_or(
            Ok(Room {
                free_bytes: u64::MAX,
                level: RoomLevel::Ample,
            }),
            |room| room.look(),
        )
    }

    /// Why the log can no longer be used, if so.
    pub fn failure(&self) -> Option<LogFailed> {
        let failed = self.0.shared.failed.get().cloned();
        failed.or_else(|| self.0.desk.failure())
    }

    /// Resolves when checkpoints can no longer be signed or stored, which is also so while nothing is appended: then the process
    /// must end. Never resolves otherwise.
    pub async fn failed(&self) -> LogFailed {
        let mut failures = self.0.desk.failures();
        let failed = failures.wait_for(Option::is_some).await;
        failed.map_or(LogFailed::Closed, |failed| {
            failed.clone().unwrap_or(LogFailed::Closed)
        })
    }

    /// Makes everything durable that was accepted, signs the last checkpoint and ends the log's threads. Blocks; later
    /// calls are answered with [`LogFailed::Closed`]. The folder is free for another process once the last clone is dropped.
    pub fn close(&self) -> Result<(), LogFailed> {
        self.0.close();
        self.failure().map_or(Ok(()), Err)
    }

    pub(crate) fn store(&self) -> &dyn EpochsStore {
        self.0.store.as_ref()
    }

    pub(crate) fn tree(&self) -> &StoredTree {
        &self.0.tree
    }

    fn enter(
        &self,
        entrance: &mut Entrance,
        call: Call,
        bytes: usize,
    ) -> oneshot::Receiver<Result<(), LogFailed>> {
        let (reply, answer) = oneshot::channel();
        self.0
            .shared
            .waiting_bytes
            .fetch_add(bytes, Ordering::AcqRel);
        self.0.shared.waiting_len.fetch_add(1, Ordering::AcqRel);
        let op = Op { call, bytes, reply };
        match &mut entrance.way {
            // When the committer is gone the reply is dropped with the call, and the caller hears "closed".
            Way::Thread(sender, _) => drop(sender.send(op)),
            Way::Inline(committer) => committer.commit(vec![op]),
            Way::Closed => drop(op),
        }
        answer
    }

    fn check_events(
        &self,
        given: u64,
        next: u64,
        events: &[Vec<u8>],
    ) -> Result<usize, AppendRefusal> {
        let limits = &self.0.limits;
        if given != next {
            return Err(AppendRefusal::WrongIndex { given, next });
        }
        for event in events {
            let (bytes, max_bytes) = (event.len(), limits.event_bytes_max);
            if bytes == 0 {
                return Err(AppendRefusal::EventEmpty);
            }
            if bytes > max_bytes {
                return Err(AppendRefusal::EventTooLong { bytes, max_bytes });
            }
        }
        fits(events.iter().map(Vec::len).sum(), limits.group_bytes_max)
    }

    fn check_pairs(&self, ops: &[KvOp]) -> Result<usize, AppendRefusal> {
        let limits = &self.0.limits;
        let mut total = 0;
        for (key, value) in ops {
            let (bytes, max_bytes) = (key.len(), limits.kv_key_bytes_max);
            if bytes == 0 || bytes > max_bytes {
                return Err(AppendRefusal::Key { bytes, max_bytes });
            }
            let (bytes, max_bytes) = (
                value.as_ref().map_or(0, Vec::len),
                limits.kv_value_bytes_max,
            );
            if bytes > max_bytes {
                return Err(AppendRefusal::ValueTooLong { bytes, max_bytes });
            }
            total += key.len() + bytes;
        }
        fits(total, limits.group_bytes_max)
    }

    fn check_queue(&self, bytes: usize) -> Result<(), AppendRefusal> {
        let waiting_len = self.0.shared.waiting_len.load(Ordering::Acquire);
        let waiting_bytes = self.0.shared.waiting_bytes.load(Ordering::Acquire);
        if waiting_len >= self.0.limits.queue_len_max
            || waiting_bytes.saturating_add(bytes) > self.0.limits.queue_bytes_max
        {
            return Err(AppendRefusal::Busy {
                waiting_len,
                waiting_bytes,
            });
        }
        Ok(())
    }

    fn entrance(&self) -> MutexGuard<'_, Entrance> {
        self.0.entrance()
    }
}

impl Inner {
    fn entrance(&self) -> MutexGuard<'_, Entrance> {
        // A caller's `make` may panic under this lock, but before anything was changed.
        self.entrance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let way = std::mem::replace(&mut self.entrance().way, Way::Closed);
        match way {
            Way::Thread(sender, thread) => {
                drop(sender);
                if thread.join().is_err() {
                    tracing::error!("the committer's thread panicked");
                }
            }
            Way::Inline(mut committer) => committer.checkpoint(),
            Way::Closed => {}
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("origin", &self.origin())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

fn fits(bytes: usize, max_bytes: usize) -> Result<usize, AppendRefusal> {
    if bytes > max_bytes {
        return Err(AppendRefusal::GroupTooLarge { bytes, max_bytes });
    }
    Ok(bytes)
}

//! The one writer: takes what waits, makes it durable with one flush, answers, and keeps the tree.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use schemas::proof::Frontier;
use tokio::sync::oneshot;

use crate::checkpoint::Checkpoints;
use crate::error::LogFailed;
use crate::group::{KvOp, Space};
use crate::limits::Limits;
use crate::room::RoomKeeper;
use crate::store::{EpochsStore, Write};
use crate::tree::StoredTree;

/// A group whose members return within this time after the last flush is still the same crowd.
const CROWD_LASTS: Duration = Duration::from_millis(5);
/// Room is looked at after at most this many bytes written; the critical mark is far above it.
const ROOM_LOOK_BYTES: usize = 256 * 1024;

/// What a caller asks for.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) events: Vec<Vec<u8>>,
    pub(crate) kv: Option<(Space, Vec<KvOp>)>,
    /// The flush ends with this call, and a checkpoint over exactly that size is stored before it is answered.
    pub(crate) seal: bool,
    /// An epoch begins with this call, which has a flush of its own.
    pub(crate) epoch: bool,
}

/// One call, and whom to answer.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) call: Call,
    pub(crate) bytes: usize,
    pub(crate) reply: oneshot::Sender<Result<(), LogFailed>>,
}

/// What committer and handles both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Events that are durable.
    pub(crate) size: AtomicU64,
    pub(crate) waiting_bytes: AtomicUsize,
    pub(crate) waiting_len: AtomicUsize,
    pub(crate) failed: OnceLock<LogFailed>,
}

/// The log's single writer.
pub(crate) struct Committer {
    pub(crate) store: Arc<dyn EpochsStore>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) limits: Limits,
    /// `None` in memory.
    pub(crate) room: Option<Arc<RoomKeeper>>,
    pub(crate) checkpoints: Checkpoints,
    tree: Frontier,
    stored_tree: Arc<StoredTree>,
    /// Size that a checkpoint was last asked for.
    requested: u64,
    unlooked_bytes: usize,
}

impl Committer {
    pub(crate) fn new(
        store: Arc<dyn EpochsStore>,
        shared: Arc<Shared>,
        limits: Limits,
        room: Option<Arc<RoomKeeper>>,
        checkpoints: Checkpoints,
        tree: Frontier,
        stored_tree: Arc<StoredTree>,
    ) -> Self {
        let requested = tree.size();
        shared.size.store(tree.size(), Ordering::Release);
        // The first commit looks at the room.
        let unlooked_bytes = ROOM_LOOK_BYTES;
        Self {
            store,
            shared,
            limits,
            room,
            checkpoints,
            tree,
            stored_tree,
            requested,
            unlooked_bytes,
        }
    }

    /// Makes all of these durable, answers each, and asks for a checkpoint when one is due by number. Only the last may be
    /// sealed, only the first may begin an epoch. A failure is answered to all of them and to every later call.
    pub(crate) fn commit(&mut self, ops: Vec<Op>) {
        let bytes = ops.iter().map(|op| op.bytes).sum();
        let sealed = ops.last().is_some_and(|op| op.call.seal);
        let begins = ops.first().is_some_and(|op| op.call.epoch);
        let (write, replies) = merge(self.tree.size(), ops);
        let mut outcome = self.write(&write, bytes, begins);
        if sealed && outcome.is_ok() {
            outcome = self.seal(&write.events);
        }
        self.shared
            .waiting_len
            .fetch_sub(replies.len(), Ordering::AcqRel);
        self.shared.waiting_bytes.fetch_sub(bytes, Ordering::AcqRel);
        for reply in replies {
            // A caller that no longer waits loses nothing: its events are durable all the same.
            reply.send(outcome.clone()).ok();
        }
        if outcome.is_ok() && !sealed {
            // Hashed after the answers, while the callers are busy with them.
            self.stored_tree.grow(&mut self.tree, &write.events);
            if let Err(failed) = self.checkpoint_by_number() {
                self.fail(failed);
            }
        }
    }

    /// Has a checkpoint stored that ends with these events, which are durable.
    fn seal(&mut self, events: &[Vec<u8>]) -> Result<(), LogFailed> {
        self.stored_tree.grow(&mut self.tree, events);
        self.requested = self.tree.size();
        let outcome = self.checkpoints.seal(&self.tree);
        if let Err(failed) = &outcome {
            self.fail(failed.clone());
        }
        outcome
    }

    /// Asks for a checkpoint of all that is durable, if there is anything new.
    pub(crate) fn checkpoint(&mut self) {
        if self.unsigned() > 0 {
            self.requested = self.tree.size();
            if let Err(failed) = self.checkpoints.request(&self.tree) {
                self.fail(failed);
            }
        }
    }

    /// Events that no checkpoint was asked for yet.
    pub(crate) fn unsigned(&self) -> u64 {
        self.tree.size().saturating_sub(self.requested)
    }

    fn write(&mut self, write: &Write, bytes: usize, begins: bool) -> Result<(), LogFailed> {
        if let Some(failed) = self.shared.failed.get() {
            return Err(failed.clone());
        }
        let outcome = self.try_write(write, bytes, begins);
        if let Err(failed) = &outcome {
            self.fail(failed.clone());
        } else {
            let count = write.events.len().try_into().unwrap_or(u64::MAX);
            self.shared.size.fetch_add(count, Ordering::AcqRel);
        }
        outcome
    }

    fn try_write(&mut self, write: &Write, bytes: usize, begins: bool) -> Result<(), LogFailed> {
        if write.is_empty() {
            return Ok(());
        }
        if let Some(failed) = self.checkpoints.failure() {
            return Err(failed);
        }
        self.unlooked_bytes = self.unlooked_bytes.saturating_add(bytes);
        if let Some(room) = self
            .room
            .as_ref()
            .filter(|_| begins || self.unlooked_bytes >= ROOM_LOOK_BYTES)
        {
            room.before_write()?;
            self.unlooked_bytes = 0;
        }
        if begins {
            // What an epoch leaves behind it can only be proven by the stored hashes, once it is pruned.
            self.stored_tree.sync();
            self.store.begin_epoch(&self.tree)?;
        }
        self.store.write(write)
    }

    fn checkpoint_by_number(&mut self) -> Result<(), LogFailed> {
        if self.unsigned() < self.limits.checkpoint_events_max {
            return Ok(());
        }
        self.checkpoint();
        // HEAD's own syncs run beside the commits; when they fall too far behind, commits wait.
        let lag_max = self.limits.checkpoint_lag_events_max;
        self.checkpoints
            .wait_for(self.tree.size().saturating_sub(lag_max))
    }

    fn fail(&self, failed: LogFailed) {
        tracing::error!(error = %failed, "the log failed; the process must end");
        // A later failure follows from the first, which is the one that is kept.
        self.shared.failed.set(failed).ok();
    }
}

/// All calls as one write, in their order, and whom to answer.
fn merge(first_index: u64, ops: Vec<Op>) -> (Write, Vec<oneshot::Sender<Result<(), LogFailed>>>) {
    let mut write = Write {
        first_index,
        ..Write::default()
    };
    let mut replies = Vec::with_capacity(ops.len());
    for op in ops {
        write.events.extend(op.call.events);
        if let Some((space, pairs)) = op.call.kv {
            write.kv.entry(space).or_default().extend(pairs);
        }
        replies.push(op.reply);
    }
    (write, replies)
}

/// The committer's thread: drives a [`Committer`] from a queue. Waits without cost when nothing is to do.
pub(crate) struct Driver {
    committer: Committer,
    queue: Receiver<Op>,
    /// Taken from the queue, but too large for the flush before.
    carried: VecDeque<Op>,
    /// How many the last flush served, and when it ended.
    crowd: (usize, Instant),
    checkpoint_due: Option<Instant>,
}

impl Driver {
    pub(crate) fn new(committer: Committer, queue: Receiver<Op>) -> Self {
        let crowd = (0, Instant::now());
        Self {
            committer,
            queue,
            carried: VecDeque::new(),
            crowd,
            checkpoint_due: None,
        }
    }

    /// Runs until every handle is gone; the last durable event is then under a checkpoint.
    pub(crate) fn run(mut self) {
        loop {
            match self.next() {
                Next::Op(op) => {
                    let ops = self.gather(op);
                    let served = ops.len();
                    self.committer.commit(ops);
                    self.crowd = (served, Instant::now());
                    self.set_timer();
                }
                Next::CheckpointDue => {
                    self.committer.checkpoint();
                    self.checkpoint_due = None;
                }
                Next::Closed => {
                    self.committer.checkpoint();
                    return;
                }
            }
        }
    }

    fn next(&mut self) -> Next {
        // A checkpoint that is due is not put off by a busy queue.
        if self.checkpoint_due.is_some_and(|due| due <= Instant::now()) {
            return Next::CheckpointDue;
        }
        if let Some(op) = self.carried.pop_front() {
            return Next::Op(op);
        }
        let Some(due) = self.checkpoint_due else {
            return self.queue.recv().map_or(Next::Closed, Next::Op);
        };
        match self
            .queue
            .recv_timeout(due.saturating_duration_since(Instant::now()))
        {
            Ok(op) => Next::Op(op),
            Err(RecvTimeoutError::Timeout) => Next::CheckpointDue,
            Err(RecvTimeoutError::Disconnected) => Next::Closed,
        }
    }

    /// What one flush shall serve: all that waits, up to the limit. Only when several are about does it wait a moment
    /// for those who were answered last and are likely to come back.
    fn gather(&mut self, first: Op) -> Vec<Op> {
        let began = Instant::now();
        let limits = self.committer.limits;
        let expected = match self.crowd {
            (served, ended) if began.duration_since(ended) < CROWD_LASTS => served,
            (_, _) => 1,
        };
        let mut bytes = first.bytes;
        let mut ops = vec![first];
        // What is sealed ends the flush.
        while !ops.last().is_some_and(|op| op.call.seal) {
            let several = expected.max(ops.len()) > 1;
            let window = limits.gather_window.saturating_sub(began.elapsed());
            let may_wait = several && ops.len() < expected && !window.is_zero();
            let next = match self.queue.try_recv() {
                Ok(op) => op,
                Err(TryRecvError::Empty) if may_wait => match self.queue.recv_timeout(window) {
                    Ok(op) => op,
                    Err(_) => return ops,
                },
                Err(_) => return ops,
            };
            bytes += next.bytes;
            if bytes > limits.flush_bytes_max || next.call.epoch {
                self.carried.push_back(next);
                return ops;
            }
            ops.push(next);
        }
        ops
    }

    fn set_timer(&mut self) {
        self.checkpoint_due = match (self.committer.unsigned(), self.checkpoint_due) {
            (0, _) => None,
            (_, Some(due)) => Some(due),
            (_, None) => Some(Instant::now() + self.committer.limits.checkpoint_delay_max),
        };
    }
}

enum Next {
    Op(Op),
    CheckpointDue,
    Closed,
}

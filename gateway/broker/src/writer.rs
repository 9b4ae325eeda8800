//! The one task that writes to the store: in order, grouped, and honest about failure.
//!
//! A delivery that was queued and acknowledged before its write began is not written at all.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::store::{Store, StoreError, StoreOp};

/// Jobs of one group at most.
const GROUP_JOBS_MAX: usize = 256;
/// Bytes of one group, beyond which no further job is added.
const GROUP_BYTES_MAX: usize = 96 * 1_024;

/// One change of the store.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
    /// The key was never written before: if it is removed within the same group, nothing is written.
    pub(crate) fresh: bool,
}

impl Op {
    pub(crate) fn put(key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            key,
            value: Some(value),
            fresh: false,
        }
    }

    pub(crate) fn put_fresh(key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            key,
            value: Some(value),
            fresh: true,
        }
    }

    pub(crate) fn delete(key: Vec<u8>) -> Self {
        Self {
            key,
            value: None,
            fresh: false,
        }
    }
}

#[derive(Debug)]
struct Job {
    ops: Vec<Op>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Resolves when a write is durable.
pub(crate) type Written = oneshot::Receiver<Result<(), StoreError>>;

/// Hands writes to the writing task. The order of calls is the order of writes.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
}

impl Writer {
    /// Starts the task. It ends when every `Writer` is gone and all is written. `failed` is called for
    /// each group the store refused.
    pub(crate) fn start(store: Arc<dyn Store>, failed: impl Fn() + Send + 'static) -> Self {
        // Unbounded, yet limited: each connection waits for its own writes within its window.
        let (jobs, receiver) = mpsc::unbounded_channel();
        tokio::spawn(write_all(store, receiver, failed));
        Self { jobs }
    }

    /// Queues a write. `None` when there is nothing to write.
    pub(crate) fn write(&self, ops: Vec<Op>) -> Option<Written> {
        if ops.is_empty() {
            return None;
        }
        Some(self.queue(ops))
    }

    /// Resolves when everything queued before is written.
    pub(crate) fn flush(&self) -> Written {
        self.queue(Vec::new())
    }

    fn queue(&self, ops: Vec<Op>) -> Written {
        let (done, written) = oneshot::channel();
        // If the task is gone, the job's sender is dropped with it, and the receiver says so.
        drop(self.jobs.send(Job { ops, done }));
        written
    }
}

/// Waits for a write, if there is one.
pub(crate) async fn settled(written: Option<Written>) -> Result<(), StoreError> {
    match written {
        None => Ok(()),
        Some(written) => written.await.unwrap_or(Err(StoreError::Closed)),
    }
}

async fn write_all(
    store: Arc<dyn Store>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    failed: impl Fn(),
) {
    while let Some(first) = jobs.recv().await {
        let mut group = Group::default();
        group.add(first);
        while group.waiting.len() < GROUP_JOBS_MAX && group.bytes < GROUP_BYTES_MAX {
            match jobs.try_recv() {
                Ok(job) => group.add(job),
                Err(_) => break,
            }
        }
        let ops = group.ops();
        let result = if ops.is_empty() {
            Ok(())
        } else {
            store.apply(ops).await
        };
        if let Err(error) = &result {
            tracing::error!(%error, "the broker's store refused a write");
            failed();
        }
        for done in group.waiting {
            // Whoever no longer waits needs no answer.
            drop(done.send(result.clone()));
        }
    }
}

#[derive(Debug, Default)]
struct Group {
    /// `None` where a later operation on the same key replaced it.
    ops: Vec<Option<Op>>,
    last: HashMap<Vec<u8>, usize>,
    bytes: usize,
    waiting: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Group {
    fn add(&mut self, job: Job) {
        for mut op in job.ops {
            self.bytes += op.key.len() + op.value.as_ref().map_or(0, Vec::len);
            let at = self.last.insert(op.key.clone(), self.ops.len());
            let replaced = at
                .and_then(|at| self.ops.get_mut(at))
                .and_then(Option::take);
            if replaced.is_some_and(|old| old.fresh) {
                op.fresh = true;
                if op.value.is_none() {
                    self.ops.push(None);
                    continue;
                }
            }
            self.ops.push(Some(op));
        }
        self.waiting.push(job.done);
    }

    fn ops(&mut self) -> Vec<StoreOp> {
        self.ops
            .drain(..)
            .flatten()
            .map(|op| (op.key, op.value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(jobs: Vec<Vec<Op>>) -> Vec<StoreOp> {
        let mut group = Group::default();
        for ops in jobs {
            group.add(Job {
                ops,
                done: oneshot::channel().0,
            });
        }
        group.ops()
    }

    #[test]
    fn only_the_last_word_on_a_key_is_written_and_a_fresh_key_removed_is_not_written_at_all() {
        let k = || b"k".to_vec();
        let v = |n: u8| vec![n];
        assert_eq!(
            group(vec![vec![Op::put_fresh(k(), v(1))], vec![Op::delete(k())]]),
            []
        );
        assert_eq!(
            group(vec![
                vec![Op::put_fresh(k(), v(1)), Op::put(k(), v(2))],
                vec![Op::delete(k())]
            ]),
            []
        );
        assert_eq!(
            group(vec![vec![Op::put(k(), v(1))], vec![Op::delete(k())]]),
            [(k(), None)]
        );
        assert_eq!(
            group(vec![vec![Op::put(k(), v(1))], vec![Op::put(k(), v(2))]]),
            [(k(), Some(v(2)))]
        );
    }
}

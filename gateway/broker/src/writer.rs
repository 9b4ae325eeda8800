//! The one task that writes to the store: in order, grouped, and honest about failure.
//!
//! A delivery that was queued and acknowledged before its write began is not written at all. When the store refuses a
//! group, its jobs are brought one by one, so that only the one that cannot be written fails.

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

type Done = oneshot::Sender<Result<(), StoreError>>;

#[derive(Debug)]
struct Job {
    ops: Vec<Op>,
    done: Done,
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
    pub(crate) fn start(store: Arc<dyn Store>, failed: impl Fn() + Send + Sync + 'static) -> Self {
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
        while group.jobs.len() < GROUP_JOBS_MAX && group.bytes < GROUP_BYTES_MAX {
            match jobs.try_recv() {
                Ok(job) => group.add(job),
                Err(_) => break,
            }
        }
        write(&*store, group, &failed).await;
    }
}

async fn write(store: &dyn Store, group: Group, failed: &impl Fn()) {
    let result = apply(store, group.ops()).await;
    let is_refused = matches!(result, Err(StoreError::Refused(_)));
    if is_refused && group.jobs.len() > 1 {
        // In their order, and each as it was asked for: the last word on a key is the same.
        for job in group.jobs {
            let ops = job.ops.into_iter().map(|op| (op.key, op.value)).collect();
            let result = apply(store, ops).await;
            tell(job.done, &result, failed);
        }
        return;
    }
    if let Err(error) = &result {
        tracing::error!(%error, "the broker's store failed a write");
        failed();
    }
    for job in group.jobs {
        // Whoever no longer waits needs no answer.
        drop(job.done.send(result.clone()));
    }
}

async fn apply(store: &dyn Store, ops: Vec<StoreOp>) -> Result<(), StoreError> {
    if ops.is_empty() {
        return Ok(());
    }
    store.apply(ops).await
}

fn tell(done: Done, result: &Result<(), StoreError>, failed: &impl Fn()) {
    if let Err(error) = result {
        tracing::error!(%error, "the broker's store failed a write");
        failed();
    }
    // Whoever no longer waits needs no answer.
    drop(done.send(result.clone()));
}

/// Jobs that are written together.
#[derive(Debug, Default)]
struct Group {
    jobs: Vec<Job>,
    bytes: usize,
}

impl Group {
    fn add(&mut self, job: Job) {
        let bytes = |op: &Op| op.key.len() + op.value.as_ref().map_or(0, Vec::len);
        self.bytes += job.ops.iter().map(bytes).sum::<usize>();
        self.jobs.push(job);
    }

    /// The operations of all jobs, less those that a later one on the same key replaces. The jobs keep their own, should
    /// the store refuse the whole.
    fn ops(&self) -> Vec<StoreOp> {
        let mut left: Vec<Option<(&Op, bool)>> = Vec::new();
        let mut last: HashMap<&[u8], usize> = HashMap::new();
        for op in self.jobs.iter().flat_map(|job| &job.ops) {
            let at = last.insert(&op.key, left.len());
            let replaced = at.and_then(|at| left.get_mut(at)).and_then(Option::take);
            let is_fresh = op.fresh || replaced.is_some_and(|(_, is_fresh)| is_fresh);
            let is_needless = op.value.is_none() && is_fresh;
            left.push((!is_needless).then_some((op, is_fresh)));
        }
        left.into_iter()
            .flatten()
            .map(|(op, _)| (op.key.clone(), op.value.clone()))
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

    /// Takes whatever has no key "bad", and counts the calls.
    #[derive(Default)]
    struct Picky {
        taken: crate::store::MemoryStore,
        calls: std::sync::atomic::AtomicUsize,
    }

    impl Store for Picky {
        fn load(&self) -> Result<Vec<crate::store::Entry>, StoreError> {
            self.taken.load()
        }

        fn apply(
            &self,
            ops: Vec<StoreOp>,
        ) -> futures_util::future::BoxFuture<'static, Result<(), StoreError>> {
            self.calls
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if ops.iter().any(|(key, _)| key == b"bad") {
                return Box::pin(std::future::ready(Err(StoreError::refused("bad"))));
            }
            self.taken.apply(ops)
        }
    }

    /// G2: a write that cannot be made fails alone; those grouped with it are written, in their order.
    #[tokio::test]
    async fn only_the_job_that_cannot_be_written_fails() {
        let store = Arc::new(Picky::default());
        let failed = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&failed);
        let writer = Writer::start(store.clone(), move || {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        let put = |key: &str, n| Op::put(key.as_bytes().to_vec(), vec![n]);
        // All of them wait before the writing task runs: one group.
        let writes = [
            vec![put("a", 1)],
            vec![put("b", 1), put("bad", 1)],
            vec![put("a", 2), Op::put_fresh(b"c".to_vec(), vec![1])],
            vec![Op::delete(b"c".to_vec())],
        ]
        .map(|ops| writer.write(ops));
        let mut results = Vec::new();
        for written in writes {
            results.push(settled(written).await.is_ok());
        }
        assert_eq!(results, [true, false, true, true]);
        assert_eq!(store.load().ok(), Some(vec![(b"a".to_vec(), vec![2])]));
        let count =
            |n: &std::sync::atomic::AtomicUsize| n.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!((count(&failed), count(&store.calls)), (1, 5));
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

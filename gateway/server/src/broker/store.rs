//! The broker's sessions, queues and retained messages, kept beside the events in the log's store.

use std::collections::VecDeque;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gateway_broker::{Entry, Store, StoreError, StoreOp};
use gateway_log::{AppendError, Log, Space};

/// One write at most, in bytes of keys and values: the log's limit for a group, less some air.
const WRITE_BYTES_MAX: usize = 120 * 1024;

/// A store over the log.
#[derive(Debug)]
pub struct LogStore(Log);

impl LogStore {
    /// Over `log`.
    pub fn new(log: Log) -> Self {
        Self(log)
    }
}

impl Store for LogStore {
    fn load(&self) -> Result<Vec<Entry>, StoreError> {
        let pairs = self.0.kv_load(Space::BROKER).map_err(StoreError::io)?;
        Ok(pairs.into_iter().collect())
    }

    fn apply(&self, ops: Vec<StoreOp>) -> BoxFuture<'static, Result<(), StoreError>> {
        // Only what does not fit one write is cut, and then a crash in between leaves a beginning of it, which is what
        // separate calls would leave. One write at a time: however much a client makes the broker write, the log's queue
        // keeps its room for events.
        let log = self.0.clone();
        async move {
            for ops in cut(ops) {
                match log.kv_apply(Space::BROKER, ops, ()).await {
                    Ok(durable) => durable.into_inner(),
                    Err(AppendError::Refused(refusal)) => return Err(StoreError::refused(refusal)),
                    Err(AppendError::Failed(failed)) => return Err(StoreError::io(failed)),
                }
            }
            Ok(())
        }
        .boxed()
    }
}

fn cut(ops: Vec<StoreOp>) -> Vec<Vec<StoreOp>> {
    let mut writes = VecDeque::from([Vec::new()]);
    let mut bytes = 0;
    for op in ops {
        let size = op.0.len() + op.1.as_ref().map_or(0, Vec::len);
        if bytes + size > WRITE_BYTES_MAX && bytes > 0 {
            writes.push_back(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(write) = writes.back_mut() {
            write.push(op);
        }
    }
    writes.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn over(limits: gateway_log::Limits) -> LogStore {
        let place = tempfile::tempdir().unwrap();
        let (folder, marker) = (place.path().join("keys"), place.path().join("marker"));
        let keys = crate::keys::open(&folder, place.path(), &marker).unwrap();
        let ring = crate::testing::ring(&keys);
        LogStore::new(Log::in_memory(ring.identity().unwrap(), Box::new(ring), limits).unwrap())
    }

    /// G2: what the log does not take is refused, which the broker then writes in parts; it is no failure of the log.
    #[tokio::test]
    async fn an_entry_that_is_too_long_is_refused_alone() {
        let store = over(gateway_log::Limits::default());
        for op in [(vec![1; 1_025], None), (vec![1], Some(vec![0; 65_537]))] {
            let refused = store.apply(vec![op]).await;
            assert!(
                matches!(refused, Err(StoreError::Refused(_))),
                "{refused:?}"
            );
        }
        let fits = (vec![1; 1_024], Some(vec![0; 65_536]));
        store.apply(vec![fits.clone()]).await.unwrap();
        assert_eq!(store.load().unwrap(), [(fits.0, fits.1.unwrap())]);
    }

    #[test]
    fn writes_are_cut_in_order_and_under_the_limit() {
        let ops: Vec<StoreOp> = (0..100u8)
            .map(|n| (vec![n], Some(vec![0; 5_000])))
            .collect();
        let writes = cut(ops.clone());
        assert!(writes.iter().all(|write| write.len() <= 24));
        assert_eq!(writes.concat(), ops);
        assert_eq!(cut(Vec::new()), vec![Vec::new()]);
    }
}

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
        // The calls take their place in the log now; they become durable in this order. Only what does not fit one
        // write is cut, and then a crash in between leaves a beginning of it, which is what separate calls would leave.
        let writes: Vec<_> = cut(ops)
            .into_iter()
            .map(|ops| self.0.kv_apply(Space::BROKER, ops, ()))
            .collect();
        async move {
            for write in writes {
                match write.await {
                    Ok(durable) => durable.into_inner(),
                    Err(AppendError::Refused(refusal)) => return Err(StoreError::io(refusal)),
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
mod tests {
    use super::*;

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

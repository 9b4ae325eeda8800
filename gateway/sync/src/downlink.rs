//! What the centre says comes down: read from the first revision that is not recorded yet, one after the other.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::{Store, StoreError, Stores};

/// Instructions read at once.
const READ_LEN: usize = 64;

/// An event as the store has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the stream, from 0.
    pub revision: u64,
    /// Its id.
    pub id: [u8; 16],
    /// Its type.
    pub event_type: String,
    /// Its data.
    pub data: Vec<u8>,
    /// What stands beside it.
    pub metadata: Vec<u8>,
}

impl std::fmt::Debug for Stored {
    // A manifest names people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("revision", &self.revision)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}

/// Who does what the centre says.
pub trait Follow: Send {
    /// Called once for each, in order. False: it could not be recorded, and the downlink ends.
    fn follow(&mut self, stored: Stored) -> impl Future<Output = bool> + Send;

    /// Called when the stream was read to its end, and all of it was followed: what stood there when the reading began is known here.
    /// False as above.
    fn read_to_end(&mut self, began: Instant) -> impl Future<Output = bool> + Send;
}

/// Reads what the centre says.
#[derive(Debug)]
pub struct Downlink<S> {
    /// Connections.
    pub stores: Arc<S>,
    /// The stream.
    pub stream: String,
    /// The first revision to read.
    pub from: u64,
    /// How often the stream is asked.
    pub every: Duration,
    /// A random number, so that stations do not try again in step.
    pub chance: fn() -> u32,
}

enum End {
    Store(StoreError),
    Unrecorded,
}

impl<S: Stores> Downlink<S> {
    /// Reads until something could not be recorded. May be dropped at any moment.
    pub async fn run(mut self, mut follow: impl Follow) {
        let mut backoff = Backoff::new();
        loop {
            match self.read(&mut follow, &mut backoff).await {
                Ok(never) => match never {},
                Err(End::Unrecorded) => {
                    tracing::error!(
                        stream = self.stream,
                        "what the centre says cannot be recorded and is not followed any more: start the station again"
                    );
                    return;
                }
                Err(End::Store(error)) => {
                    tracing::debug!(%error, "nothing comes down from the centre");
                    tokio::time::sleep(backoff.next((self.chance)())).await;
                }
            }
        }
    }

    async fn read(
        &mut self,
        follow: &mut impl Follow,
        backoff: &mut Backoff,
    ) -> Result<Infallible, End> {
        let store = self.stores.connect().map_err(End::Store)?;
        loop {
            let began = Instant::now();
            let read = store.read(&self.stream, self.from, READ_LEN).await;
            let read = read.map_err(End::Store)?;
            backoff.reset();
            let more = read.len() == READ_LEN;
            for stored in read {
                // What was truncated at the centre is passed over; nothing is read twice.
                let after = stored.revision.saturating_add(1);
                if !follow.follow(stored).await {
                    return Err(End::Unrecorded);
                }
                self.from = after;
            }
            if !more {
                if !follow.read_to_end(began).await {
                    return Err(End::Unrecorded);
                }
                tokio::time::sleep(self.every).await;
            }
        }
    }
}

#[cfg(test)]
#[path = "downlink_tests.rs"]
mod tests;

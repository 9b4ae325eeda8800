//! What is asked of an event store. The port behind which its client stands, and its twin in memory.

use std::future::Future;
use std::time::Duration;

use schemas::uplink::Record;

use crate::downlink::Stored;

/// The last event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Its revision.
    pub revision: u64,
    /// Its id.
    pub id: [u8; 16],
}

/// Why the store did not do what it was asked. After any of them it is not known whether an append was done, but for
/// [`StoreError::WrongVersion`] and [`StoreError::TooLarge`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The stream does not end where the append expected it to.
    #[error("the stream does not end where it should")]
    WrongVersion,
    /// The append is larger than the store takes.
    #[error("the append is larger than the store takes")]
    TooLarge,
    /// The credentials do not allow it.
    #[error("the store denies access")]
    Denied,
    /// The stream was deleted for good.
    #[error("the stream was deleted")]
    Deleted,
    /// Another node leads the cluster.
    #[error("another node leads the cluster now")]
    NotLeader,
    /// The store has too much to do.
    #[error("the store has too much to do")]
    Overloaded,
    /// No answer within the deadline.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke, or none came about.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// Anything else.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// One connection to an event store. Dropped after any error: a client may be dead for good then.
pub trait Store: Send + Sync + 'static {
    /// The last event of a stream; none where it has none.
    fn tail(&self, stream: &str) -> impl Future<Output = Result<Option<Tail>, StoreError>> + Send;

    /// The last event of a stream with its content.
    fn last(&self, stream: &str)
    -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Appends behind revision `expected`; none: to a stream that has no event.
    fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        records: Vec<Record>,
        deadline: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Up to `count` events from a revision on.
    fn read(
        &self,
        stream: &str,
        from: u64,
        count: usize,
    ) -> impl Future<Output = Result<Vec<Stored>, StoreError>> + Send;
}

/// Where connections come from.
pub trait Stores: Send + Sync + 'static {
    /// A connection.
    type Store: Store;

    /// A new connection. Nothing is sent yet.
    fn connect(&self) -> Result<Self::Store, StoreError>;

    /// What is wrong with the link, found by looking at its layers one by one: name, connection, TLS. None: it answers.
    fn diagnose(&self) -> impl Future<Output = Option<crate::LinkFault>> + Send;
}

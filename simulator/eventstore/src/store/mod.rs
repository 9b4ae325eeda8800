//! Streams of events: what is appended, and what can be read.
//!
//! Reads see durable events only. It owns the journal and its index, and knows nothing of the protocol.

mod filter;
mod index;
mod read;
mod rules;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

pub(crate) use filter::{Filter, Subject};
pub(crate) use index::{Entry, Index, Stream};
pub(crate) use read::{Direction, Missing, Page, Recorded, Window};
pub(crate) use rules::{Expected, Refusal};

use crate::journal::{Journal, NewEvent, OpenError};
use writer::{Request, Work};

const FILE_NAME: &str = "events";
/// Requests that wait for the writer.
const QUEUE_LEN: usize = 1_024;

/// What was written, or was there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Revision of the last event; none: the stream is empty, and nothing was appended.
    pub(crate) last: Option<u64>,
    /// Position of the last event.
    pub(crate) position: Option<u64>,
}

pub(crate) type Outcome = Result<Written, Refusal>;

/// The store has ended: it was closed, or its disk failed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the store has stopped")]
pub(crate) struct Stopped;

#[derive(Debug)]
struct Shared {
    index: RwLock<Index>,
    file: Arc<File>,
    /// Number of durable events.
    len: watch::Sender<usize>,
    instance: Uuid,
}

#[derive(Debug)]
pub(crate) struct Store {
    shared: Arc<Shared>,
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the store in a folder, which is made if it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io {
            path: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(io_error)?;
        let mut index = Index::default();
        let journal = Journal::open(&folder.join(FILE_NAME), |content, base| {
            index.add_frame(content, base)
        })?;
        let shared = Arc::new(Shared {
            len: watch::Sender::new(index.len()),
            index: RwLock::new(index),
            file: journal.file(),
            instance: journal.instance(),
        });
        let (requests, waiting) = mpsc::channel(QUEUE_LEN);
        let writing = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("eventstore-writer".to_owned())
            .spawn(move || writer::run(journal, &writing, waiting))
            .map_err(io_error)?;
        Ok(Self {
            shared,
            requests: Mutex::new(Some(requests)),
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Id of this store, made with it.
    pub(crate) fn instance(&self) -> Uuid {
        self.shared.instance
    }

    /// Changes when events were appended.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.shared.len.subscribe()
    }

    /// Looks at the index. `look` must be short: appends wait for it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(
            &self
                .shared
                .index
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Hands events over to the writer, in the order of the calls. The receiver resolves when they are durable;
    /// it fails when the store has stopped before that.
    pub(crate) async fn append(
        &self,
        stream: String,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<oneshot::Receiver<Outcome>, Stopped> {
        self.ask(stream, expected, Work::Append(events)).await
    }

    /// Deletes a stream: for good, or until it is appended to.
    pub(crate) async fn delete(
        &self,
        stream: String,
        expected: Expected,
        for_good: bool,
    ) -> Result<oneshot::Receiver<Outcome>, Stopped> {
        let work = if for_good {
            Work::Tombstone
        } else {
            Work::Delete
        };
        self.ask(stream, expected, work).await
    }

    async fn ask(
        &self,
        stream: String,
        expected: Expected,
        work: Work,
    ) -> Result<oneshot::Receiver<Outcome>, Stopped> {
        let (answer, outcome) = oneshot::channel();
        let request = Request {
            stream,
            expected,
            work,
            answer,
        };
        let requests = self.sender().ok_or(Stopped)?;
        let handed_over = requests.send(request).await;
        handed_over.map_err(|_request| Stopped)?;
        Ok(outcome)
    }

    fn sender(&self) -> Option<mpsc::Sender<Request>> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the writer after what it has been handed. Blocks.
    pub(crate) fn close(&self) {
        drop(
            self.requests
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer panicked");
        }
    }
}

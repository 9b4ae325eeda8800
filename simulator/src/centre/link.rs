//! The event store, as the centre needs it: the one place that knows its client.
//!
//! The client has faults that were measured. A client that once failed stays dead, so each failure ends it and the next call has
//! a new one. Its deadlines are only a header to the server, so every wait has its own here. Subscriptions may spin or lose
//! events when they are waited for with a limit, so the centre reads, page by page.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use eventstore::{
    AppendToStreamOptions, Client, ClientSettings, Error, EventData, Position, ReadAllOptions,
    ReadStream, ReadStreamOptions, RecordedEvent, StreamPosition, StreamState, SubscriptionFilter,
};
use futures_util::FutureExt as _;
use schemas::uplink::Record;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::stored::Stored;

/// How long a read may stay silent.
const READ_LIMIT: Duration = Duration::from_secs(5);
/// How long an append may take: one instruction of at most 256 KiB.
const APPEND_LIMIT: Duration = Duration::from_secs(10);
/// The client waits so long before it looks for a node, 500 ms if it is not told.
const DISCOVERY: &str = "discoveryInterval=20";

/// A connection to the store that is made anew after each failure.
pub(super) struct Link {
    settings: ClientSettings,
    client: Option<Client>,
}

/// The store did not answer, or not as it should.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The connection string.
    #[error("the connection string is not usable: {0}")]
    Settings(String),
    /// No client could be made of it.
    #[error("no client: {0}")]
    Client(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// An error that the store or the client names.
    #[error(transparent)]
    Store(#[from] Error),
    /// An event that is no JSON cannot be appended as such.
    #[error("an event is not JSON")]
    NotJson(#[from] serde_json::Error),
}

/// What a stream gave.
#[derive(Debug)]
pub(super) enum Page {
    /// So many events; fewer than asked for: there are no more now.
    Events(Vec<Stored>),
    /// There is no such stream.
    None,
    /// It was deleted.
    Deleted,
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// The event stands at this revision.
    At(u64),
    /// The stream had grown meanwhile; nothing was appended.
    Conflict,
}

impl LinkError {
    /// Whether the store answered that this is not allowed.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Store(Error::AccessDenied))
    }
}

impl Link {
    /// Nothing is connected yet.
    pub(super) fn new(connection: &str) -> Result<Self, LinkError> {
        let separator = if connection.contains('?') { '&' } else { '?' };
        let known = connection.to_ascii_lowercase();
        let text = if known.contains("discoveryinterval") {
            connection.to_owned()
        } else {
            format!("{connection}{separator}{DISCOVERY}")
        };
        // The error may quote the string, and the string may hold a password.
        let settings = text.parse();
        let settings = settings.map_err(|_quotes| {
            LinkError::Settings("not esdb://[user:password@]host:port[,…][?option=value]".into())
        })?;
        Ok(Self {
            settings,
            client: None,
        })
    }

    /// Host and port of the first node, for people.
    pub(super) fn host(&self) -> String {
        let host = self.settings.hosts().first();
        host.map_or_else(String::new, |host| format!("{}:{}", host.host, host.port))
    }

    /// The next call has a new client.
    pub(super) fn reset(&mut self) {
        self.client = None;
    }

    /// Up to `len_max` events of a stream from a revision on.
    pub(super) async fn read(
        &mut self,
        stream: &str,
        from: u64,
        len_max: usize,
    ) -> Result<Page, LinkError> {
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from))
            .forwards()
            .max_count(len_max);
        self.read_stream(stream, &options, len_max).await
    }

    /// Up to `len_max` events of a stream backwards: from before a revision, or from its end.
    pub(super) async fn read_back(
        &mut self,
        stream: &str,
        before: Option<u64>,
        len_max: usize,
    ) -> Result<Page, LinkError> {
        let position = match before {
            Some(0) => return Ok(Page::Events(Vec::new())),
            Some(before) => StreamPosition::Position(before - 1),
            None => StreamPosition::End,
        };
        let options = ReadStreamOptions::default()
            .position(position)
            .backwards()
            .max_count(len_max);
        self.read_stream(stream, &options, len_max).await
    }

    /// Up to `len_max` events of all streams with one of these prefixes, from a position on, that event included.
    pub(super) async fn read_all(
        &mut self,
        prefixes: &[&str],
        from: Option<(u64, u64)>,
        len_max: usize,
    ) -> Result<Vec<Stored>, LinkError> {
        let position = from.map_or(StreamPosition::Start, |(commit, prepare)| {
            StreamPosition::Position(Position { commit, prepare })
        });
        let filter = SubscriptionFilter::on_stream_name();
        let filter = prefixes.iter().fold(filter, SubscriptionFilter::add_prefix);
        let options = ReadAllOptions::default()
            .position(position)
            .forwards()
            .filter(filter)
            .max_count(len_max);
        let client = self.client()?;
        let read = async {
            let reading = within(READ_LIMIT, client.read_all(&options)).await?;
            collect(reading, len_max).await
        };
        let read = read.await;
        self.ended_by(read)
    }

    /// Appends one event behind the revision that is expected; `None`: as the stream's first.
    pub(super) async fn append(
        &mut self,
        stream: &str,
        expected: Option<u64>,
        record: &Record,
    ) -> Result<Appended, LinkError> {
        let state = expected.map_or(StreamState::NoStream, StreamState::StreamRevision);
        let options = AppendToStreamOptions::default().stream_state(state);
        // The bytes are signed: they go as they are.
        let data: &RawValue = serde_json::from_slice(&record.data)?;
        let event = EventData::json(&record.event_type, &data)?
            .id(Uuid::from_bytes(record.id))
            .metadata(Bytes::copy_from_slice(&record.metadata));
        let client = self.client()?;
        match within(
            APPEND_LIMIT,
            client.append_to_stream(stream, &options, event),
        )
        .await
        {
            Ok(written) => Ok(Appended::At(written.next_expected_version)),
            Err(LinkError::Store(Error::WrongExpectedVersion { .. })) => Ok(Appended::Conflict),
            Err(error) => self.ended_by(Err(error)),
        }
    }

    async fn read_stream(
        &mut self,
        stream: &str,
        options: &ReadStreamOptions,
        len_max: usize,
    ) -> Result<Page, LinkError> {
        let client = self.client()?;
        let read = async {
            let reading = within(READ_LIMIT, client.read_stream(stream, options)).await?;
            collect(reading, len_max).await
        };
        match read.await {
            Ok(events) => Ok(Page::Events(events)),
            Err(LinkError::Store(Error::ResourceNotFound)) => Ok(Page::None),
            Err(LinkError::Store(Error::ResourceDeleted)) => Ok(Page::Deleted),
            Err(error) => self.ended_by(Err(error)),
        }
    }

    fn client(&mut self) -> Result<Client, LinkError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = Client::new(self.settings.clone());
        let client = client.map_err(|error| LinkError::Client(error.to_string()))?;
        self.client = Some(client.clone());
        Ok(client)
    }

    /// A client that failed is not used again. A denial is an answer.
    fn ended_by<T>(&mut self, outcome: Result<T, LinkError>) -> Result<T, LinkError> {
        if outcome.as_ref().is_err_and(|error| !error.is_denied()) {
            self.reset();
        }
        outcome
    }
}

async fn collect(mut reading: ReadStream, len_max: usize) -> Result<Vec<Stored>, LinkError> {
    let mut events = Vec::with_capacity(len_max.min(1024));
    while let Some(event) = within(READ_LIMIT, reading.next()).await? {
        // An event that is only a link to a deleted one has no content.
        events.extend(event.event.map(stored));
    }
    Ok(events)
}

async fn within<T>(
    limit: Duration,
    doing: impl Future<Output = Result<T, Error>>,
) -> Result<T, LinkError> {
    // An append whose answer breaks off panics in the crate. What that leaves behind is the client, and none is used after an error.
    let doing = AssertUnwindSafe(doing).catch_unwind();
    match tokio::time::timeout(limit, doing).await {
        Ok(Ok(outcome)) => outcome.map_err(LinkError::Store),
        Ok(Err(_panic)) => Err(LinkError::Client("it panicked".to_owned())),
        Err(_elapsed) => Err(LinkError::Silent(limit)),
    }
}

fn stored(event: RecordedEvent) -> Stored {
    Stored {
        stream: event.stream_id().to_owned(),
        revision: event.revision,
        id: event.id.into_bytes(),
        data: event.data.to_vec(),
        metadata: event.custom_metadata.to_vec(),
        position: (event.position.commit, event.position.prepare),
        event_type: event.event_type,
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link({})", self.host())
    }
}

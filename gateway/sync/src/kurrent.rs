//! The store through its client, with a deadline on every call.
//!
//! What the client gets wrong and what is done about it: one failed first connection leaves a client dead for good, and another
//! leader is never looked for again, so a client lives until its first error; its own deadlines are headers only, so each call has
//! one here; it waits half a second before each first connection unless told otherwise; it panics at an answer with a part left
//! out, which is an error here.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use eventstore::{
    AppendToStreamOptions, Client, ClientSettings, Error, EventData, ReadStreamOptions,
    RecordedEvent, StreamPosition, StreamState,
};
use futures_util::FutureExt as _;
use schemas::uplink::Record;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::connection::{ConnectionError, ConnectionString};
use crate::downlink::Stored;
use crate::probe::{Place, probe};
use crate::{LinkFault, Store, StoreError, Stores, Tail};

const READ_DEADLINE: Duration = Duration::from_secs(5);

/// Connections to an EventStoreDB or KurrentDB.
#[derive(Debug, Clone)]
pub struct Kurrent {
    settings: ClientSettings,
    place: Place,
}

impl Kurrent {
    /// By its connection string (`esdb://`, `esdb+discover://`, `kurrentdb://`; several nodes with commas between them).
    ///
    /// # Errors
    /// It says nothing usable.
    pub fn new(connection: &str) -> Result<Self, ConnectionError> {
        let ConnectionString { place, own } = connection.parse()?;
        let settings = own.parse();
        Ok(Self {
            settings: settings.map_err(|_may_quote| ConnectionError)?,
            place,
        })
    }
}

impl Stores for Kurrent {
    type Store = Connection;

    fn connect(&self) -> Result<Connection, StoreError> {
        let client = Client::new(self.settings.clone());
        client
            .map(Connection)
            .map_err(|error| StoreError::NoConnection(error.to_string()))
    }

    async fn diagnose(&self) -> Option<LinkFault> {
        probe(&self.place).await
    }
}

/// One client.
pub struct Connection(Client);

impl Store for Connection {
    async fn tail(&self, stream: &str) -> Result<Option<Tail>, StoreError> {
        let last = self.last(stream).await?;
        Ok(last.map(|last| Tail {
            revision: last.revision,
            id: last.id,
        }))
    }

    async fn last(&self, stream: &str) -> Result<Option<Stored>, StoreError> {
        let options = ReadStreamOptions::default()
            .backwards()
            .position(StreamPosition::End)
            .max_count(1);
        Ok(self.collect(stream, options).await?.pop())
    }

    async fn append(
        &self,
        stream: &str,
        expected: Option<u64>,
        records: Vec<Record>,
        deadline: Duration,
    ) -> Result<(), StoreError> {
        let state = expected.map_or(StreamState::NoStream, StreamState::StreamRevision);
        let options = AppendToStreamOptions::default()
            .stream_state(state)
            .deadline(deadline);
        let events: Vec<EventData> = records.iter().map(event).collect::<Result<_, _>>()?;
        let call = self.0.append_to_stream(stream, &options, events);
        within(deadline, call).await.map(drop)
    }

    async fn read(&self, stream: &str, from: u64, count: usize) -> Result<Vec<Stored>, StoreError> {
        let options = ReadStreamOptions::default()
            .forwards()
            .position(StreamPosition::Position(from))
            .max_count(count);
        self.collect(stream, options).await
    }
}

impl Connection {
    async fn collect(
        &self,
        stream: &str,
        options: ReadStreamOptions,
    ) -> Result<Vec<Stored>, StoreError> {
        let options = options.deadline(READ_DEADLINE);
        let call = async {
            let mut events = self.0.read_stream(stream, &options).await?;
            let mut read = Vec::new();
            while let Some(event) = events.next().await? {
                read.push(stored(event.get_original_event()));
            }
            Ok(read)
        };
        match within(READ_DEADLINE, call).await {
            Err(StoreError::Failed(why)) if why == NOT_FOUND => Ok(Vec::new()),
            read => read,
        }
    }
}

/// The client's answer to an answer that it does not understand.
const PANICKED: &str = "the client does not understand the store's answer";
/// What a stream without events is answered with.
const NOT_FOUND: &str = "there is no such stream";

/// The bytes as they were signed: a raw value is not serialised again.
fn event(record: &Record) -> Result<EventData, StoreError> {
    let unusable = |error: serde_json::Error| StoreError::Failed(error.to_string());
    let data: &RawValue = serde_json::from_slice(&record.data).map_err(unusable)?;
    let metadata: &RawValue = serde_json::from_slice(&record.metadata).map_err(unusable)?;
    EventData::json(&record.event_type, &data)
        .and_then(|event| {
            event
                .id(Uuid::from_bytes(record.id))
                .metadata_as_json(&metadata)
        })
        .map_err(unusable)
}

fn stored(event: &RecordedEvent) -> Stored {
    Stored {
        revision: event.revision,
        id: event.id.into_bytes(),
        event_type: event.event_type.clone(),
        data: Bytes::clone(&event.data).into(),
        metadata: Bytes::clone(&event.custom_metadata).into(),
    }
}

async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    // What a panic leaves behind is the client, and no client is used after an error.
    let call = AssertUnwindSafe(call).catch_unwind();
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(error))) => Err(translated(error, deadline)),
        Ok(Err(_panic)) => Err(StoreError::Failed(PANICKED.to_owned())),
        Err(_) => Err(StoreError::Timeout(deadline)),
    }
}

/// The client's errors in the words of this crate. Codes as gRPC numbers them: 3 invalid argument, 8 resource exhausted, 10 aborted (the
/// server gave an operation up).
fn translated(error: Error, deadline: Duration) -> StoreError {
    match error {
        Error::WrongExpectedVersion { .. } => StoreError::WrongVersion,
        Error::AccessDenied => StoreError::Denied,
        Error::ResourceDeleted => StoreError::Deleted,
        Error::ResourceNotFound => StoreError::Failed(NOT_FOUND.to_owned()),
        Error::NotLeaderException(_) => StoreError::NotLeader,
        Error::DeadlineExceeded => StoreError::Timeout(deadline),
        Error::ConnectionClosed => StoreError::NoConnection("it was closed".to_owned()),
        Error::GrpcConnectionError(error) => unconnected(error.to_string()),
        Error::Grpc { code, message } => match i32::from(code) {
            3 => StoreError::TooLarge,
            8 | 10 => StoreError::Overloaded,
            _ => StoreError::Failed(message),
        },
        Error::ServerError(message) => unconnected(message),
        Error::InternalParsingError(_)
        | Error::ResourceAlreadyExists
        | Error::UnsupportedFeature
        | Error::InternalClientError
        | Error::InitializationError(_)
        | Error::IllegalStateError(_) => StoreError::Failed(error.to_string()),
    }
}

/// Of a connection that was not made, or whose server would do nothing, the client has the code only as a word of its text.
fn unconnected(message: String) -> StoreError {
    let mut words = ["ResourceExhausted", "Aborted", "Too Busy"].iter();
    if words.any(|word| message.contains(word)) {
        StoreError::Overloaded
    } else {
        StoreError::NoConnection(message)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

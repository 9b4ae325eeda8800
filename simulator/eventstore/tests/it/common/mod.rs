//! A server in a folder of its own, and clients of it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use eventstore::{
    AppendToStreamOptions, Client, Error, EventData, ReadStreamOptions, StreamPosition,
    StreamState, Subscription, SubscriptionEvent, WriteResult,
};
use simulated_eventstore::{Faults, Server, ServerConfig};
use tempfile::TempDir;
use tonic::Code;
use uuid::Uuid;

/// Nothing here takes longer, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = ServerConfig::new(folder.path());
        Self::with(folder, config).await
    }

    pub(crate) async fn with(folder: TempDir, config: ServerConfig) -> Self {
        let server = Server::start(config).await.unwrap();
        Self { folder, server }
    }

    /// Ends the server, and starts it again in the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.server.shutdown().await;
        let config = ServerConfig::new(self.folder.path());
        Self::with(self.folder, config).await
    }

    pub(crate) fn client(&self) -> Client {
        client(self.server.address())
    }

    pub(crate) fn faults(&self) -> Faults {
        self.server.nodes()[0].faults().clone()
    }
}

pub(crate) fn client(address: SocketAddr) -> Client {
    client_of(&format!("esdb://{address}?tls=false"))
}

pub(crate) fn client_of(text: &str) -> Client {
    let separator = if text.contains('?') { '&' } else { '?' };
    let settings = format!("{text}{separator}discoveryInterval=20&maxDiscoverAttempts=3");
    Client::new(settings.parse().unwrap()).unwrap()
}

pub(crate) fn event(data: &str) -> EventData {
    EventData::binary("made", Bytes::copy_from_slice(data.as_bytes())).id(Uuid::new_v4())
}

pub(crate) fn events(data: &[&str]) -> Vec<EventData> {
    data.iter().map(|data| event(data)).collect()
}

pub(crate) async fn append(
    client: &Client,
    stream: &str,
    state: StreamState,
    events: impl IntoIterator<Item = EventData>,
) -> Result<WriteResult, Error> {
    let options = AppendToStreamOptions::default().stream_state(state);
    let events: Vec<EventData> = events.into_iter().collect();
    within(client.append_to_stream(stream, &options, events)).await
}

/// Data of all events of a stream.
pub(crate) async fn contents(client: &Client, stream: &str) -> Result<Vec<String>, Error> {
    let options = ReadStreamOptions::default().position(StreamPosition::Start);
    read(client, stream, &options).await
}

/// Data of the events that are read.
pub(crate) async fn read(
    client: &Client,
    stream: &str,
    options: &ReadStreamOptions,
) -> Result<Vec<String>, Error> {
    let mut reading = within(client.read_stream(stream, options)).await?;
    let mut seen = Vec::new();
    while let Some(event) = within(reading.next()).await? {
        seen.push(String::from_utf8(event.get_original_event().data.to_vec()).unwrap());
    }
    Ok(seen)
}

pub(crate) async fn within<T>(doing: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, doing)
        .await
        .expect("it hangs")
}

/// Data of the next event of a subscription, or the name of what else it says.
pub(crate) async fn next(subscription: &mut Subscription) -> String {
    match within(subscription.next_subscription_event()).await {
        Ok(SubscriptionEvent::EventAppeared(event)) => {
            String::from_utf8(event.get_original_event().data.to_vec()).unwrap()
        }
        Ok(SubscriptionEvent::Confirmed(_)) => "confirmed".to_owned(),
        Ok(SubscriptionEvent::CaughtUp(_)) => "caught up".to_owned(),
        Ok(SubscriptionEvent::Checkpoint(_)) => "checkpoint".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Code and message of an error that the client has no name for.
pub(crate) fn unnamed(error: Error) -> (Code, String) {
    let Error::Grpc { code, message } = error else {
        panic!("{error:?}");
    };
    (code, message)
}

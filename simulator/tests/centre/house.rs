//! A store, a centre that follows it, and hands that write into the store as stations do.

use std::time::Duration;

use bytes::Bytes;
use eventstore::{
    AppendToStreamOptions, Client, EventData, ReadStreamOptions, StreamPosition, StreamState,
};
use schemas::downlink::{self, Genuine, Instruction};
use schemas::ids::StationId;
use schemas::key::PublicKey;
use schemas::uplink::{Record, downlink_stream, signed_bytes};
use serde_json::value::RawValue;
use simulated_eventstore::{Faults, Server, ServerConfig};
use simulator::centre::{CentreConfig, Desk, LogView, Registration, Running, View};
use tempfile::TempDir;
use uuid::Uuid;

use crate::station::{PROVINCE, Station};

/// Nothing here takes longer, unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub struct House {
    pub store: TempDir,
    pub folder: TempDir,
    pub server: Server,
}

impl House {
    pub async fn new() -> Self {
        let store = tempfile::tempdir().unwrap();
        let server = Server::start(ServerConfig::new(store.path()))
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            store,
            folder,
            server,
        }
    }

    pub fn connection(&self) -> String {
        let address = self.server.address();
        format!("esdb://{address}?tls=false&discoveryInterval=20")
    }

    pub fn config(&self) -> CentreConfig {
        CentreConfig::new(self.connection(), self.folder.path(), PROVINCE)
    }

    pub async fn centre(&self) -> Running {
        Running::start(self.config()).await.unwrap()
    }

    pub fn desk(&self) -> Desk {
        Desk::open(self.folder.path()).unwrap()
    }

    pub fn register(&self, registration: Registration) {
        self.desk().register(registration).unwrap();
    }

    pub fn faults(&self) -> Faults {
        self.server.nodes()[0].faults().clone()
    }

    pub fn client(&self) -> Client {
        Client::new(self.connection().parse().unwrap()).unwrap()
    }

    /// Appends records behind those that are there.
    pub async fn append(&self, stream: &str, from: usize, records: &[Record]) {
        let state = match from {
            0 => StreamState::NoStream,
            _ => StreamState::StreamRevision(u64::try_from(from - 1).unwrap()),
        };
        let options = AppendToStreamOptions::default().stream_state(state);
        let events: Vec<EventData> = records.iter().map(event).collect();
        let client = self.client();
        client
            .append_to_stream(stream, &options, events)
            .await
            .unwrap();
    }

    /// What stands in the stream to a station, every instruction genuine under one of these keys, in the order of the stream.
    pub async fn told(&self, station: &StationId, keys: &[PublicKey]) -> Vec<Genuine> {
        let told = self.told_with_keys(station, keys).await;
        told.into_iter().map(|(_, genuine)| genuine).collect()
    }

    /// The same, each with the place of the key that signed it.
    pub async fn told_with_keys(
        &self,
        station: &StationId,
        keys: &[PublicKey],
    ) -> Vec<(usize, Genuine)> {
        let options = ReadStreamOptions::default().position(StreamPosition::Start);
        let origin = downlink::origin(PROVINCE, station).unwrap();
        let client = self.client();
        let reading = client.read_stream(downlink_stream(station), &options).await;
        let mut reading = reading.unwrap();
        let mut told = Vec::new();
        loop {
            let event = match reading.next().await {
                Ok(Some(event)) => event.event.unwrap(),
                Ok(None) | Err(eventstore::Error::ResourceNotFound) => return told,
                Err(error) => panic!("{error}"),
            };
            let (signed, _) = signed_bytes(&event.data, &event.custom_metadata).unwrap();
            let opened = keys.iter().enumerate().find_map(|(at, key)| {
                let genuine = downlink::open(&signed, &origin, &key.to_raw(), &check);
                Some((at, genuine.ok()?))
            });
            told.push(opened.expect("under a key of the centre"));
        }
    }

    /// The centre's keys, the newest of which is shown.
    pub fn shown_key(view: &View) -> PublicKey {
        PublicKey::new(view.public_key.clone()).unwrap()
    }
}

pub fn check(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    let key = UnparsedPublicKey::new(&ED25519, key);
    key.verify(message, signature).is_ok()
}

fn event(record: &Record) -> EventData {
    let data = match serde_json::from_slice::<&RawValue>(&record.data) {
        Ok(data) => EventData::json(&record.event_type, &data).unwrap(),
        Err(_not_json) => {
            EventData::binary(&record.event_type, Bytes::copy_from_slice(&record.data))
        }
    };
    data.id(Uuid::from_bytes(record.id))
        .metadata(Bytes::copy_from_slice(&record.metadata))
}

/// Waits until the station's newest log is as wanted.
pub async fn until_log(centre: &mut Running, station: &Station, wanted: impl Fn(&LogView) -> bool) {
    let waiting = centre.until_log(station.id.as_str(), wanted);
    let seen = tokio::time::timeout(PATIENCE, waiting).await;
    let shown = seen.map(|view| view.is_some());
    assert_eq!(shown, Ok(true), "{:#?}", centre.view());
}

pub async fn until_acknowledged(centre: &mut Running, station: &Station) {
    let size = station.size();
    until_log(centre, station, |log| log.acknowledged == size).await;
}

pub async fn until(centre: &mut Running, wanted: impl Fn(&View) -> bool) {
    let seen = tokio::time::timeout(PATIENCE, centre.until(wanted)).await;
    let shown = seen.map(|view| view.is_some());
    assert_eq!(shown, Ok(true), "{:#?}", centre.view());
}

/// Size and root of each acknowledgement, and the numbers of everything that was said.
pub fn acknowledgements(told: &[Genuine]) -> (Vec<(u64, String)>, Vec<u64>) {
    let sizes = told
        .iter()
        .filter_map(|genuine| match &genuine.instruction {
            Instruction::Acknowledged(body) => Some((body.size, body.root.clone())),
            _ => None,
        });
    (
        sizes.collect(),
        told.iter().map(|genuine| genuine.number).collect(),
    )
}

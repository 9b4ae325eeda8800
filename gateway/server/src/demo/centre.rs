//! The demonstration's centre: a simulated event store that really listens, and a centre that is its client like a real one. Both
//! live in a folder beside the keys folder, because the centre is another house.

use std::path::PathBuf;

use anyhow::Context as _;
use edge_config::Station;
use schemas::envelope::Origin;
use schemas::ids::StationId;
use schemas::key::PublicKey;
use schemas::proof::NoteKey;
use simulated_eventstore::{Server, ServerConfig};
use simulator::centre::{CentreConfig, Desk, Registration, Running};

use super::CENTRE_FOLDER;
use crate::centre::BlobPlace;

/// The running centre.
#[derive(Debug)]
pub struct DemoCentre {
    store: Server,
    centre: Running,
    verify_key: [u8; 32],
    received: PathBuf,
}

/// The folder of what the station sends beside its events.
const RECEIVED_FOLDER: &str = "received";

impl DemoCentre {
    /// Starts store and centre. The station's log is registered: here nobody carries a file.
    pub async fn start(
        station: &Station,
        origin: &Origin,
        first_key: &[u8; 32],
    ) -> anyhow::Result<Self> {
        let folder = centre_folder(station);
        let mut config = ServerConfig::new(folder.join("store"));
        config.nodes = vec![station.demo.store];
        config.control = Some(station.demo.store_control);
        let store = Server::start(config)
            .await
            .context("the demonstration's event store cannot start")?;
        let province = station.province.to_string();
        let desk = Desk::open(&folder).context("the demonstration's centre")?;
        desk.register(Registration {
            station: station.id.clone(),
            origin: origin.clone(),
            first_key: PublicKey::of(first_key),
            centre_key: None,
        })
        .context("the demonstration's centre does not know this log")?;
        let key = NoteKey::from_vkey(&desk.vkey(&province)).context("the centre's key")?;
        let mut config = CentreConfig::new(address(&store), folder, &province);
        config.listen = Some(station.demo.centre);
        let received = centre_folder(station).join(RECEIVED_FOLDER);
        gateway_durable::make_folder(&received, 0o700)
            .with_context(|| format!("cannot make {}", received.display()))?;
        config.received = Some(received.clone());
        let centre = Running::start(config)
            .await
            .context("the demonstration's centre cannot start")?;
        Ok(Self {
            store,
            centre,
            verify_key: *key.public_key(),
            received,
        })
    }

    /// The connection string of its store.
    pub fn connection(&self) -> String {
        address(&self.store)
    }

    /// The key its instructions are signed by.
    pub const fn verify_key(&self) -> [u8; 32] {
        self.verify_key
    }

    /// Where it reads blobs and session keys.
    pub fn blob_store(&self, station: &StationId) -> BlobPlace {
        BlobPlace::folder(&self.received, station)
    }

    /// The centre first, then its store.
    pub async fn stop(self) {
        self.centre.shutdown().await;
        self.store.shutdown().await;
    }
}

fn address(store: &Server) -> String {
    format!("esdb://{}?tls=false", store.address())
}

fn centre_folder(station: &Station) -> PathBuf {
    station.storage.keys_folder.with_file_name(CENTRE_FOLDER)
}

//! The demonstration's centre: a simulated event store that really listens, and a centre that is its client like a real one. Both
//! live in a folder beside the keys folder, because the centre is another house.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use edge_config::Station;
use schemas::envelope::Origin;
use schemas::ids::{BatchId, StationId};
use schemas::key::PublicKey;
use schemas::proof::NoteKey;
use simulated_eventstore::{Server, ServerConfig};
use simulator::centre::{
    Centre, CentreConfig, Desk, GrantTerms, OfficeConfig, PICTURE_WAIT, Registration, Running,
};
use simulator::people::People;
use zeroize::Zeroizing;

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
/// How many people there are, and what they are drawn from.
const PEOPLE_LEN: usize = 12;
const PEOPLE_SEED: u64 = 1;

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
        let office = office(&folder, station.demo.phone)?;
        let mut config = CentreConfig::new(address(&store), folder, &province);
        config.office = Some(office);
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

/// What decides applications: it opens what is sealed to the demonstration's own key.
fn office(folder: &Path, phone: SocketAddr) -> anyhow::Result<OfficeConfig> {
    let file = folder.join("seal-key.private");
    let text = std::fs::read_to_string(&file).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    let private = Centre::from_text(&text).with_context(|| format!("{}", file.display()))?;
    // The people of the simulated devices.
    let register = People::new(BatchId::new("demo-1")?, PEOPLE_LEN, PEOPLE_SEED)?;
    Ok(OfficeConfig {
        private: Arc::new(private),
        register: Arc::new(register),
        terms: GrantTerms::default(),
        counter: Some(phone),
        picture_wait: PICTURE_WAIT,
    })
}

/// Where the centre's maker puts the chips of the cards that it makes.
pub(super) fn made_folder(station: &Station) -> PathBuf {
    centre_folder(station).join("made")
}

fn address(store: &Server) -> String {
    format!("esdb://{}?tls=false", store.address())
}

fn centre_folder(station: &Station) -> PathBuf {
    station.storage.keys_folder.with_file_name(CENTRE_FOLDER)
}

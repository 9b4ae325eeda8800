//! A centre for tests: the simulated event store, really listening, and the centre that is its client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemas::downlink::Instruction;
use schemas::ids::StationId;
use simulated_eventstore::{Faults, Server, ServerConfig};
use simulator::centre::{
    Asked, Centre, CentreConfig, Desk, GrantTerms, OfficeConfig, PICTURE_WAIT, Registration,
    Running, View,
};
use simulator::people::People;

use crate::station::{CENTRE_PRIVATE, Station};

/// The store's address stays while the store comes and goes.
#[derive(Debug)]
pub struct TestCentre {
    folder: PathBuf,
    address: SocketAddr,
    store: Option<Server>,
    centre: Option<Running>,
    /// The key its instructions are signed by: a C2SP vkey.
    pub vkey: String,
}

impl TestCentre {
    /// A store that listens, and no centre yet.
    pub async fn start(folder: &Path) -> Self {
        let vkey = Desk::open(&folder.join("centre")).unwrap().vkey("demo");
        let mut centre = Self {
            folder: folder.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            store: None,
            centre: None,
            vkey,
        };
        centre.start_store().await;
        centre
    }

    /// The store, where it was before.
    pub async fn start_store(&mut self) {
        let mut config = ServerConfig::new(self.folder.join("store"));
        config.nodes = vec![self.address];
        let store = Server::start(config).await.unwrap();
        self.address = store.address();
        self.store = Some(store);
    }

    /// The store is gone.
    pub async fn stop_store(&mut self) {
        if let Some(store) = self.store.take() {
            store.shutdown().await;
        }
    }

    /// How the store fails.
    pub fn faults(&self) -> Faults {
        self.store.as_ref().unwrap().nodes()[0].faults().clone()
    }

    /// The store's connection string.
    pub fn connection(&self) -> String {
        format!("esdb://{}?tls=false", self.address)
    }

    /// The `[centre]` lines of `station.toml` for a station of this centre, in place of the line with the seal key.
    pub fn configure(&self, text: &str) -> String {
        let vkey = self.folder.join("centre.vkey");
        std::fs::write(&vkey, &self.vkey).unwrap();
        text.replacen(
            "[centre]\n",
            &format!(
                "[centre]\nstore = {:?}\nverify_key = {:?}\n",
                self.connection(),
                vkey.to_str().unwrap()
            ),
            1,
        )
    }

    /// The folder of what stations send beside their events.
    pub fn received(&self) -> PathBuf {
        self.folder.join("received")
    }

    /// The same with a line for the blob store, and others for `[centre]`.
    pub fn configure_with_blobs(&self, text: &str, more: &str) -> String {
        std::fs::create_dir_all(self.received()).unwrap();
        let line = format!(
            "[centre]\nblob_store = \"{}\"\n{more}\n",
            self.received().display()
        );
        self.configure(text).replacen("[centre]\n", &line, 1)
    }

    /// Registers a station's log as its operator would: with the file that the station makes.
    pub fn register(&self, station: &Station) {
        let file = self.folder.join("registration.json");
        let text = station.tool_ok(&["keys", "register"], "");
        std::fs::write(&file, text).unwrap();
        let registration = Registration::read(&file).unwrap();
        self.desk().register(registration).unwrap();
    }

    /// People at the centre.
    pub fn desk(&self) -> Desk {
        Desk::open(&self.folder.join("centre")).unwrap()
    }

    /// Tells the demo station something under the centre's key, though no centre follows.
    pub async fn tell(&self, instruction: &Instruction) {
        let station = StationId::new("demo").unwrap();
        let (desk, connection) = (self.desk(), self.connection());
        let sent = desk.send(&connection, &station, instruction);
        sent.await.unwrap();
    }

    /// The centre begins to follow.
    pub async fn follow(&mut self) {
        let folder = self.folder.join("centre");
        let mut config = CentreConfig::new(self.connection(), folder, "demo");
        config.received = Some(self.received());
        self.centre = Some(Running::start(config).await.unwrap());
    }

    /// The same for a centre that decides applications.
    pub async fn follow_and_decide(&mut self) {
        let register = People::new("demo-1".parse().unwrap(), 12, 1).unwrap();
        let mut config = CentreConfig::new(self.connection(), self.house(), "demo");
        config.received = Some(self.received());
        config.office = Some(OfficeConfig {
            private: Arc::new(Centre::from_text(CENTRE_PRIVATE).unwrap()),
            register: Arc::new(register),
            terms: GrantTerms::default(),
            counter: None,
            picture_wait: PICTURE_WAIT,
        });
        self.centre = Some(Running::start(config).await.unwrap());
    }

    fn house(&self) -> PathBuf {
        self.folder.join("centre")
    }

    /// Where the chips lie of the cards that it has made.
    pub fn made(&self) -> PathBuf {
        self.house().join("made")
    }

    /// What people ask of it.
    pub async fn ask(&self, asked: Asked) -> serde_json::Value {
        self.centre.as_ref().unwrap().ask(asked).await.unwrap()
    }

    /// Waits until its pages show this.
    pub async fn until_shown(&mut self, what: &str, wanted: impl Fn(&View) -> bool) -> Arc<View> {
        let shown = self.centre.as_mut().unwrap().until(wanted);
        let shown = tokio::time::timeout(Duration::from_mins(1), shown).await;
        shown.ok().flatten().expect(what)
    }

    /// The centre is gone.
    pub async fn stop_following(&mut self) {
        if let Some(centre) = self.centre.take() {
            centre.shutdown().await;
        }
    }

    /// The centre is gone, and its store with it.
    pub async fn stop(&mut self) {
        self.stop_following().await;
        self.stop_store().await;
    }

    /// Waits until the centre has verified so many events of the demo station's log; there must be no fault.
    pub async fn until_verified(&mut self, size: u64) {
        let centre = self.centre.as_mut().unwrap();
        let verified = centre.until_log("demo", |log| log.size >= size || log.fault.is_some());
        let shown = tokio::time::timeout(Duration::from_mins(5), verified).await;
        assert!(
            shown.is_ok(),
            "the centre has verified {:?} of {size}",
            centre.verified_size("demo")
        );
        let faults = centre.faults();
        assert!(faults.is_empty(), "{faults:?}");
    }
}

//! A simulated face matcher, its adapter and a stand-in for the gateway, over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use adapters::face::{FaceConfig, MatcherConfig, description, run};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::ids::BatchId;
use serde_json::{Value, json};
use simulator::Power;
use simulator::face_matcher::{self, FaceFault, FaceMatcherOptions, Look};
use simulator::faults::Faults;
use simulator::people::People;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Gateway, Mosquitto, loopback};

/// `cmd/compare-faces`: the picture on a person's chip with `probe`.
pub(crate) fn compare(id: &str, person: usize, probe: &[u8], timeout_s: u16) -> Value {
    let people = People::new(BatchId::new("demo-1").unwrap(), 4, 1).unwrap();
    let chip = &people.people[person].present_card().picture;
    json!({
        "command_id": id,
        "pair": "live-historical",
        "reference": { "format": "wlt", "bytes": STANDARD.encode(chip) },
        "probe": { "format": "jpeg", "bytes": STANDARD.encode(probe) },
        "timeout_s": timeout_s,
    })
}

/// An adapter that is in a hurry, as a test is.
pub(crate) fn quick(matcher: SocketAddr) -> FaceConfig {
    FaceConfig {
        retry_ms: 30,
        unreachable_after_ms: 400,
        property_interval_ms: 30,
        ..FaceConfig::new(MatcherConfig {
            probe_ms: 40,
            ..MatcherConfig::new("127.0.0.1".to_owned(), matcher.port(), 500)
        })
    }
}

pub(crate) struct FaceBench {
    pub(crate) gateway: Gateway,
    pub(crate) faults: Faults<FaceFault>,
    pub(crate) power: watch::Sender<Power>,
    /// Who stands in front of the camera.
    pub(crate) look: Arc<Mutex<Look>>,
    adapter: Option<(JoinHandle<()>, watch::Sender<bool>)>,
    _broker: Mosquitto,
}

impl FaceBench {
    /// A service that takes so long, and its adapter; it is online.
    pub(crate) async fn new(compare_ms: u64) -> Self {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut bench = Self::at(address).await;
        let (faults, look) = (bench.faults.clone(), Arc::clone(&bench.look));
        let options = FaceMatcherOptions { compare_ms, faults };
        let seen = move || *look.lock().unwrap();
        let powered = bench.power.subscribe();
        tokio::spawn(face_matcher::serve(options, seen, listener, powered));
        bench.state("status", "online").await;
        bench
    }

    /// An adapter of the service at `address`, whoever plays it.
    pub(crate) async fn at(address: SocketAddr) -> Self {
        let broker = Mosquitto::start();
        let gateway = Gateway::connect(&broker).await;
        let link = broker.link("face-matcher-1", description());
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(quick(address), link, stopped));
        Self {
            gateway,
            faults: Faults::default(),
            power: watch::channel(Power::On).0,
            look: Arc::default(),
            adapter: Some((task, stop)),
            _broker: broker,
        }
    }

    pub(crate) async fn stop_adapter(&mut self) {
        let (task, stop) = self.adapter.take().unwrap();
        stop.send(true).unwrap();
        task.await.unwrap();
    }

    pub(crate) async fn state(&mut self, field: &str, value: &str) -> Value {
        let topic = "face-matcher-1/state";
        self.gateway.json_where(topic, field, value).await
    }

    pub(crate) async fn life(&mut self, state: &str) {
        let topic = "face-matcher-1/$state";
        self.gateway.json_where(topic, "state", state).await;
    }

    pub(crate) async fn order(&self, command: &Value) {
        let topic = "face-matcher-1/cmd/compare-faces";
        self.gateway.send(topic, command).await;
    }

    pub(crate) async fn reply(&mut self, id: &str) -> Value {
        let topic = "face-matcher-1/cmd/compare-faces/reply";
        self.gateway.json_where(topic, "command_id", id).await
    }

    pub(crate) async fn compare(&mut self, id: &str, person: usize, probe: &[u8]) -> Value {
        self.order(&compare(id, person, probe, 30)).await;
        self.reply(id).await
    }
}

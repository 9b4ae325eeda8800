//! A simulated ID-card reader, its adapter and a stand-in for the gateway, over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use adapters::reader::{Address, ReaderConfig, SamId, description, run};
use schemas::ids::BatchId;
use serde_json::{Value, json};
use simulator::Power;
use simulator::people::{Card, People};
use simulator::reader::{ReaderFaults, ReaderOptions, SamReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Gateway, Mosquitto, loopback};

/// The card that lies on the reader.
pub(crate) type Tray = Arc<Mutex<Option<Card>>>;

pub(crate) struct ReaderBench {
    pub(crate) broker: Mosquitto,
    pub(crate) gateway: Gateway,
    pub(crate) reader: SamReader,
    pub(crate) faults: ReaderFaults,
    pub(crate) power: watch::Sender<Power>,
    pub(crate) address: SocketAddr,
    tray: Tray,
    adapter: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

pub(crate) fn sam_id(number: u32) -> SamId {
    SamId {
        maker: [5, 3],
        numbers: [20_260_101, 1, number],
    }
}

/// The first card of the synthetic people is a citizen's with two fingers, the sixth a permit; the third
/// person has an old card without fingers.
pub(crate) fn people() -> People {
    People::new(BatchId::new("demo-1").unwrap(), 8, 1).unwrap()
}

pub(crate) fn reader(faults: &ReaderFaults) -> (SamReader, Tray) {
    let tray = Tray::default();
    let options = ReaderOptions {
        sam_id: sam_id(1),
        find_ms: 2,
        read_ms: 20,
        faults: faults.clone(),
    };
    let card = Arc::clone(&tray);
    let reader = SamReader::new(options, move || card.lock().unwrap().clone());
    (reader, tray)
}

/// An adapter that is in a hurry, as a test is.
pub(crate) fn quick(address: Address) -> ReaderConfig {
    ReaderConfig {
        sam_id: Some(sam_id(1)),
        poll_ms: 20,
        heartbeat_ms: 50,
        request_timeout_ms: 400,
        read_timeout_ms: 400,
        settle_ms: 20,
        unreachable_after_ms: 800,
        property_interval_ms: 50,
        ..ReaderConfig::new(address)
    }
}

impl ReaderBench {
    pub(crate) async fn new() -> Self {
        let mut bench = Self::without_adapter().await;
        bench.start_adapter(|_| {});
        bench
            .gateway
            .json_where("reader-1/state", "status", "online")
            .await;
        bench
    }

    pub(crate) async fn without_adapter() -> Self {
        let broker = Mosquitto::start();
        let gateway = Gateway::connect(&broker).await;
        let faults = ReaderFaults::default();
        let (reader, tray) = reader(&faults);
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (power, powered) = watch::channel(Power::On);
        tokio::spawn(reader.clone().serve(listener, powered));
        Self {
            broker,
            gateway,
            reader,
            faults,
            power,
            address,
            tray,
            adapter: None,
        }
    }

    pub(crate) fn start_adapter(&mut self, change: impl FnOnce(&mut ReaderConfig)) {
        let mut config = quick(Address::Tcp {
            host: self.address.ip().to_string(),
            port: self.address.port(),
        });
        change(&mut config);
        let link = self.broker.link("reader-1", description(None));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(config, link, stopped));
        self.adapter = Some((task, stop));
    }

    /// Ends the adapter as a power cut does, and waits until it is gone.
    pub(crate) async fn kill_adapter(&mut self) {
        let (task, _stop) = self.adapter.take().unwrap();
        task.abort();
        task.await.unwrap_err();
    }

    pub(crate) async fn stop_adapter(&mut self) {
        let (task, stop) = self.adapter.take().unwrap();
        stop.send(true).unwrap();
        task.await.unwrap();
    }

    /// Lays a card on the reader, or lifts what lies there.
    pub(crate) fn lay(&self, card: Option<&Card>) {
        *self.tray.lock().unwrap() = card.cloned();
        self.reader.look();
    }

    pub(crate) async fn order(&self, command: &str, timeout_s: u16) {
        let message = json!({ "command_id": command, "timeout_s": timeout_s });
        self.gateway.send("reader-1/cmd/read", &message).await;
    }

    pub(crate) async fn reply(&mut self, command: &str) -> Value {
        let topic = "reader-1/cmd/read/reply";
        self.gateway.json_where(topic, "command_id", command).await
    }

    pub(crate) async fn read(&mut self, command: &str, timeout_s: u16) -> Value {
        self.order(command, timeout_s).await;
        self.reply(command).await
    }
}

//! A simulated ZFM module and a matcher, their adapter and a stand-in for the gateway, over real sockets.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use adapters::scanner::instruction::Light;
use adapters::scanner::{Address, LightKind, MatcherConfig, ScannerConfig, description, run};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::ids::BatchId;
use schemas::words::Hand;
use serde_json::{Value, json};
use simulator::Power;
use simulator::faults::Faults;
use simulator::matcher::{self, MatcherFault, MatcherOptions};
use simulator::people::{People, Quality};
use simulator::scanner::{ScannerFault, ScannerOptions, ZfmScanner};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Gateway, Mosquitto, loopback};

/// What lies on the glass, and the colours that the ring has shown.
#[derive(Clone, Default)]
pub(crate) struct Glass {
    finger: Arc<Mutex<Option<Vec<u8>>>>,
    colours: Arc<Mutex<Vec<u8>>>,
    empty_looks: Arc<Mutex<u32>>,
    /// Whether the finger is lifted when the ring goes out, as by a citizen who watches it.
    pub(crate) lifts: Arc<Mutex<bool>>,
}

impl Glass {
    /// Lays a sample on the glass, or lifts the finger.
    pub(crate) fn lay(&self, sample: Option<Vec<u8>>) {
        *self.finger.lock().unwrap() = sample;
    }

    /// Codes of the colours so far, 0 for dark.
    pub(crate) fn colours(&self) -> Vec<u8> {
        self.colours.lock().unwrap().clone()
    }

    fn look(&self) -> Option<Vec<u8>> {
        let finger = self.finger.lock().unwrap().clone();
        if finger.is_none() {
            *self.empty_looks.lock().unwrap() += 1;
        }
        finger
    }

    /// Waits until the empty glass has been looked at some more times.
    pub(crate) async fn is_seen_empty(&self) {
        let before = *self.empty_looks.lock().unwrap();
        super::until("the empty glass is looked at", || {
            *self.empty_looks.lock().unwrap() > before + 3
        })
        .await;
    }

    fn shine(&self, light: Light) {
        let is_off = light == Light::OFF;
        let colour = if is_off { 0 } else { light.colour };
        self.colours.lock().unwrap().push(colour);
        if is_off && *self.lifts.lock().unwrap() {
            self.lay(None);
        }
    }
}

pub(crate) fn module(
    faults: &Faults<ScannerFault>,
    bits_per_s: Option<u32>,
) -> (ZfmScanner, Glass) {
    let glass = Glass::default();
    let options = ScannerOptions {
        password: PASSWORD,
        capture_ms: 2,
        bits_per_s,
        faults: faults.clone(),
    };
    let (looked_at, lit) = (glass.clone(), glass.clone());
    let finger = move || looked_at.look();
    let scanner = ZfmScanner::new(options, finger, move |light| lit.shine(light));
    (scanner, glass)
}

pub(crate) const PASSWORD: u32 = 0x5A17_C0DE;

pub(crate) fn people() -> People {
    People::new(BatchId::new("demo-1").unwrap(), 4, 1).unwrap()
}

/// A live finger of the first person.
pub(crate) fn finger(hand: Hand, quality: Quality) -> Option<Vec<u8>> {
    people().sample(0, hand, quality, 7)
}

/// `cmd/match` for a finger of the first person.
pub(crate) fn compare(id: &str, hand: Hand, timeout_s: u16) -> Value {
    let [right, left] = people().people.remove(0).card.fingers.unwrap();
    let template = match hand {
        Hand::Right => right,
        Hand::Left => left,
    };
    json!({
        "command_id": id,
        "hand": hand,
        "templates": [STANDARD.encode(template)],
        "timeout_s": timeout_s,
    })
}

/// `cmd/capture-finger` for a right finger of this quality, to be compared with the first person's card where `compares`.
pub(crate) fn capture(id: &str, quality_min: u16, compares: bool, timeout_s: u16) -> Value {
    let mut command = compare(id, Hand::Right, timeout_s);
    command["quality_min"] = json!(quality_min);
    command["position"] = json!("right-index");
    if !compares {
        command["templates"] = json!([]);
    }
    command
}

/// An adapter that is in a hurry, as a test is.
pub(crate) fn quick(address: Address) -> ScannerConfig {
    ScannerConfig {
        password: PASSWORD.into(),
        light: LightKind::Ring,
        poll_ms: 10,
        heartbeat_ms: 40,
        request_timeout_ms: 500,
        settle_ms: 20,
        unreachable_after_ms: 1_000,
        property_interval_ms: 30,
        ..ScannerConfig::new(address)
    }
}

pub(crate) struct ScannerBench {
    pub(crate) broker: Mosquitto,
    pub(crate) gateway: Gateway,
    pub(crate) glass: Glass,
    pub(crate) faults: Faults<ScannerFault>,
    pub(crate) matcher_faults: Faults<MatcherFault>,
    pub(crate) power: watch::Sender<Power>,
    pub(crate) matcher_power: watch::Sender<Power>,
    pub(crate) address: SocketAddr,
    matcher_address: SocketAddr,
    adapter: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

impl ScannerBench {
    pub(crate) async fn new() -> Self {
        Self::with(None, |_| {}).await
    }

    /// A line of this speed, an adapter with these changes; it is online.
    pub(crate) async fn with(
        bits_per_s: Option<u32>,
        change: impl FnOnce(&mut ScannerConfig),
    ) -> Self {
        let mut bench = Self::without_adapter(bits_per_s).await;
        bench.start_adapter(change);
        bench.state("status", "online").await;
        bench
    }

    pub(crate) async fn without_adapter(bits_per_s: Option<u32>) -> Self {
        let broker = Mosquitto::start();
        let gateway = Gateway::connect(&broker).await;
        let faults = Faults::default();
        let (scanner, glass) = module(&faults, bits_per_s);
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (power, powered) = watch::channel(Power::On);
        tokio::spawn(scanner.serve(listener, powered));
        let matcher_faults = Faults::default();
        let options = MatcherOptions {
            match_ms: 1,
            faults: matcher_faults.clone(),
        };
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let matcher_address = listener.local_addr().unwrap();
        let (matcher_power, powered) = watch::channel(Power::On);
        tokio::spawn(matcher::serve(options, listener, powered));
        Self {
            broker,
            gateway,
            glass,
            faults,
            matcher_faults,
            power,
            matcher_power,
            address,
            matcher_address,
            adapter: None,
        }
    }

    pub(crate) fn matcher(&self) -> MatcherConfig {
        MatcherConfig {
            probe_ms: 40,
            ..MatcherConfig::new("127.0.0.1".to_owned(), self.matcher_address.port(), 2_000)
        }
    }

    pub(crate) fn start_adapter(&mut self, change: impl FnOnce(&mut ScannerConfig)) {
        let mut config = quick(Address::Tcp {
            host: self.address.ip().to_string(),
            port: self.address.port(),
        });
        config.matcher = Some(self.matcher());
        change(&mut config);
        let link = self.broker.link("scanner-1", description(&config));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(config, link, stopped));
        self.adapter = Some((task, stop));
    }

    pub(crate) async fn stop_adapter(&mut self) {
        let (task, stop) = self.adapter.take().unwrap();
        stop.send(true).unwrap();
        task.await.unwrap();
    }

    pub(crate) async fn state(&mut self, field: &str, value: &str) -> Value {
        self.gateway
            .json_where("scanner-1/state", field, value)
            .await
    }

    pub(crate) async fn order(&self, command: &Value) {
        self.gateway.send("scanner-1/cmd/match", command).await;
    }

    pub(crate) async fn reply(&mut self, id: &str) -> Value {
        let topic = "scanner-1/cmd/match/reply";
        self.gateway.json_where(topic, "command_id", id).await
    }

    /// Compares a right finger.
    pub(crate) async fn compare(&mut self, id: &str, timeout_s: u16) -> Value {
        self.order(&compare(id, Hand::Right, timeout_s)).await;
        self.reply(id).await
    }

    /// Asks for the image of a right finger.
    pub(crate) async fn order_image(&self, command: &Value) {
        let topic = "scanner-1/cmd/capture-finger";
        self.gateway.send(topic, command).await;
    }

    pub(crate) async fn image_reply(&mut self, id: &str) -> Value {
        let topic = "scanner-1/cmd/capture-finger/reply";
        self.gateway.json_where(topic, "command_id", id).await
    }

    pub(crate) async fn search(&mut self, id: &str, first_page: u16, pages: u16) -> Value {
        let command =
            json!({ "command_id": id, "first_page": first_page, "pages": pages, "timeout_s": 30 });
        let topic = "scanner-1/cmd/match-on-sensor";
        self.gateway.send(topic, &command).await;
        let topic = "scanner-1/cmd/match-on-sensor/reply";
        self.gateway.json_where(topic, "command_id", id).await
    }
}

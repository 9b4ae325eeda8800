//! A simulated dispenser, its adapter and a stand-in for the gateway, over real sockets.

use std::sync::Arc;

use adapters::dispenser::{Address, DispenserConfig, LineSettings, Parity, description, run};
use edge_config::profile::DispenserProfile;
use schemas::ids::CardSerial;
use schemas::slot::SlotAddress;
use serde_json::{Value, json};
use simulator::dispenser::{Dispenser, DispenserLine, DispenserOptions, Shape};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Gateway, Mosquitto, loopback};

pub(crate) struct Bench {
    pub(crate) broker: Mosquitto,
    pub(crate) gateway: Gateway,
    pub(crate) dispenser: Dispenser,
    pub(crate) adapter: JoinHandle<()>,
    pub(crate) stop: watch::Sender<bool>,
    _folder: TempDir,
}

pub(crate) fn slot(column: u16, slot: u16) -> SlotAddress {
    SlotAddress::new(column, slot).unwrap()
}

pub(crate) fn card(number: u32) -> CardSerial {
    CardSerial::new(format!("SIM{number:08}")).unwrap()
}

pub(crate) fn shape(motion_ms: u64) -> Shape {
    Shape {
        motion_ms,
        ..Shape::default()
    }
}

/// The shipped register map.
pub(crate) fn profile() -> Arc<DispenserProfile> {
    Arc::new(DispenserProfile::load(None).unwrap())
}

impl Bench {
    pub(crate) async fn new(shape: Shape) -> Self {
        Self::at(DispenserLine::Tcp(loopback()), profile(), shape).await
    }

    /// At this line, with this register map.
    pub(crate) async fn at(
        line: DispenserLine,
        profile: Arc<DispenserProfile>,
        shape: Shape,
    ) -> Self {
        let broker = Mosquitto::start();
        let mut gateway = Gateway::connect(&broker).await;
        let folder = TempDir::new().unwrap();
        let options = DispenserOptions {
            line: line.clone(),
            profile: Arc::clone(&profile),
            memory_file: folder.path().join("dispenser.json"),
            shape,
        };
        let dispenser = Dispenser::start(options).await.unwrap();
        dispenser.act(|machine| assert!(machine.put_in_slot(slot(0, 3), card(1))));
        let (adapter, stop) = start_with(&broker, config(&line, &dispenser, profile));
        gateway
            .json_where("dispenser-1/state", "status", "online")
            .await;
        Self {
            broker,
            gateway,
            dispenser,
            adapter,
            stop,
            _folder: folder,
        }
    }

    /// Ends the adapter and starts another one.
    pub(crate) async fn exchange_adapter(&mut self, config: DispenserConfig) {
        self.stop.send(true).unwrap();
        self.gateway
            .json_where("dispenser-1/$state", "state", "offline")
            .await;
        (self.adapter, self.stop) = start_with(&self.broker, config);
    }

    pub(crate) async fn order(&self, command: &str, sequence: u16, motion: Value) {
        let message = json!({
            "command_id": command, "sequence": sequence, "motion": motion, "timeout_s": 30,
        });
        self.gateway.send("dispenser-1/cmd/move", &message).await;
    }

    pub(crate) async fn reply(&mut self, command: &str) -> Value {
        self.gateway
            .json_where("dispenser-1/cmd/move/reply", "command_id", command)
            .await
    }

    pub(crate) async fn query(&mut self, command: &str) -> Value {
        let message = json!({ "command_id": command, "timeout_s": 30 });
        self.gateway.send("dispenser-1/cmd/query", &message).await;
        self.gateway
            .json_where("dispenser-1/cmd/query/reply", "command_id", command)
            .await
    }

    /// How often each sequence began to move.
    pub(crate) fn motions(&self) -> Vec<(u16, u32)> {
        self.dispenser.look(|machine| {
            let history = machine.memory().history();
            history.iter().map(|m| (m.sequence, m.count)).collect()
        })
    }
}

pub(crate) fn start_adapter(
    broker: &Mosquitto,
    dispenser: &Dispenser,
) -> (JoinHandle<()>, watch::Sender<bool>) {
    let line = DispenserLine::Tcp(loopback());
    start_with(broker, config(&line, dispenser, profile()))
}

/// A quick adapter's configuration for the dispenser at `line`.
pub(crate) fn config(
    line: &DispenserLine,
    dispenser: &Dispenser,
    profile: Arc<DispenserProfile>,
) -> DispenserConfig {
    let (host, port) = ("127.0.0.1".to_owned(), dispenser.address().port());
    let address = match line {
        DispenserLine::Tcp(_) => Address::Tcp { host, port },
        DispenserLine::RtuOverTcp(_) => Address::RtuOverTcp { host, port },
        DispenserLine::Serial(path) => Address::Serial {
            path: path.clone(),
            // A pseudo-terminal has no parity.
            line: LineSettings {
                parity: Parity::None,
                ..LineSettings::MODBUS
            },
        },
    };
    DispenserConfig {
        poll_busy_ms: 10,
        poll_idle_ms: 50,
        host_timeout_s: 3,
        unreachable_after_ms: 1_500,
        ..DispenserConfig::new(address, profile)
    }
}

pub(crate) fn start_with(
    broker: &Mosquitto,
    config: DispenserConfig,
) -> (JoinHandle<()>, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let link = broker.link("dispenser-1", description(&config));
    (tokio::spawn(run(config, link, stopped)), stop)
}

pub(crate) fn to_reader() -> Value {
    json!({ "motion": "to-reader", "slot": { "column": 0, "slot": 3 } })
}

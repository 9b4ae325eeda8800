//! Card dispensers over Modbus TCP, brought to MQTT.
//!
//! Owns the register map ([`map`], written down in `ops/docs/dispenser-register-map.md`), its codec
//! ([`codec`]) and the adapter ([`run`]). Must never repeat a motion by itself: the same sequence moves
//! once, and after anything ambiguous the acknowledgement registers are read before anything is written.

mod adapter;
pub mod codec;
mod line;
pub mod map;
mod moves;
mod reports;
mod vitals;

use schemas::message::device::Description;
use schemas::words::DeviceKind;
use tokio::sync::watch;

use crate::link::LinkConfig;

/// Configuration of the Modbus side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispenserConfig {
    /// Host name or address of the device.
    pub host: String,
    /// TCP port, 502 on real devices.
    pub port: u16,
    /// Modbus unit id; 255 where the device is no serial gateway.
    pub unit: u8,
    /// Pause between polls while a card moves or lies at the outlet, in ms.
    pub poll_busy_ms: u64,
    /// Pause between polls otherwise, in ms; also how often the host's heartbeat is written.
    pub poll_idle_ms: u64,
    /// Longest a call may take, in ms.
    pub call_timeout_ms: u64,
    /// Longest a connection may take to stand, in ms.
    pub connect_timeout_ms: u64,
    /// After how long without the host's heartbeat the device helps itself, in s (holding 7).
    pub host_timeout_s: u16,
    /// How long the device may be silent, or its heartbeat stand still, before it counts as gone, in ms.
    /// More than a second and twice `poll_idle_ms`, since the heartbeat may change as rarely as once a second.
    pub unreachable_after_ms: u64,
    /// Least time between two values of a property, in ms.
    pub property_interval_ms: u64,
    /// Pause before the first new attempt to connect, in ms.
    pub backoff_ms_min: u64,
    /// Longest pause between two attempts, in ms.
    pub backoff_ms_max: u64,
}

impl DispenserConfig {
    /// The defaults for a device at `host`:`port`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            unit: 255,
            poll_busy_ms: 200,
            poll_idle_ms: 1_000,
            call_timeout_ms: 1_000,
            connect_timeout_ms: 1_000,
            host_timeout_s: 10,
            unreachable_after_ms: 3_000,
            property_interval_ms: 5_000,
            backoff_ms_min: 50,
            backoff_ms_max: 2_000,
        }
    }
}

/// What `desc` says of a dispenser behind this adapter.
pub fn description() -> Description {
    Description {
        kind: DeviceKind::Dispenser,
        vendor: "Modbus TCP".to_owned(),
        model: "register map 1".to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["move".to_owned(), "query".to_owned()],
        events: ["media-taken", "door-open", "tamper", "jam"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// Runs the adapter of one dispenser until `shutdown` becomes true or its sender is dropped; then says
/// goodbye. It returns only then: what fails is tried again. To end it like a power cut, abort its task.
pub async fn run(config: DispenserConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    Box::pin(adapter::run(config, link, shutdown)).await;
}

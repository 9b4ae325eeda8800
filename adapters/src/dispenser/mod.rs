//! Card dispensers over Modbus, brought to MQTT: Modbus TCP, or RTU frames over TCP or a serial line.
//!
//! Owns the codec ([`codec`]) of the register map, which is a profile (`edge_config::profile`, described in
//! `ops/docs/dispenser-register-map.md`), and the adapter ([`run`]). Must never repeat a motion by itself: the same sequence moves
//! once, and after anything ambiguous the acknowledgement registers are read before anything is written.

mod adapter;
mod answers;
mod channel;
pub mod codec;
mod line;
mod moves;
mod reports;
mod schedule;
mod vitals;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use edge_config::profile::DispenserProfile;
use schemas::message::device::Description;
use schemas::words::DeviceKind;
use tokio::sync::watch;

use crate::link::LinkConfig;
pub use crate::port::{LineSettings, Parity, StopBits};

/// Where a dispenser is, and in what frames it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Modbus TCP, port 502 on real devices.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// RTU frames over TCP: a serial line behind a serial-over-TCP adapter.
    RtuOverTcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A serial line: RTU frames.
    Serial {
        /// Its device file.
        path: PathBuf,
        /// How it is set.
        line: LineSettings,
    },
}

impl Address {
    /// Whether the frames are RTU: they carry no number, so an answer is known by its place alone.
    const fn is_rtu(&self) -> bool {
        !matches!(self, Self::Tcp { .. })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::RtuOverTcp { host, port } => write!(f, "rtu-over-tcp://{host}:{port}"),
            Self::Serial { path, .. } => write!(f, "{}", path.display()),
        }
    }
}

/// Configuration of the Modbus side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispenserConfig {
    /// Where the device is.
    pub address: Address,
    /// Its register map.
    pub profile: Arc<DispenserProfile>,
    /// Modbus unit id; over Modbus TCP 255 where the device is no serial gateway.
    pub unit: u8,
    /// Pause between reads while a commanded motion is not over, in ms.
    pub watch_ms: u64,
    /// Pause between polls while a card lies at the outlet, in ms; also how old what is known may be for a command to be written on it.
    pub poll_busy_ms: u64,
    /// Pause between polls otherwise, in ms.
    pub poll_idle_ms: u64,
    /// Longest a call may take, in ms.
    pub call_timeout_ms: u64,
    /// Longest a connection may take to stand, in ms.
    pub connect_timeout_ms: u64,
    /// How long an RTU line has to be silent before the first request on it, in ms. More than 3.5 characters take.
    pub settle_ms: u64,
    /// After how long without the host's heartbeat the device helps itself, in s (holding `timeout_s`). It is written each quarter of it.
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
    /// The defaults for a device with the register map `profile` at `address`.
    pub fn new(address: Address, profile: Arc<DispenserProfile>) -> Self {
        Self {
            unit: if address.is_rtu() { 1 } else { 255 },
            address,
            profile,
            watch_ms: 20,
            poll_busy_ms: 200,
            poll_idle_ms: 1_000,
            call_timeout_ms: 1_000,
            connect_timeout_ms: 1_000,
            settle_ms: 50,
            host_timeout_s: 10,
            unreachable_after_ms: 3_000,
            property_interval_ms: 5_000,
            backoff_ms_min: 50,
            backoff_ms_max: 2_000,
        }
    }
}

/// What `desc` says of a dispenser behind this adapter.
pub fn description(config: &DispenserConfig) -> Description {
    let vendor = if config.address.is_rtu() {
        "Modbus RTU"
    } else {
        "Modbus TCP"
    };
    Description {
        kind: DeviceKind::Dispenser,
        vendor: vendor.to_owned(),
        model: format!("profile {}", config.profile),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["move".to_owned(), "query".to_owned()],
        events: ["media-taken", "door-open", "tamper", "jam"]
            .map(str::to_owned)
            .to_vec(),
        serial: None,
        totals: ["dispensed-total", "retracted-total"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// Runs the adapter of one dispenser until `shutdown` becomes true or its sender is dropped; then says
/// goodbye. It returns only then: what fails is tried again. To end it like a power cut, abort its task.
pub async fn run(config: DispenserConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    Box::pin(adapter::run(config, link, shutdown)).await;
}

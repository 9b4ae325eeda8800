//! ID-card readers with a SAM_V module (GA 450, GA/T 467), brought to MQTT.
//!
//! Owns the protocol's codec (`frame`, `request`, `reply`, `content`, `text`, `fingerprint`), which is pure, and
//! the adapter ([`run`]). Must never keep what a card says for longer than its reply takes, never print
//! it, and never let a reader speak that has another identity than the station's configuration says.

mod adapter;
mod card;
pub mod content;
mod counts;
pub mod fingerprint;
pub mod frame;
mod line;
mod personal;
pub mod reply;
pub mod request;
mod said;
mod sam_id;
mod standing;
pub mod text;

use std::path::PathBuf;

use schemas::ids::DeviceSerial;
use schemas::message::device::Description;
use schemas::words::DeviceKind;
use tokio::sync::watch;

use crate::link::LinkConfig;

pub use personal::Personal;
pub use sam_id::SamId;

use request::Baud;

/// Where a reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Behind a serial-over-TCP adapter: the same bytes.
    Tcp {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// At a serial line, 8N1.
    Serial {
        /// The device file.
        path: PathBuf,
        /// Its speed; none: found out by asking at each.
        baud: Option<Baud>,
    },
}

/// Configuration of a reader's adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderConfig {
    /// Where it is.
    pub address: Address,
    /// Which one it is; none: whichever answers.
    pub sam_id: Option<SamId>,
    /// Pause between two attempts to find a card, and between two looks whether a card that was read
    /// still lies there, in ms.
    pub poll_ms: u64,
    /// Pause between two heartbeats, in ms.
    pub heartbeat_ms: u64,
    /// Longest a short request may take, in ms.
    pub request_timeout_ms: u64,
    /// Longest the reading of a card may take, in ms: 2 to 3 s at 115,200 bit/s.
    pub read_timeout_ms: u64,
    /// Longest a connection may take to stand, in ms.
    pub connect_timeout_ms: u64,
    /// How long the line has to be silent, after an answer did not come, before the next request, in ms.
    pub settle_ms: u64,
    /// How often a card that cannot be read is tried.
    pub attempts_max: u8,
    /// How long the reader may be silent before it counts as gone, in ms.
    pub unreachable_after_ms: u64,
    /// Least time between two values of a count, in ms.
    pub property_interval_ms: u64,
    /// Pause before the first new attempt to connect, in ms.
    pub backoff_ms_min: u64,
    /// Longest pause between two attempts, in ms.
    pub backoff_ms_max: u64,
}

impl ReaderConfig {
    /// The defaults for a reader at `address`.
    pub const fn new(address: Address) -> Self {
        Self {
            address,
            sam_id: None,
            poll_ms: 300,
            heartbeat_ms: 1_000,
            request_timeout_ms: 1_000,
            read_timeout_ms: 5_000,
            connect_timeout_ms: 1_000,
            settle_ms: 50,
            attempts_max: 3,
            unreachable_after_ms: 3_000,
            property_interval_ms: 5_000,
            backoff_ms_min: 50,
            backoff_ms_max: 2_000,
        }
    }
}

/// What `desc` says of a reader behind this adapter, before and after it has named itself. The security
/// module's identity is the reader's serial number; it is part of the model.
pub fn description(sam_id: Option<SamId>) -> Description {
    Description {
        kind: DeviceKind::Reader,
        vendor: "GA 450".to_owned(),
        model: sam_id.map_or_else(|| "SAM_V".to_owned(), |id| format!("SAM_V {id}")),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["read".to_owned()],
        events: vec![standing::WRONG_SERIAL.to_owned()],
        serial: sam_id.and_then(|id| DeviceSerial::new(id.to_string()).ok()),
        totals: Vec::new(),
    }
}

/// Runs the adapter of one reader until `shutdown` becomes true or its sender is dropped; then says goodbye.
/// It returns only then: what fails is tried again. To end it like a power cut, abort its task.
pub async fn run(config: ReaderConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    Box::pin(adapter::run(config, link, shutdown)).await;
}

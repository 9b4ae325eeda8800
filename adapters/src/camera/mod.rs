//! Cameras of the network, brought to MQTT: ONVIF cameras, and those that only have a still behind a URL.
//!
//! Owns the way to a still: finding it over ONVIF (`onvif`, `place`), HTTP with its challenges (`http`, `challenge`), what a picture
//! is (`jpeg`), and the adapter ([`run`]). Must never keep a still longer than its publication takes, never publish what is no
//! whole picture or one that was published before, never send a password to a host that only the camera named, and never print
//! either.

mod adapter;
pub mod challenge;
mod counts;
mod credentials;
mod fault;
mod http;
pub mod jpeg;
mod line;
mod logins;
mod onvif;
mod place;
mod standing;

use schemas::message::device::Description;
use schemas::words::DeviceKind;
use tokio::sync::watch;
use url::Url;

use crate::link::LinkConfig;

pub use credentials::Credentials;
pub use fault::CameraFault;
pub use logins::{CameraLogins, LoginRefused};
pub use place::reached_at;

/// Where a camera's stills come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The camera says it over ONVIF.
    Onvif {
        /// Its device service, `http://host/onvif/device_service` with most.
        url: Url,
        /// Token or name of the media profile; none: the first.
        profile: Option<String>,
        /// Where the still lies, whatever the camera says.
        still: Option<Url>,
    },
    /// A URL that answers with a JPEG.
    Still(Url),
}

/// Configuration of a camera's adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraConfig {
    /// Where its stills come from. Plain HTTP.
    pub source: Source,
    /// Who the station is to it; none: it asks nobody.
    pub credentials: Option<Credentials>,
    /// Whether the password may be sent in the clear, to a camera that knows nothing better.
    pub allow_basic: bool,
    /// Longest still, in bytes.
    pub still_bytes_max: usize,
    /// Pause before another attempt at a still, in ms.
    pub retry_ms: u64,
    /// Attempts at a still for one command. The same picture again is no attempt: it is waited for another one.
    pub attempts_max: u8,
    /// Pause between two heartbeats, in ms.
    pub heartbeat_ms: u64,
    /// Longest a connection may take to stand, in ms.
    pub connect_timeout_ms: u64,
    /// Longest a request may take, its challenge and its body included, in ms.
    pub request_timeout_ms: u64,
    /// How long the camera may be silent before it counts as gone, in ms.
    pub unreachable_after_ms: u64,
    /// How far its clock may be from the station's before that is said, in s.
    pub clock_apart_s: u64,
    /// Least time between two values of a count, in ms.
    pub property_interval_ms: u64,
    /// Pause before the first new attempt to find it, in ms.
    pub backoff_ms_min: u64,
    /// Longest pause between two attempts, in ms.
    pub backoff_ms_max: u64,
    /// Pause after the camera has refused the password, in ms: some lock a user out after a few attempts.
    pub lasting_pause_ms: u64,
}

impl CameraConfig {
    /// The defaults for a camera with stills of at most 1 MiB, that asks for no password.
    pub const fn new(source: Source) -> Self {
        Self {
            source,
            credentials: None,
            allow_basic: false,
            still_bytes_max: 1 << 20,
            retry_ms: 200,
            attempts_max: 3,
            heartbeat_ms: 2_000,
            connect_timeout_ms: 2_000,
            request_timeout_ms: 5_000,
            unreachable_after_ms: 3_000,
            clock_apart_s: 30,
            property_interval_ms: 5_000,
            backoff_ms_min: 100,
            backoff_ms_max: 5_000,
            lasting_pause_ms: 60_000,
        }
    }
}

/// What `desc` says of a camera behind this adapter, until it has said its maker and model itself.
pub fn description() -> Description {
    Description {
        kind: DeviceKind::Camera,
        vendor: "ONVIF".to_owned(),
        model: "network camera".to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["capture".to_owned()],
        events: Vec::new(),
        serial: None,
        totals: Vec::new(),
    }
}

/// Runs the adapter of one camera until `shutdown` becomes true or its sender is dropped; then says goodbye.
/// It returns only then: what fails is tried again. To end it like a power cut, abort its task.
pub async fn run(config: CameraConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    adapter::run(config, link, shutdown).await;
}

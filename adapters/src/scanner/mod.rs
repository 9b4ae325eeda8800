//! Fingerprint sensors of the ZFM family (ZFM, R30x, AS608), brought to MQTT as scanners.
//!
//! Owns the protocol's codec (`packet`, `instruction`, `acknowledgement`, `image`), which is pure, the client of a
//! matcher service, and the adapter ([`run`]). A card's template (GA/T 1012) cannot be compared on such a
//! sensor, so the matcher does it; where there is none, the command is answered as not supported. Must never make
//! up a score, never keep an image longer than its comparison and its publication take, and never print one.

pub mod acknowledgement;
mod adapter;
mod capture;
mod counts;
mod enrolment;
pub mod image;
pub mod instruction;
mod line;
mod matching;
pub mod packet;
mod password;
pub mod png;
mod quality;
mod standing;
mod task;

use std::path::PathBuf;

use schemas::message::device::Description;
use schemas::words::DeviceKind;
use tokio::sync::watch;

use crate::link::LinkConfig;

pub use crate::matcher::MatcherConfig;
pub use password::Password;

/// Where a sensor is.
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
        /// Its speed, 57,600 bit/s from the factory.
        bits_per_s: u32,
    },
}

/// Whether the sensor has a light that can be told to shine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightKind {
    /// None, or one that shines by itself.
    None,
    /// A ring in three colours: blue asks for a right hand's finger, purple for a left hand's, red for one that
    /// is enrolled.
    Ring,
}

/// Who says how good the image of a finger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QualityBy {
    /// This adapter: [`image::Image::quality`].
    Measure,
    /// The matcher.
    Matcher,
}

/// Configuration of a scanner's adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannerConfig {
    /// Where it is.
    pub address: Address,
    /// The module's own address.
    pub module_address: u32,
    /// Its password.
    pub password: Password,
    /// Its light.
    pub light: LightKind,
    /// What compares images with the templates of cards; none: nothing does.
    pub matcher: Option<MatcherConfig>,
    /// Who says how good an image is.
    pub quality: QualityBy,
    /// Pause between two looks for a finger, in ms.
    pub poll_ms: u64,
    /// Pause between two heartbeats, in ms.
    pub heartbeat_ms: u64,
    /// Longest an instruction may take, and longest silence within an image, in ms.
    pub request_timeout_ms: u64,
    /// Longest an image may take, in ms: 6,400 at 57,600 bit/s.
    pub upload_timeout_ms: u64,
    /// Longest a connection may take to stand, in ms.
    pub connect_timeout_ms: u64,
    /// How long the line has to be silent, after an answer did not come, before the next instruction, in ms.
    pub settle_ms: u64,
    /// How long the sensor may be silent before it counts as gone, in ms.
    pub unreachable_after_ms: u64,
    /// Least time between two values of a count, in ms.
    pub property_interval_ms: u64,
    /// Pause before the first new attempt to connect, in ms.
    pub backoff_ms_min: u64,
    /// Longest pause between two attempts, in ms.
    pub backoff_ms_max: u64,
}

impl ScannerConfig {
    /// The defaults for a sensor at `address`, without a matcher.
    pub const fn new(address: Address) -> Self {
        Self {
            address,
            module_address: packet::ADDRESS,
            password: Password::FACTORY,
            light: LightKind::None,
            matcher: None,
            quality: QualityBy::Measure,
            poll_ms: 100,
            heartbeat_ms: 1_000,
            request_timeout_ms: 1_000,
            upload_timeout_ms: 15_000,
            connect_timeout_ms: 1_000,
            settle_ms: 50,
            unreachable_after_ms: 3_000,
            property_interval_ms: 5_000,
            backoff_ms_min: 50,
            backoff_ms_max: 2_000,
        }
    }
}

/// What `desc` says of a scanner behind this adapter. It compares with a card only where there is a matcher; with
/// what is enrolled on the sensor it always can. Its model says who judges the quality of an image.
pub fn description(config: &ScannerConfig) -> Description {
    let matcher = config.matcher.as_ref().map(|_| "match");
    Description {
        kind: DeviceKind::Scanner,
        vendor: "ZFM".to_owned(),
        model: match config.quality {
            QualityBy::Measure => "serial fingerprint module, quality measured",
            QualityBy::Matcher => "serial fingerprint module, quality by matcher",
        }
        .to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: matcher
            .into_iter()
            .chain(["match-on-sensor", "capture-finger"])
            .map(str::to_owned)
            .collect(),
        events: vec!["finger-present".to_owned()],
        serial: None,
        totals: Vec::new(),
    }
}

/// Runs the adapter of one scanner until `shutdown` becomes true or its sender is dropped; then says goodbye.
/// It returns only then: what fails is tried again. To end it like a power cut, abort its task.
pub async fn run(config: ScannerConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    Box::pin(adapter::run(config, link, shutdown)).await;
}

//! Services that compare faces (`ops/docs/face-matcher.md`), brought to MQTT as devices of their own (A7).
//!
//! Owns what is asked of such a service (`question`) and the adapter ([`run`]). Must never make up a score, never keep a picture
//! longer than its comparison takes, and never print one.

mod adapter;
mod counts;
mod question;
mod standing;

use schemas::message::device::Description;
use schemas::message::face::PICTURE_BYTES_MAX;
use schemas::words::DeviceKind;
use tokio::sync::watch;

use crate::link::LinkConfig;
pub use crate::matcher::MatcherConfig;

/// Longest command: two pictures as base64, and its other members.
pub const COMMAND_BYTES_MAX: usize = 2 * (PICTURE_BYTES_MAX.div_ceil(3) * 4) + 4_096;

/// Configuration of a face matcher's adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceConfig {
    /// Where the service listens.
    pub matcher: MatcherConfig,
    /// Pause between two questions whether it is ready, while it is not, in ms.
    pub retry_ms: u64,
    /// Comparisons that may wait for the one under way. Kiosks do not wait for each other here.
    pub waiting_len_max: usize,
    /// How long it may be silent before it counts as gone, in ms.
    pub unreachable_after_ms: u64,
    /// Least time between two values of a count, in ms.
    pub property_interval_ms: u64,
}

impl FaceConfig {
    /// The defaults for a service at `matcher`.
    pub const fn new(matcher: MatcherConfig) -> Self {
        Self {
            matcher,
            retry_ms: 1_000,
            waiting_len_max: 8,
            unreachable_after_ms: 3_000,
            property_interval_ms: 5_000,
        }
    }
}

/// What `desc` says of a face matcher behind this adapter.
pub fn description() -> Description {
    Description {
        kind: DeviceKind::FaceMatcher,
        vendor: "HTTP".to_owned(),
        model: "face matching service".to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: vec!["compare-faces".to_owned()],
        events: Vec::new(),
        serial: None,
        totals: Vec::new(),
    }
}

/// Runs the adapter of one face matcher until `shutdown` becomes true or its sender is dropped; then says goodbye. It returns only
/// then: what fails is tried again. To end it like a power cut, abort its task.
pub async fn run(config: FaceConfig, mut link: LinkConfig, shutdown: watch::Receiver<bool>) {
    link.limits.payload_bytes_max = link.limits.payload_bytes_max.max(COMMAND_BYTES_MAX);
    adapter::run(config, link, shutdown).await;
}

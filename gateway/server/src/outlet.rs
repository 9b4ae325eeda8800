//! What leaves the gateway for its devices: messages to be published, whoever the broker is.

use bytes::Bytes;
use schemas::ids::DeviceId;

/// A message to be published, never retained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// For whom.
    pub device: DeviceId,
    /// Below the device's own level, such as `cmd/move`.
    pub channel: String,
    /// JSON.
    pub payload: Bytes,
    /// QoS 1 rather than 0.
    pub assured: bool,
    /// After how long it is of no use, in s.
    pub expiry_s: Option<u32>,
}

/// Where messages go out. Sending never waits; the order of calls is the order of messages.
pub trait Outlet: std::fmt::Debug + Send + Sync + 'static {
    /// Publishes a message.
    fn send(&self, message: Outgoing);
}

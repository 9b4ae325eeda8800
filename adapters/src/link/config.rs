//! What a link has to know. Every limit has a default that suits a device of a station.

use schemas::ids::{DeviceId, StationId};
use schemas::message::device::{Description, LastReceipt};

use super::Figures;

/// Where the broker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What confirms a message of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The PUBACK: the station's own broker sends it when the message is durable.
    Puback,
    /// The receipt on `receipt/{message id}`: behind an external broker, whose PUBACK says nothing about
    /// the log. The message goes out again every `again_ms` until then.
    Receipt {
        /// Pause between repetitions, in ms.
        again_ms: u64,
    },
}

/// Configuration of a link.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// The broker.
    pub broker: Broker,
    /// The station.
    pub station: StationId,
    /// The device; also the MQTT client id.
    pub device: DeviceId,
    /// What the device is: published on `desc`.
    pub description: Description,
    /// What confirms a message.
    pub confirmation: Confirmation,
    /// The newest receipt of an earlier life, where the device has kept it.
    pub last_receipt: Option<LastReceipt>,
    /// Limits.
    pub limits: LinkLimits,
    /// Where the link counts.
    pub figures: Figures,
    /// TLS, where the broker asks for it.
    #[cfg(feature = "tls")]
    pub tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl LinkConfig {
    /// A plain connection with the default limits.
    pub fn new(
        broker: Broker,
        station: StationId,
        device: DeviceId,
        description: Description,
    ) -> Self {
        Self {
            broker,
            station,
            device,
            description,
            confirmation: Confirmation::Puback,
            last_receipt: None,
            limits: LinkLimits::default(),
            figures: Figures::default(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

/// Limits of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkLimits {
    /// Messages that wait for their confirmation.
    pub outbox_len_max: usize,
    /// Messages on the wire without PUBACK.
    pub in_flight_max: u16,
    /// Commands, receipts and prompts that the device has not taken yet.
    pub inbound_len_max: usize,
    /// Commands whose reply is remembered.
    pub commands_remembered_max: usize,
    /// Bytes of a payload, both ways.
    pub payload_bytes_max: usize,
    /// Pause before the first new attempt to connect, in ms.
    pub backoff_ms_min: u64,
    /// Longest pause between two attempts, in ms.
    pub backoff_ms_max: u64,
    /// Pause before a message that the broker was too busy for goes out again, in ms.
    pub busy_again_ms: u64,
    /// Time for a goodbye, in ms.
    pub goodbye_ms_max: u64,
    /// MQTT keep alive, in s.
    pub keep_alive_s: u16,
    /// How long the broker keeps commands for the device while it is away, in s.
    pub session_expiry_s: u32,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            outbox_len_max: 512,
            in_flight_max: 16,
            inbound_len_max: 64,
            commands_remembered_max: 256,
            payload_bytes_max: 1 << 20,
            backoff_ms_min: 50,
            backoff_ms_max: 2_000,
            busy_again_ms: 250,
            goodbye_ms_max: 2_000,
            keep_alive_s: 10,
            session_expiry_s: 3_600,
        }
    }
}

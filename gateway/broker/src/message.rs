//! A message as the broker carries it: topic, payload, quality of service, properties.
//!
//! Cloning is cheap (reference counts only). `Debug` never shows a payload, so that nothing
//! personal can reach a log line by accident.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// Quality of service (MQTT 5, section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Qos {
    /// Fire and forget.
    #[default]
    AtMostOnce,
    /// Acknowledged by PUBACK.
    AtLeastOnce,
    /// Acknowledged by PUBREC, PUBREL, PUBCOMP.
    ExactlyOnce,
}

impl Qos {
    /// The two bits used on the wire.
    pub const fn bits(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }

    /// From the two bits used on the wire; `None` for the reserved value 3 and above.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// Who put the message in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Origin {
    /// A client's PUBLISH.
    #[default]
    Client,
    /// A client's last will, published by the broker on its behalf.
    Will,
    /// The program that owns the broker.
    Server,
}

/// The MQTT 5 properties that travel with a message to its receivers (section 3.3.2.3).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// Payload Format Indicator: `Some(true)` is UTF-8.
    pub payload_is_utf8: Option<bool>,
    /// Content Type.
    pub content_type: Option<Box<str>>,
    /// Response Topic.
    pub response_topic: Option<Box<str>>,
    /// Correlation Data.
    pub correlation_data: Option<Bytes>,
    /// User Properties, in order.
    pub user: Vec<(Box<str>, Box<str>)>,
}

impl Properties {
    /// No property set.
    pub fn is_empty(&self) -> bool {
        self.payload_is_utf8.is_none()
            && self.content_type.is_none()
            && self.response_topic.is_none()
            && self.correlation_data.is_none()
            && self.user.is_empty()
    }

    /// Bytes held, for accounting.
    pub(crate) fn bytes(&self) -> usize {
        self.content_type.as_deref().map_or(0, str::len)
            + self.response_topic.as_deref().map_or(0, str::len)
            + self.correlation_data.as_deref().map_or(0, <[u8]>::len)
            + self
                .user
                .iter()
                .map(|(k, v)| k.len() + v.len())
                .sum::<usize>()
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Properties")
            .field("payload_is_utf8", &self.payload_is_utf8)
            .field("user", &self.user.len())
            .finish_non_exhaustive()
    }
}

/// One application message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Topic name, checked: valid UTF-8, not empty, no wildcard, within the limits.
    pub topic: Arc<str>,
    /// The payload, untouched.
    pub payload: Bytes,
    /// Quality of service the sender chose.
    pub qos: Qos,
    /// The sender asked for it to be retained.
    pub retain: bool,
    /// The sender marked it as a re-delivery.
    pub duplicate: bool,
    /// Message Expiry Interval in seconds, as sent (MQTT 5).
    pub expiry_s: Option<u32>,
    /// Other MQTT 5 properties; `None` when there are none.
    pub properties: Option<Arc<Properties>>,
    /// Who put it in.
    pub origin: Origin,
}

impl Message {
    /// A message of the server's own, QoS 0, not retained.
    pub fn new(topic: impl Into<Arc<str>>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            qos: Qos::AtMostOnce,
            retain: false,
            duplicate: false,
            expiry_s: None,
            properties: None,
            origin: Origin::Server,
        }
    }

    /// The same with another quality of service.
    pub fn qos(mut self, qos: Qos) -> Self {
        self.qos = qos;
        self
    }

    /// The same, retained (or not).
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// The same with a Message Expiry Interval in seconds.
    pub fn expiry_s(mut self, seconds: u32) -> Self {
        self.expiry_s = Some(seconds);
        self
    }

    /// The same with properties.
    pub fn properties(mut self, properties: Properties) -> Self {
        self.properties = (!properties.is_empty()).then(|| Arc::new(properties));
        self
    }

    /// An upper bound of this message's bytes in an entry of the store, subscription identifiers and a will's
    /// principal apart.
    pub(crate) fn stored_bytes_max(&self) -> usize {
        // Beside what is held there are two lengths for each user property; the overhead covers all else.
        const USER_PROPERTY_BYTES: usize = 8;
        let user = self.properties.as_deref().map_or(0, |p| p.user.len());
        self.bytes() + user * USER_PROPERTY_BYTES
    }

    /// Bytes held, for queue accounting.
    pub(crate) fn bytes(&self) -> usize {
        const OVERHEAD_BYTES: usize = 128;
        OVERHEAD_BYTES
            + self.topic.len()
            + self.payload.len()
            + self.properties.as_deref().map_or(0, Properties::bytes)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("payload_bytes", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

//! What the broker asks of the program around it: who is this, may they, and is it durable yet.
//!
//! The broker knows no topic and no device; every decision about them is a [`Handler`]'s.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rustls_pki_types::CertificateDer;

use crate::message::Message;

/// Protocol version of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// MQTT 3.1.1 (protocol level 4).
    V311,
    /// MQTT 5.0 (protocol level 5).
    V5,
}

/// What a client says of itself, and what its transport proves.
#[derive(Debug, Clone, Copy)]
pub struct Hello<'a> {
    /// Remote address.
    pub peer: SocketAddr,
    /// Name of the listener it came in by, from the configuration.
    pub listener: &'a str,
    /// Client certificate chain, end entity first, already verified against the configured roots.
    /// Empty on a listener without TLS.
    pub certificates: &'a [CertificateDer<'static>],
    /// Client id as sent, or one the broker made up when it was empty.
    pub client_id: &'a str,
    /// False when the client sent an empty id and `client_id` is the broker's.
    pub client_id_given: bool,
    /// User name, if any.
    pub username: Option<&'a str>,
    /// Password, if any.
    pub password: Option<&'a [u8]>,
    /// Protocol version.
    pub version: Version,
    /// Clean Start (5) or Clean Session (3.1.1).
    pub clean_start: bool,
}

/// Who a connection is, as the handler decided.
///
/// A session belongs to its principal: another principal with the same client id is refused, so that
/// one device cannot evict another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The client id in force. May differ from what the client asked for: the certificate decides.
    pub client_id: Arc<str>,
    /// Name of the authenticated party, for example the certificate's subject. Stored with the session.
    pub principal: Arc<str>,
}

impl Identity {
    /// From its two names.
    pub fn new(client_id: impl Into<Arc<str>>, principal: impl Into<Arc<str>>) -> Self {
        Self {
            client_id: client_id.into(),
            principal: principal.into(),
        }
    }
}

/// Why a CONNECT is refused. MQTT 5 reason codes; 3.1.1 gets the nearest return code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectRefusal {
    /// 0x85, 3.1.1: 2.
    ClientIdentifierNotValid,
    /// 0x86, 3.1.1: 4.
    BadUserNameOrPassword,
    /// 0x87, 3.1.1: 5.
    NotAuthorised,
    /// 0x88, 3.1.1: 3.
    ServerUnavailable,
    /// 0x89, 3.1.1: 3.
    ServerBusy,
    /// 0x8A, 3.1.1: 5.
    Banned,
    /// 0x97, 3.1.1: 3.
    QuotaExceeded,
}

/// What an identity wants to do with a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Publish to this topic name.
    Publish,
    /// Subscribe to this topic filter (without a `$share/…/` prefix).
    Subscribe,
    /// Be sent a message of this topic name. Asked only when `Limits::authorise_receive` is set.
    Receive,
    /// Leave a last will on this topic name.
    Will,
}

/// Why a PUBLISH is refused (PUBACK and PUBREC reason codes, MQTT 5 section 3.4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishRefusal {
    /// 0x80.
    Unspecified,
    /// 0x83.
    ImplementationSpecific,
    /// 0x87.
    NotAuthorised,
    /// 0x90.
    TopicNameInvalid,
    /// 0x97: busy, full, over quota.
    QuotaExceeded,
    /// 0x99: not readable as what its topic asks.
    PayloadFormatInvalid,
}

impl PublishRefusal {
    /// The reason code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0x80,
            Self::ImplementationSpecific => 0x83,
            Self::NotAuthorised => 0x87,
            Self::TopicNameInvalid => 0x90,
            Self::QuotaExceeded => 0x97,
            Self::PayloadFormatInvalid => 0x99,
        }
    }
}

/// MQTT 3.1.1 has no refusing acknowledgement; this says what its client sees instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Legacy {
    /// PUBACK or PUBREC as if accepted (the refusal is told by other means, such as a receipt).
    Acknowledge,
    /// Close the connection; the client will bring the message again.
    Close,
}

/// What became of a PUBLISH. Resolving *is* the permission to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishOutcome {
    /// Durable (or not meant to be): acknowledge, then route to subscribers and retain if asked.
    Accepted,
    /// Durable: acknowledge; do not route, do not retain.
    Consumed,
    /// Not taken. MQTT 5 gets the reason code; QoS 0 is dropped.
    Refused {
        /// Reason code for MQTT 5.
        reason: PublishRefusal,
        /// What an MQTT 3.1.1 client sees.
        legacy: Legacy,
    },
}

/// How a topic's messages may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Storage {
    /// Where retained and queued messages and wills of this topic live.
    pub medium: Medium,
    /// Whether a message may be retained. If not, the retain flag is ignored (the message is still
    /// routed).
    pub retain_allowed: bool,
}

impl Storage {
    /// To disk, retained if asked.
    pub const DURABLE: Self = Self {
        medium: Medium::Durable,
        retain_allowed: true,
    };
    /// In memory only and never retained: for personal data.
    pub const MEMORY: Self = Self {
        medium: Medium::Memory,
        retain_allowed: false,
    };
}

/// Where a topic's messages live while the broker keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// In the [`Store`](crate::Store): survives a restart.
    Durable,
    /// In memory only: never written to disk.
    Memory,
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The client said DISCONNECT.
    ClientDisconnect,
    /// The client said DISCONNECT with Will Message (0x04).
    ClientDisconnectWithWill,
    /// The socket ended or failed.
    ConnectionLost,
    /// Nothing heard for one and a half keep-alive intervals.
    KeepAliveTimeout,
    /// The same client id connected again.
    TakenOver,
    /// Bytes that are not MQTT.
    MalformedPacket,
    /// MQTT used wrongly.
    ProtocolError,
    /// A packet over the size limit.
    PacketTooLarge,
    /// More QoS 1 and 2 messages in flight than allowed.
    ReceiveMaximumExceeded,
    /// A topic alias out of range or unknown.
    TopicAliasInvalid,
    /// A topic name that is not allowed.
    TopicNameInvalid,
    /// A topic filter that is not allowed.
    TopicFilterInvalid,
    /// Refused by the handler, with no way to say so in 3.1.1.
    NotAuthorised,
    /// Refused by the handler or a quota, with no way to say so in 3.1.1.
    QuotaExceeded,
    /// The client did not take what was sent to it in time.
    WriteStalled,
    /// The program asked for it ([`Broker::disconnect`](crate::Broker::disconnect)).
    Administrative,
    /// The broker is shutting down.
    ServerShuttingDown,
    /// The store failed, or a guarded panic: the session cannot be trusted.
    Internal,
}

/// Something that happened, for metrics and presence. No payloads, no topics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client is connected (CONNACK was queued).
    Connected {
        /// Who.
        identity: Identity,
        /// By which protocol.
        version: Version,
        /// From where.
        peer: SocketAddr,
        /// Whether an earlier session was resumed.
        session_present: bool,
    },
    /// A CONNECT was refused.
    Refused {
        /// From where.
        peer: SocketAddr,
        /// Why.
        reason: ConnectRefusal,
    },
    /// A socket ended before a CONNECT was accepted.
    Rejected {
        /// From where.
        peer: SocketAddr,
        /// Why.
        reason: DisconnectReason,
    },
    /// A connected client is gone.
    Disconnected {
        /// Who.
        identity: Identity,
        /// Why.
        reason: DisconnectReason,
    },
    /// A session ran out and was deleted.
    SessionExpired {
        /// Whose.
        identity: Identity,
    },
    /// A message for this session was dropped because its queue is full.
    QueueFull {
        /// Whose.
        client_id: Arc<str>,
    },
    /// The store refused a write; what depended on it was not acknowledged.
    StoreFailed,
    /// A panic inside packet parsing was caught; the connection was closed.
    PanicCaught,
}

/// The program around the broker.
pub trait Handler: Send + Sync + 'static {
    /// Decides who is connecting, or refuses. Called once per CONNECT, before any session is touched.
    fn connect(&self, hello: &Hello<'_>) -> Result<Identity, ConnectRefusal>;

    /// May `identity` do `action` on `topic`? Deny by default is the handler's business.
    fn authorise(&self, identity: &Identity, action: Action, topic: &str) -> bool;

    /// Called for each authorised inbound PUBLISH and for wills, in order per connection. Several
    /// futures of one connection run at once; their results are acknowledged and routed in order.
    /// A future is driven to its end even if the client goes away (up to `Limits::drain_ms_max`).
    fn publish(&self, identity: &Identity, message: Message) -> BoxFuture<'static, PublishOutcome>;

    /// How messages of this topic may be kept.
    fn storage(&self, topic: &str) -> Storage;

    /// Told of what happens. Must not block.
    fn observe(&self, event: Event);
}

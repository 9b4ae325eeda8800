//! What the broker is told at start: where to listen and how much of everything is enough.

use std::net::SocketAddr;

use crate::tls::TlsConfig;

/// Where to listen, and the limits.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// At least one.
    pub listeners: Vec<Listener>,
    /// A limit on everything.
    pub limits: Limits,
}

/// One listening socket.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Told to the handler, so that it can treat listeners differently.
    pub name: String,
    /// Address to bind; port 0 lets the system choose.
    pub address: SocketAddr,
    /// What is spoken there.
    pub transport: Transport,
}

impl Listener {
    /// Plain MQTT over TCP.
    pub fn tcp(name: impl Into<String>, address: SocketAddr) -> Self {
        Self {
            name: name.into(),
            address,
            transport: Transport::Tcp,
        }
    }
}

/// What is spoken on a listening socket.
#[derive(Debug, Clone)]
pub enum Transport {
    /// MQTT over TCP.
    Tcp,
    /// MQTT over TLS 1.3 with client certificates.
    Tls(TlsConfig),
    /// MQTT over WebSocket (subprotocol `mqtt`, MQTT 5 section 6).
    WebSocket,
    /// MQTT over WebSocket over TLS 1.3 with client certificates.
    WebSocketTls(TlsConfig),
}

/// Limits, each with its unit in its name. `Default` suits one station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once. A few more are answered "server busy", others are closed.
    pub connections_max: usize,
    /// Time from accept to a complete CONNECT, TLS and WebSocket handshakes included.
    pub connect_timeout_ms: u64,
    /// Largest MQTT packet taken, fixed header included.
    pub packet_bytes_max: u32,
    /// Largest CONNECT taken, fixed header included (before anyone is authenticated).
    pub connect_packet_bytes_max: u32,
    /// Receive Maximum: PUBLISH packets of one connection being committed at once. Reading pauses
    /// when it is reached.
    pub receive_max: u16,
    /// QoS 1 and 2 messages sent to one client and not yet acknowledged (or the client's own
    /// Receive Maximum, when lower).
    pub outbound_inflight_max: u16,
    /// Messages waiting for one session, those in flight included.
    pub queue_len_max: usize,
    /// Their bytes.
    pub queue_bytes_max: usize,
    /// Levels of a topic name or filter.
    pub topic_levels_max: usize,
    /// Bytes of a topic name or filter.
    pub topic_bytes_max: usize,
    /// Subscriptions of one session.
    pub subscriptions_per_session_max: usize,
    /// Retained messages.
    pub retained_count_max: usize,
    /// Their bytes.
    pub retained_bytes_max: usize,
    /// Sessions, connected or not.
    pub sessions_max: usize,
    /// Longest session expiry; a longer wish is cut (MQTT 5) and 3.1.1 persistent sessions get this.
    pub session_expiry_s_max: u32,
    /// Longest message expiry; queued messages without one get this. 0: no cap.
    pub message_expiry_s_max: u32,
    /// Longest keep alive; a longer one, or none, is cut to this (told to MQTT 5 clients).
    /// 0: no cap.
    pub keep_alive_s_max: u16,
    /// Topic aliases a client may set.
    pub topic_alias_max: u16,
    /// A client that takes no byte for so long is disconnected.
    pub write_stall_ms_max: u64,
    /// How long commits under way are waited for when a connection ends, is taken over, or the
    /// broker shuts down.
    pub drain_ms_max: u64,
    /// How long a closing socket lingers so that the last packet reaches the client.
    pub linger_ms_max: u64,
    /// Wills found in the store at start are published after at least this time, unless the client is
    /// back by then.
    pub will_restart_delay_ms: u64,
    /// Longest key that the store takes, in bytes. A client id, a filter or a retained topic that would need a longer one
    /// is refused at the door.
    pub store_key_bytes_max: usize,
    /// Longest value that the store takes, in bytes. A message or will that would be stored and needs a longer one is
    /// refused at the door.
    pub store_value_bytes_max: usize,
    /// Ask the handler about each delivery too ([`Action::Receive`](crate::Action::Receive)).
    pub authorise_receive: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            connect_timeout_ms: 10_000,
            packet_bytes_max: 1_114_112,
            connect_packet_bytes_max: 132_096,
            receive_max: 64,
            outbound_inflight_max: 64,
            queue_len_max: 1_000,
            queue_bytes_max: 4 << 20,
            topic_levels_max: 32,
            topic_bytes_max: 1_024,
            subscriptions_per_session_max: 256,
            retained_count_max: 16_384,
            retained_bytes_max: 32 << 20,
            sessions_max: 4_096,
            session_expiry_s_max: 7 * 86_400,
            message_expiry_s_max: 0,
            keep_alive_s_max: 0,
            topic_alias_max: 16,
            write_stall_ms_max: 30_000,
            drain_ms_max: 10_000,
            linger_ms_max: 1_000,
            will_restart_delay_ms: 10_000,
            store_key_bytes_max: 1_024,
            store_value_bytes_max: 64 << 10,
            authorise_receive: false,
        }
    }
}

impl Limits {
    /// Refuses values with which the broker could not work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let floors: [(&'static str, bool); 11] = [
            (
                "connections_max must be at least 1",
                self.connections_max >= 1,
            ),
            (
                "connect_timeout_ms must be at least 1",
                self.connect_timeout_ms >= 1,
            ),
            (
                "packet_bytes_max must be at least 128",
                self.packet_bytes_max >= 128,
            ),
            (
                "connect_packet_bytes_max must be at least 128",
                self.connect_packet_bytes_max >= 128,
            ),
            ("receive_max must be at least 1", self.receive_max >= 1),
            (
                "outbound_inflight_max must be at least 1",
                self.outbound_inflight_max >= 1,
            ),
            (
                "queue_len_max must be 1 to 60000",
                (1..=60_000).contains(&self.queue_len_max),
            ),
            (
                "topic_levels_max must be 1 to 128",
                (1..=128).contains(&self.topic_levels_max),
            ),
            ("sessions_max must be at least 1", self.sessions_max >= 1),
            (
                "store_key_bytes_max must be at least 128",
                self.store_key_bytes_max >= 128,
            ),
            (
                "store_value_bytes_max must be at least 1024",
                self.store_value_bytes_max >= 1_024,
            ),
        ];
        match floors.into_iter().find(|(_, ok)| !ok) {
            Some((what, _)) => Err(ConfigError::Limit(what)),
            None => Ok(()),
        }
    }
}

/// A configuration the broker cannot start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No listener.
    #[error("no listener is configured")]
    NoListener,
    /// A limit out of range.
    #[error("limit out of range: {0}")]
    Limit(&'static str),
}

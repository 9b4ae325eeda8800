//! How devices reach the station: the embedded broker, or an external one.

use core::fmt;
use core::str::FromStr;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemas::ids::DeviceId;

use super::loopback;
use crate::reader::Section;

/// The broker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a station has one, so its size does not matter"
)]
pub enum Broker {
    /// Within the program.
    Embedded(EmbeddedBroker),
    /// Another program; the gateway is its client.
    External(ExternalBroker),
}

/// The broker within the program; at least one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedBroker {
    /// Plain MQTT over TCP.
    pub tcp: Option<SocketAddr>,
    /// Plain MQTT over WebSocket.
    pub websocket: Option<SocketAddr>,
    /// MQTT over TLS 1.3 with client certificates.
    pub tls: Option<TlsListener>,
    /// Whether plain listeners may be reached from the LAN.
    pub allow_plain_on_lan: bool,
    /// Limits.
    pub limits: BrokerLimits,
}

/// A listener that asks for client certificates. Their identity decides client id and topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsListener {
    /// Where MQTT over TLS listens.
    pub listen: SocketAddr,
    /// Where MQTT over WebSocket over TLS listens.
    pub websocket: Option<SocketAddr>,
    /// The station's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The authority that signs devices' certificates, PEM.
    pub client_ca: PathBuf,
    /// Revoked certificates, PEM.
    pub crl: Option<PathBuf>,
}

/// Limits of the embedded broker, named as the broker names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Connections served at once.
    pub connections_max: usize,
    /// From accept to a complete CONNECT, in ms.
    pub connect_timeout_ms: u64,
    /// Largest packet, in bytes, fixed header included.
    pub packet_bytes_max: u32,
    /// PUBLISH packets of one connection being committed at once.
    pub receive_max: u16,
    /// Messages sent to one client and not yet acknowledged.
    pub outbound_inflight_max: u16,
    /// Messages waiting for one session.
    pub queue_len_max: usize,
    /// Their bytes.
    pub queue_bytes_max: usize,
    /// Levels of a topic.
    pub topic_levels_max: usize,
    /// Bytes of a topic.
    pub topic_bytes_max: usize,
    /// Subscriptions of one session.
    pub subscriptions_per_session_max: usize,
    /// Retained messages.
    pub retained_count_max: usize,
    /// Their bytes.
    pub retained_bytes_max: usize,
    /// Sessions, connected or not.
    pub sessions_max: usize,
    /// Longest session expiry, in s.
    pub session_expiry_s_max: u32,
    /// Longest keep alive, in s; 0: no cap.
    pub keep_alive_s_max: u16,
}

impl Default for BrokerLimits {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            connect_timeout_ms: 10_000,
            packet_bytes_max: 1_114_112,
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
            keep_alive_s_max: 300,
        }
    }
}

/// Another program's broker. It must never keep on disk what passes through it: the topics carry
/// personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalBroker {
    /// Where it is. Never `mqtts://`: that is refused while the file is read.
    pub url: BrokerUrl,
    /// The gateway's client id.
    pub client_id: DeviceId,
    /// The gateway's user name.
    pub user: Option<String>,
    /// File with the password; a password is never written here.
    pub password_file: Option<PathBuf>,
}

/// `mqtt://host:port`; port 1883 where none is written. `mqtts://` is read too, to be refused with a word on what to write
/// instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Name or IP address; an IPv6 address without its brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Why a text is no broker URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// Another scheme, or none.
    #[error("not a URL that begins with mqtt://")]
    Scheme,
    /// User or password in it.
    #[error("user and password do not belong into the URL; use user and password_file")]
    Credentials,
    /// No host, a path, or characters no host has.
    #[error("not a host, with or without a port, after the scheme")]
    Host,
    /// The port is none.
    #[error("the port is not within 1 to 65535")]
    Port,
}

impl BrokerUrl {
    /// `true` if the broker is on this machine.
    pub fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, BrokerUrlError> {
        let (tls, rest) = match text.split_once("://") {
            Some(("mqtt", rest)) => (false, rest),
            Some(("mqtts", rest)) => (true, rest),
            _ => return Err(BrokerUrlError::Scheme),
        };
        if rest.contains('@') {
            return Err(BrokerUrlError::Credentials);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = host_and_port(rest).ok_or(BrokerUrlError::Host)?;
        let port = match port {
            None if tls => 8883,
            None => 1883,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(BrokerUrlError::Port),
                Ok(port) => port,
            },
        };
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
        })
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
fn host_and_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(v6) = text.strip_prefix('[') {
        let (host, after) = v6.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let is_host = (1..=253).contains(&host.len()) && host.bytes().all(allowed);
    is_host.then_some((host, port))
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Embedded,
    External,
}

pub(crate) fn read(root: &mut Section<'_>) -> Option<Broker> {
    if !root.has("broker") {
        root.asked("broker");
        return Some(Broker::Embedded(default_embedded()));
    }
    root.section("broker", |s| {
        let mode = s.word("mode", &[("embedded", Mode::Embedded), ("external", Mode::External)], Mode::Embedded);
        // Both are read, so that what is prepared for the other mode is checked as well.
        let embedded = s.section("embedded", embedded);
        let external = s.section("external", external);
        match mode {
            Mode::Embedded => Some(Broker::Embedded(embedded.unwrap_or_else(default_embedded))),
            Mode::External => {
                if !s.has("external") {
                    s.refuse("mode", "\"external\" needs the section that says where it is; write [broker.external] with url = \"mqtt://127.0.0.1:1883\"");
                }
                external.flatten().map(Broker::External)
            }
        }
    })?
}

fn default_embedded() -> EmbeddedBroker {
    EmbeddedBroker {
        tcp: Some(loopback(1883)),
        websocket: Some(loopback(8083)),
        tls: None,
        allow_plain_on_lan: false,
        limits: BrokerLimits::default(),
    }
}

fn embedded(s: &mut Section<'_>) -> EmbeddedBroker {
    let allow_plain_on_lan = s.flag("allow_plain_on_lan", false);
    let tcp = plain(s, "tcp", loopback(1883), allow_plain_on_lan);
    let websocket = plain(s, "websocket", loopback(8083), allow_plain_on_lan);
    let wants_tls = s.has("tls");
    let tls = s.section("tls", tls).flatten();
    if tcp.is_none() && websocket.is_none() && !wants_tls && !s.has("tcp") && !s.has("websocket") {
        s.refuse("tcp", "no listener at all; write tcp = \"127.0.0.1:1883\", or a section [broker.embedded.tls]");
    }
    let limits = s.section("limits", limits).unwrap_or_default();
    EmbeddedBroker {
        tcp,
        websocket,
        tls,
        allow_plain_on_lan,
        limits,
    }
}

/// Plain MQTT shows everything to everybody on the LAN, so it takes a written word.
fn plain(
    s: &mut Section<'_>,
    key: &'static str,
    example: SocketAddr,
    allowed: bool,
) -> Option<SocketAddr> {
    let address = s.optional_address(key, example)?;
    if !address.ip().is_loopback() && !allowed {
        s.refuse(key, format!(
            "{address} can be reached from the LAN without TLS; write {key} = \"{example}\" and a section [broker.embedded.tls], \
             or allow_plain_on_lan = true if nothing else can reach that network"
        ));
    }
    Some(address)
}

fn tls(s: &mut Section<'_>) -> Option<TlsListener> {
    let listen = s.parsed_address("listen", SocketAddr::from(([0, 0, 0, 0], 8883)));
    let websocket = s.optional_address("websocket", SocketAddr::from(([0, 0, 0, 0], 8084)));
    let certificate = s.required_path("certificate", "\"tls/station.pem\"");
    let key = s.required_path("key", "\"tls/station.key\"");
    let client_ca = s.required_path("client_ca", "\"tls/devices-ca.pem\"");
    let crl = s.path("crl");
    Some(TlsListener {
        listen: listen?,
        websocket,
        certificate: certificate?,
        key: key?,
        client_ca: client_ca?,
        crl,
    })
}

fn limits(s: &mut Section<'_>) -> BrokerLimits {
    let d = BrokerLimits::default();
    BrokerLimits {
        connections_max: s.number("connections_max", 1..=65_000, d.connections_max),
        connect_timeout_ms: s.number("connect_timeout_ms", 100..=60_000, d.connect_timeout_ms),
        packet_bytes_max: s.number("packet_bytes_max", 4_096..=8_388_608, d.packet_bytes_max),
        receive_max: s.number("receive_max", 1..=1_024, d.receive_max),
        outbound_inflight_max: s.number(
            "outbound_inflight_max",
            1..=1_024,
            d.outbound_inflight_max,
        ),
        queue_len_max: s.number("queue_len_max", 1..=60_000, d.queue_len_max),
        queue_bytes_max: s.number("queue_bytes_max", 65_536..=1 << 30, d.queue_bytes_max),
        topic_levels_max: s.number("topic_levels_max", 8..=128, d.topic_levels_max),
        topic_bytes_max: s.number("topic_bytes_max", 128..=65_535, d.topic_bytes_max),
        subscriptions_per_session_max: s.number(
            "subscriptions_per_session_max",
            4..=4_096,
            d.subscriptions_per_session_max,
        ),
        retained_count_max: s.number("retained_count_max", 64..=1_000_000, d.retained_count_max),
        retained_bytes_max: s.number("retained_bytes_max", 65_536..=1 << 30, d.retained_bytes_max),
        sessions_max: s.number("sessions_max", 1..=65_000, d.sessions_max),
        session_expiry_s_max: s.number(
            "session_expiry_s_max",
            60..=31_536_000,
            d.session_expiry_s_max,
        ),
        keep_alive_s_max: s.number("keep_alive_s_max", 0..=65_535, d.keep_alive_s_max),
    }
}

/// What to write in place of TLS to an external broker.
const BRIDGE: &str = "write url = \"mqtt://127.0.0.1:1883\" for a broker on this machine, which takes devices and other brokers in over TLS";

fn external(s: &mut Section<'_>) -> Option<ExternalBroker> {
    let url: Option<BrokerUrl> = s.parsed("url", "\"mqtt://127.0.0.1:1883\"");
    let client_id = s.parsed("client_id", "\"gateway-demo\"");
    let user = s.optional::<String>("user", "\"gateway\"");
    let password_file = s.path("password_file");
    if s.has("password") {
        s.asked("password");
        s.refuse("password", "a password does not belong into this file; write password_file = \"station-keys/broker-password\"");
    }
    if password_file.is_some() && user.is_none() {
        s.refuse(
            "password_file",
            "a password needs a user; write user = \"gateway\"",
        );
    }
    for key in ["ca", "certificate", "key"] {
        if s.has(key) {
            s.asked(key);
            s.refuse(key, format!("this version speaks no TLS to another program's broker, so {key} has no use; {BRIDGE}"));
        }
    }
    let url = url?;
    let allow_plain = s.flag("allow_plain_on_lan", false);
    if url.tls {
        s.refuse(
            "url",
            format!("this version speaks no TLS to another program's broker; {BRIDGE}"),
        );
    } else if !url.is_loopback() && !allow_plain {
        s.refuse(
            "url",
            format!(
                "mqtt:// shows personal data to everybody on the way; {BRIDGE}, \
             or allow_plain_on_lan = true if nothing else can reach that network"
            ),
        );
    }
    Some(ExternalBroker {
        url,
        client_id: client_id?,
        user,
        password_file,
    })
}

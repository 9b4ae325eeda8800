//! Where the whole log can be pulled: by auditors, and by the centre.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::loopback;
use crate::reader::Section;

/// Names that may be admitted.
const CLIENTS_MAX: usize = 64;

/// The listener that gives the log away, event by event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Certificates; none only on loopback.
    pub tls: Option<PullTls>,
    /// Limits.
    pub limits: PullLimits,
}

/// TLS 1.3 with client certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullTls {
    /// The station's certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// The authority that signs the certificates of those who may pull, PEM.
    pub client_ca: PathBuf,
    /// Revoked certificates, PEM.
    pub crl: Option<PathBuf>,
    /// Who may pull, by the name in the certificate; at least one.
    pub clients: Vec<String>,
}

/// Limits of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullLimits {
    /// Connections served at once.
    pub connections_max: usize,
    /// For the TLS handshake, for the head of each request, and for silence between two requests, in ms.
    pub request_timeout_ms: u64,
    /// After this long a connection ends with the request it is at, in s.
    pub connection_s_max: u64,
}

impl Default for PullLimits {
    fn default() -> Self {
        Self {
            connections_max: 16,
            request_timeout_ms: 10_000,
            connection_s_max: 600,
        }
    }
}

pub(crate) fn read(s: &mut Section<'_>) -> Option<Pull> {
    let listen = s.parsed_address("listen", loopback(9466));
    let wants_tls = s.has("tls");
    let tls = s.section("tls", tls).flatten();
    let default = PullLimits::default();
    let limits = PullLimits {
        connections_max: s.number("connections_max", 1..=1_024, default.connections_max),
        request_timeout_ms: s.number(
            "request_timeout_ms",
            100..=60_000,
            default.request_timeout_ms,
        ),
        connection_s_max: s.number("connection_s_max", 10..=86_400, default.connection_s_max),
    };
    let listen = listen?;
    if !wants_tls && !listen.ip().is_loopback() {
        s.refuse(
            "listen",
            format!(
                "{listen} can be reached from outside without TLS, and it gives the whole log away; write a section [pull.tls], or \
                 listen = \"127.0.0.1:9466\""
            ),
        );
    }
    Some(Pull {
        listen,
        tls,
        limits,
    })
}

fn tls(s: &mut Section<'_>) -> Option<PullTls> {
    let certificate = s.required_path("certificate", "\"tls/station.pem\"");
    let key = s.required_path("key", "\"tls/station.key\"");
    let client_ca = s.required_path("client_ca", "\"tls/auditors-ca.pem\"");
    let crl = s.path("crl");
    let clients = s.texts("clients", "a name", "auditor.example", CLIENTS_MAX);
    let clients = clients.unwrap_or_default();
    if clients.is_empty() {
        s.refuse(
            "clients",
            "nobody is named who may pull the log; write clients = [\"auditor.example\"] with the names in their certificates",
        );
    }
    Some(PullTls {
        certificate: certificate?,
        key: key?,
        client_ca: client_ca?,
        crl,
        clients,
    })
}

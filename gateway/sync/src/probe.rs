//! Looks at the layers of a link one by one, because the store's client does not say which of them fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::LinkFault;

const EACH: Duration = Duration::from_secs(5);

/// Where the store is: the nodes of a cluster, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Names or addresses (IPv6 without brackets), with ports.
    pub(crate) nodes: Vec<(String, u16)>,
    pub(crate) tls: Tls,
}

/// How the connection is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    None,
    /// By certificates that the system trusts.
    System,
    /// By certificates under the roots in this file.
    Roots(PathBuf),
}

/// None: somebody accepts connections there. Of several nodes that all fail, the first one's fault.
pub(crate) async fn probe(place: &Place) -> Option<LinkFault> {
    let nodes = place.nodes.iter();
    let found = join_all(nodes.map(|(host, port)| probe_node(host, *port, &place.tls))).await;
    let first = found.first().copied().flatten();
    if found.contains(&None) { None } else { first }
}

async fn probe_node(host: &str, port: u16, tls: &Tls) -> Option<LinkFault> {
    let lookup = tokio::net::lookup_host((host, port));
    let addresses = match tokio::time::timeout(EACH, lookup).await {
        Ok(Ok(addresses)) => addresses.collect::<Vec<_>>(),
        Ok(Err(_)) | Err(_) => return Some(LinkFault::Dns),
    };
    if addresses.is_empty() {
        return Some(LinkFault::Dns);
    }
    let connect = TcpStream::connect(addresses.as_slice());
    match tokio::time::timeout(EACH, connect).await {
        Ok(Ok(stream)) => match tls {
            Tls::None => None,
            Tls::System => shake_hands(host, None, stream).await,
            Tls::Roots(file) => shake_hands(host, Some(file), stream).await,
        },
        Ok(Err(_)) => Some(LinkFault::Refused),
        Err(_) => Some(LinkFault::NoAnswer),
    }
}

/// None: the handshake succeeds, so what fails is above it.
async fn shake_hands(host: &str, roots: Option<&Path>, stream: TcpStream) -> Option<LinkFault> {
    let trusted = trusted(roots)?;
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match tokio::time::timeout(EACH, shaken).await {
        Ok(Ok(_)) => None,
        Ok(Err(_)) => Some(LinkFault::Tls),
        Err(_) => Some(LinkFault::NoAnswer),
    }
}

/// The roots that the store's client trusts too.
fn trusted(file: Option<&Path>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = match file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .ok()?
            .filter_map(Result::ok)
            .collect(),
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(found);
    Some(roots)
}

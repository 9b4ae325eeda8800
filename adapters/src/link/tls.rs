//! TLS 1.3 to the broker, with the device's own certificate, over aws-lc-rs named explicitly.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

pub use rustls::ClientConfig;

/// TLS material that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// Not PEM, or not of the kind expected.
    #[error("{what}: {source}")]
    Pem {
        /// Which input.
        what: &'static str,
        /// What is wrong.
        source: pem::Error,
    },
    /// Whatever rustls refuses: no root, a key that does not match its certificate.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// How a device meets a broker that asks for certificates; all PEM. `ca` signs the broker's certificate, `certificate` is the device's
/// chain, its own first.
pub fn client(ca: &[u8], certificate: &[u8], key: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in certificates("authority", ca)? {
        roots.add(root)?;
    }
    let chain = certificates("certificate", certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|source| TlsError::Pem {
        what: "key",
        source,
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    Ok(Arc::new(config))
}

fn certificates(what: &'static str, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|source| TlsError::Pem { what, source })?;
    if found.is_empty() {
        let source = pem::Error::NoItemsFound;
        return Err(TlsError::Pem { what, source });
    }
    Ok(found)
}

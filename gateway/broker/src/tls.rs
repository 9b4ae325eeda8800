//! TLS 1.3 with client certificates, over aws-lc-rs named explicitly.
//!
//! Never falls back to an older version, to another provider, or to a connection without a
//! certificate.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// Certificates and keys of a TLS listener.
#[derive(Clone)]
pub struct TlsConfig {
    /// The server's chain, end entity first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The server's key.
    pub key: Arc<PrivateKeyDer<'static>>,
    /// Roots that client certificates must chain to.
    pub client_roots: Vec<CertificateDer<'static>>,
    /// Revocation lists; when there are any, their expiry is enforced.
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("certificates", &self.certificates.len())
            .field("client_roots", &self.client_roots.len())
            .field("revocation_lists", &self.revocation_lists.len())
            .finish_non_exhaustive()
    }
}

/// TLS material that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not PEM, or not of the kind expected.
    #[error("{what}: {source}")]
    Pem {
        /// Which input.
        what: &'static str,
        /// What is wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// No certificate in the input.
    #[error("{0} holds no certificate")]
    Empty(&'static str),
    /// Roots or revocation lists that do not fit.
    #[error("client certificate verification: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// Anything else rustls refuses, such as a key that does not match its certificate.
    #[error("tls: {0}")]
    Rustls(#[from] rustls::Error),
}

impl TlsConfig {
    /// From PEM texts. `revocation_lists` may be empty.
    pub fn from_pem(
        certificates: &[u8],
        key: &[u8],
        client_roots: &[u8],
        revocation_lists: &[u8],
    ) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem {
            what: "server key",
            source,
        })?;
        let revocation_lists = CertificateRevocationListDer::pem_slice_iter(revocation_lists)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| TlsError::Pem {
                what: "revocation lists",
                source,
            })?;
        Ok(Self {
            certificates: certificate_list("server certificate", certificates)?,
            key: Arc::new(key),
            client_roots: certificate_list("client roots", client_roots)?,
            revocation_lists,
        })
    }

    /// The rustls configuration: TLS 1.3 only, client certificate required, no resumption.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        for root in &self.client_roots {
            roots.add(root.clone())?;
        }
        let mut verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        if !self.revocation_lists.is_empty() {
            verifier = verifier
                .with_crls(self.revocation_lists.iter().cloned())
                .enforce_revocation_expiration();
        }
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier.build()?)
            .with_single_cert(self.certificates.clone(), self.key.clone_key())?;
        // Resumption would let a session outlive the revocation of its certificate.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

fn certificate_list(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let list = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Pem { what, source })?;
    if list.is_empty() {
        Err(TlsError::Empty(what))
    } else {
        Ok(list)
    }
}

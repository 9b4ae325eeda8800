//! The files of a TLS listener, and the names in a client's certificate.

use std::path::Path;

use anyhow::Context as _;
use gateway_broker::TlsConfig;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// Where the PEM files of a listener are.
#[derive(Debug, Clone, Copy)]
pub struct TlsFiles<'a> {
    /// The station's chain.
    pub certificate: &'a Path,
    /// Its key.
    pub key: &'a Path,
    /// Roots that client certificates must chain to.
    pub client_ca: &'a Path,
    /// Revoked certificates.
    pub crl: Option<&'a Path>,
}

impl TlsFiles<'_> {
    /// Reads them. An error names the file.
    pub fn read(&self) -> anyhow::Result<TlsConfig> {
        let read = |path: &Path| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let crl = self.crl.map(read).transpose()?.unwrap_or_default();
        let (certificate, key) = (read(self.certificate)?, read(self.key)?);
        let config = TlsConfig::from_pem(&certificate, &key, &read(self.client_ca)?, &crl);
        config.context("the TLS listener's certificates cannot be used")
    }
}

/// Subject alternative names (DNS); where there are none, the subject's common names (RFC 6125, 6.4.4). None of what is no
/// certificate.
pub fn names(certificate: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative: Vec<_> = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| {
            if let GeneralName::DNSName(dns) = name {
                Some((*dns).to_owned())
            } else {
                None
            }
        })
        .collect();
    if !alternative.is_empty() {
        return alternative;
    }
    let common = certificate.subject().iter_common_name();
    common
        .filter_map(|name| name.as_str().ok().map(str::to_owned))
        .collect()
}

//! The key that the centre's instructions are signed by.

use std::path::Path;

use anyhow::Context as _;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use edge_config::Station;
use schemas::proof::NoteKey;

/// From the file that the configuration names: a C2SP vkey named `centre.<province>`.
pub fn verify_key(station: &Station) -> anyhow::Result<Option<[u8; 32]>> {
    station
        .centre
        .verify_key
        .as_deref()
        .map(|path| read(path, &format!("centre.{}", station.province)))
        .transpose()
}

fn read(path: &Path, name: &str) -> anyhow::Result<[u8; 32]> {
    let named = || format!("centre.verify_key: {}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    let key = NoteKey::from_vkey(text.trim()).with_context(named)?;
    anyhow::ensure!(
        key.name() == name,
        "{}: names {}, and this station's centre is {name}",
        named(),
        key.name()
    );
    Ok(*key.public_key())
}

/// Ed25519 (RFC 8032).
pub(super) fn check(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key)
        .verify(message, signature)
        .is_ok()
}

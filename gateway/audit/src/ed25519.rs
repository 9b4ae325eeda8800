//! Ed25519 (RFC 8032) by aws-lc-rs.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, UnparsedPublicKey};
use schemas::envelope::{KeyId, Signed};

/// Whether `signature` is the Ed25519 signature of `message` by `public_key`.
pub fn check(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .is_ok()
}

/// A key read once, for many signatures.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    parsed: ParsedPublicKey,
}

impl Key {
    /// `None`: not a point of the curve, so nothing can be genuine under it.
    pub(crate) fn new(public_key: &[u8; 32]) -> Option<Self> {
        let parsed = ParsedPublicKey::new(&ED25519, public_key).ok()?;
        Some(Self {
            id: KeyId::of(public_key),
            parsed,
        })
    }

    pub(crate) fn signed(&self, event: &Signed<'_>) -> bool {
        event.is_genuine(|message, signature| self.parsed.verify_sig(message, signature).is_ok())
    }
}

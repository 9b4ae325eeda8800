//! Personal data inside an event, sealed: nobody at the station can read it.

use crate::key::SealingKeyId;
use crate::text::text_newtype;

/// Longest sealed field, in characters: an event stays under 6 KB.
pub const SEALED_FIELD_LEN_MAX: usize = 2048;

text_newtype!(
    /// `v1.<sealing key id>.<base64url of nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)>`: AES-256-GCM under a key that is
    /// derived from the session's sealing key for this field alone.
    SealedField, "sealed field", "^v1\\.[0-9a-f]{32}\\.[A-Za-z0-9_-]{38,}$",
    "v1, a sealing key id and base64url without padding, with dots between; at most 2048 characters",
    |t| t.len() <= SEALED_FIELD_LEN_MAX && parts(t).is_some()
);

impl SealedField {
    /// The key it is sealed under.
    pub fn key(&self) -> Option<SealingKeyId> {
        parts(&self.0).map(|(key, _)| key)
    }
}

fn parts(text: &str) -> Option<(SealingKeyId, &str)> {
    let (key, body) = text.strip_prefix("v1.")?.split_once('.')?;
    let well_formed = body.len() >= 38
        && body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let key = SealingKeyId::new(key).ok()?;
    well_formed.then_some((key, body))
}

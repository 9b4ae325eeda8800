//! Names of keys, and public keys and signatures as events carry them.

use crate::text::text_newtype;

text_newtype!(
    /// A key that signs events: the first 8 bytes of SHA-256 of its public key, as in the COSE header.
    SigningKeyId, "signing key id", "^[0-9a-f]{16}$", "16 lower-case hexadecimal digits", |t| is_hex(t, 16)
);
text_newtype!(
    /// An Ed25519 public key (RFC 8032), raw.
    PublicKey, "public key", "^[0-9a-f]{64}$", "64 lower-case hexadecimal digits", |t| is_hex(t, 64)
);
text_newtype!(
    /// An Ed25519 signature (RFC 8032), raw.
    Signature, "signature", "^[0-9a-f]{128}$", "128 lower-case hexadecimal digits", |t| is_hex(t, 128)
);
text_newtype!(
    /// A lookup key: the first 4 bytes of its SHA-256, as in a lookup tag.
    LookupKeyId, "lookup key id", "^[0-9a-f]{8}$", "8 lower-case hexadecimal digits", |t| is_hex(t, 8)
);
text_newtype!(
    /// A session's sealing key: drawn at random. Also the name of the file that holds the sealed key.
    SealingKeyId, "sealing key id", "^[0-9a-f]{32}$", "32 lower-case hexadecimal digits", |t| is_hex(t, 32)
);

text_newtype!(
    /// Whoever may open a session's key: the first 8 bytes of SHA-256 of their X25519 public key, as `kid` in a key file.
    RecipientId, "recipient id", "^[0-9a-f]{16}$", "16 lower-case hexadecimal digits", |t| is_hex(t, 16)
);

impl PublicKey {
    /// From the raw key.
    pub fn of(raw: &[u8; 32]) -> Self {
        Self(hex::encode(raw))
    }

    /// The raw key.
    pub fn to_raw(&self) -> [u8; 32] {
        raw(self.as_str())
    }
}

impl Signature {
    /// From the raw signature.
    pub fn of(raw: &[u8; 64]) -> Self {
        Self(hex::encode(raw))
    }

    /// The raw signature.
    pub fn to_raw(&self) -> [u8; 64] {
        raw(self.as_str())
    }
}

impl RecipientId {
    /// From the first bytes of the hash.
    pub fn of(first: &[u8; 8]) -> Self {
        Self(hex::encode(first))
    }
}

impl SealingKeyId {
    /// From the raw id.
    pub fn of(raw: &[u8; 16]) -> Self {
        Self(hex::encode(raw))
    }

    /// The raw id.
    pub fn to_raw(&self) -> [u8; 16] {
        raw(self.as_str())
    }
}

impl SigningKeyId {
    /// The id of a raw public key.
    pub fn of(public_key: &[u8; 32]) -> Self {
        Self(hex::encode(crate::envelope::KeyId::of(public_key).0))
    }
}

/// The bytes of a checked text, which has two digits for each.
fn raw<const N: usize>(checked: &str) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(checked, &mut bytes).unwrap_or_default();
    bytes
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

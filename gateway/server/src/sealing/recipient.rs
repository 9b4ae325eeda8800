//! Whoever may open a session's key: the centre, and others that are configured.

use aws_lc_rs::digest;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeS, Serializable as _, single_shot_seal};
use schemas::key::RecipientId;

use super::key::SealError;

/// HPKE `info` of a sealed session key.
pub(super) const INFO: &[u8] = b"station-gateway session key v1";

/// A recipient's public key: X25519, 32 bytes.
#[derive(Clone)]
pub struct Recipient {
    key: <X25519HkdfSha256 as Kem>::PublicKey,
    raw: [u8; 32],
}

/// Not 64 hexadecimal digits and not a PEM public key of X25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an X25519 public key: write 64 hexadecimal digits, or PEM as `openssl pkey -pubout` makes it"
)]
pub struct InvalidRecipient;

/// The SubjectPublicKeyInfo of X25519 (RFC 8410, section 4) is these bytes and then the key.
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
];

/// A session key as one recipient gets it.
#[derive(Debug)]
pub(super) struct Wrapped {
    /// The encapsulated key: 32 bytes.
    pub(super) enc: Vec<u8>,
    /// Ciphertext and tag: 48 bytes.
    pub(super) ct: Vec<u8>,
}

impl Recipient {
    /// From the raw key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidRecipient> {
        // The all-zero key and its like would give everybody the same secret.
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(InvalidRecipient);
        }
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(bytes);
        let key = key.map_err(|_refused| InvalidRecipient)?;
        Ok(Self { key, raw: *bytes })
    }

    /// From the text of its file: 64 hexadecimal digits, or PEM.
    pub fn from_text(text: &str) -> Result<Self, InvalidRecipient> {
        use base64::Engine as _;
        let text = text.trim();
        let mut raw = [0; 32];
        if text.starts_with("-----BEGIN PUBLIC KEY-----") {
            let body: String = text
                .lines()
                .filter(|line| !line.starts_with("-----"))
                .collect();
            let der = base64::engine::general_purpose::STANDARD
                .decode(body)
                .map_err(|_not_base64| InvalidRecipient)?;
            let key = der.strip_prefix(&SPKI_PREFIX[..]).ok_or(InvalidRecipient)?;
            raw = key.try_into().map_err(|_other_length| InvalidRecipient)?;
        } else {
            hex::decode_to_slice(text, &mut raw).map_err(|_not_hex| InvalidRecipient)?;
        }
        Self::from_bytes(&raw)
    }

    /// By what a sealed key says whom it is for.
    pub fn id(&self) -> RecipientId {
        id_of(&self.raw)
    }

    /// HPKE in base mode, single shot (RFC 9180, section 6.1): DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
    /// AES-256-GCM 0x0002.
    pub(super) fn wrap(&self, secret: &[u8; 32], aad: &[u8]) -> Result<Wrapped, SealError> {
        let (enc, ct) = single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &self.key,
            INFO,
            secret,
            aad,
        )
        .map_err(|_refused| SealError)?;
        Ok(Wrapped {
            enc: enc.to_bytes().to_vec(),
            ct,
        })
    }
}

/// The name of a raw public key.
pub(super) fn id_of(public: &[u8; 32]) -> RecipientId {
    let hash = digest::digest(&digest::SHA256, public);
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    RecipientId::of(&first)
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipient({})", hex::encode(self.raw))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A key of `openssl genpkey -algorithm X25519`, as `openssl pkey -pubout` and its last 32 bytes in digits.
    #[test]
    fn keys_are_read_as_digits_and_as_pem() {
        let digits = "d305b9a030f42071213a221da36b7c32e716baa50e65c15128c399872bce8015";
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VuAyEA0wW5oDD0IHEhOiIdo2t8MucWuqUOZcFRKMOZhyvOgBU=\n-----END PUBLIC KEY-----\n";
        let (digits, pem) = (
            Recipient::from_text(digits).unwrap(),
            Recipient::from_text(pem).unwrap(),
        );
        assert_eq!(format!("{digits:?}"), format!("{pem:?}"));
        assert_eq!(digits.id().as_str().len(), 16);
        for bad in [
            "",
            "00",
            &"0".repeat(64),
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----",
        ] {
            assert!(Recipient::from_text(bad).is_err(), "{bad}");
        }
    }
}

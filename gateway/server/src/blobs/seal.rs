//! The file format of a sealed blob, version 1. All of it is ciphertext or says how to open it.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic `STNBLOB\n` |
//! | 8 | 1 | version: 1 |
//! | 9 | 32 | HPKE encapsulated key (RFC 9180, section 4): the sender's ephemeral X25519 public key |
//! | 41 | length of the blob + 16 | HPKE ciphertext and tag |
//!
//! HPKE in base mode, single shot (RFC 9180, section 6.1): DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
//! AES-256-GCM 0x0002. `info` is `station-gateway blob v1`; `aad` is the first 9 bytes of the file. Each blob has an
//! ephemeral key of its own, so the same photo sealed twice makes two files.

use aws_lc_rs::digest;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeS, Serializable as _, single_shot_seal};
use schemas::ids::BlobHash;

/// First bytes of a sealed blob.
pub const MAGIC: &[u8; 8] = b"STNBLOB\n";
/// The version that follows them.
pub const VERSION: u8 = 1;
const INFO: &[u8] = b"station-gateway blob v1";

/// The centre's public key: X25519, 32 bytes.
#[derive(Clone)]
pub struct CentreKey(<X25519HkdfSha256 as Kem>::PublicKey);

/// Not 64 hexadecimal digits and not a PEM public key of X25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an X25519 public key: write 64 hexadecimal digits, or PEM as `openssl pkey -pubout` makes it"
)]
pub struct InvalidCentreKey;

/// A blob could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the blob could not be sealed to the centre's key")]
pub struct SealError;

/// The SubjectPublicKeyInfo of X25519 (RFC 8410, section 4) is these bytes and then the key.
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00,
];

impl CentreKey {
    /// From the raw key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidCentreKey> {
        // The all-zero key and its like would give everybody the same secret.
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(InvalidCentreKey);
        }
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(bytes);
        key.map(Self).map_err(|_refused| InvalidCentreKey)
    }

    /// From the text of its file: 64 hexadecimal digits, or PEM.
    pub fn from_text(text: &str) -> Result<Self, InvalidCentreKey> {
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
                .map_err(|_not_base64| InvalidCentreKey)?;
            let key = der.strip_prefix(&SPKI_PREFIX[..]).ok_or(InvalidCentreKey)?;
            raw = key.try_into().map_err(|_other_length| InvalidCentreKey)?;
        } else {
            hex::decode_to_slice(text, &mut raw).map_err(|_not_hex| InvalidCentreKey)?;
        }
        Self::from_bytes(&raw)
    }

    /// The sealed file's bytes.
    pub fn seal(&self, blob: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut file = Vec::with_capacity(MAGIC.len() + 1 + 32 + blob.len() + 16);
        file.extend_from_slice(MAGIC);
        file.push(VERSION);
        let (encapsulated, ciphertext) =
            single_shot_seal::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &self.0,
                INFO,
                blob,
                &file,
            )
            .map_err(|_refused| SealError)?;
        file.extend_from_slice(&encapsulated.to_bytes());
        file.extend_from_slice(&ciphertext);
        Ok(file)
    }
}

impl std::fmt::Debug for CentreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CentreKey({})", hex::encode(self.0.to_bytes()))
    }
}

/// SHA-256 of a sealed file: its name, and what events refer to.
pub(super) fn hash(file: &[u8]) -> Option<BlobHash> {
    BlobHash::new(hex::encode(digest::digest(&digest::SHA256, file))).ok()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use hpke::{OpModeR, single_shot_open};

    use super::*;

    /// P5, G7: the private key opens what was sealed, nothing else does, and the plaintext is not in it.
    #[test]
    fn only_the_private_key_opens_a_sealed_blob() {
        let (secret, public) = X25519HkdfSha256::gen_keypair();
        let key = CentreKey::from_bytes(&public.to_bytes().into()).unwrap();
        let photo = b"a photo that only the centre may see".repeat(40);
        let file = key.seal(&photo).unwrap();
        assert_eq!(&file[..9], b"STNBLOB\n\x01");
        assert!(!file.windows(16).any(|window| window == &photo[..16]));
        let open = |file: &[u8], secret| {
            let encapsulated =
                <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&file[9..41]).unwrap();
            single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
                &OpModeR::Base,
                secret,
                &encapsulated,
                INFO,
                &file[41..],
                &file[..9],
            )
        };
        assert_eq!(open(&file, &secret).unwrap(), photo);
        let (other, _) = X25519HkdfSha256::gen_keypair();
        assert!(open(&file, &other).is_err());
        let mut changed = file.clone();
        changed[8] = 2;
        assert!(open(&changed, &secret).is_err());
        assert_ne!(key.seal(&photo).unwrap(), file);
    }

    /// A key of `openssl genpkey -algorithm X25519`, as `openssl pkey -pubout` and its last 32 bytes in digits.
    #[test]
    fn keys_are_read_as_digits_and_as_pem() {
        let digits = "d305b9a030f42071213a221da36b7c32e716baa50e65c15128c399872bce8015";
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VuAyEA0wW5oDD0IHEhOiIdo2t8MucWuqUOZcFRKMOZhyvOgBU=\n-----END PUBLIC KEY-----\n";
        let (digits, pem) = (
            CentreKey::from_text(digits).unwrap(),
            CentreKey::from_text(pem).unwrap(),
        );
        assert_eq!(format!("{digits:?}"), format!("{pem:?}"));
        for bad in [
            "",
            "00",
            &"0".repeat(64),
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----",
        ] {
            assert!(CentreKey::from_text(bad).is_err(), "{bad}");
        }
    }
}

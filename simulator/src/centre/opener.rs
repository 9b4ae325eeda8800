//! The formats: a session's key file, a sealed field, a sealed blob.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, Serializable as _, single_shot_open};
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;
use schemas::sealed::SealedField;
use serde::Deserialize;
use zeroize::Zeroizing;

const KEY_INFO: &[u8] = b"station-gateway session key v1";
const FIELD_INFO: &[u8] = b"station-gateway field v1";
const BLOB_INFO: &[u8] = b"station-gateway blob v2";
const BLOB_MAGIC: &[u8] = b"STNBLOB\n\x02";
const BLOB_HEAD_LEN: usize = 57;
const NONCE_LEN: usize = 12;

/// The centre's private key.
pub struct Centre {
    private: <X25519HkdfSha256 as Kem>::PrivateKey,
    /// How key files name this recipient.
    kid: String,
}

/// A session's key, opened.
pub struct SessionKey {
    /// Its name.
    pub id: SealingKeyId,
    /// Its session.
    pub session: SessionId,
    /// The log of that session.
    pub origin: String,
    secret: Zeroizing<Vec<u8>>,
}

/// Why something could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not a private key.
    #[error("not an X25519 private key of 64 hexadecimal digits")]
    PrivateKey,
    /// Not of the format.
    #[error("not of the format of this version")]
    Format,
    /// Sealed to others.
    #[error("it is not sealed to this key")]
    NotARecipient,
    /// Another key, or something was changed.
    #[error("it does not open: another key, or it was changed")]
    Refused,
}

#[derive(Deserialize)]
struct KeyFile {
    version: u32,
    key: SealingKeyId,
    session: SessionId,
    origin: String,
    recipients: Vec<Sealed>,
}

#[derive(Deserialize)]
struct Sealed {
    kid: String,
    enc: String,
    ct: String,
}

impl Centre {
    /// From the text of its file.
    ///
    /// # Errors
    /// It is no private key.
    pub fn from_text(text: &str) -> Result<Self, OpenError> {
        let mut raw = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), raw.as_mut_slice())
            .map_err(|_not_hex| OpenError::PrivateKey)?;
        let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(raw.as_slice())
            .map_err(|_refused| OpenError::PrivateKey)?;
        let public = X25519HkdfSha256::sk_to_pk(&private).to_bytes();
        let hash = digest(&SHA256, &public);
        Ok(Self {
            private,
            kid: hex::encode(hash.as_ref().get(..8).unwrap_or_default()),
        })
    }

    /// Opens the file of a session's key.
    ///
    /// # Errors
    /// It is no key file, not for this recipient, or was changed.
    pub fn open_key(&self, file: &[u8]) -> Result<SessionKey, OpenError> {
        let file: KeyFile = serde_json::from_slice(file).map_err(|_not_json| OpenError::Format)?;
        if file.version != 1 {
            return Err(OpenError::Format);
        }
        let sealed = file.recipients.iter().find(|sealed| sealed.kid == self.kid);
        let sealed = sealed.ok_or(OpenError::NotARecipient)?;
        let bytes = |text| {
            URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_not_base64| OpenError::Format)
        };
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&bytes(&sealed.enc)?)
            .map_err(|_refused| OpenError::Format)?;
        let mut aad = file.key.to_raw().to_vec();
        aad.extend_from_slice(file.origin.as_bytes());
        aad.push(0);
        aad.extend_from_slice(file.session.as_str().as_bytes());
        let secret = single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &enc,
            KEY_INFO,
            &bytes(&sealed.ct)?,
            &aad,
        )
        .map_err(|_refused| OpenError::Refused)?;
        Ok(SessionKey {
            id: file.key,
            session: file.session,
            origin: file.origin,
            secret: Zeroizing::new(secret),
        })
    }
}

impl SessionKey {
    /// Opens a field of an event.
    ///
    /// # Errors
    /// It is sealed under another key, for another place, or was changed.
    pub fn open_field(&self, name: &str, field: &SealedField) -> Result<Vec<u8>, OpenError> {
        let (_, body) = field.as_str().rsplit_once('.').ok_or(OpenError::Format)?;
        let body = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_not_base64| OpenError::Format)?;
        let (nonce, sealed) = body.split_first_chunk().ok_or(OpenError::Format)?;
        let aad = [self.origin.as_str(), self.session.as_str(), name].join("\0");
        let info: [&[u8]; 3] = [FIELD_INFO, &[0], name.as_bytes()];
        self.open(&[], &info, *nonce, aad.as_bytes(), sealed)
    }

    /// Opens a sealed blob.
    ///
    /// # Errors
    /// It is sealed under another key, or was changed.
    pub fn open_blob(&self, file: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (head, sealed) = file
            .split_at_checked(BLOB_HEAD_LEN)
            .ok_or(OpenError::Format)?;
        let salt = head.get(BLOB_HEAD_LEN - 32..).ok_or(OpenError::Format)?;
        if key_of_blob(file).as_ref() != Some(&self.id) {
            return Err(OpenError::Refused);
        }
        self.open(salt, &[BLOB_INFO], [0; NONCE_LEN], head, sealed)
    }

    fn open(
        &self,
        salt: &[u8],
        info: &[&[u8]],
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let mut derived = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, salt)
            .extract(&self.secret)
            .expand(info, Len32)
            .and_then(|okm| okm.fill(derived.as_mut_slice()))
            .map_err(|_unspecified| OpenError::Refused)?;
        let key = UnboundKey::new(&AES_256_GCM, derived.as_slice());
        let key = LessSafeKey::new(key.map_err(|_length| OpenError::Refused)?);
        let mut inout = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = key.open_in_place(nonce, Aad::from(aad), &mut inout);
        let len = opened.map_err(|_refused| OpenError::Refused)?.len();
        inout.truncate(len);
        Ok(inout)
    }
}

/// The key that a sealed blob names.
pub(super) fn key_of_blob(file: &[u8]) -> Option<SealingKeyId> {
    let id: [u8; 16] = file.strip_prefix(BLOB_MAGIC)?.get(..16)?.try_into().ok()?;
    Some(SealingKeyId::of(&id))
}

struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

impl std::fmt::Debug for Centre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Centre({})", self.kid)
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKey({}, {})", self.id, self.session)
    }
}

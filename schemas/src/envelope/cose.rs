//! COSE_Sign1, tagged 18, deterministic CBOR (RFC 8949, section 4.2.1), EdDSA, empty external_aad.
//!
//! Protected header, in this order: 1 (alg) −8, 3 (content type) `application/cloudevents+json`,
//! 4 (key id) 8 bytes, `"i"` index, `"o"` origin. The unprotected header is empty.

use sha2::{Digest as _, Sha256};

use super::{Entry, EnvelopeError, Meta, Origin, SIGNED_LEN_MAX, Signed, canonical, cloud_event};
use crate::event::Event;

const SIGNATURE_LEN: usize = 64;

/// The first 8 bytes of SHA-256 of an Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// The id of the 32-byte public key.
    pub fn of(public_key: &[u8; 32]) -> Self {
        let digest = Sha256::digest(public_key);
        let mut id = [0; 8];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

/// Makes the signed bytes of the event at `index`. `sign` is Ed25519 (RFC 8032) over the
/// Sig_structure (RFC 9052, section 4.4).
pub fn seal(
    origin: &Origin,
    index: u64,
    meta: &Meta,
    event: &Event,
    key_id: KeyId,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Result<Vec<u8>, EnvelopeError> {
    Ok(Unsigned::new(origin, index, meta, event, key_id)?.signed(sign))
}

/// An event that is complete but for its signature: its length is known, so others can be put behind it before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// The signed bytes, with zeros where the signature goes: their last bytes.
    bytes: Vec<u8>,
    /// The Sig_structure.
    to_sign: Vec<u8>,
}

impl Unsigned {
    /// The event at `index`.
    pub fn new(
        origin: &Origin,
        index: u64,
        meta: &Meta,
        event: &Event,
        key_id: KeyId,
    ) -> Result<Self, EnvelopeError> {
        let payload = cloud_event::encode(origin, index, meta, event)?;
        Self::of_payload(origin, index, &payload, key_id)
    }

    /// The same around a CloudEvent's bytes.
    pub fn of_payload(
        origin: &Origin,
        index: u64,
        payload: &[u8],
        key_id: KeyId,
    ) -> Result<Self, EnvelopeError> {
        Self::up_to(origin, index, payload, key_id, SIGNED_LEN_MAX)
    }

    /// The same with another limit on the signed bytes.
    pub(crate) fn up_to(
        origin: &Origin,
        index: u64,
        payload: &[u8],
        key_id: KeyId,
        len_max: usize,
    ) -> Result<Self, EnvelopeError> {
        let protected = canonical::protected(origin, index, key_id);
        let to_sign = canonical::to_sign(&protected, payload);
        let bytes = canonical::join(&protected, payload, &[0; SIGNATURE_LEN]);
        if bytes.len() > len_max {
            return Err(EnvelopeError::TooLong(bytes.len()));
        }
        Ok(Self { bytes, to_sign })
    }

    /// Length of the signed bytes.
    pub fn signed_len(&self) -> usize {
        self.bytes.len()
    }

    /// The signed bytes. `sign` is Ed25519 (RFC 8032) over the Sig_structure (RFC 9052, section 4.4).
    pub fn signed(mut self, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
        let signature = sign(&self.to_sign);
        self.bytes.truncate(self.bytes.len() - SIGNATURE_LEN);
        self.bytes.extend_from_slice(&signature);
        self.bytes
    }
}

/// Reads signed bytes and checks the signature with `check` (key id, Sig_structure, signature).
pub fn verify(
    signed: &[u8],
    check: impl FnOnce(KeyId, &[u8], &[u8; 64]) -> bool,
) -> Result<Entry, EnvelopeError> {
    let signed = Signed::read(signed)?;
    let key_id = signed.key_id();
    if !signed.is_genuine(|message, signature| check(key_id, message, signature)) {
        return Err(EnvelopeError::Signature);
    }
    signed.into_entry()
}

//! COSE_Sign1, tagged 18, deterministic CBOR (RFC 8949, section 4.2.1), EdDSA, empty external_aad.
//!
//! Protected header, in this order: 1 (alg) −8, 3 (content type) `application/cloudevents+json`,
//! 4 (key id) 8 bytes, `"i"` index, `"o"` origin. The unprotected header is empty.

use coset::iana;
use coset::{
    ContentType, CoseSign1, CoseSign1Builder, HeaderBuilder, Label, RegisteredLabelWithPrivate,
    TaggedCborSerializable as _, cbor::value::Value,
};
use sha2::{Digest as _, Sha256};

use super::{Entry, EnvelopeError, Meta, Origin, SIGNED_LEN_MAX, cloud_event, entry};
use crate::event::Event;

const CONTENT_TYPE: &str = "application/cloudevents+json";
const INDEX: &str = "i";
const ORIGIN: &str = "o";

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
    let payload = cloud_event::encode(origin, index, meta, event)?;
    let protected = HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .content_type(CONTENT_TYPE.to_owned())
        .key_id(key_id.0.to_vec())
        .text_value(INDEX.to_owned(), Value::from(index))
        .text_value(ORIGIN.to_owned(), Value::from(origin.as_str()))
        .build();
    let signed = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .create_signature(&[], |bytes| sign(bytes).to_vec())
        .build()
        .to_tagged_vec()
        .map_err(|_malformed| EnvelopeError::Cose("cannot be encoded"))?;
    if signed.len() > SIGNED_LEN_MAX {
        return Err(EnvelopeError::TooLong(signed.len()));
    }
    Ok(signed)
}

/// Reads signed bytes and checks the signature with `check` (Sig_structure, signature).
pub fn verify(
    signed: &[u8],
    check: impl FnOnce(KeyId, &[u8], &[u8]) -> bool,
) -> Result<Entry, EnvelopeError> {
    let opened = open(signed)?;
    let key_id = opened.key_id;
    opened.message.verify_signature(&[], |signature, bytes| {
        if check(key_id, bytes, signature) {
            Ok(())
        } else {
            Err(EnvelopeError::Signature)
        }
    })?;
    opened.into_entry()
}

/// A COSE_Sign1 whose header is as this contract says.
pub(super) struct Opened {
    message: CoseSign1,
    key_id: KeyId,
    index: u64,
    origin: Origin,
}

impl Opened {
    pub(super) fn into_entry(self) -> Result<Entry, EnvelopeError> {
        let payload = self
            .message
            .payload
            .as_deref()
            .ok_or(EnvelopeError::Cose("no payload"))?;
        entry(self.origin, self.index, self.key_id, payload)
    }

    #[cfg(test)]
    pub(super) fn into_parts(self) -> (KeyId, u64, Origin, Vec<u8>) {
        let payload = self.message.payload.unwrap_or_default();
        (self.key_id, self.index, self.origin, payload)
    }
}

pub(super) fn open(signed: &[u8]) -> Result<Opened, EnvelopeError> {
    let refuse = EnvelopeError::Cose;
    let message = CoseSign1::from_tagged_slice(signed)
        .map_err(|_malformed| refuse("not tagged COSE_Sign1"))?;
    let header = &message.protected.header;
    if header.alg != Some(RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA)) {
        return Err(refuse("algorithm is not EdDSA"));
    }
    if header.content_type != Some(ContentType::Text(CONTENT_TYPE.to_owned())) {
        return Err(refuse("content type"));
    }
    if !message.unprotected.is_empty() || !header.crit.is_empty() {
        return Err(refuse("unexpected header"));
    }
    let key_id: [u8; 8] = header
        .key_id
        .as_slice()
        .try_into()
        .map_err(|_malformed| refuse("key id"))?;
    let (index, origin) = match header.rest.as_slice() {
        [
            (Label::Text(i), index),
            (Label::Text(o), Value::Text(origin)),
        ] if i == INDEX && o == ORIGIN => (index, origin),
        _ => return Err(refuse("index and origin")),
    };
    let index = index
        .as_integer()
        .and_then(|i| u64::try_from(i).ok())
        .ok_or(refuse("index"))?;
    let origin = Origin::new(origin.as_str()).map_err(|_malformed| refuse("origin"))?;
    Ok(Opened {
        message,
        key_id: KeyId(key_id),
        index,
        origin,
    })
}

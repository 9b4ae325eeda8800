//! A signed event as an auditor meets it: its header read, its signature checkable, its content not needed for either.

use super::{Entry, EnvelopeError, KeyId, Origin, SIGNED_LEN_MAX, canonical, entry};

/// A signed event in the deterministic form of this contract.
#[derive(Debug)]
pub struct Signed<'a>(canonical::Parts<'a>);

impl<'a> Signed<'a> {
    /// Reads the header. Any other encoding of the same values is refused.
    pub fn read(signed: &'a [u8]) -> Result<Self, EnvelopeError> {
        Self::read_up_to(signed, SIGNED_LEN_MAX)
    }

    /// The same with another limit on the length.
    pub(crate) fn read_up_to(signed: &'a [u8], len_max: usize) -> Result<Self, EnvelopeError> {
        if signed.len() > len_max {
            return Err(EnvelopeError::TooLong(signed.len()));
        }
        canonical::split(signed)
            .map(Self)
            .ok_or(EnvelopeError::Cose("not in its deterministic form"))
    }

    /// Its place in the log, from 0.
    pub fn index(&self) -> u64 {
        self.0.index
    }

    /// The log it belongs to.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Which key signed it.
    pub fn key_id(&self) -> KeyId {
        self.0.key_id
    }

    /// The CloudEvent's bytes.
    pub fn payload(&self) -> &'a [u8] {
        self.0.payload
    }

    /// Whether the signature fits. `check(message, signature)` is Ed25519 (RFC 8032) under the key that is asked about.
    pub fn is_genuine(&self, check: impl FnOnce(&[u8], &[u8; 64]) -> bool) -> bool {
        let message = canonical::to_sign(self.0.protected, self.0.payload);
        check(&message, self.0.signature)
    }

    /// The same with a detached payload (RFC 9052, section 4.1): everything but the CloudEvent.
    pub fn detached(&self) -> Vec<u8> {
        canonical::detached(self.0.protected, self.0.signature)
    }

    /// Its content. An error of [`EnvelopeError::UnknownType`] says only that this program is older than the event.
    pub fn into_entry(self) -> Result<Entry, EnvelopeError> {
        let canonical::Parts {
            key_id,
            index,
            origin,
            payload,
            ..
        } = self.0;
        entry(origin, index, key_id, payload)
    }
}

/// The signed bytes, from a COSE_Sign1 with a detached payload and that payload. `None`: not in the form of this contract.
pub fn attach(detached: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
    canonical::attach(detached, payload)
}

/// Bytes of a sequence (RFC 8742) that do not go on with a signed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes that follow are not a signed event")]
pub struct Broken;

/// The length of the signed event that `bytes` begin with. `None`: it goes on behind their end.
pub fn next_len(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    canonical::len(bytes).map_err(|canonical::NotAnEvent| Broken)
}

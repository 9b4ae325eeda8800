//! What is in a snapshot, and its bytes: a title line with the version, then one CBOR item.

use schemas::chain::{KeyChain, RotationError};
use schemas::envelope::{EnvelopeError, KeyId, Origin, Signed};
use schemas::event::Event;
use schemas::ids::BlobHash;
use schemas::key::SealingKeyId;
use serde::{Deserialize, Serialize};

use gateway_core::State;

use crate::pipeline::KeptMemory;

/// A later version has another title, and this program then falls back to a snapshot before, or to the events.
const TITLE: &[u8] = b"station-snapshot 2\n";
/// It lists the folders of sealed files instead of what events name.
const TITLE_1: &[u8] = b"station-snapshot 1\n";

/// A snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// The log.
    pub(crate) origin: String,
    /// The number of events that it stands for.
    pub(crate) size: u64,
    pub(crate) memory: KeptMemory,
    /// Changes of the signing key: the signed events, in hexadecimal digits, with their indexes.
    pub(crate) rotations: Vec<(u64, String)>,
    /// Of version 1: sealed blobs that were there, named by an event or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) blobs: Vec<BlobHash>,
    /// Of version 1: sealed session keys that were there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<SealingKeyId>,
}

/// Why bytes are not a snapshot that can be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// Of another version, or none at all.
    #[error("it is not a snapshot of a version that this program knows")]
    Version,
    /// Not as its version says.
    #[error("it cannot be read: {0}")]
    Cbor(String),
    /// Of another log, or of another place in it.
    #[error("it is of event {size} of {origin}")]
    Foreign {
        /// Its size.
        size: u64,
        /// Its log.
        origin: String,
    },
    /// A change of the signing key that is not an event of this log.
    #[error("the change of the signing key at event {0} is not genuine")]
    Rotation(u64),
}

impl From<EnvelopeError> for ContentsError {
    fn from(error: EnvelopeError) -> Self {
        Self::Cbor(error.to_string())
    }
}

impl Contents {
    /// The bytes of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContentsError> {
        let mut bytes = TITLE.to_vec();
        ciborium::into_writer(self, &mut bytes)
            .map_err(|error| ContentsError::Cbor(error.to_string()))?;
        Ok(bytes)
    }

    /// Reads the snapshot that stands for the first `size` events of a log.
    pub fn from_bytes(bytes: &[u8], origin: &Origin, size: u64) -> Result<Self, ContentsError> {
        let body = bytes.strip_prefix(TITLE);
        let body = body.or_else(|| bytes.strip_prefix(TITLE_1));
        let body = body.ok_or(ContentsError::Version)?;
        let mut contents: Self =
            ciborium::from_reader(body).map_err(|error| ContentsError::Cbor(error.to_string()))?;
        if contents.origin != origin.as_str() || contents.size != size {
            return Err(ContentsError::Foreign {
                size: contents.size,
                origin: contents.origin,
            });
        }
        let (blobs, keys) = (&contents.blobs, &contents.keys);
        contents.memory.named.of_nobody(blobs, keys);
        Ok(contents)
    }

    /// The state of the rules.
    pub fn into_state(self) -> State {
        self.memory.state
    }

    /// The signed events by which the key was changed. They are not checked.
    pub fn signed_rotations(&self) -> Result<SignedRotations, ContentsError> {
        let decode = |(index, digits): &(u64, String)| {
            let signed = hex::decode(digits).map_err(|_not_hex| ContentsError::Rotation(*index));
            signed.map(|signed| (*index, signed))
        };
        self.rotations.iter().map(decode).collect()
    }

    /// The keys of the log, followed from its first one by the signed events, and those.
    pub fn chain(&self, mut chain: KeyChain) -> Result<(KeyChain, SignedRotations), ContentsError> {
        let rotations = self.signed_rotations()?;
        for (index, signed) in &rotations {
            follow(&mut chain, *index, signed).ok_or(ContentsError::Rotation(*index))?;
        }
        Ok((chain, rotations))
    }
}

/// Changes of the signing key: signed events with their indexes.
pub type SignedRotations = Vec<(u64, Vec<u8>)>;

/// Follows a change of the key whose event must be signed by the key in force.
fn follow(chain: &mut KeyChain, index: u64, signed: &[u8]) -> Option<()> {
    let event = Signed::read(signed).ok()?;
    let key = *chain.in_force(index);
    let genuine = event.index() == index
        && event.origin() == chain.origin()
        && event.key_id() == KeyId::of(&key)
        && event.is_genuine(|message, signature| gateway_audit::check(&key, message, signature));
    let Event::KeyRotated(rotation) = event.into_entry().ok()?.event else {
        return None;
    };
    let rotated: Result<(), RotationError> = chain.rotate(index, &rotation, &gateway_audit::check);
    rotated.ok().filter(|()| genuine)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use ciborium::Value;

    use super::*;
    use crate::pipeline::Memory;
    use crate::testing;

    /// As the version before wrote it: it lists the folders, and knows nothing of what was named.
    fn version_1(contents: &Contents) -> Vec<u8> {
        let mut value = Value::serialized(contents).unwrap();
        let fields = value.as_map_mut().unwrap().iter_mut();
        let mut memory = fields.filter(|(name, _)| name.as_text() == Some("memory"));
        let memory = memory.next().unwrap().1.as_map_mut().unwrap();
        memory.retain(|(name, _)| name.as_text() != Some("named"));
        let mut bytes = TITLE_1.to_vec();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        bytes
    }

    /// G4: a station may have nothing else to start from than a snapshot of the version before. What it lists is named.
    #[test]
    fn a_snapshot_of_version_1_is_read() {
        let blob = BlobHash::new("ab".repeat(32)).unwrap();
        let key = SealingKeyId::of(&[7; 16]);
        let contents = Contents {
            origin: testing::ORIGIN.to_owned(),
            size: 9,
            memory: Memory::new(&testing::station().policy).to_kept(),
            rotations: Vec::new(),
            blobs: vec![blob.clone()],
            keys: vec![key.clone()],
        };
        let origin = Origin::new(testing::ORIGIN).unwrap();
        let read = Contents::from_bytes(&version_1(&contents), &origin, 9).unwrap();
        assert!(read.memory.named.blobs().eq([blob]) && read.memory.named.keys().eq([key]));
        let later = [b"station-snapshot 3\n", &[0; 9][..]].concat();
        let refused = Contents::from_bytes(&later, &origin, 9);
        assert!(matches!(refused, Err(ContentsError::Version)));
    }
}

//! Which key signs what: the first key of a log and every rotation after it.
//!
//! An event at index i is signed by the key in force there. A rotation at index r is the last event of the old key. A checkpoint
//! over s events is signed by the key in force at index s − 1, and at the size just after a rotation by the new key too, so
//! that those who follow checkpoints alone see both hands. It never holds a private key.

use crate::envelope::{KeyId, Origin};
use crate::event::evidence::KeyRotated;
use crate::key::{PublicKey, SigningKeyId};
use crate::proof::{Checkpoint, CheckpointError, NoteKey, SignedNote};

/// Ed25519 verification (RFC 8032): public key, message, signature.
pub type Check<'a> = &'a dyn Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool;

/// The keys of one log, in the order of their rotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChain {
    origin: Origin,
    first: [u8; 32],
    /// The index from which each later key is in force, ascending.
    later: Vec<(u64, [u8; 32])>,
}

/// Why a rotation is not genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// It names another key as the one in force.
    #[error("the rotation names another key than the one in force")]
    OldKey,
    /// The new key's id and its public part do not belong together, or it was used before.
    #[error("the rotation's new key is not the one it names, or was used before")]
    NewKey,
    /// The new key did not sign.
    #[error("the rotation is not signed by the new key")]
    Possession,
    /// Rotations come in the order of their indexes.
    #[error("the rotation is out of order")]
    Order,
}

impl KeyChain {
    /// Of a log that begins with this key.
    pub fn new(origin: Origin, first: [u8; 32]) -> Self {
        Self {
            origin,
            first,
            later: Vec::new(),
        }
    }

    /// The log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The first key: the anchor that a verifier is given.
    pub fn first(&self) -> &[u8; 32] {
        &self.first
    }

    /// The key that signs the event at `index`.
    pub fn in_force(&self, index: u64) -> &[u8; 32] {
        let mut from_newest = self.later.iter().rev();
        from_newest
            .find(|(from, _)| *from <= index)
            .map_or(&self.first, |(_, key)| key)
    }

    /// The newest key.
    pub fn newest(&self) -> &[u8; 32] {
        self.later.last().map_or(&self.first, |(_, key)| key)
    }

    /// The keys that a checkpoint over `size` events is signed by: one, or two just after a rotation.
    pub fn signers(&self, size: u64) -> Vec<&[u8; 32]> {
        let mut keys = vec![self.in_force(size.saturating_sub(1))];
        keys.extend(
            self.later
                .iter()
                .filter(|(from, _)| *from == size)
                .map(|(_, key)| key),
        );
        keys
    }

    /// The rotations so far: the index of the event that made each, and the key after it.
    pub fn rotations(&self) -> impl Iterator<Item = (u64, &[u8; 32])> {
        self.later
            .iter()
            .map(|(from, key)| (from.saturating_sub(1), key))
    }

    /// Follows the rotation at `index`, whose event's own signature the caller has checked.
    pub fn rotate(
        &mut self,
        index: u64,
        event: &KeyRotated,
        check: Check<'_>,
    ) -> Result<(), RotationError> {
        let (old, new) = (*self.newest(), event.public_key.to_raw());
        if self.later.last().is_some_and(|(from, _)| *from > index) {
            return Err(RotationError::Order);
        }
        if event.old_key != SigningKeyId::of(&old) {
            return Err(RotationError::OldKey);
        }
        let used = new == self.first || self.later.iter().any(|(_, key)| *key == new);
        if event.new_key != SigningKeyId::of(&new) || used {
            return Err(RotationError::NewKey);
        }
        let text = possession_text(&self.origin, index, &old, &new);
        if !check(&new, &text, &event.possession.to_raw()) {
            return Err(RotationError::Possession);
        }
        self.later.push((index.saturating_add(1), new));
        Ok(())
    }

    /// Reads a signed checkpoint of this log and checks every signature that its size asks for.
    pub fn open(&self, note: &str, check: Check<'_>) -> Result<Checkpoint, CheckpointError> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        // A checkpoint of a station has no extension lines.
        if note.text() != checkpoint.body() {
            return Err(CheckpointError::Body);
        }
        if checkpoint.origin == self.origin.as_str() && self.signed(checkpoint.size, &note, check) {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Signature)
        }
    }

    /// Whether the note carries every signature that a checkpoint over `size` events must carry.
    pub fn signed(&self, size: u64, note: &SignedNote, check: Check<'_>) -> bool {
        self.signers(size).into_iter().all(|key| {
            NoteKey::new(self.origin.as_str(), *key)
                .is_ok_and(|key| note.count_by(&key) == 1 && note.verified_by(&key, check))
        })
    }

    /// Whether `id` is that of the key in force at `index`.
    pub fn is_by(&self, id: KeyId, index: u64) -> bool {
        KeyId::of(self.in_force(index)) == id
    }
}

/// What the new key signs to show that whoever rotates holds it.
pub fn possession_text(origin: &Origin, index: u64, old: &[u8; 32], new: &[u8; 32]) -> Vec<u8> {
    let mut text = b"station-gateway key rotation v1\0".to_vec();
    text.extend_from_slice(origin.as_str().as_bytes());
    text.push(0);
    text.extend_from_slice(&index.to_be_bytes());
    text.extend_from_slice(old);
    text.extend_from_slice(new);
    text
}

/// The event that rotates from `old` to `new` at `index`. `sign` is Ed25519 by the new key.
pub fn rotation(
    origin: &Origin,
    index: u64,
    old: &[u8; 32],
    new: &[u8; 32],
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> KeyRotated {
    KeyRotated {
        old_key: SigningKeyId::of(old),
        new_key: SigningKeyId::of(new),
        public_key: PublicKey::of(new),
        possession: crate::key::Signature::of(&sign(&possession_text(origin, index, old, new))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin::new("gateway.demo/station/demo/1").unwrap()
    }

    /// A stand-in for Ed25519: the signature is the key twice, so each key's is its own.
    fn sign(key: [u8; 32]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature
            .iter_mut()
            .zip(key.iter().chain(&key))
            .for_each(|(to, from)| *to = *from);
        signature
    }
    fn check(key: &[u8; 32], _: &[u8], signature: &[u8; 64]) -> bool {
        sign(*key) == *signature
    }

    /// G3: the old key signs up to and with the rotation, the new one from then on, and both the checkpoint in between.
    #[test]
    fn each_key_signs_its_part_and_both_the_seam() {
        let (a, b) = ([1; 32], [2; 32]);
        let mut chain = KeyChain::new(origin(), a);
        let event = rotation(&origin(), 4, &a, &b, |_| sign(b));
        chain.rotate(4, &event, &check).unwrap();
        assert_eq!((chain.in_force(4), chain.in_force(5)), (&a, &b));
        assert_eq!(chain.signers(0), [&a]);
        assert_eq!(chain.signers(4), [&a]);
        assert_eq!(chain.signers(5), [&a, &b]);
        assert_eq!(chain.signers(6), [&b]);
    }

    /// G3: a rotation that names another old key, another new key, or was not signed by the new one, changes nothing.
    #[test]
    fn a_false_rotation_is_refused() {
        let (a, b, c) = ([1; 32], [2; 32], [3; 32]);
        let mut chain = KeyChain::new(origin(), a);
        let good = rotation(&origin(), 4, &a, &b, |_| sign(b));
        let cases = [
            (
                rotation(&origin(), 4, &c, &b, |_| sign(b)),
                RotationError::OldKey,
            ),
            (
                rotation(&origin(), 4, &a, &a, |_| sign(a)),
                RotationError::NewKey,
            ),
            (
                KeyRotated {
                    public_key: PublicKey::of(&c),
                    ..good.clone()
                },
                RotationError::NewKey,
            ),
            (
                rotation(&origin(), 4, &a, &b, |_| sign(a)),
                RotationError::Possession,
            ),
        ];
        for (event, reason) in cases {
            assert_eq!(chain.rotate(4, &event, &check), Err(reason));
        }
        chain.rotate(4, &good, &check).unwrap();
        let again = rotation(&origin(), 9, &b, &a, |_| sign(a));
        assert_eq!(chain.rotate(9, &again, &check), Err(RotationError::NewKey));
        let back = rotation(&origin(), 3, &b, &c, |_| sign(c));
        assert_eq!(chain.rotate(3, &back, &check), Err(RotationError::Order));
    }
}

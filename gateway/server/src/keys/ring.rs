//! The signing keys at work: which of them is in force follows from the log, and the private parts are held here.
//!
//! A rotation goes in steps, each durable before the next: the next key's file; its event in the log, signed by the old key; the
//! checkpoint over that event, signed by both; the next key's file takes the old one's name. Whatever is cut off in between, the
//! log says at the next start which key is in force, and [`KeyRing::settle`] brings the folder after it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use gateway_log::CheckpointSigner;
use schemas::chain::{KeyChain, RotationError, rotation};
use schemas::envelope::{KeyId, Origin};
use schemas::event::evidence::KeyRotated;
use schemas::proof::{NoteError, NoteKey, SignedNote};

use super::KeysError;
use super::files::KeyFolder;
use super::signing::{self, HeldKeys, SigningKey};

/// The checkpoint that both keys of the last rotation signed: a C2SP signed note.
const LAST_SEAM: &str = "last-rotation";

/// The keys of one log. Cheap to clone; all clones are one ring.
#[derive(Debug, Clone)]
pub struct KeyRing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    ring: RwLock<Ring>,
}

#[derive(Debug)]
struct Ring {
    chain: KeyChain,
    held: Vec<SigningKey>,
    /// The signed events by which the chain goes on, with their indexes.
    rotations: Vec<(u64, Vec<u8>)>,
    /// Why what the log holds is not gone on with.
    refused: Option<String>,
}

/// Why the signing key does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRotated {
    /// Another change was asked for after this one, and replaced its key.
    #[error(
        "another change of the signing key came in between: this one was dropped, nothing was recorded"
    )]
    Superseded,
    /// The log would not take it.
    #[error(transparent)]
    Rotation(#[from] RotationError),
}

/// What the folder was found to be, after the log was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The present key is in force.
    AsItWas,
    /// A rotation was in the log, and is completed now.
    RotationCompleted,
    /// A rotation was begun and never came into the log.
    RotationDropped,
}

impl KeyRing {
    /// Of the log of `origin`, as it begins.
    pub fn new(folder: &Path, origin: Origin, keys: HeldKeys) -> Self {
        let HeldKeys {
            first,
            current,
            next,
        } = keys;
        let mut held = vec![current];
        held.extend(next);
        let ring = Ring {
            chain: KeyChain::new(origin, first),
            held,
            rotations: Vec::new(),
            refused: None,
        };
        Self(Arc::new(Inner {
            folder: folder.to_owned(),
            ring: RwLock::new(ring),
        }))
    }

    /// The log's first key: what names it.
    pub fn identity(&self) -> Result<NoteKey, NoteError> {
        let ring = self.read();
        NoteKey::new(ring.chain.origin().as_str(), *ring.chain.first())
    }

    /// The keys so far.
    pub fn chain(&self) -> KeyChain {
        self.read().chain.clone()
    }

    /// The chain as the log begins.
    pub fn first_chain(&self) -> KeyChain {
        let ring = self.read();
        KeyChain::new(ring.chain.origin().clone(), *ring.chain.first())
    }

    /// The verifier keys, the first one first.
    pub fn vkeys(&self) -> Vec<String> {
        let chain = self.chain();
        let origin = chain.origin().as_str();
        let keys = std::iter::once(*chain.first()).chain(chain.rotations().map(|(_, key)| *key));
        keys.filter_map(|key| NoteKey::new(origin, key).ok())
            .map(|key| key.to_vkey())
            .collect()
    }

    /// The private part of the key in force; none where it is not held.
    pub fn current(&self) -> Option<SigningKey> {
        let ring = self.read();
        ring.holds(ring.chain.newest()).cloned()
    }

    /// Follows a rotation of the log; `signed` are the bytes of its event.
    pub fn follow(
        &self,
        index: u64,
        event: &KeyRotated,
        signed: &[u8],
    ) -> Result<(), RotationError> {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.follow(index, event, signed)
    }

    /// The signed events of all rotations so far, with their indexes.
    pub fn rotations(&self) -> Vec<(u64, Vec<u8>)> {
        self.read().rotations.clone()
    }

    /// Goes on from a chain that begins with the same key, as the caller has checked from the signed events of its rotations.
    pub fn restore(&self, chain: KeyChain, rotations: Vec<(u64, Vec<u8>)>) {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.chain = chain;
        ring.rotations = rotations;
    }

    /// Follows a rotation of the station's own to a key that must still be held: one that was replaced meanwhile would leave a log
    /// that nobody can sign.
    pub fn follow_to(
        &self,
        index: u64,
        event: &KeyRotated,
        signed: &[u8],
        next: &SigningKey,
    ) -> Result<(), NotRotated> {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        if ring.holds(&next.public_key()).is_none() {
            return Err(NotRotated::Superseded);
        }
        Ok(ring.follow(index, event, signed)?)
    }

    /// The log holds what cannot be gone on with; nothing shall be signed over it.
    pub fn refuse(&self, why: String) {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.refused = Some(why);
    }

    /// Whether an event was signed by the key in force at its index.
    pub fn is_genuine(&self, index: u64, signed: &[u8]) -> bool {
        let ring = self.read();
        let key = ring.chain.in_force(index);
        schemas::envelope::Signed::read(signed).is_ok_and(|event| {
            event.key_id() == KeyId::of(key)
                && event
                    .is_genuine(|message, signature| gateway_audit::check(key, message, signature))
        })
    }

    /// Makes the next key, on disk and held. Blocks. Nothing signs with it before [`KeyRing::follow`].
    pub fn prepare_next(&self) -> Result<SigningKey, KeysError> {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        let settled = ring.held.first().map(SigningKey::public_key) == Some(*ring.chain.newest());
        if !settled {
            return Err(KeysError::RotationUnderWay);
        }
        let key = signing::prepare_next(&self.folder()?)?;
        ring.held.truncate(1);
        ring.held.push(key.clone());
        Ok(key)
    }

    /// The event that rotates to `next` at `index`.
    pub fn rotation(&self, index: u64, next: &SigningKey) -> KeyRotated {
        let chain = self.chain();
        rotation(
            chain.origin(),
            index,
            chain.newest(),
            &next.public_key(),
            |text| next.sign(text),
        )
    }

    /// Brings the folder after the log, once that has been read or a rotation is durable under its checkpoint. Blocks.
    /// `seam` is that checkpoint: it is kept, since nobody can sign it again. `None`: the key in force is not here.
    pub fn settle(&self, seam: Option<&str>) -> Result<Option<Settled>, KeysError> {
        let mut ring = self.0.ring.write().unwrap_or_else(PoisonError::into_inner);
        let newest = *ring.chain.newest();
        let at = ring.held.iter().position(|key| key.public_key() == newest);
        let settled = match (at, ring.held.len()) {
            (None, _) => return Ok(None),
            (Some(0), 1) => Settled::AsItWas,
            (Some(0), _) => {
                signing::discard_next(&self.folder()?)?;
                ring.held.truncate(1);
                Settled::RotationDropped
            }
            (Some(at), _) => {
                if let Some(seam) = seam {
                    self.folder()?.replace(LAST_SEAM, seam.as_bytes())?;
                }
                signing::promote_next(&self.folder()?)?;
                ring.held.drain(..at);
                Settled::RotationCompleted
            }
        };
        Ok(Some(settled))
    }

    fn folder(&self) -> Result<KeyFolder, KeysError> {
        KeyFolder::open(&self.0.folder, false)
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.0.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn follow(
        &mut self,
        index: u64,
        event: &KeyRotated,
        signed: &[u8],
    ) -> Result<(), RotationError> {
        self.chain.rotate(index, event, &gateway_audit::check)?;
        self.rotations.push((index, signed.to_vec()));
        Ok(())
    }

    fn holds(&self, public_key: &[u8; 32]) -> Option<&SigningKey> {
        self.held.iter().find(|key| key.public_key() == *public_key)
    }
}

impl CheckpointSigner for KeyRing {
    fn sign(&self, size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])> {
        let ring = self.read();
        let signers = ring.chain.signers(size);
        let signatures = signers.iter().filter_map(|public_key| {
            let key = NoteKey::new(ring.chain.origin().as_str(), **public_key).ok()?;
            Some((key, ring.holds(public_key)?.sign(text)))
        });
        let signatures: Vec<_> = signatures.collect();
        // Half of what a checkpoint asks for is not one.
        if signatures.len() == signers.len() {
            signatures
        } else {
            Vec::new()
        }
    }

    fn accepts(&self, _size: u64) -> Result<(), String> {
        let ring = self.read();
        if let Some(why) = &ring.refused {
            return Err(why.clone());
        }
        // The old key of a rotation may be gone: its checkpoint was stored before.
        if ring.holds(ring.chain.newest()).is_some() {
            Ok(())
        } else {
            Err("the signing key that the log names last is not among the keys".to_owned())
        }
    }

    fn verify(&self, size: u64, note: &SignedNote) -> bool {
        self.read().chain.signed(size, note, &gateway_audit::check)
    }
}

//! One event with all that proves it, in a file: C2SP tlog-proof (c2sp.org/tlog-proof), with the signed event itself as its extra
//! data. It can be checked without the log, by whoever has the verifier key of the log's first key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::chain::{KeyChain, RotationError};
use schemas::envelope::{Entry, EnvelopeError, KeyId, Signed};
use schemas::event::Event;
use schemas::proof::{Checkpoint, CheckpointError, Hash, verify_inclusion};

use crate::anchor::Anchor;
use crate::ed25519::check;

const MAGIC: &str = "c2sp.org/tlog-proof@v1";
/// A path of 64 hashes, a note and an event do not come near this, in bytes.
const TEXT_LEN_MAX: usize = 256 * 1024;
const PATH_LEN_MAX: usize = 64;

/// A proof as it stands in a file. Nothing of it is known to be true before [`Proof::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The signed event.
    pub event: Vec<u8>,
    /// Its place in the log.
    pub index: u64,
    /// The inclusion proof, from the leaf up (RFC 6962, 2.1.1).
    pub path: Vec<Hash>,
    /// The signed checkpoint over the tree that it leads to.
    pub checkpoint: String,
}

/// What a genuine proof shows.
#[derive(Debug)]
pub struct Proven {
    /// The event; `None` where its type is newer than this program.
    pub entry: Option<Entry>,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The event's leaf hash.
    pub leaf: Hash,
}

/// Why a proof does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The file is not of the form; says which line.
    #[error("line {0} of the proof is not as c2sp.org/tlog-proof says")]
    Form(usize),
    /// The event is not one.
    #[error("the event in the proof: {0}")]
    Event(EnvelopeError),
    /// The event was signed for another place.
    #[error("the event was signed for index {signed}, the proof is for {index}")]
    Index {
        /// What its signature says.
        signed: u64,
        /// What the proof says.
        index: u64,
    },
    /// Not signed by the key in force, as far as key and rotations say.
    #[error(
        "the event is not signed by the key in force at its index, or belongs to another log; if the key was changed before \
         it, the proofs of the rotations must come along"
    )]
    Signature,
    /// A proof that should be of a rotation is of something else.
    #[error("the proof of event {0} is not that of a rotation of the signing key")]
    NoRotation(u64),
    /// A rotation that does not hold.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// A rotation is proven over another checkpoint.
    #[error(
        "the rotation at event {0} is proven over another checkpoint: give the rotation's proof that was written with this one"
    )]
    OtherCheckpoint(u64),
    /// The checkpoint is not genuine.
    #[error("the checkpoint in the proof: {0}")]
    Checkpoint(CheckpointError),
    /// The checkpoint is signed by none of the keys that are known from the anchor and the rotations.
    #[error(
        "the checkpoint in the proof is not signed by a key that the verifier key and the given rotations lead to: give every \
         rotation's proof that was written with this one, and the verifier key of this log"
    )]
    CheckpointKey,
    /// The hashes do not lead from the event to the checkpoint's root.
    #[error("the hashes do not lead from the event to the root of the checkpoint")]
    Inclusion,
}

impl Proof {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        if text.len() > TEXT_LEN_MAX {
            return Err(ProofError::Form(0));
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Form(1))?;
        let mut lines = (1..).zip(head.split('\n'));
        let mut next = || lines.next().ok_or(ProofError::Form(0));
        let (at, magic) = next()?;
        if magic != MAGIC {
            return Err(ProofError::Form(at));
        }
        let (at, extra) = next()?;
        let extra = extra.strip_prefix("extra ").and_then(decode);
        let event = extra.ok_or(ProofError::Form(at))?;
        let (at, index) = next()?;
        let index = index
            .strip_prefix("index ")
            .and_then(|n| crate::slip::number(n).ok());
        let index = index.ok_or(ProofError::Form(at))?;
        let path: Vec<Hash> = lines
            .map(|(at, line)| {
                let hash = decode(line).and_then(|bytes| bytes.try_into().ok());
                hash.map(Hash).ok_or(ProofError::Form(at))
            })
            .collect::<Result<_, _>>()?;
        if path.len() > PATH_LEN_MAX {
            return Err(ProofError::Form(0));
        }
        Ok(Self {
            event,
            index,
            path,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks all of it under a trusted first key. Where the key was changed before this event or its checkpoint, the proofs of
    /// those rotations come along, in the order of their indexes, over the same checkpoint.
    pub fn check(&self, anchor: &Anchor, rotations: &[Self]) -> Result<Proven, ProofError> {
        let mut chain = anchor.chain();
        // The rotations tell who must have signed the checkpoint, so they are followed first, each under the keys before it. This
        // event may be one of them.
        let own = self.is_rotation() && rotations.iter().all(|other| other.index != self.index);
        let mut all: Vec<&Self> = rotations.iter().chain(own.then_some(self)).collect();
        all.sort_by_key(|rotation| rotation.index);
        let mut opened = Vec::new();
        for rotation in all {
            let entry = rotation
                .event_under(&chain)?
                .ok_or(ProofError::NoRotation(rotation.index))?;
            let Event::KeyRotated(body) = &entry.event else {
                return Err(ProofError::NoRotation(rotation.index));
            };
            chain.rotate(rotation.index, body, &check)?;
            opened.push(rotation);
        }
        let opened_checkpoint = chain.open(&self.checkpoint, &check);
        let checkpoint = opened_checkpoint.map_err(|error| match error {
            CheckpointError::Signature => ProofError::CheckpointKey,
            CheckpointError::Note(_) | CheckpointError::Body => ProofError::Checkpoint(error),
        })?;
        for rotation in opened {
            if rotation.checkpoint != self.checkpoint {
                return Err(ProofError::OtherCheckpoint(rotation.index));
            }
            rotation.included(&checkpoint)?;
        }
        let entry = self.event_under(&chain)?;
        let leaf = self.included(&checkpoint)?;
        Ok(Proven {
            entry,
            checkpoint,
            leaf,
        })
    }

    /// The event, if the key in force at its index signed it for there. `None`: of a type newer than this program.
    fn event_under(&self, chain: &KeyChain) -> Result<Option<Entry>, ProofError> {
        let signed = Signed::read(&self.event).map_err(ProofError::Event)?;
        if signed.index() != self.index {
            return Err(ProofError::Index {
                signed: signed.index(),
                index: self.index,
            });
        }
        let key = chain.in_force(self.index);
        let genuine = signed.origin() == chain.origin()
            && signed.key_id() == KeyId::of(key)
            && signed.is_genuine(|message, signature| check(key, message, signature));
        if !genuine {
            return Err(ProofError::Signature);
        }
        match signed.into_entry() {
            Ok(entry) => Ok(Some(entry)),
            Err(EnvelopeError::UnknownType(_)) => Ok(None),
            Err(error) => Err(ProofError::Event(error)),
        }
    }

    /// Whether its event changes the signing key.
    pub fn is_rotation(&self) -> bool {
        matches!(
            schemas::envelope::read(&self.event),
            Ok(Entry {
                event: Event::KeyRotated(_),
                ..
            })
        )
    }

    fn included(&self, checkpoint: &Checkpoint) -> Result<Hash, ProofError> {
        let leaf = Hash::leaf(&self.event);
        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.path,
            checkpoint.root,
        )
        .then_some(leaf)
        .ok_or(ProofError::Inclusion)
    }
}

impl std::fmt::Display for Proof {
    /// The file's text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{MAGIC}\nextra {}\nindex {}",
            STANDARD.encode(&self.event),
            self.index
        )?;
        for hash in &self.path {
            writeln!(f, "{}", STANDARD.encode(hash.0))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

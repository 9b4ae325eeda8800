//! One event with all that proves it, in a file: C2SP tlog-proof (c2sp.org/tlog-proof), with the signed event itself as its extra
//! data. It can be checked without the log, by whoever has the station's verifier keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::envelope::{Entry, EnvelopeError, Signed};
use schemas::proof::{Checkpoint, CheckpointError, Hash, NoteKey, SignedNote, verify_inclusion};

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
    /// Signed by none of the keys given.
    #[error("the event is not signed by any of the keys given, or belongs to another log")]
    Signature,
    /// The checkpoint is not genuine.
    #[error("the checkpoint in the proof: {0}")]
    Checkpoint(#[from] CheckpointError),
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

    /// Checks all of it. `keys` are the station's verifier keys: the first one, and those after rotations.
    pub fn check(&self, keys: &[NoteKey]) -> Result<Proven, ProofError> {
        let signed = Signed::read(&self.event).map_err(ProofError::Event)?;
        if signed.index() != self.index {
            return Err(ProofError::Index {
                signed: signed.index(),
                index: self.index,
            });
        }
        let origin = signed.origin().clone();
        let is_by = |key: &NoteKey| {
            key.name() == origin.as_str()
                && schemas::envelope::KeyId::of(key.public_key()) == signed.key_id()
                && signed
                    .is_genuine(|message, signature| check(key.public_key(), message, signature))
        };
        if !keys.iter().any(is_by) {
            return Err(ProofError::Signature);
        }
        let checkpoint = self.checkpoint(keys, origin.as_str())?;
        let leaf = Hash::leaf(&self.event);
        if !verify_inclusion(
            leaf,
            self.index,
            checkpoint.size,
            &self.path,
            checkpoint.root,
        ) {
            return Err(ProofError::Inclusion);
        }
        let entry = match signed.into_entry() {
            Ok(entry) => Some(entry),
            Err(EnvelopeError::UnknownType(_)) => None,
            Err(error) => return Err(ProofError::Event(error)),
        };
        Ok(Proven {
            entry,
            checkpoint,
            leaf,
        })
    }

    fn checkpoint(&self, keys: &[NoteKey], origin: &str) -> Result<Checkpoint, ProofError> {
        let note = SignedNote::parse(&self.checkpoint).map_err(CheckpointError::Note)?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        let own = |key: &&NoteKey| key.name() == origin && checkpoint.origin == origin;
        let signed = keys
            .iter()
            .filter(own)
            .any(|key| note.verified_by(key, check));
        // A signature by one of the keys that does not hold spoils the note, whoever else signed it.
        let spoilt = keys
            .iter()
            .filter(own)
            .any(|key| note.names(key) && !note.verified_by(key, check));
        if signed && !spoilt {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Signature.into())
        }
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

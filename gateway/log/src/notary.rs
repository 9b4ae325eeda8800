//! The notary: signs the tree's heads and stores them, first in `HEAD`, then in the witness beside the keys.
//!
//! `HEAD` is beside sled and not in it, so that it bears witness against it; the witness is beside the keys, so that it bears
//! witness against a data folder that was set back as a whole. The notary must never store a witness that `HEAD` does not
//! cover, nor a head that the next start would refuse.

use std::time::{Duration, Instant};

use schemas::proof::{Checkpoint, Frontier, NoteKey, SignedNote};

use crate::checkpoint_file::CheckpointFile;
use crate::error::LogFailed;

/// The station's keys, as the log needs them. It never sees the private parts. Which key is in force depends on the size, because
/// keys are replaced over time.
pub trait CheckpointSigner: Send {
    /// The signatures that a checkpoint over `size` events carries: one, or two at the size at which the key changes.
    fn sign(&self, size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])>;
    /// Whether `note` carries the true signatures that a checkpoint over `size` events must carry.
    fn verify(&self, size: u64, note: &SignedNote) -> bool;
    /// Asked once at opening, when every event was read and nothing is signed or written yet: whether what was read is accepted, and
    /// a checkpoint over `size` events can be signed. Why not, in words.
    fn accepts(&self, size: u64) -> Result<(), String>;
}

/// A signed checkpoint of this log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// Origin, size and root.
    pub checkpoint: Checkpoint,
    /// The signed note, as it is stored.
    pub note: String,
}

/// How soon the witness must hold a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// When its time has come.
    Usual,
    /// At once.
    Sealed,
}

/// Signs the tree's heads and stores them.
pub(crate) struct Notary {
    signer: Box<dyn CheckpointSigner>,
    origin: String,
    /// `None` keeps heads in memory only.
    files: Option<Files>,
}

struct Files {
    head: CheckpointFile,
    witness: CheckpointFile,
    witness_every: Duration,
    /// When the witness was last replaced.
    witnessed: Instant,
    /// The head that `HEAD` holds and the witness does not.
    unwitnessed: Option<String>,
}

impl Notary {
    pub(crate) fn in_memory(signer: Box<dyn CheckpointSigner>, origin: &str) -> Self {
        Self {
            signer,
            origin: origin.to_owned(),
            files: None,
        }
    }

    pub(crate) fn on_disk(
        signer: Box<dyn CheckpointSigner>,
        origin: &str,
        head: CheckpointFile,
        witness: CheckpointFile,
        witness_every: Duration,
    ) -> Self {
        let files = Files {
            head,
            witness,
            witness_every,
            witnessed: Instant::now(),
            unwitnessed: None,
        };
        Self {
            signer,
            origin: origin.to_owned(),
            files: Some(files),
        }
    }

    pub(crate) fn signer(&self) -> &dyn CheckpointSigner {
        self.signer.as_ref()
    }

    /// Signs a tree and stores its head.
    pub(crate) fn publish(
        &mut self,
        tree: &Frontier,
        urgency: Urgency,
    ) -> Result<SignedHead, LogFailed> {
        let checkpoint = Checkpoint::of(&self.origin, tree);
        let size = checkpoint.size;
        let note = checkpoint
            .sign_all(|text| self.signer.sign(size, text))
            .map_err(|error| LogFailed::Head(error.to_string()))?;
        if !self.signer.verify(size, &note) {
            return Err(LogFailed::Head(format!(
                "the signatures over {size} events are not those that such a checkpoint must carry"
            )));
        }
        let head = SignedHead {
            checkpoint,
            note: note.to_string(),
        };
        if let Some(files) = &mut self.files {
            files.head.replace(&head.note).map_err(not_written)?;
            files.unwitnessed = Some(head.note.clone());
        }
        let due = self.witness_due();
        if urgency == Urgency::Sealed || due.is_some_and(|due| due <= Instant::now()) {
            self.witness()?;
        }
        Ok(head)
    }

    /// Has the witness hold a head that is in `HEAD`, if it does not already.
    pub(crate) fn witness_stored(&mut self, head: &SignedHead) -> Result<(), LogFailed> {
        if let Some(files) = &mut self.files {
            files.unwitnessed = Some(head.note.clone());
        }
        self.witness()
    }

    /// Brings the witness up to `HEAD`.
    pub(crate) fn witness(&mut self) -> Result<(), LogFailed> {
        if let Some(files) = &mut self.files
            && let Some(note) = &files.unwitnessed
        {
            files.witness.replace(note).map_err(not_written)?;
            files.unwitnessed = None;
            files.witnessed = Instant::now();
        }
        Ok(())
    }

    /// When the witness must be brought up to `HEAD`, if it lags.
    pub(crate) fn witness_due(&self) -> Option<Instant> {
        let files = self.files.as_ref()?;
        files
            .unwitnessed
            .as_ref()
            .map(|_| files.witnessed + files.witness_every)
    }
}

fn not_written(error: std::io::Error) -> LogFailed {
    LogFailed::Head(error.to_string())
}

//! A file that holds one signed checkpoint: `HEAD` in the data folder, or the witness beside the keys.
//!
//! What is read is only a claim: its form and its origin are right. Its signature is checked against the keys in force at its
//! size, which may be known only once the log was read ([`Claim::check_signature`]).

use std::io;
use std::path::{Path, PathBuf};

use schemas::proof::{Checkpoint, CheckpointError, SignedNote};

use crate::error::{OpenError, Quarantine};
use crate::notary::{CheckpointSigner, SignedHead};

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Witness,
}

/// Where a checkpoint is kept.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
    part: Part,
}

/// A checkpoint of this origin whose signature is still to be checked.
#[derive(Debug)]
pub(crate) struct Claim {
    part: Part,
    pub(crate) head: SignedHead,
    signed: SignedNote,
}

impl CheckpointFile {
    /// `HEAD`.
    pub(crate) fn head(folder: &Path) -> Self {
        Self {
            path: folder.join("HEAD"),
            part: Part::Head,
        }
    }

    /// The witness beside the keys.
    pub(crate) fn witness(path: PathBuf) -> Self {
        Self {
            path,
            part: Part::Witness,
        }
    }

    /// Puts a note there so that after a power cut either the old one or this one is there.
    pub(crate) fn replace(&self, note: &str) -> io::Result<()> {
        let mode = match self.part {
            Part::Head => 0o644,
            Part::Witness => 0o600,
        };
        gateway_durable::replace_file(&self.path, note.as_bytes(), mode)
    }

    /// Reads it; `None` when there is none. One that is not a checkpoint of this origin is evidence of damage.
    pub(crate) fn read(&self, origin: &str) -> Result<Option<Claim>, OpenError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(OpenError::Io {
                    doing: format!("read {}", self.part.name()),
                    source,
                });
            }
        };
        let note = String::from_utf8(bytes).unwrap_or_default();
        let parsed = SignedNote::parse(&note).map_err(CheckpointError::Note);
        let (signed, checkpoint) = parsed
            .and_then(|signed| {
                let checkpoint = Checkpoint::parse_body(signed.text())?;
                Ok((signed, checkpoint))
            })
            .map_err(|error| self.part.damaged(error))?;
        if checkpoint.origin != origin {
            return Err(Quarantine::Origin {
                part: self.part.name(),
                found: checkpoint.origin,
                expected: origin.to_owned(),
            }
            .into());
        }
        Ok(Some(Claim {
            part: self.part,
            head: SignedHead { checkpoint, note },
            signed,
        }))
    }
}

impl Claim {
    pub(crate) fn size(&self) -> u64 {
        self.head.checkpoint.size
    }

    /// Its name for messages.
    pub(crate) fn part(&self) -> &'static str {
        self.part.name()
    }

    /// Whether the keys in force at its size signed it.
    pub(crate) fn check_signature(&self, signer: &dyn CheckpointSigner) -> Result<(), Quarantine> {
        if signer.verify(self.size(), &self.signed) {
            return Ok(());
        }
        Err(self.part.damaged(CheckpointError::Signature))
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Witness => "the witness beside the keys",
        }
    }

    fn damaged(self, error: CheckpointError) -> Quarantine {
        match self {
            Self::Head => Quarantine::Head(error),
            Self::Witness => Quarantine::Witness(error),
        }
    }
}

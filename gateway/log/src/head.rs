//! The file `HEAD`: the last signed checkpoint, beside sled and not in it, so that it bears witness against it.

use std::io;
use std::path::{Path, PathBuf};

use schemas::proof::{Checkpoint, CheckpointError, NoteKey, SignedNote};

use crate::checkpoint::{CheckpointSigner, SignedHead};
use crate::error::{OpenError, Quarantine};

/// Where the head is.
#[derive(Debug)]
pub(crate) struct HeadFile(PathBuf);

impl HeadFile {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(folder.join("HEAD"))
    }

    /// Puts a note there so that after a power cut either the old one or this one is there.
    pub(crate) fn replace(&self, note: &str) -> io::Result<()> {
        gateway_durable::replace_file(&self.0, note.as_bytes(), 0o644)
    }

    /// Reads it; `None` when there is none. One that is not a checkpoint of this origin, signed by this key, is
    /// evidence of damage.
    pub(crate) fn read(
        &self,
        key: &NoteKey,
        signer: &dyn CheckpointSigner,
    ) -> Result<Option<SignedHead>, OpenError> {
        let bytes = match std::fs::read(&self.0) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(OpenError::Io {
                    doing: "read HEAD".to_owned(),
                    source,
                });
            }
        };
        let note = String::from_utf8(bytes).unwrap_or_default();
        let parsed = SignedNote::parse(&note).map_err(CheckpointError::Note);
        let claimed = parsed
            .and_then(|note| Checkpoint::parse_body(note.text()))
            .map_err(Quarantine::Head)?;
        // Another origin also means another key's name; said first, because it is the clearer reason.
        if claimed.origin != key.name() {
            return Err(Quarantine::Origin {
                part: "HEAD",
                found: claimed.origin,
                expected: key.name().to_owned(),
            }
            .into());
        }
        let checkpoint = Checkpoint::open(&note, key, |public_key, text, signature| {
            signer.verify(public_key, text, signature)
        })
        .map_err(Quarantine::Head)?;
        Ok(Some(SignedHead { checkpoint, note }))
    }
}

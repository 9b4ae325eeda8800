//! A checkpoint: what the log holds at one size (c2sp.org/tlog-checkpoint), the text of a signed note.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::note::{NoteError, NoteKey, SignedNote};
use super::{Frontier, Hash};

/// Origin, size and root of a log. Its key's name is the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// `gateway.<province>/station/<id>/<incarnation>`.
    pub origin: String,
    /// The number of events.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// Why a text is not a checkpoint, or not a genuine one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is not one.
    #[error("the checkpoint is not a signed note: {0}")]
    Note(#[from] NoteError),
    /// Not origin, decimal size and base64 root, a line each.
    #[error(
        "a checkpoint is three lines: origin, size without leading zeros, base64 of a 32-byte root"
    )]
    Body,
    /// No signature by the key that was asked for, or a false one.
    #[error("the checkpoint is not signed by the expected key")]
    Signature,
}

impl Checkpoint {
    /// The checkpoint of a tree.
    pub fn of(origin: impl Into<String>, tree: &Frontier) -> Self {
        Self {
            origin: origin.into(),
            size: tree.size(),
            root: tree.root(),
        }
    }

    /// The text that is signed: three lines, each with its line feed.
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root.0)
        )
    }

    /// Signs it; see [`SignedNote::sign`].
    pub fn sign(
        &self,
        key: &NoteKey,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<SignedNote, NoteError> {
        SignedNote::sign(self.body(), key, sign)
    }

    /// The signed note of it; `sign` answers the signatures of the text by one key or more. See [`SignedNote::sign_all`].
    pub fn sign_all<S>(&self, sign: impl FnOnce(&[u8]) -> S) -> Result<SignedNote, NoteError>
    where
        S: IntoIterator<Item = (NoteKey, [u8; 64])>,
    {
        let body = self.body();
        let signatures = sign(body.as_bytes());
        SignedNote::sign_all(body, signatures)
    }

    /// Reads a body. Lines after the third are extensions and are passed over, as the standard asks.
    pub fn parse_body(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body
            .strip_suffix('\n')
            .ok_or(CheckpointError::Body)?
            .split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Body);
        };
        let digits =
            size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let root: [u8; 32] = STANDARD
            .decode(root)
            .ok()
            .and_then(|root| root.try_into().ok())
            .ok_or(CheckpointError::Body)?;
        if origin.is_empty() || !digits {
            return Err(CheckpointError::Body);
        }
        let size = size.parse().or(Err(CheckpointError::Body))?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root: Hash(root),
        })
    }

    /// Reads a signed checkpoint and checks that `key` signed it; see [`SignedNote::verified_by`].
    pub fn open(
        note: &str,
        key: &NoteKey,
        verify: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(note)?;
        if !note.verified_by(key, verify) {
            return Err(CheckpointError::Signature);
        }
        Self::parse_body(note.text())
    }
}

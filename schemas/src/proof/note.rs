//! C2SP signed notes (c2sp.org/signed-note): a text, a blank line, and lines of Ed25519 signatures over the text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Ed25519 in a note's key: the byte before the public key.
const ALGORITHM_ED25519: u8 = 0x01;
/// An em dash and a space begin each signature line.
const SIGNATURE_PREFIX: &str = "— ";
/// A note of ours is some 300 bytes; anything near this is not one.
pub(super) const NOTE_BYTES_MAX: usize = 64 * 1024;
const SIGNATURES_MAX: usize = 100;

/// A public key with the name that its signatures carry. One checked constructor; see [`NoteKey::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    public_key: [u8; 32],
}

/// A note whose form is right. Nothing is said about its signatures before [`SignedNote::verified_by`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

/// Why something is not a note, or not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key's name is empty, or holds white space or a plus sign.
    #[error("a key's name has at least one character, no white space and no plus sign")]
    Name,
    /// Not `name+8 hex digits+base64`, or the digits are not those of the key.
    #[error("not a verifier key of the form name+id+base64, or its id is not that of the key")]
    VerifierKey,
    /// A text must end in a line feed and hold no other control character.
    #[error("a note's text ends in a line feed and holds no control characters")]
    Text,
    /// No blank line between a text and at least one signature line.
    #[error("a note is a text, a blank line and at least one signature")]
    Form,
    /// A line after the blank one is not `— name base64`.
    #[error("a signature line is a dash, a name and base64")]
    SignatureLine,
    /// Longer than any note of ours.
    #[error(
        "the note is longer than {NOTE_BYTES_MAX} bytes or has more than {SIGNATURES_MAX} signatures"
    )]
    TooLong,
}

impl NoteKey {
    /// `name` is the origin for checkpoints; `public_key` is a raw Ed25519 key.
    pub fn new(name: impl Into<String>, public_key: [u8; 32]) -> Result<Self, NoteError> {
        let name = name.into();
        if !is_name(&name) {
            return Err(NoteError::Name);
        }
        Ok(Self { name, public_key })
    }

    /// Reads a verifier key: `name+id+base64(01 ‖ public key)`.
    pub fn from_vkey(vkey: &str) -> Result<Self, NoteError> {
        let mut parts = vkey.trim_end().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::VerifierKey);
        };
        let key = STANDARD.decode(key).unwrap_or_default();
        let Some((&ALGORITHM_ED25519, public_key)) = key.split_first() else {
            return Err(NoteError::VerifierKey);
        };
        let public_key = public_key.try_into().or(Err(NoteError::VerifierKey))?;
        let read = Self::new(name, public_key)?;
        if hex::encode(read.id()) != id {
            return Err(NoteError::VerifierKey);
        }
        Ok(read)
    }

    /// The name that signatures carry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The raw Ed25519 public key.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// The key's id: the first 4 bytes of SHA-256(name ‖ 0A ‖ 01 ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        let mut sha = Sha256::new();
        sha.update(self.name.as_bytes());
        sha.update([b'\n', ALGORITHM_ED25519]);
        sha.update(self.public_key);
        let [a, b, c, d, ..] = <[u8; 32]>::from(sha.finalize());
        [a, b, c, d]
    }

    /// The verifier key as text, for those who check: `name+id+base64(01 ‖ public key)`.
    pub fn to_vkey(&self) -> String {
        let mut key = vec![ALGORITHM_ED25519];
        key.extend_from_slice(&self.public_key);
        format!(
            "{}+{}+{}",
            self.name,
            hex::encode(self.id()),
            STANDARD.encode(key)
        )
    }
}

impl SignedNote {
    /// Signs `text` (which ends in a line feed) by this key: `sign` answers the Ed25519 signature of the bytes it is given.
    pub fn sign(
        text: impl Into<String>,
        key: &NoteKey,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, NoteError> {
        let text = text.into();
        let signature = sign(text.as_bytes());
        Self::sign_all(text, [(key.clone(), signature)])
    }

    /// The note of a text with these signatures, at least one, each with the key that made it. They are taken as they are.
    pub fn sign_all(
        text: impl Into<String>,
        signatures: impl IntoIterator<Item = (NoteKey, [u8; 64])>,
    ) -> Result<Self, NoteError> {
        let text = text.into();
        if !is_text(&text) {
            return Err(NoteError::Text);
        }
        let line = |(key, bytes): (NoteKey, [u8; 64])| Signature {
            key_id: key.id(),
            name: key.name,
            bytes: bytes.to_vec(),
        };
        let signatures: Vec<_> = signatures.into_iter().map(line).collect();
        match signatures.len() {
            0 => Err(NoteError::Form),
            1..=SIGNATURES_MAX => Ok(Self { text, signatures }),
            _ => Err(NoteError::TooLong),
        }
    }

    /// Reads a note's form. It is not yet known to be genuine.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        // The last blank line divides: a text may hold blank lines itself.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let text = format!("{text}\n");
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        if !is_text(&text) {
            return Err(NoteError::Text);
        }
        let signatures = lines
            .split('\n')
            .map(parse_signature)
            .collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::TooLong);
        }
        Ok(Self { text, signatures })
    }

    /// The text that is signed, with its last line feed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of its signature lines.
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }

    /// How many signature lines name this key.
    pub fn count_by(&self, key: &NoteKey) -> usize {
        let id = key.id();
        let own = |line: &&Signature| line.name == key.name && line.key_id == id;
        self.signatures.iter().filter(own).count()
    }

    /// Whether this key signed the text. `verify(public key, message, signature)` checks Ed25519. Signatures by other
    /// keys are passed over, as the standard asks; two by the same key must both hold.
    pub fn verified_by(
        &self,
        key: &NoteKey,
        verify: impl Fn(&[u8; 32], &[u8], &[u8; 64]) -> bool,
    ) -> bool {
        let id = key.id();
        let mut own = self
            .signatures
            .iter()
            .filter(|line| line.name == key.name && line.key_id == id)
            .peekable();
        own.peek().is_some()
            && own.all(|line| {
                <&[u8; 64]>::try_from(line.bytes.as_slice())
                    .is_ok_and(|bytes| verify(&key.public_key, self.text.as_bytes(), bytes))
            })
    }
}

impl std::fmt::Display for SignedNote {
    /// The note as it is stored and sent.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let mut bytes = line.key_id.to_vec();
            bytes.extend_from_slice(&line.bytes);
            writeln!(
                f,
                "{SIGNATURE_PREFIX}{} {}",
                line.name,
                STANDARD.encode(bytes)
            )?;
        }
        Ok(())
    }
}

fn parse_signature(line: &str) -> Result<Signature, NoteError> {
    let (name, encoded) = line
        .strip_prefix(SIGNATURE_PREFIX)
        .and_then(|rest| rest.split_once(' '))
        .ok_or(NoteError::SignatureLine)?;
    let bytes = STANDARD.decode(encoded).or(Err(NoteError::SignatureLine))?;
    let (key_id, bytes) = bytes
        .split_first_chunk::<4>()
        .ok_or(NoteError::SignatureLine)?;
    if !is_name(name) || bytes.is_empty() {
        return Err(NoteError::SignatureLine);
    }
    Ok(Signature {
        name: name.to_owned(),
        key_id: *key_id,
        bytes: bytes.to_vec(),
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('+')
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !text.chars().any(|c| c.is_control() && c != '\n')
}

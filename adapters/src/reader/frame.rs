//! Frames of the SAM_V module (GA/T 467): preamble, length, body, check byte. Pure.
//!
//! | part | bytes |
//! |---|---|
//! | preamble | `AA AA AA 96 69` |
//! | length | 2, big-endian: the bytes after it, the check byte among them |
//! | body | of a request `CMD PARA data…`, of a reply `SW1 SW2 SW3 data…` |
//! | check byte | 1: XOR of length and body |

use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

/// What every frame begins with.
pub const PREAMBLE: [u8; 5] = [0xAA, 0xAA, 0xAA, 0x96, 0x69];
/// Largest length that is taken. The largest reply of a card has 2,314.
pub const LEN_MAX: usize = 4096;
/// Bytes before the body.
const HEAD_BYTES: usize = PREAMBLE.len() + 2;

/// The bytes between length and check byte. They may be a card's, so they are wiped.
pub type Body = Zeroizing<Vec<u8>>;

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// No such frame can have this length.
    #[error("a frame of length {0}")]
    Length(usize),
    /// The check byte does not fit.
    #[error("the check byte does not fit")]
    Checksum,
}

/// Puts a frame around `body`.
///
/// # Errors
/// [`FrameError::Length`] for a body of [`LEN_MAX`] bytes or more.
pub fn encode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let len = body.len() + 1;
    let field = u16::try_from(len).ok().filter(|_| len <= LEN_MAX);
    let field = field.ok_or(FrameError::Length(len))?.to_be_bytes();
    let mut frame = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + len));
    frame.extend_from_slice(&PREAMBLE);
    frame.extend_from_slice(&field);
    frame.extend_from_slice(body);
    frame.push(xor(&field) ^ xor(body));
    Ok(frame)
}

fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// Finds frames in any stream of bytes, in whatever portions it comes. Holds one frame at the most.
///
/// After bytes that are no frame it goes on one byte behind their beginning, so that a frame which
/// begins within them is found.
#[derive(Debug)]
pub struct Decoder {
    len_min: usize,
    held: Held,
}

impl Decoder {
    /// For what a reader sends: at least `SW1 SW2 SW3` and the check byte.
    pub fn of_replies() -> Self {
        Self::new(4)
    }

    /// For what a host sends: at least `CMD PARA` and the check byte.
    pub fn of_requests() -> Self {
        Self::new(3)
    }

    fn new(len_min: usize) -> Self {
        Self {
            len_min,
            held: Held(Zeroizing::new(Vec::with_capacity(HEAD_BYTES + LEN_MAX))),
        }
    }

    /// Takes bytes in and says how many: 1 at least of what is not empty, if [`Decoder::next_frame`] has said `None` before.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let room = (HEAD_BYTES + LEN_MAX).saturating_sub(self.held.0.len());
        let (taken, _) = bytes.split_at(room.min(bytes.len()));
        self.held.0.extend_from_slice(taken);
        taken.len()
    }

    /// The next frame's body, or what was found instead of one. `None`: more bytes are needed.
    pub fn next_frame(&mut self) -> Option<Result<Body, FrameError>> {
        self.held.skip_to_preamble();
        let field = self.held.0.get(PREAMBLE.len()..HEAD_BYTES)?;
        let len = field
            .iter()
            .fold(0, |len, byte| len << 8 | usize::from(*byte));
        if !(self.len_min..=LEN_MAX).contains(&len) {
            self.held.forget(1);
            return Some(Err(FrameError::Length(len)));
        }
        let checked = self.held.0.get(PREAMBLE.len()..HEAD_BYTES + len)?;
        if xor(checked) != 0 {
            self.held.forget(1);
            return Some(Err(FrameError::Checksum));
        }
        let body = self.held.0.get(HEAD_BYTES..HEAD_BYTES + len - 1)?;
        let body = Zeroizing::new(body.to_vec());
        self.held.forget(HEAD_BYTES + len);
        Some(Ok(body))
    }

    /// Forgets what has come.
    pub fn clear(&mut self) {
        self.held.forget(self.held.0.len());
    }

    /// Bytes that wait for the rest of their frame.
    pub fn held_len(&self) -> usize {
        self.held.0.len()
    }
}

/// Bytes that came and are not used up yet. They do not print.
struct Held(Zeroizing<Vec<u8>>);

impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Held {
    /// Drops what cannot be the beginning of a frame.
    fn skip_to_preamble(&mut self) {
        let begins = |rest: &[u8]| {
            let len = rest.len().min(PREAMBLE.len());
            rest.get(..len) == PREAMBLE.get(..len)
        };
        let at = (0..self.0.len()).find(|at| self.0.get(*at..).is_some_and(begins));
        self.forget(at.unwrap_or(self.0.len()));
    }

    /// Drops the first `len` bytes, and wipes what they leave behind.
    fn forget(&mut self, len: usize) {
        let len = len.min(self.0.len());
        if len == 0 {
            return;
        }
        self.0.copy_within(len.., 0);
        let kept = self.0.len() - len;
        if let Some(rest) = self.0.get_mut(kept..) {
            rest.zeroize();
        }
        self.0.truncate(kept);
    }
}

//! A frame: what one flush made durable. It is there as a whole or not at all.
//!
//! ```text
//! frame    4 bytes "EVF1", u32 length of the content, u32 CRC-32 of the content, content
//! ```

use super::bytes::Reader;

const MAGIC: &[u8; 4] = b"EVF1";
/// Bytes before a frame's content.
pub(crate) const HEAD_LEN: usize = 12;

/// Puts the head before a frame's content. `frame` begins with [`HEAD_LEN`] bytes of any value.
pub(super) fn seal(frame: &mut [u8]) {
    let Some((head, content)) = frame.split_at_mut_checked(HEAD_LEN) else {
        return;
    };
    let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let parts = [
        *MAGIC,
        len.to_le_bytes(),
        crc32fast::hash(content).to_le_bytes(),
    ];
    for (place, part) in head.chunks_exact_mut(4).zip(parts) {
        place.copy_from_slice(&part);
    }
}

/// The content of the frame that `bytes` begin with; none: it is not whole, or not a frame.
pub(super) fn open(bytes: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let len = reader.u32()?;
    let crc = reader.u32()?;
    let content = reader.take(usize::try_from(len).ok()?)?;
    (!content.is_empty() && crc32fast::hash(content) == crc).then_some(content)
}

/// Whether a whole frame begins anywhere in `bytes`.
pub(super) fn any(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| bytes.get(at..).is_some_and(|rest| open(rest).is_some()))
}

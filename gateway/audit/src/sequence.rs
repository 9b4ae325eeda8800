//! A CBOR sequence (RFC 8742) of signed events, read from anything.

use std::io::Read;

use schemas::envelope::{SIGNED_LEN_MAX, next_len};

const READ_LEN: usize = 256 * 1024;

/// Signed events, one after the other. Ends after the first error.
#[derive(Debug)]
pub struct Sequence<R> {
    from: R,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes taken apart so far.
    offset: u64,
    ended: bool,
}

/// Why a sequence does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// It cannot be read.
    #[error("the events cannot be read")]
    Io(#[from] std::io::Error),
    /// What follows is not an event.
    #[error("at byte {0} no signed event begins")]
    Broken(u64),
    /// The last event is cut off.
    #[error("the event that begins at byte {0} is cut off")]
    Cut(u64),
}

impl<R: Read> Sequence<R> {
    /// From its beginning.
    pub fn new(from: R) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            at: 0,
            offset: 0,
            ended: false,
        }
    }

    fn next_event(&mut self) -> Result<Option<Vec<u8>>, SequenceError> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let len = next_len(rest).map_err(|_broken| SequenceError::Broken(self.offset))?;
            if let Some(len) = len {
                let event = rest.get(..len).map(<[u8]>::to_vec);
                self.at += len;
                self.offset = self
                    .offset
                    .saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
                return Ok(event);
            }
            // Nothing of this contract is longer; so much without an end is not an event.
            if rest.len() > SIGNED_LEN_MAX {
                return Err(SequenceError::Broken(self.offset));
            }
            if !self.fill()? {
                return if self.at == self.buffer.len() {
                    Ok(None)
                } else {
                    Err(SequenceError::Cut(self.offset))
                };
            }
        }
    }

    /// Reads on; false at the end.
    fn fill(&mut self) -> Result<bool, SequenceError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let len = self.buffer.len();
        self.buffer.resize(len + READ_LEN, 0);
        let room = self.buffer.get_mut(len..).unwrap_or_default();
        let read = loop {
            match self.from.read(room) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.buffer.truncate(len + read);
        Ok(read > 0)
    }
}

impl<R: Read> Iterator for Sequence<R> {
    type Item = Result<Vec<u8>, SequenceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_event().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

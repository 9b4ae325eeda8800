//! The bytes of every recorded write, in a file without a name.
//!
//! Owns: one unlinked temporary file (under `TMPDIR`), so that a recording of any length costs disk
//! and page cache, never memory. It must never rewrite a byte it has handed out a reference to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Where a payload lies in the payload file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    at: u64,
    len_bytes: usize,
}

/// An append-only store of write payloads.
#[derive(Debug)]
pub(crate) struct PayloadLog {
    file: File,
    end: u64,
}

impl PayloadLog {
    pub(crate) fn create() -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            end: 0,
        })
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<Payload> {
        self.file.write_all_at(bytes, self.end)?;
        let payload = Payload {
            at: self.end,
            len_bytes: bytes.len(),
        };
        self.end += u64::try_from(bytes.len()).map_err(io::Error::other)?;
        Ok(payload)
    }

    pub(crate) fn read(&self, payload: Payload) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; payload.len_bytes];
        self.file.read_exact_at(&mut bytes, payload.at)?;
        Ok(bytes)
    }
}

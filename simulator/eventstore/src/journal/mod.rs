//! The append-only file: what is in it was flushed before anyone was told.
//!
//! A frame is written only after the one before it is durable. So at most the last frame can be half-written,
//! and it was answered for to nobody: it is cut off at the next opening. A damaged frame with a whole one
//! behind it was durable once, and is an error.

mod bytes;
mod frame;
mod record;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

pub(crate) use frame::HEAD_LEN;
pub(crate) use record::{NewEvent, Placed, decode, decode_event, encode};

const FILE_MAGIC: &[u8; 16] = b"simulated-evst 1";
/// Magic and the instance's id.
const FILE_HEAD_LEN: u64 = 32;
/// Read at once when a journal is opened.
const READ_LEN: usize = 1 << 20;

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{}: in use by another process", .0.display())]
    InUse(PathBuf),
    /// Not such a file, or of another version.
    #[error("{}: not a journal of this version", .0.display())]
    Foreign(PathBuf),
    /// What was durable is not there any more.
    #[error("{}: damaged at byte {at}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged frame begins.
        at: u64,
    },
}

/// The file, for its one writer.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Arc<File>,
    /// Where the next frame begins.
    end: u64,
    instance: Uuid,
}

impl Journal {
    /// Opens or makes the file, and hands each frame's content and its offset to `each`, which says whether it
    /// can be read.
    pub(crate) fn open(
        path: &Path,
        each: impl FnMut(&[u8], u64) -> bool,
    ) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(io_error(source)),
        }
        let len = file.metadata().map_err(io_error)?.len();
        let instance = if len < FILE_HEAD_LEN {
            // Nothing can have been answered for before the head was durable.
            begin(path, &mut file).map_err(io_error)?
        } else {
            read_head(&file)
                .map_err(io_error)?
                .ok_or_else(|| OpenError::Foreign(path.to_owned()))?
        };
        let end = scan(path, &mut file, each)?;
        Ok(Self {
            file: Arc::new(file),
            end,
            instance,
        })
    }

    /// For reading events.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Made with the file.
    pub(crate) fn instance(&self) -> Uuid {
        self.instance
    }

    /// Writes a frame and makes it durable. `frame` begins with [`HEAD_LEN`] bytes of any value. Returns where
    /// its content begins. After an error nothing may be written any more: what is in the file is unknown.
    pub(crate) fn append(&mut self, frame: &mut [u8]) -> io::Result<u64> {
        frame::seal(frame);
        self.file.write_all_at(frame, self.end)?;
        self.file.sync_data()?;
        let content = self.end + as_u64(HEAD_LEN);
        self.end += as_u64(frame.len());
        Ok(content)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Readers may keep the file open; the next owner must not wait for them.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the journal could not be unlocked");
        }
    }
}

/// Reads the bytes of the event at `position`.
pub(crate) fn read_event(file: &File, position: u64) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    file.read_exact_at(&mut len, position)?;
    let len = usize::try_from(u32::from_le_bytes(len)).map_err(io::Error::other)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, position + 4)?;
    Ok(bytes)
}

fn begin(path: &Path, file: &mut File) -> io::Result<Uuid> {
    let instance = Uuid::new_v4();
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(FILE_MAGIC)?;
    file.write_all(instance.as_bytes())?;
    file.sync_all()?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(instance)
}

fn read_head(file: &File) -> io::Result<Option<Uuid>> {
    let (mut magic, mut instance) = ([0; 16], [0; 16]);
    file.read_exact_at(&mut magic, 0)?;
    file.read_exact_at(&mut instance, 16)?;
    Ok((magic == *FILE_MAGIC).then(|| Uuid::from_bytes(instance)))
}

/// Goes through all frames; returns where the last whole one ends, and cuts off what is behind it.
fn scan(
    path: &Path,
    file: &mut File,
    mut each: impl FnMut(&[u8], u64) -> bool,
) -> Result<u64, OpenError> {
    let io_error = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    file.seek(SeekFrom::Start(FILE_HEAD_LEN))
        .map_err(io_error)?;
    let (mut at, mut ahead, mut used, mut ended) = (FILE_HEAD_LEN, Vec::new(), 0, false);
    loop {
        let rest = ahead.get(used..).unwrap_or_default();
        if let Some(content) = frame::open(rest) {
            if !each(content, at + as_u64(HEAD_LEN)) {
                return Err(OpenError::Foreign(path.to_owned()));
            }
            let len = HEAD_LEN + content.len();
            at += as_u64(len);
            used += len;
        } else if ended {
            break;
        } else {
            ahead.drain(..used);
            used = 0;
            let want = READ_LEN.max(ahead.len());
            let got = Read::by_ref(file)
                .take(as_u64(want))
                .read_to_end(&mut ahead);
            ended = got.map_err(io_error)? == 0;
        }
    }
    let ahead = ahead.get(used..).unwrap_or_default();
    if ahead.is_empty() {
        return Ok(at);
    }
    if ahead.get(1..).is_some_and(frame::any) {
        let path = path.to_owned();
        return Err(OpenError::Damaged { path, at });
    }
    tracing::warn!(file = %path.display(), at, bytes = ahead.len(), "a half-written tail is cut off");
    file.set_len(at).map_err(io_error)?;
    file.sync_all().map_err(io_error)?;
    Ok(at)
}

fn as_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

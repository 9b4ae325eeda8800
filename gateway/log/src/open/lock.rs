//! One process at a time.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;

use rustix::fs::FlockOperation;

use super::files::Folder;
use crate::error::OpenError;

/// Takes the folder's lock, which lasts as long as the file is open (it ends with the process, however that ends).
pub(super) fn take(folder: &Folder) -> Result<File, OpenError> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.lock())
        .map_err(OpenError::io("open LOCK"))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let holder = holder(&mut file);
            return Err(OpenError::Locked {
                folder: folder.path().to_owned(),
                holder,
            });
        }
        Err(errno) => {
            return Err(OpenError::Io {
                doing: "lock LOCK".to_owned(),
                source: errno.into(),
            });
        }
    }
    let own = std::process::id();
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{own}"))
        .map_err(OpenError::io("write LOCK"))?;
    Ok(file)
}

/// Keeps a station from starting while its stopped log is copied. `None`: the folder has no lock yet.
pub(crate) fn lock_stopped(folder: &Path) -> Result<Option<File>, OpenError> {
    let mut file = match File::open(folder.join("LOCK")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::io("open LOCK")(source)),
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Locked {
            folder: folder.to_owned(),
            holder: holder(&mut file),
        }),
        Err(errno) => Err(OpenError::io("lock LOCK")(errno.into())),
    }
}

/// Process id and name of the one that holds it, as far as they can be told.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(32).read_to_string(&mut text);
    let id = match read.map(|_| text.trim().parse::<u32>()) {
        Ok(Ok(id)) => id,
        Ok(Err(_)) => return "it has not said which".to_owned(),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return "LOCK is damaged".to_owned();
        }
        Err(error) => return error.to_string(),
    };
    let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    format!("process {id} {}", name.trim())
        .trim_end()
        .to_owned()
}

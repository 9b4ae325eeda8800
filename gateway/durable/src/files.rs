//! Durable changes to small files and folders: what evidence.md calls "temporary file, fsync, rename, fsync folder".

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::coalesce::SYNCS;

/// Makes a file's bytes and metadata durable. A failure is sticky, like any sync's.
pub fn sync_file(file: &File) -> io::Result<()> {
    full_sync(file)
}

/// Makes the entries of a folder durable: files made, renamed or removed in it.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    full_sync(&File::open(folder)?)
}

/// Makes a folder and all that is missing above it, each entry durable. `mode` are the permission bits of what is made.
pub fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().unwrap_or_else(|| Path::new(""));
    make_folder(above, mode)?;
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        result => result?,
    }
    let above = if above.as_os_str().is_empty() {
        Path::new(".")
    } else {
        above
    };
    sync_folder(above)
}

/// Puts `bytes` at `path` so that after a power cut either the old file or the whole new one is there: written to
/// `path` + `.tmp`, synced, renamed, folder synced. `mode` are the permission bits of the new file.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no folder"))?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&temporary)?;
    file.write_all(bytes)?;
    full_sync(&file)?;
    std::fs::rename(&temporary, path)?;
    sync_folder(folder)
}

/// Reserves `bytes` of real room for an empty file, so that giving it back frees as much. Where the file system cannot
/// reserve, zeros are written.
pub fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Ok(()) => {}
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            io::copy(&mut io::repeat(0).take(bytes), &mut &*file)?;
        }
        Err(errno) => return Err(errno.into()),
    }
    full_sync(file)
}

fn full_sync(file: &File) -> io::Result<()> {
    crate::bench_delay();
    match rustix::fs::fsync(file) {
        Ok(()) => SYNCS.sticky().map_or(Ok(()), |errno| Err(errno.into())),
        Err(errno) => {
            SYNCS.record(errno);
            Err(errno.into())
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that cannot make a folder has failed"
)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_holds_the_new_bytes_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("HEAD");
        replace_file(&path, b"one, and longer", 0o600).unwrap();
        replace_file(&path, b"two", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_without_a_folder_is_refused() {
        assert!(replace_file(Path::new("HEAD"), b"x", 0o600).is_err());
    }
}

//! Copies of the log's folders.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::scratch;

/// Copied between two words on progress, in bytes.
const PIECE_BYTES: u64 = 8 * 1024 * 1024;

/// Copies folders with their files and folders; anything else in them is not the log's. One that is missing is empty. `progress` is told
/// how many bytes are copied, and of how many.
pub(crate) fn folders(
    folders: &[(PathBuf, PathBuf)],
    mut progress: impl FnMut(u64, u64),
) -> io::Result<()> {
    let mut files = Vec::new();
    for (from, to) in folders.iter().filter(|(from, _)| from.is_dir()) {
        let mut inner = Vec::new();
        list(from, Path::new(""), &mut inner)?;
        let pairs = inner.into_iter();
        files.extend(pairs.map(|(path, len)| (from.join(&path), to.join(path), len)));
    }
    let total = files.iter().map(|(_, _, len)| len).sum();
    let mut done = 0;
    for (source, target, _) in files {
        let (source, mut target) = begin(&source, &target)?;
        loop {
            let mut piece = io::Read::take(&source, PIECE_BYTES);
            let copied = io::copy(&mut piece, &mut target)?;
            done += copied;
            progress(done, total);
            if copied == 0 {
                break;
            }
        }
    }
    Ok(())
}

fn begin(source: &Path, target: &Path) -> io::Result<(File, File)> {
    let _kept = scratch::kept();
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    Ok((File::open(source)?, File::create_new(target)?))
}

/// How many bytes the files of a folder have.
pub(crate) fn bytes(folder: &Path) -> io::Result<u64> {
    let mut files = Vec::new();
    list(folder, Path::new(""), &mut files)?;
    Ok(files.iter().map(|(_, len)| len).sum())
}

/// What sled was cut off from writing, and does not survive finding.
fn is_half_snapshot(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "generating")
}

fn list(root: &Path, inner: &Path, files: &mut Vec<(PathBuf, u64)>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(inner))? {
        let entry = entry?;
        let (path, kind) = (inner.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            list(root, &path, files)?;
        } else if kind.is_file() && !is_half_snapshot(&path) {
            files.push((path, entry.metadata()?.len()));
        }
    }
    Ok(())
}

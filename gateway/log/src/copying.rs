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
    let there = folders.iter().filter(|(from, _)| from.is_dir());
    let listed = there.map(|(from, to)| Ok((Listed::of(from)?, to)));
    let listed: Vec<_> = listed.collect::<io::Result<_>>()?;
    let total = listed.iter().map(|(files, _)| files.bytes()).sum();
    let mut done = 0;
    for (files, to) in listed {
        files.copy(to, |copied| {
            done += copied;
            progress(done, total);
        })?;
    }
    Ok(())
}

/// A folder's files, to be copied.
pub(crate) struct Listed {
    folder: PathBuf,
    /// Where in the folder, and how long in bytes.
    files: Vec<(PathBuf, u64)>,
}

impl Listed {
    /// What is there now.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        list(folder, Path::new(""), &mut files)?;
        Ok(Self {
            folder: folder.to_owned(),
            files,
        })
    }

    /// How many bytes the files have.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, len)| len).sum()
    }

    /// Copies them into another folder.
    pub(crate) fn copy_to(&self, to: &Path) -> io::Result<()> {
        self.copy(to, |_| {})
    }

    /// The same; `piece` is told the bytes of each piece.
    fn copy(&self, to: &Path, mut piece: impl FnMut(u64)) -> io::Result<()> {
        for (path, _) in &self.files {
            let (source, mut target) = begin(&self.folder.join(path), &to.join(path))?;
            loop {
                let mut next = io::Read::take(&source, PIECE_BYTES);
                let copied = io::copy(&mut next, &mut target)?;
                piece(copied);
                if copied == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn begin(source: &Path, target: &Path) -> io::Result<(File, File)> {
    let _kept = scratch::kept();
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    Ok((File::open(source)?, File::create_new(target)?))
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

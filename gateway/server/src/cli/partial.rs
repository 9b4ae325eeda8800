//! A file or folder that has another name until it is whole: a full disk or a damaged log leaves no part under the name that was asked
//! for.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Under way. Removed when dropped, unless it was kept.
#[derive(Debug)]
pub(super) struct Partial {
    part: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Partial {
    /// A new file for `target`, where nothing may be yet.
    pub(super) fn file(target: &Path) -> anyhow::Result<(Self, File)> {
        let part = part_of(target)?;
        let file = File::create_new(&part);
        let file = file.with_context(|| format!("cannot make {}", part.display()))?;
        Ok((Self::begun(part, target), file))
    }

    /// A new folder for `target`, where nothing may be yet.
    pub(super) fn folder(target: &Path) -> anyhow::Result<Self> {
        let part = part_of(target)?;
        std::fs::create_dir(&part)
            .with_context(|| format!("cannot make the folder {}", part.display()))?;
        Ok(Self::begun(part, target))
    }

    fn begun(part: PathBuf, target: &Path) -> Self {
        Self {
            part,
            target: target.to_owned(),
            kept: false,
        }
    }

    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        &self.part
    }

    /// It is whole: it gets its name.
    pub(super) fn keep(mut self) -> anyhow::Result<()> {
        std::fs::rename(&self.part, &self.target)
            .with_context(|| format!("cannot give {} its name", self.part.display()))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // What cannot be removed has a name that says what it is.
        drop(match std::fs::remove_file(&self.part) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                std::fs::remove_dir_all(&self.part)
            }
            removed => removed,
        });
    }
}

/// The name for now; nothing that is there is written over.
fn part_of(target: &Path) -> anyhow::Result<PathBuf> {
    anyhow::ensure!(
        target.symlink_metadata().is_err(),
        "{} is there already: name another one",
        target.display()
    );
    let name = target.file_name();
    let mut name = name
        .with_context(|| format!("{} names no file", target.display()))?
        .to_owned();
    name.push(".part");
    Ok(target.with_file_name(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G3: what was not finished is not there, under no name; what was is not written over.
    #[test]
    fn only_what_is_whole_gets_its_name() {
        let place = tempfile::tempdir().unwrap();
        let (one, other) = (place.path().join("one"), place.path().join("other"));
        drop(Partial::file(&one).unwrap());
        let folder = Partial::folder(&other).unwrap();
        std::fs::write(folder.path().join("events"), "x").unwrap();
        drop(folder);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
        Partial::file(&one).unwrap().0.keep().unwrap();
        Partial::folder(&other).unwrap().keep().unwrap();
        assert!(one.is_file() && other.is_dir());
        assert!(Partial::file(&one).is_err() && Partial::folder(&other).is_err());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
    }
}

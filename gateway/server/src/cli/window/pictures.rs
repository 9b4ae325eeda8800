//! Pictures of an application, written to a folder that the officer named.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use schemas::event::application::{Entered, SealedBlob};
use serde::Serialize;

use super::show::Keys;
use super::{others_may, word};
use crate::admin::Client;
use crate::blobs;

/// A picture, by what it is of. Several documents are told apart by their number.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    what: String,
    len: u32,
    /// Where it was written; none: it was not.
    file: Option<PathBuf>,
    #[serde(skip)]
    blob: SealedBlob,
}

/// All pictures of an application.
pub(super) fn of(entered: &Entered) -> Vec<Picture> {
    let mut pictures = Vec::new();
    let mut add = |what: String, blob: &SealedBlob| {
        pictures.push(Picture {
            what,
            len: blob.len,
            file: None,
            blob: blob.clone(),
        });
    };
    let portrait = entered.portrait.as_ref();
    if let Some(blob) = portrait.and_then(|portrait| portrait.picture.as_ref()) {
        add("portrait".to_owned(), blob);
    }
    if let Some(blob) = &entered.live {
        add("live-photo".to_owned(), blob);
    }
    for finger in &entered.fingers {
        add(format!("finger-{}", word(&finger.hand)), &finger.image);
    }
    for (number, document) in (1..).zip(&entered.documents) {
        let kind = word(&document.kind);
        add(format!("document-{number}-{kind}"), &document.scan);
    }
    if let Some(blob) = &entered.signature {
        add("signature".to_owned(), blob);
    }
    pictures
}

impl Picture {
    pub(super) fn name(&self) -> &str {
        &self.what
    }

    pub(super) fn place(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => format!("{} bytes; --pictures FOLDER writes it", self.len),
        }
    }

    /// Fetches it, opens it and writes it.
    pub(super) fn save(
        &mut self,
        client: &mut Client,
        keys: &Keys,
        folder: &Folder,
    ) -> anyhow::Result<()> {
        let SealedBlob { blob, key, .. } = &self.blob;
        let sealed = client.get_bytes(&format!("/blobs/{blob}"))?;
        anyhow::ensure!(
            blobs::hash(&sealed).as_ref() == Some(blob),
            "its sealed file is not what the log names"
        );
        let plain = blobs::open(keys.get(key)?, &sealed);
        let plain = plain.context("it does not open: it was changed")?;
        self.file = Some(folder.write(&self.what, &plain)?);
        Ok(())
    }
}

/// The folder of the pictures: the officer's alone.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// One that can be used. Nothing is made yet.
    pub(super) fn check(path: &Path) -> anyhow::Result<Self> {
        let named = || path.display().to_string();
        if path.try_exists().with_context(named)? {
            let mode = path.metadata().with_context(named)?.mode() & 0o777;
            anyhow::ensure!(
                !others_may(mode),
                "{} can be read by others (mode {mode:03o}); run: chmod 700 {}",
                path.display(),
                path.display()
            );
            let mut entries = std::fs::read_dir(path).with_context(named)?;
            anyhow::ensure!(
                entries.next().is_none(),
                "{} is not empty; name a folder that is not there yet",
                path.display()
            );
        }
        Ok(Self(path.to_owned()))
    }

    /// The same, there.
    pub(super) fn make(self) -> anyhow::Result<Self> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0);
        made.with_context(|| format!("cannot make {}", self.0.display()))?;
        Ok(self)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.0.join(format!("{name}.{}", extension(bytes)));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(bytes));
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// By its first bytes.
fn extension(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x89PNG") {
        "png"
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        "jpg"
    } else {
        "bin"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// G7: pictures go to a folder and files of the officer alone, and never over what is there.
    #[test]
    fn pictures_are_the_officers_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("W1-7");
        let folder = Folder::check(&path).unwrap().make().unwrap();
        let png = folder.write("portrait", b"\x89PNG and so on").unwrap();
        assert_eq!(png, path.join("portrait.png"));
        for (path, mode) in [(&path, 0o700), (&png, 0o600)] {
            let found = path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{}", path.display());
        }
        assert!(folder.write("portrait", b"\x89PNG another").is_err());
        assert!(Folder::check(&path).is_err(), "it is not empty");
        let open = place.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Folder::check(&open).is_err(), "others can read it");
    }
}

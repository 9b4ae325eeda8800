//! The centre's Ed25519 keys (RFC 8032), by which stations know what comes from it. PKCS#8 files, so that openssl reads them too.
//!
//! A key that was replaced is kept: a station that was not there at the change is told under the key that it knows.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use schemas::key::PublicKey;
use schemas::proof::NoteKey;

use super::folder::{Folder, create};

/// A signing key. Cheap to clone.
#[derive(Clone)]
pub(super) struct CentreKey {
    pair: Arc<Ed25519KeyPair>,
    public: [u8; 32],
}

/// All of them, the oldest first. There is at least one.
#[derive(Debug, Clone)]
pub(super) struct CentreKeys {
    first: CentreKey,
    later: Vec<CentreKey>,
}

impl CentreKey {
    pub(super) fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The Ed25519 signature of `bytes`.
    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        let made = self.pair.sign(bytes);
        let pairs = signature.iter_mut().zip(made.as_ref());
        pairs.for_each(|(to, from)| *to = *from);
        signature
    }

    fn from_document(document: &[u8]) -> io::Result<Self> {
        let damaged = |_| io::Error::other("not an Ed25519 key in PKCS#8");
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map_err(damaged)?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref())
            .map_err(|_len| io::Error::other("an Ed25519 public key of another length"))?;
        Ok(Self {
            pair: Arc::new(pair),
            public,
        })
    }
}

impl CentreKeys {
    /// Reads them; at the first start makes one.
    pub(super) fn open(folder: &Folder) -> io::Result<Self> {
        let mut all = read(&folder.keys())?.into_iter();
        match all.next() {
            Some(first) => Ok(Self {
                first,
                later: all.collect(),
            }),
            None => Ok(Self {
                first: make(folder, 1)?,
                later: Vec::new(),
            }),
        }
    }

    /// Makes another key; durable when this returns. Stations are told of it one by one.
    pub(super) fn add(&mut self, folder: &Folder) -> io::Result<()> {
        let number = self.later.len() + 2;
        self.later.push(make(folder, number)?);
        Ok(())
    }

    /// The key of stations that were given none other.
    pub(super) fn first(&self) -> &CentreKey {
        &self.first
    }

    /// The key that stations are told to go over to.
    pub(super) fn newest(&self) -> &CentreKey {
        self.later.last().unwrap_or(&self.first)
    }

    /// The key with this public part.
    pub(super) fn find(&self, public: &[u8; 32]) -> Option<&CentreKey> {
        self.all().find(|key| key.public == *public)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &CentreKey> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// What a station that is set up now is given.
    pub(super) fn vkey(&self, province: &str) -> Result<String, schemas::proof::NoteError> {
        let name = format!("centre.{province}");
        Ok(NoteKey::new(name, self.newest().public)?.to_vkey())
    }

    /// The public part of the newest.
    pub(super) fn public(&self) -> PublicKey {
        PublicKey::of(self.newest().public())
    }
}

fn read(folder: &Path) -> io::Result<Vec<CentreKey>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "p8") {
            paths.push(path);
        }
    }
    paths.sort();
    let open = |path: &std::path::PathBuf| {
        if path.metadata()?.mode() & 0o077 != 0 {
            let why = format!("{} can be read by others; chmod 600", path.display());
            return Err(io::Error::other(why));
        }
        CentreKey::from_document(&std::fs::read(path)?)
    };
    paths.iter().map(open).collect()
}

/// Where somebody else makes the same one at this moment, theirs is taken.
fn make(folder: &Folder, number: usize) -> io::Result<CentreKey> {
    let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new())
        .map_err(|_unspecified| io::Error::other("no key could be made"))?;
    let path = folder.keys().join(format!("{number:04}.p8"));
    create(&path, document.as_ref())?;
    CentreKey::from_document(&std::fs::read(&path)?)
}

impl std::fmt::Debug for CentreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CentreKey({})", hex::encode(self.public))
    }
}

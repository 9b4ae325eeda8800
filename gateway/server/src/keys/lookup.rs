//! The lookup keys: HMAC-SHA-256 (RFC 2104) under a station key, so that a number or a voucher is found again
//! without being kept. Never a plain hash: the space of citizen numbers is small enough to search.
//!
//! The file holds a line for each key in use, the newest first: id (8 hexadecimal digits, the beginning of the key's
//! SHA-256, so that damage shows), a space, the key (64 hexadecimal digits). A new key is in the file, durable, before the
//! log says that it is current, and tags nothing before that is durable too. A key that is retired is removed from the file
//! first, then the log says so.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemas::key::LookupKeyId;
use schemas::lookup::LookupTag;
use zeroize::Zeroizing;

use super::KeysError;
use super::files::KeyFolder;

const PART: &str = "lookup-keys";
const KEYS_MAX: usize = 16;
const FILE_MODE: u32 = 0o600;

/// What a tag stands for; the same text in two domains has two tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A citizen number.
    Number,
    /// A collection voucher.
    Voucher,
}

impl Domain {
    const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Voucher => "voucher",
        }
    }
}

/// The lookup keys in use; at least one. Cheap to clone, and all clones change together.
#[derive(Clone)]
pub struct LookupKeys(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// The current key first.
    ring: RwLock<Arc<[Key]>>,
    /// Held while the file is changed.
    file: Mutex<()>,
}

#[derive(Clone)]
struct Key {
    id: LookupKeyId,
    key: hmac::Key,
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// As many keys as can be tried are in use.
    #[error("{KEYS_MAX} lookup keys are in use already; wait until one is retired")]
    TooMany,
    /// It could not be drawn or written.
    #[error("a new lookup key cannot be written")]
    Failed(#[source] std::io::Error),
}

impl LookupKeys {
    fn new(path: &Path, keys: Vec<Key>) -> Self {
        Self(Arc::new(Inner {
            path: path.to_owned(),
            ring: RwLock::new(keys.into()),
            file: Mutex::default(),
        }))
    }

    fn ring(&self) -> Arc<[Key]> {
        Arc::clone(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, keys: Vec<Key>) {
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    /// The tags of `value` under each key in use, the current key's first.
    pub fn tags(&self, domain: Domain, value: &str) -> Vec<LookupTag> {
        self.ring()
            .iter()
            .filter_map(|key| key.tag(domain, value))
            .collect()
    }

    /// The tag under the current key: what new records hold.
    pub fn tag(&self, domain: Domain, value: &str) -> Option<LookupTag> {
        self.ring().first().and_then(|key| key.tag(domain, value))
    }

    /// The first 16 bytes of HMAC-SHA-256(key, topic ‖ 0 ‖ payload) under each key in use, the current key's first: they
    /// say whether two messages are the same without giving either away.
    pub fn digests(&self, topic: &str, payload: &[u8]) -> Vec<[u8; 16]> {
        self.ring()
            .iter()
            .map(|key| key.digest(topic, payload))
            .collect()
    }

    /// The keys in use, the current one first.
    pub fn ids(&self) -> Vec<LookupKeyId> {
        self.ring().iter().map(|key| key.id.clone()).collect()
    }

    /// Draws a new key and writes it to the file, durable when this returns. It is tried from now on, and tags nothing yet.
    /// Answers the new key and the current one. Blocks.
    pub fn make(&self) -> Result<(LookupKeyId, LookupKeyId), NotRotated> {
        let _file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.ring().to_vec();
        let before = keys.first().map(|key| key.id.clone());
        if keys.len() >= KEYS_MAX {
            return Err(NotRotated::TooMany);
        }
        let failed = |error| NotRotated::Failed(std::io::Error::other(error));
        let line = new_line().map_err(|_random| failed("no random bytes"))?;
        let key = std::str::from_utf8(&line)
            .ok()
            .and_then(|line| read_line(line.trim_end()));
        let (Some(key), Some(before)) = (key, before) else {
            return Err(failed("a key that was made is none"));
        };
        let mut text = line;
        let old = std::fs::read(&self.0.path).map(Zeroizing::new);
        text.extend_from_slice(&old.map_err(NotRotated::Failed)?);
        gateway_durable::replace_file(&self.0.path, &text, FILE_MODE)
            .map_err(NotRotated::Failed)?;
        let made = key.id.clone();
        keys.push(key);
        self.set(keys);
        Ok((made, before))
    }

    /// New records are tagged with this key from now on: the log says so. Unknown to the file, it changes nothing.
    pub fn make_current(&self, current: &LookupKeyId) {
        // Between another change's reading of the ring and its writing, this one would be lost.
        let _file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.ring().to_vec();
        if let Some(at) = keys.iter().position(|key| key.id == *current) {
            let key = keys.remove(at);
            keys.insert(0, key);
            self.set(keys);
        }
    }

    /// Destroys a key: it is gone from the file when this returns, and never tried again. Never the current one. Blocks.
    pub fn destroy(&self, id: &LookupKeyId) -> std::io::Result<()> {
        let _file = self.0.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.ring().to_vec();
        if keys.first().is_none_or(|current| current.id == *id) {
            return Err(std::io::Error::other("the current lookup key stays"));
        }
        let old = Zeroizing::new(std::fs::read(&self.0.path)?);
        let mut kept = Zeroizing::new(Vec::with_capacity(old.len()));
        for line in old.split_inclusive(|byte| *byte == b'\n') {
            if !line.starts_with(id.as_str().as_bytes()) {
                kept.extend_from_slice(line);
            }
        }
        gateway_durable::replace_file(&self.0.path, &kept, FILE_MODE)?;
        keys.retain(|key| key.id != *id);
        self.set(keys);
        Ok(())
    }
}

impl std::fmt::Debug for LookupKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.ring().iter().map(|key| &key.id))
            .finish()
    }
}

impl Key {
    fn new(secret: &[u8]) -> Option<Self> {
        Some(Self {
            id: LookupKeyId::new(id_of(secret)).ok()?,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        })
    }

    fn tag(&self, domain: Domain, value: &str) -> Option<LookupTag> {
        let tag = self.first_16(&[domain.name().as_bytes(), &[0], value.as_bytes()]);
        LookupTag::new(format!("{}.{}", self.id, URL_SAFE_NO_PAD.encode(tag))).ok()
    }

    fn digest(&self, topic: &str, payload: &[u8]) -> [u8; 16] {
        // A domain of its own: a topic never begins so.
        self.first_16(&[b"message\0", topic.as_bytes(), &[0], payload])
    }

    fn first_16(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        let tag = context.sign();
        let mut out = [0; 16];
        out.iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        out
    }
}

fn id_of(secret: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, secret);
    hex::encode(hash.as_ref().get(..4).unwrap_or_default())
}

pub(super) fn open(store: &KeyFolder) -> Result<LookupKeys, KeysError> {
    let bytes = store.read_or_make(PART, new_line)?;
    let text = std::str::from_utf8(&bytes).map_err(|_not_text| store.damaged(PART))?;
    let keys: Option<Vec<Key>> = text.lines().map(read_line).collect();
    match keys {
        Some(keys) if (1..=KEYS_MAX).contains(&keys.len()) => {
            Ok(LookupKeys::new(&store.file(PART), keys))
        }
        Some(_) | None => Err(store.damaged(PART)),
    }
}

/// A key drawn at random, as its line.
fn new_line() -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let mut secret = Zeroizing::new([0u8; 32]);
    aws_lc_rs::rand::fill(secret.as_mut_slice()).map_err(|_unspecified| KeysError::Random)?;
    let digits = Zeroizing::new(hex::encode(secret.as_slice()));
    // Long enough for a whole file of them: growing would leave a copy behind.
    let mut line = Zeroizing::new(Vec::with_capacity((KEYS_MAX + 1) * 80));
    for part in [id_of(secret.as_slice()).as_str(), " ", &digits, "\n"] {
        line.extend_from_slice(part.as_bytes());
    }
    Ok(line)
}

fn read_line(line: &str) -> Option<Key> {
    let (id, digits) = line.split_once(' ')?;
    let mut secret = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(digits, secret.as_mut_slice()).ok()?;
    Key::new(secret.as_slice()).filter(|key| key.id.as_str() == id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn of(secrets: &[[u8; 32]]) -> LookupKeys {
        let keys = secrets.iter().filter_map(|secret| Key::new(secret));
        LookupKeys::new(Path::new("nowhere"), keys.collect())
    }

    fn opened(place: &Path) -> LookupKeys {
        let marker = place.join("marker");
        crate::keys::open(&place.join("keys"), place, &marker)
            .unwrap()
            .lookup
    }

    /// G7: a new key is durable before it tags anything, and what an earlier one tagged is found until that is destroyed.
    #[test]
    fn keys_rotate_and_are_destroyed() {
        let place = tempfile::tempdir().unwrap();
        let keys = opened(place.path());
        let value = "11010519491231002X";
        let (tag, digest) = (
            keys.tag(Domain::Number, value).unwrap(),
            keys.digests("t", b"p"),
        );
        let (made, before) = keys.make().unwrap();
        assert_eq!(
            keys.tag(Domain::Number, value).as_ref(),
            Some(&tag),
            "not yet"
        );
        let shared = keys.clone();
        keys.make_current(&made);
        let new = shared.tag(Domain::Number, value).unwrap();
        assert_eq!(
            (new.key(), tag.key()),
            (Some(made.clone()), Some(before.clone()))
        );
        assert!(shared.tags(Domain::Number, value).contains(&tag));
        assert!(shared.digests("t", b"p").contains(digest.first().unwrap()));
        // A restart finds the newest first.
        assert_eq!(opened(place.path()).ids(), [made.clone(), before.clone()]);
        assert!(keys.destroy(&made).is_err(), "the current key stays");
        keys.destroy(&before).unwrap();
        assert_eq!(shared.tags(Domain::Number, value), [new]);
        assert_eq!(opened(place.path()).ids(), [made]);
        for _ in 1..KEYS_MAX {
            keys.make().unwrap();
        }
        assert!(matches!(keys.make(), Err(NotRotated::TooMany)));
    }

    /// Tags are those of `schemas::lookup`: HMAC of domain ‖ 0 ‖ value. The expected value is python's:
    /// `base64.urlsafe_b64encode(hmac.new(bytes(32), b"number\0" + b"11010519491231002X", "sha256").digest()[:16])`.
    #[test]
    fn tags_are_hmacs_as_the_contract_says() {
        let keys = of(&[[0; 32]]);
        let tag = keys.tag(Domain::Number, "11010519491231002X").unwrap();
        assert_eq!(tag.as_str(), EXPECTED);
        assert_ne!(
            keys.tag(Domain::Voucher, "11010519491231002X").unwrap(),
            tag
        );
        assert_ne!(keys.tag(Domain::Number, "440524188001010014").unwrap(), tag);
    }
    const EXPECTED: &str = "66687aad.Ox01ztgiDyJ_MLSOJ-cB3Q";

    /// Each key in use gives a tag, the current one first, so that keys can rotate.
    #[test]
    fn tags_come_from_each_key_in_use() {
        let keys = of(&[[1; 32], [2; 32]]);
        let tags = keys.tags(Domain::Voucher, "1101050012026110100001");
        assert_eq!(tags.len(), 2);
        assert_eq!(
            tags.first(),
            keys.tag(Domain::Voucher, "1101050012026110100001").as_ref()
        );
        let old = Key::new(&[2; 32]).unwrap().digest("t", b"p");
        assert!(keys.digests("t", b"p").contains(&old));
        assert!(!keys.digests("t", b"q").contains(&old));
    }
}

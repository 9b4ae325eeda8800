//! The lookup keys: HMAC-SHA-256 (RFC 2104) under a station key, so that a number or a voucher is found again
//! without being kept. Never a plain hash: the space of citizen numbers is small enough to search.
//!
//! The file holds a line for each key in use, the current one first: id (8 hexadecimal digits, the beginning of the
//! key's SHA-256, so that damage shows), a space, the key (64 hexadecimal digits).

use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemas::lookup::LookupTag;
use zeroize::Zeroizing;

use super::KeysError;
use super::files::KeyFolder;

const PART: &str = "lookup-keys";
const KEYS_MAX: usize = 16;

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

/// The lookup keys in use; at least one. Cheap to clone.
#[derive(Clone)]
pub struct LookupKeys(Arc<[Key]>);

struct Key {
    id: String,
    key: hmac::Key,
}

impl LookupKeys {
    /// The tags of `value` under each key in use, the current key's first.
    pub fn tags(&self, domain: Domain, value: &str) -> Vec<LookupTag> {
        self.0
            .iter()
            .filter_map(|key| key.tag(domain, value))
            .collect()
    }

    /// The tag under the current key: what new records hold.
    pub fn tag(&self, domain: Domain, value: &str) -> Option<LookupTag> {
        self.0.first().and_then(|key| key.tag(domain, value))
    }

    /// The first 16 bytes of HMAC-SHA-256(key, topic ‖ 0 ‖ payload) under each key in use, the current key's first: they
    /// say whether two messages are the same without giving either away.
    pub fn digests(&self, topic: &str, payload: &[u8]) -> Vec<[u8; 16]> {
        self.0
            .iter()
            .map(|key| key.digest(topic, payload))
            .collect()
    }
}

impl std::fmt::Debug for LookupKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        Self {
            id: id_of(secret),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
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
    let bytes = store.read_or_make(PART, || {
        let mut secret = Zeroizing::new([0u8; 32]);
        aws_lc_rs::rand::fill(secret.as_mut_slice()).map_err(|_unspecified| KeysError::Random)?;
        let digits = Zeroizing::new(hex::encode(secret.as_slice()));
        Ok(Zeroizing::new(
            format!("{} {}\n", id_of(secret.as_slice()), *digits).into_bytes(),
        ))
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_not_text| store.damaged(PART))?;
    let keys: Option<Vec<Key>> = text.lines().map(read_line).collect();
    match keys {
        Some(keys) if (1..=KEYS_MAX).contains(&keys.len()) => Ok(LookupKeys(keys.into())),
        Some(_) | None => Err(store.damaged(PART)),
    }
}

fn read_line(line: &str) -> Option<Key> {
    let (id, digits) = line.split_once(' ')?;
    let mut secret = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(digits, secret.as_mut_slice()).ok()?;
    (id_of(secret.as_slice()) == id).then(|| Key::new(secret.as_slice()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// Tags are those of `schemas::lookup`: HMAC of domain ‖ 0 ‖ value. The expected value is python's:
    /// `base64.urlsafe_b64encode(hmac.new(bytes(32), b"number\0" + b"11010519491231002X", "sha256").digest()[:16])`.
    #[test]
    fn tags_are_hmacs_as_the_contract_says() {
        let keys = LookupKeys([Key::new(&[0; 32])].into());
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
        let keys = LookupKeys([Key::new(&[1; 32]), Key::new(&[2; 32])].into());
        let tags = keys.tags(Domain::Voucher, "1101050012026110100001");
        assert_eq!(tags.len(), 2);
        assert_eq!(
            tags.first(),
            keys.tag(Domain::Voucher, "1101050012026110100001").as_ref()
        );
        let old = Key::new(&[2; 32]).digest("t", b"p");
        assert!(keys.digests("t", b"p").contains(&old));
        assert!(!keys.digests("t", b"q").contains(&old));
    }
}

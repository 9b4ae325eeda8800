//! The Ed25519 key (RFC 8032), kept as PKCS#8 (RFC 5958, version 1) so that openssl reads it too.

use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use schemas::envelope::Unsigned;
use zeroize::Zeroizing;

use super::KeysError;
use super::files::KeyFolder;

const PART: &str = "signing-key.p8";
/// The key of a rotation under way.
const NEXT: &str = "signing-key-next.p8";
/// The public part of the log's first key, 64 hexadecimal digits and a line feed.
const FIRST: &str = "first-key";
/// From so many events on a second thread signs sooner than it takes to begin one.
const PARALLEL_LEN_MIN: usize = 16;
static PROCESSORS: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));

/// Signs with the station's key. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Ed25519KeyPair>,
    public_key: [u8; 32],
}

impl SigningKey {
    /// The raw public key.
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// Signs these events, on several processors if they are many; in the same order.
    pub fn sign_all(&self, unsigned: Vec<Unsigned>) -> Vec<Vec<u8>> {
        let mut near = unsigned;
        if near.len() < PARALLEL_LEN_MIN || *PROCESSORS < 2 {
            return self.sign_each(near);
        }
        let parts = (*PROCESSORS).min(near.len() / (PARALLEL_LEN_MIN / 2));
        let part_len = near.len().div_ceil(parts);
        std::thread::scope(|scope| {
            let mut far = Vec::with_capacity(parts);
            while near.len() > part_len {
                let part = near.split_off(near.len() - part_len);
                far.push(scope.spawn(move || self.sign_each(part)));
            }
            let mut signed = self.sign_each(near);
            for part in far.into_iter().rev() {
                // A panic in a thread of the scope is one of the caller.
                let part = part.join();
                signed.extend(part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            signed
        })
    }

    fn sign_each(&self, unsigned: Vec<Unsigned>) -> Vec<Vec<u8>> {
        let sign = |event: Unsigned| event.signed(|bytes| self.sign(bytes));
        unsigned.into_iter().map(sign).collect()
    }

    /// The Ed25519 signature of `bytes`.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let signature = self.pair.sign(bytes);
        let mut out = [0; 64];
        out.iter_mut()
            .zip(signature.as_ref())
            .for_each(|(to, from)| *to = *from);
        out
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("public_key", &hex::encode(self.public_key))
            .finish_non_exhaustive()
    }
}

/// The signing keys as the folder holds them.
#[derive(Debug, Clone)]
pub struct HeldKeys {
    /// The public part of the log's first key: what names the log.
    pub first: [u8; 32],
    /// The key that signs.
    pub current: SigningKey,
    /// A key that a rotation was begun with. The log decides whether it is in force.
    pub next: Option<SigningKey>,
}

pub(super) fn open(store: &KeyFolder) -> Result<HeldKeys, KeysError> {
    let current = store.read_or_make(PART, || generate().map(|(_, document)| document))?;
    let current = from_document(&current).ok_or_else(|| store.damaged(PART))?;
    let first = store.read_or_make(FIRST, || {
        Ok(Zeroizing::new(
            format!("{}\n", hex::encode(current.public_key())).into_bytes(),
        ))
    })?;
    let first = first_key(store, &first)?;
    let next = match store.read(NEXT)? {
        Some(document) => Some(from_document(&document).ok_or_else(|| store.damaged(NEXT))?),
        None => None,
    };
    Ok(HeldKeys {
        first,
        current,
        next,
    })
}

/// The public part of the log's first key.
pub(super) fn first(store: &KeyFolder) -> Result<[u8; 32], KeysError> {
    let missing = || Err(KeysError::Random);
    first_key(store, &store.read_or_make(FIRST, missing)?)
}

/// The public parts of the keys that can be read.
pub(super) fn held(store: &KeyFolder) -> Vec<[u8; 32]> {
    let documents = [PART, NEXT]
        .into_iter()
        .filter_map(|part| store.read(part).ok().flatten());
    documents
        .filter_map(|document| from_document(&document))
        .map(|key| key.public_key())
        .collect()
}

fn first_key(store: &KeyFolder, file: &[u8]) -> Result<[u8; 32], KeysError> {
    let mut raw = [0; 32];
    let digits = file.strip_suffix(b"\n").unwrap_or_default();
    hex::decode_to_slice(digits, &mut raw).map_err(|_not_hex| store.damaged(FIRST))?;
    Ok(raw)
}

/// Makes the key that shall come next and keeps it beside the present one; durable when this returns. One that an earlier
/// rotation left behind is replaced: it never signed.
pub(super) fn prepare_next(store: &KeyFolder) -> Result<SigningKey, KeysError> {
    let (key, document) = generate()?;
    store.replace(NEXT, &document)?;
    Ok(key)
}

/// The next key becomes the present one, whose private part is gone then.
pub(super) fn promote_next(store: &KeyFolder) -> Result<(), KeysError> {
    store.rename(NEXT, PART)
}

/// A next key that no rotation made the present one.
pub(super) fn discard_next(store: &KeyFolder) -> Result<(), KeysError> {
    store.remove(NEXT)
}

fn generate() -> Result<(SigningKey, Zeroizing<Vec<u8>>), KeysError> {
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let document =
        Ed25519KeyPair::generate_pkcs8v1(&rng).map_err(|_unspecified| KeysError::Random)?;
    let document = Zeroizing::new(document.as_ref().to_vec());
    let key = from_document(&document).ok_or(KeysError::Random)?;
    Ok((key, document))
}

fn from_document(document: &[u8]) -> Option<SigningKey> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).ok()?;
    let public_key = pair.public_key().as_ref().try_into().ok()?;
    Some(SigningKey {
        pair: Arc::new(pair),
        public_key,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use schemas::envelope::{KeyId, Origin, Signed};

    use super::*;

    /// G3: however many are signed at once, each signature is over its own event, and their order is kept.
    #[test]
    fn events_signed_together_are_each_genuine_and_in_order() {
        let (key, _) = generate().unwrap();
        let origin = Origin::new("gateway.test/station/s1/1").unwrap();
        let (public, key_id) = (key.public_key(), KeyId::of(&key.public_key()));
        for len in [0, 1, 15, 16, 17, 31, 64, 513] {
            let unsigned = (0..len)
                .map(|index| Unsigned::of_payload(&origin, index, &[b'x'; 300], key_id).unwrap())
                .collect();
            let signed = key.sign_all(unsigned);
            let indexes = signed.iter().map(|event| {
                let event = Signed::read(event).unwrap();
                let check = |message: &[u8], signature: &[u8; 64]| {
                    UnparsedPublicKey::new(&ED25519, public)
                        .verify(message, signature)
                        .is_ok()
                };
                assert!(event.is_genuine(check));
                event.index()
            });
            assert!(indexes.eq(0..len));
        }
    }
}

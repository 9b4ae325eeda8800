//! One session's key, in memory, and what is derived from it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use schemas::envelope::Origin;
use schemas::ids::SessionId;
use schemas::key::SealingKeyId;
use zeroize::Zeroizing;

/// Bytes of an AES-256-GCM tag.
pub(super) const TAG_LEN: usize = 16;

/// A session's key. Wiped when dropped.
pub struct SessionKey {
    pub(super) id: SealingKeyId,
    pub(super) secret: Zeroizing<[u8; 32]>,
    pub(super) session: SessionId,
    pub(super) origin: Origin,
}

/// Something could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it could not be sealed")]
pub struct SealError;

impl SessionKey {
    /// A new key for a session of the log `origin`.
    pub(super) fn draw(origin: Origin, session: SessionId) -> Result<Self, SealError> {
        let mut id = [0; 16];
        let mut secret = Zeroizing::new([0; 32]);
        random(&mut id)?;
        random(secret.as_mut_slice())?;
        Ok(Self {
            id: SealingKeyId::of(&id),
            secret,
            session,
            origin,
        })
    }

    /// Its name.
    pub fn id(&self) -> &SealingKeyId {
        &self.id
    }

    /// The session it belongs to.
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Opens what [`Self::encrypt`] made, ciphertext and tag behind it; none: it is of another key or place, or was changed.
    pub(crate) fn decrypt(
        &self,
        salt: &[u8],
        info: &[&[u8]],
        nonce: [u8; 12],
        aad: &[u8],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let key = aead_key(self.secret.as_slice(), salt, info).ok()?;
        let mut inout = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = key.open_in_place(nonce, Aad::from(aad), inout.as_mut_slice());
        let len = opened.ok()?.len();
        inout.truncate(len);
        Some(inout)
    }

    /// Encrypts `inout` in place and gives the tag. The key is HKDF-SHA256 of the session key with this salt and info.
    pub(crate) fn encrypt(
        &self,
        salt: &[u8],
        info: &[&[u8]],
        nonce: [u8; 12],
        aad: &[u8],
        inout: &mut [u8],
    ) -> Result<[u8; TAG_LEN], SealError> {
        let key = aead_key(self.secret.as_slice(), salt, info)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key
            .seal_in_place_separate_tag(nonce, Aad::from(aad), inout)
            .map_err(|_unspecified| SealError)?;
        tag.as_ref().try_into().map_err(|_length| SealError)
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKey({}, {})", self.id, self.session)
    }
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), SealError> {
    aws_lc_rs::rand::fill(bytes).map_err(|_unspecified| SealError)
}

struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

fn aead_key(secret: &[u8], salt: &[u8], info: &[&[u8]]) -> Result<LessSafeKey, SealError> {
    let mut derived = Zeroizing::new([0; 32]);
    // An empty salt is one of 32 zero bytes (RFC 5869, section 2.2).
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, Len32)
        .and_then(|okm| okm.fill(derived.as_mut_slice()))
        .map_err(|_unspecified| SealError)?;
    let key = UnboundKey::new(&AES_256_GCM, derived.as_slice()).map_err(|_length| SealError)?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn key(session: &str) -> SessionKey {
        let origin = Origin::new("gateway.demo/station/demo/1").unwrap();
        SessionKey::draw(origin, SessionId::new(session).unwrap()).unwrap()
    }

    /// G7: no two sessions, and no two purposes, share a key; nothing prints it.
    #[test]
    fn keys_are_their_sessions_own() {
        let (one, two) = (key("s-1"), key("s-2"));
        let mut sealed = b"personal".to_vec();
        let tag = one
            .encrypt(b"", &[b"a"], [0; 12], b"", &mut sealed)
            .unwrap();
        sealed.extend(tag);
        let open = |key: &SessionKey, info: &[u8]| key.decrypt(b"", &[info], [0; 12], b"", &sealed);
        assert_eq!(open(&one, b"a").unwrap().as_slice(), b"personal");
        assert!(open(&one, b"b").is_none() && open(&two, b"a").is_none());
        assert!(!format!("{one:?}").contains(&hex::encode(one.secret.as_slice())));
    }
}

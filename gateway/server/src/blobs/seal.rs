//! The file format of a sealed blob, version 2. All of it is ciphertext or says how to open it.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic `STNBLOB\n` |
//! | 8 | 1 | version: 2 |
//! | 9 | 16 | id of the session key that it is sealed under |
//! | 25 | 32 | salt, drawn for this file |
//! | 57 | length of the blob + 16 | AES-256-GCM ciphertext and tag |
//!
//! The key is HKDF-SHA256(ikm = session key, salt, info = `station-gateway blob v2`). A key seals one file only, so the
//! nonce is 12 zero bytes; additional data are the first 57 bytes of the file. The same photo sealed twice makes two files.

use aws_lc_rs::digest;
use schemas::ids::BlobHash;
use schemas::key::SealingKeyId;
use zeroize::Zeroizing;

use crate::sealing::{SealError, SessionKey, random};

/// First bytes of a sealed blob.
pub const MAGIC: &[u8; 8] = b"STNBLOB\n";
/// The version that follows them.
pub const VERSION: u8 = 2;
const INFO: &[u8] = b"station-gateway blob v2";
const SALT_LEN: usize = 32;
/// Bytes before the ciphertext.
pub(super) const HEAD_LEN: usize = 57;
const TAG_LEN: usize = 16;

/// The sealed file's bytes.
pub(super) fn seal(key: &SessionKey, blob: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut salt = [0; SALT_LEN];
    random(&mut salt)?;
    // Long enough from the beginning: growing would leave a copy of the photo behind.
    let mut file = Vec::with_capacity(HEAD_LEN + blob.len() + TAG_LEN);
    file.extend_from_slice(MAGIC);
    file.push(VERSION);
    file.extend_from_slice(&key.id().to_raw());
    file.extend_from_slice(&salt);
    let head: [u8; HEAD_LEN] = file.as_slice().try_into().map_err(|_length| SealError)?;
    file.extend_from_slice(blob);
    let body = file.get_mut(HEAD_LEN..).ok_or(SealError)?;
    let tag = key.encrypt(&salt, &[INFO], [0; 12], &head, body)?;
    file.extend_from_slice(&tag);
    Ok(file)
}

/// What was sealed; none: it is of another key, or was changed.
pub(crate) fn open(key: &SessionKey, file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (head, sealed) = file.split_at_checked(HEAD_LEN)?;
    let salt = head.get(HEAD_LEN - SALT_LEN..)?;
    if key_of(head).as_ref() != Some(key.id()) {
        return None;
    }
    key.decrypt(salt, &[INFO], [0; 12], head, sealed)
}

/// The key that a sealed file names; none where it is no sealed file of this version.
pub(super) fn key_of(head: &[u8]) -> Option<SealingKeyId> {
    let rest = head.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
    let id: [u8; 16] = rest.get(..16)?.try_into().ok()?;
    Some(SealingKeyId::of(&id))
}

/// SHA-256 of a sealed file: its name, and what events refer to.
pub(crate) fn hash(file: &[u8]) -> Option<BlobHash> {
    BlobHash::new(hex::encode(digest::digest(&digest::SHA256, file))).ok()
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use super::*;
    use crate::sealing::test_key;

    /// P5, G7: the session's key opens what was sealed, nothing else does, and the plaintext is not in it.
    #[test]
    fn only_its_sessions_key_opens_a_sealed_blob() {
        let (key, other) = (test_key("s-1"), test_key("s-2"));
        let photo = b"a photo that only the centre may see".repeat(40);
        let file = seal(&key, &photo).unwrap();
        assert_eq!(&file[..9], b"STNBLOB\n\x02");
        assert_eq!(file.len(), 57 + photo.len() + 16);
        assert_eq!(key_of(&file).as_ref(), Some(key.id()));
        assert!(!file.windows(16).any(|window| window == &photo[..16]));
        assert_eq!(*open(&key, &file).unwrap(), photo);
        assert!(open(&other, &file).is_none());
        let mut changed = file.clone();
        changed[8] = 1;
        assert!(open(&key, &changed).is_none());
        assert_ne!(seal(&key, &photo).unwrap(), file);
    }
}

//! The Ed25519 key (RFC 8032), kept as PKCS#8 (RFC 5958, version 1) so that openssl reads it too.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use gateway_log::CheckpointSigner;
use zeroize::Zeroizing;

use super::KeysError;
use super::files::KeyFolder;

const PART: &str = "signing-key.p8";

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

impl CheckpointSigner for SigningKey {
    fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        Self::sign(self, text)
    }

    fn verify(&self, public_key: &[u8; 32], text: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(text, signature)
            .is_ok()
    }
}

pub(super) fn open(store: &KeyFolder) -> Result<SigningKey, KeysError> {
    let document = store.read_or_make(PART, || {
        let rng = aws_lc_rs::rand::SystemRandom::new();
        let document =
            Ed25519KeyPair::generate_pkcs8v1(&rng).map_err(|_unspecified| KeysError::Random)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    })?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document)
        .map_err(|_rejected| store.damaged(PART))?;
    let public_key = pair
        .public_key()
        .as_ref()
        .try_into()
        .map_err(|_other_length| store.damaged(PART))?;
    Ok(SigningKey {
        pair: Arc::new(pair),
        public_key,
    })
}

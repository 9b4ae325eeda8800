//! What a verification starts from.

use schemas::chain::KeyChain;
use schemas::envelope::Origin;
use schemas::proof::{NoteError, NoteKey};

/// What is trusted: the first key of a log, known from elsewhere than the log.
#[derive(Debug, Clone)]
pub struct Anchor(KeyChain);

/// A verifier key that is not one of a station.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// Not a verifier key.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// Its name is not an origin.
    #[error(transparent)]
    Origin(#[from] schemas::text::Invalid),
}

impl Anchor {
    /// From a C2SP verifier key, `name+id+base64`.
    pub fn from_vkey(vkey: &str) -> Result<Self, AnchorError> {
        let key = NoteKey::from_vkey(vkey)?;
        let origin = Origin::new(key.name())?;
        Ok(Self(KeyChain::new(origin, *key.public_key())))
    }

    /// The key chain that begins with it.
    pub fn chain(&self) -> KeyChain {
        self.0.clone()
    }
}

//! The file of a session's key: `session-keys/<key id>.json`. The key is in it once for each recipient, sealed.
//!
//! HPKE `aad` is key id (16 bytes) ‖ origin ‖ 0 ‖ session, so a sealed key cannot be passed off as another session's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemas::envelope::Origin;
use schemas::ids::SessionId;
use schemas::key::{RecipientId, SealingKeyId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key::{SealError, SessionKey};
use super::private::NotOpened;
use super::recipient::{Recipient, Wrapped};

const VERSION: u32 = 1;

#[derive(Serialize)]
struct KeyFile<'a> {
    version: u32,
    key: &'a SealingKeyId,
    session: &'a SessionId,
    origin: &'a str,
    recipients: Vec<Sealed>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    kid: RecipientId,
    enc: String,
    ct: String,
}

/// What is read of a file to open it.
#[derive(Deserialize)]
struct Read {
    version: u32,
    key: SealingKeyId,
    session: SessionId,
    origin: Origin,
    recipients: Vec<Sealed>,
}

/// A key that is not open yet: all but its secret.
pub(super) struct Unopened {
    id: SealingKeyId,
    session: SessionId,
    origin: Origin,
}

impl Unopened {
    /// What its sealed forms are bound to.
    pub(super) fn aad(&self) -> Vec<u8> {
        aad(&self.id, &self.origin, &self.session)
    }

    pub(super) fn with(self, secret: Zeroizing<[u8; 32]>) -> SessionKey {
        SessionKey {
            id: self.id,
            secret,
            session: self.session,
            origin: self.origin,
        }
    }
}

/// Which session of which log a key file belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) session: SessionId,
    pub(super) origin: String,
}

/// The bytes of a key's file.
pub(super) fn encode(key: &SessionKey, recipients: &[Recipient]) -> Result<Vec<u8>, SealError> {
    let aad = aad(&key.id, &key.origin, &key.session);
    let seal = |recipient: &Recipient| {
        let wrapped = recipient.wrap(&key.secret, &aad)?;
        Ok(Sealed {
            kid: recipient.id(),
            enc: URL_SAFE_NO_PAD.encode(wrapped.enc),
            ct: URL_SAFE_NO_PAD.encode(wrapped.ct),
        })
    };
    let file = KeyFile {
        version: VERSION,
        key: &key.id,
        session: &key.session,
        origin: key.origin.as_str(),
        recipients: recipients.iter().map(seal).collect::<Result<_, _>>()?,
    };
    serde_json::to_vec(&file).map_err(|_cannot_happen| SealError)
}

/// Whom the file is for; nobody where it is no key file.
pub(super) fn recipients(bytes: &[u8]) -> Vec<RecipientId> {
    let read = serde_json::from_slice::<Read>(bytes).ok();
    let sealed = read.map(|read| read.recipients).unwrap_or_default();
    sealed.into_iter().map(|sealed| sealed.kid).collect()
}

/// What the file holds for this recipient.
pub(super) fn addressed(bytes: &[u8], to: &RecipientId) -> Result<(Unopened, Wrapped), NotOpened> {
    let read: Read = serde_json::from_slice(bytes).map_err(|_not_json| NotOpened::Format)?;
    if read.version != VERSION {
        return Err(NotOpened::Format);
    }
    let mut sealed = read.recipients.into_iter();
    let sealed = sealed.find(|sealed| sealed.kid == *to);
    let sealed = sealed.ok_or(NotOpened::NotARecipient)?;
    let decode = |text| URL_SAFE_NO_PAD.decode(text);
    let (Ok(enc), Ok(ct)) = (decode(sealed.enc), decode(sealed.ct)) else {
        return Err(NotOpened::Format);
    };
    let unopened = Unopened {
        id: read.key,
        session: read.session,
        origin: read.origin,
    };
    Ok((unopened, Wrapped { enc, ct }))
}

/// Whose key the file holds; none where it is no key file.
pub(super) fn owner(bytes: &[u8]) -> Option<Owner> {
    serde_json::from_slice(bytes).ok()
}

fn aad(id: &SealingKeyId, origin: &Origin, session: &SessionId) -> Vec<u8> {
    let mut aad = id.to_raw().to_vec();
    aad.extend_from_slice(origin.as_str().as_bytes());
    aad.push(0);
    aad.extend_from_slice(session.as_str().as_bytes());
    aad
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use hpke::aead::AesGcm256;
    use hpke::kdf::HkdfSha256;
    use hpke::kem::X25519HkdfSha256;
    use hpke::{Deserializable as _, Kem, OpModeR, Serializable as _, single_shot_open};

    use super::super::key::tests::key;
    use super::*;

    fn open(
        file: &serde_json::Value,
        at: usize,
        secret: &<X25519HkdfSha256 as Kem>::PrivateKey,
        aad: &[u8],
    ) -> Option<Vec<u8>> {
        let sealed = file.get("recipients").unwrap().get(at).unwrap();
        let bytes = |name| {
            URL_SAFE_NO_PAD
                .decode(sealed.get(name).unwrap().as_str().unwrap())
                .unwrap()
        };
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&bytes("enc")).unwrap();
        single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            secret,
            &enc,
            b"station-gateway session key v1",
            &bytes("ct"),
            aad,
        )
        .ok()
    }

    /// G7: each recipient opens the key with their own private key, nobody else does, and it is bound to its session.
    #[test]
    fn only_recipients_open_a_session_key() {
        let (secret, public) = X25519HkdfSha256::gen_keypair();
        let (other_secret, other_public) = X25519HkdfSha256::gen_keypair();
        let (stranger, _) = X25519HkdfSha256::gen_keypair();
        let recipients = [public, other_public]
            .map(|public| Recipient::from_bytes(&public.to_bytes().into()).unwrap());
        let key = key("s-40");
        let bytes = encode(&key, &recipients).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(&hex::encode(key.secret.as_slice())));
        let file: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let right = aad(&key.id, &key.origin, &key.session);
        assert_eq!(open(&file, 0, &secret, &right).unwrap(), *key.secret);
        assert_eq!(open(&file, 1, &other_secret, &right).unwrap(), *key.secret);
        assert!(open(&file, 0, &stranger, &right).is_none());
        let wrong = aad(&key.id, &key.origin, &SessionId::new("s-41").unwrap());
        assert!(open(&file, 0, &secret, &wrong).is_none());
        let owner = owner(&bytes).unwrap();
        assert_eq!(owner.session, key.session);
        assert_eq!(owner.origin, key.origin.as_str());
    }
}

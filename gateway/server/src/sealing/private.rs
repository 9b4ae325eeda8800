//! An officer's private key, and what it opens. It is for the officer's own tool: the gateway holds no such key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, Serializable as _, single_shot_open};
use schemas::key::RecipientId;
use zeroize::Zeroizing;

use super::file;
use super::key::{SealError, SessionKey, random};
use super::recipient::{INFO, Recipient, id_of};

/// The PrivateKeyInfo of X25519 (RFC 8410, section 7) is these bytes and then the key.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// An officer's private key: X25519. Wiped when dropped.
pub struct PrivateKey {
    raw: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

/// Not 64 hexadecimal digits and not a PEM private key of X25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an X25519 private key: it is the private file of `gateway window make-key`, or PEM as `openssl genpkey -algorithm X25519` makes it"
)]
pub struct InvalidPrivateKey;

/// Why a session's key does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Not a key file of this version.
    #[error("it is no key file of this version")]
    Format,
    /// Sealed to others.
    #[error("it is not sealed to this key")]
    NotARecipient,
    /// It is not what it was.
    #[error("it does not open: it was changed")]
    Refused,
}

impl PrivateKey {
    /// A new one.
    pub fn draw() -> Result<Self, SealError> {
        let mut raw = Zeroizing::new([0; 32]);
        random(raw.as_mut_slice())?;
        Self::from_raw(raw).map_err(|_cannot_happen| SealError)
    }

    /// From the text of its file: PEM, or 64 hexadecimal digits.
    pub fn from_text(text: &str) -> Result<Self, InvalidPrivateKey> {
        let text = text.trim();
        let mut raw = Zeroizing::new([0; 32]);
        if let Some(body) = text.strip_prefix(BEGIN) {
            let body = body.split(END).next().unwrap_or_default();
            let body: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
            let der = STANDARD.decode(body.as_bytes());
            let der = Zeroizing::new(der.map_err(|_not_base64| InvalidPrivateKey)?);
            let key = der.strip_prefix(&PKCS8_PREFIX[..]);
            let key = key.ok_or(InvalidPrivateKey)?;
            *raw = key.try_into().map_err(|_other_length| InvalidPrivateKey)?;
        } else {
            hex::decode_to_slice(text, raw.as_mut_slice()).map_err(|_not_hex| InvalidPrivateKey)?;
        }
        Self::from_raw(raw)
    }

    fn from_raw(raw: Zeroizing<[u8; 32]>) -> Result<Self, InvalidPrivateKey> {
        let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(raw.as_slice());
        let key = key.map_err(|_refused| InvalidPrivateKey)?;
        let public = X25519HkdfSha256::sk_to_pk(&key).to_bytes().into();
        Ok(Self { raw, public })
    }

    /// The text of its file: PEM, which openssl reads too.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let mut der = Zeroizing::new(PKCS8_PREFIX.to_vec());
        der.reserve_exact(self.raw.len());
        der.extend_from_slice(self.raw.as_slice());
        let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
        Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", body.as_str()))
    }

    /// The public part, as `station.toml` names it: 64 hexadecimal digits.
    pub fn public(&self) -> String {
        hex::encode(self.public)
    }

    /// By what a sealed key says that it is for this one.
    pub fn id(&self) -> RecipientId {
        id_of(&self.public)
    }

    /// Whether it is the private part of this one.
    pub fn fits(&self, recipient: &Recipient) -> bool {
        recipient.id() == self.id()
    }

    /// Opens a session's key.
    pub fn open(&self, form: &[u8]) -> Result<SessionKey, NotOpened> {
        let (unopened, wrapped) = file::addressed(form, &self.id())?;
        let secret = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(self.raw.as_slice())
            .map_err(|_refused| NotOpened::Refused)?;
        let enc = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&wrapped.enc)
            .map_err(|_refused| NotOpened::Format)?;
        let opened = single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &enc,
            INFO,
            &wrapped.ct,
            &unopened.aad(),
        );
        let opened = Zeroizing::new(opened.map_err(|_refused| NotOpened::Refused)?);
        let secret = opened.as_slice().try_into();
        Ok(unopened.with(Zeroizing::new(secret.map_err(|_length| NotOpened::Format)?)))
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.id())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::super::key::tests::key;
    use super::*;

    fn recipient(key: &PrivateKey) -> Recipient {
        Recipient::from_text(&key.public()).unwrap()
    }

    /// A pair of `openssl genpkey -algorithm X25519`, and how it is written.
    #[test]
    fn private_keys_are_read_as_digits_and_as_pem() {
        let digits = "40b4f80ea25b88e08f3ada1b751a1e5508d5706835f15799b8847f4ac2bf5078";
        let pem = format!(
            "{BEGIN}\n{}\n{END}\n",
            STANDARD.encode([&PKCS8_PREFIX[..], &hex::decode(digits).unwrap()].concat())
        );
        let (digits, pem) = (
            PrivateKey::from_text(digits).unwrap(),
            PrivateKey::from_text(&pem).unwrap(),
        );
        let public = "82b08272fa16689b14fcb6616da10892b23485fc73edcae6f837850d4cabdb00";
        assert_eq!(
            (digits.public().as_str(), pem.public().as_str()),
            (public, public)
        );
        assert_eq!(digits.to_pem(), pem.to_pem());
        let again = PrivateKey::from_text(&pem.to_pem()).unwrap();
        assert_eq!(again.id(), pem.id());
        assert!(again.fits(&recipient(&digits)));
        for bad in ["", "00", &format!("{BEGIN}\nAAAA\n{END}")] {
            assert!(PrivateKey::from_text(bad).is_err(), "{bad}");
        }
        assert!(!format!("{pem:?}").contains("40b4f80e"));
    }

    /// A15, G7: an officer opens what was sealed to them, nobody else does, and not what was passed off as another session's.
    #[test]
    fn an_officer_opens_what_is_sealed_to_them() {
        let (officer, other, stranger) = (
            PrivateKey::draw().unwrap(),
            PrivateKey::draw().unwrap(),
            PrivateKey::draw().unwrap(),
        );
        let sealed = key("s-40");
        let form = file::encode(&sealed, &[recipient(&officer), recipient(&other)]).unwrap();
        assert_eq!(file::recipients(&form), [officer.id(), other.id()]);
        let field = sealed
            .seal_field("application.phone", b"13812345678")
            .unwrap();
        for own in [&officer, &other] {
            let key = own.open(&form).unwrap();
            assert_eq!(
                key.open_field("application.phone", &field)
                    .unwrap()
                    .as_slice(),
                b"13812345678"
            );
            assert!(key.open_field("application.receipt", &field).is_none());
        }
        assert_eq!(stranger.open(&form).unwrap_err(), NotOpened::NotARecipient);
        let moved = String::from_utf8(form).unwrap().replace("s-40", "s-41");
        assert_eq!(
            officer.open(moved.as_bytes()).unwrap_err(),
            NotOpened::Refused
        );
        assert_eq!(officer.open(b"{}").unwrap_err(), NotOpened::Format);
    }
}

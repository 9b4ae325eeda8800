//! A sealed field of an event.
//!
//! `v1.<key id>.<base64url of nonce (12) ‖ ciphertext ‖ tag (16)>`. AES-256-GCM under
//! HKDF-SHA256(ikm = session key, no salt, info = `station-gateway field v1` ‖ 0 ‖ field name); additional data: origin ‖ 0 ‖
//! session ‖ 0 ‖ field name. So a field can be moved neither to another session nor to another place in one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemas::cardholder::{CardAddress, CardIssuer, EthnicGroup};
use schemas::citizen::{CitizenName, CitizenNumber};
use schemas::sealed::SealedField;
use zeroize::Zeroizing;

use super::key::{SealError, SessionKey, TAG_LEN, random};
use crate::held::Applicant;

/// Who a card's chip names: `{"number":"…","name":"…"}`.
pub const HOLDER: &str = "card-verified.holder";
/// Who applies, in the same form, with `ethnic_group`, `address` and `issuer` where their card states them. An acceptance and a ticket hold it under the name it was sealed under.
pub(crate) const APPLICATION_HOLDER: &str = "application.holder";
/// The phone number of an application.
pub(crate) const APPLICATION_PHONE: &str = "application.phone";
/// The barcode of a photo receipt.
pub(crate) const APPLICATION_RECEIPT: &str = "application.receipt";
const INFO: &[u8] = b"station-gateway field v1";
const NONCE_LEN: usize = 12;

impl SessionKey {
    /// Seals a field of this name.
    pub fn seal_field(&self, name: &str, plain: &[u8]) -> Result<SealedField, SealError> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let aad = aad(self, name);
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(NONCE_LEN..).ok_or(SealError)?;
        let tag = self.encrypt(b"", &[INFO, &[0], name.as_bytes()], nonce, &aad, body)?;
        sealed.extend_from_slice(&tag);
        let text = format!("v1.{}.{}", self.id, URL_SAFE_NO_PAD.encode(sealed));
        SealedField::new(text).map_err(|_too_long| SealError)
    }

    /// Opens a field of this name; none: it is of another key, session or place, or was changed.
    pub fn open_field(&self, name: &str, field: &SealedField) -> Option<Zeroizing<Vec<u8>>> {
        let (_, body) = field.as_str().rsplit_once('.')?;
        let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let info: [&[u8]; 3] = [INFO, &[0], name.as_bytes()];
        self.decrypt(b"", &info, *nonce, &aad(self, name), sealed)
    }

    /// Seals whom a card's chip names.
    pub fn seal_holder(
        &self,
        number: &CitizenNumber,
        name: Option<&CitizenName>,
    ) -> Result<SealedField, SealError> {
        self.seal_field(HOLDER, &holder(number, name)?)
    }
}

fn aad(key: &SessionKey, name: &str) -> Vec<u8> {
    let parts = [key.origin.as_str(), key.session.as_str(), name];
    parts.join("\0").into_bytes()
}

#[derive(Default, serde::Serialize)]
struct Holder<'a> {
    number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethnic_group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
}

/// A person as JSON, in a buffer that is wiped.
pub(crate) fn holder(
    number: &CitizenNumber,
    name: Option<&CitizenName>,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    written(&Holder {
        number: number.expose(),
        name: name.map(CitizenName::expose),
        ..Holder::default()
    })
}

/// Who applies, with all that their card states, as JSON in a buffer that is wiped.
pub(crate) fn applicant(who: &Applicant) -> Result<Zeroizing<Vec<u8>>, SealError> {
    written(&Holder {
        number: who.number.expose(),
        name: who.name.as_ref().map(CitizenName::expose),
        ethnic_group: who.ethnic_group.map(EthnicGroup::expose),
        address: who.address.as_ref().map(CardAddress::expose),
        issuer: who.issuer.as_ref().map(CardIssuer::expose),
    })
}

fn written(holder: &Holder<'_>) -> Result<Zeroizing<Vec<u8>>, SealError> {
    // Longer than any holder, so that no unwiped copy is left behind by growing.
    let mut json = Zeroizing::new(Vec::with_capacity(1_024));
    serde_json::to_writer(&mut *json, holder).map_err(|_cannot_happen| SealError)?;
    Ok(json)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::super::key::tests::key;
    use super::*;

    fn open(key: &SessionKey, name: &str, field: &SealedField) -> Option<Vec<u8>> {
        key.open_field(name, field).map(|plain| plain.to_vec())
    }

    /// G7: a field opens under its session's key, in its own place, and only there.
    #[test]
    fn a_field_opens_in_its_own_place_only() {
        let (one, two) = (key("s-1"), key("s-2"));
        let number = CitizenNumber::new("11010519491231002X").unwrap();
        let name = CitizenName::new("李小明").unwrap();
        let field = one.seal_holder(&number, Some(&name)).unwrap();
        assert_eq!(field.key().as_ref(), Some(one.id()));
        assert!(!field.as_str().contains("19491231"));
        let plain = open(&one, HOLDER, &field).unwrap();
        assert_eq!(
            String::from_utf8(plain).unwrap(),
            r#"{"number":"11010519491231002X","name":"李小明"}"#
        );
        assert!(open(&two, HOLDER, &field).is_none());
        assert!(open(&one, "another.field", &field).is_none());
        let nameless = one.seal_holder(&number, None).unwrap();
        assert_eq!(
            open(&one, HOLDER, &nameless).unwrap(),
            br#"{"number":"11010519491231002X"}"#
        );
        assert_ne!(one.seal_holder(&number, None).unwrap(), nameless);
    }
}

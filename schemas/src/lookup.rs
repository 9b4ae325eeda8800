//! How a card is found without its owner being named: a keyed tag (HMAC-SHA-256 under a station key)
//! of the citizen number or the voucher. Never a plain hash: the space of citizen numbers is small
//! enough to search.

use crate::key::LookupKeyId;
use crate::text::text_newtype;

text_newtype!(
    /// `<key id>.<base64url of the first 16 bytes of HMAC-SHA-256(station key, domain ‖ 0 ‖ value)>`,
    /// domain `number` or `voucher`. The key id is 8 hexadecimal digits, so that a key can rotate.
    LookupTag, "lookup tag", "^[0-9a-f]{8}\\.[A-Za-z0-9_-]{22}$",
    "8 hexadecimal digits, a dot, 22 characters of base64url",
    |t| t.split_once('.').is_some_and(|(key, tag)| {
        key.len() == 8
            && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && tag.len() == 22
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    })
);

impl LookupTag {
    /// The key that it is made with.
    pub fn key(&self) -> Option<LookupKeyId> {
        let (key, _) = self.0.split_once('.')?;
        LookupKeyId::new(key).ok()
    }
}

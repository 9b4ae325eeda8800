//! A phone number as it may be shown, and the code that is sent to it (A8).

crate::text::text_newtype!(
    /// A mobile number with its middle hidden: what events and screens may hold.
    MaskedPhone, "masked phone number", "^1[3-9][0-9]\\*{4}[0-9]{4}$", "three digits, four stars, four digits",
    |t| matches!(t.as_bytes(), [b'1', b'3'..=b'9', third, b'*', b'*', b'*', b'*', tail @ ..]
        if third.is_ascii_digit() && tail.len() == 4 && tail.iter().all(u8::is_ascii_digit))
);

crate::text::text_newtype!(
    /// What a code of an SMS is compared with: `<16 bytes of salt, hex>.<SHA-256 of salt ‖ code, hex>`. It is of use to nobody
    /// once the code's time is over.
    SaltedCode, "salted code", "^[0-9a-f]{32}\\.[0-9a-f]{64}$", "32 and 64 lower-case hexadecimal digits with a dot between",
    |t| t.split_once('.').is_some_and(|(salt, hash)| {
        let hex = |t: &str, len: usize| t.len() == len && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        hex(salt, 32) && hex(hash, 64)
    })
);

impl SaltedCode {
    /// The code as the centre sends it, salted.
    pub fn of(salt: [u8; 16], code: &str) -> Self {
        Self(format!("{}.{}", hex::encode(salt), digest(&salt, code)))
    }

    /// Whether `code` is the one that was sent.
    pub fn is(&self, code: &str) -> bool {
        self.0.split_once('.').is_some_and(|(salt, hash)| {
            let mut raw = [0; 16];
            hex::decode_to_slice(salt, &mut raw).is_ok() && digest(&raw, code) == hash
        })
    }
}

fn digest(salt: &[u8; 16], code: &str) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::new()
        .chain_update(salt)
        .chain_update(code.as_bytes());
    hex::encode(hash.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::citizen::PhoneNumber;

    /// A8: a code fits what it was salted as, and nothing else does.
    #[test]
    fn a_code_fits_its_salt() {
        let code = SaltedCode::of([7; 16], "041193");
        assert!(code.is("041193"));
        for other in ["041194", "", "41193"] {
            assert!(!code.is(other), "{other}");
        }
        assert_ne!(code, SaltedCode::of([8; 16], "041193"));
        assert_eq!(SaltedCode::new(code.as_str()).unwrap(), code);
    }

    /// G7: what is masked is taken, what is not is refused.
    #[test]
    fn only_a_masked_phone_number_is_one() {
        let phone = PhoneNumber::new("13812345678").unwrap();
        assert!(MaskedPhone::new(phone.masked()).is_ok());
        assert!(MaskedPhone::new(phone.expose()).is_err());
    }
}

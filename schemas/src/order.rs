//! How a station numbers its payment orders, and what a phone scans to pay one.

use crate::acceptance::AcceptanceSite;
use crate::ids::OrderId;
use crate::message::peripheral::Fen;
use crate::text::{Invalid, has_long_number, text_newtype};

/// What every payment network takes as a merchant's number: WeChat Pay 6 to 32 characters, UnionPay 8 to 40 letters and digits.
const LEN_MAX: usize = 32;

/// Longest code to pay by, in bytes: a QR code of it is read from a screen at arm's length.
const CODE_LEN_MAX: usize = 512;

text_newtype!(
    /// What a phone scans to pay an order, as the payment network gave it: a URL, `weixin://wxpay/bizpayurl?pr=…` or
    /// `https://qr.alipay.com/…`. It names nobody.
    PaymentCode, "payment code", "^[a-z][a-z0-9+.-]{1,30}://[!-~]+$", "a URL of up to 512 visible ASCII characters, and no 15 digits in a row",
    |t| {
        let is_scheme = |s: &str| s.len() > 1 && s.starts_with(|c: char| c.is_ascii_lowercase())
            && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-'));
        let is_url = |(scheme, rest): (&str, &str)| {
            is_scheme(scheme) && scheme.len() <= 31 && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic())
        };
        t.len() <= CODE_LEN_MAX && t.split_once("://").is_some_and(is_url) && !has_long_number(t)
    }
);

impl OrderId {
    /// The text of the QR code on a notice of an order that is to be paid later: `STNPAY1 110105001i1e57 2000`. The order, and its amount
    /// in fen, for the centre's own application; a payment network knows neither.
    pub fn to_scan(&self, amount_fen: Fen) -> String {
        format!("STNPAY1 {self} {}", amount_fen.get())
    }

    /// The order that the event at `index` of the log `incarnation` opens at `site`: `110105001i1e57`. Letters and digits only, and
    /// unique without a count of its own. It is not made from the acceptance number, which whoever holds it may collect the card with.
    /// Refused where it would be longer than the networks take.
    pub fn of_event(site: &AcceptanceSite, incarnation: u32, index: u64) -> Result<Self, Invalid> {
        let id = format!("{site}i{incarnation}e{index}");
        if id.len() > LEN_MAX {
            return Err(Invalid {
                what: "order id",
                rule: "at most 32 characters, as payment networks take it",
            });
        }
        Self::new(id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A12, G7: codes as the networks give them are taken; what is no URL, or may hold a citizen number, is not.
    #[test]
    fn a12_a_payment_code_is_a_url_that_names_nobody() {
        for code in [
            "weixin://wxpay/bizpayurl?pr=invented0",
            "https://qr.alipay.com/bax00invented",
        ] {
            assert_eq!(PaymentCode::new(code).unwrap().as_str(), code);
        }
        let long = format!("https://qr.alipay.com/{}", "a".repeat(CODE_LEN_MAX));
        for code in [
            "",
            "bizpayurl",
            "://x",
            "https://",
            "HTTPS://x",
            "https://a b",
            "https://\u{7801}",
            "https://x/110105194912310021",
            &long,
        ] {
            assert!(PaymentCode::new(code).is_err(), "{code}");
        }
    }
}

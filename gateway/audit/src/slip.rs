//! What the QR code on a citizen's slip says: which event records it, so that an auditor can find and prove it later.
//!
//! `STN1 <origin> <index> <size> <leaf>`, with single spaces: the log, the event's index, the size of a signed checkpoint that covers
//! it, and its leaf hash in base64url without padding (RFC 4648, section 5). Nothing in it is personal.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemas::envelope::Origin;
use schemas::proof::Hash;

const MAGIC: &str = "STN1";

/// The content of a slip's QR code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// The log.
    pub origin: Origin,
    /// The event, from 0.
    pub index: u64,
    /// Events under the checkpoint that covers it.
    pub size: u64,
    /// The event's leaf hash.
    pub leaf: Hash,
}

/// Not the text of a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the text of a slip is: {MAGIC}, origin, index, size and 43 characters of base64url, with single spaces"
)]
pub struct SlipError;

impl std::str::FromStr for Slip {
    type Err = SlipError;

    fn from_str(text: &str) -> Result<Self, SlipError> {
        let parts: Vec<&str> = text.trim_end_matches(['\r', '\n']).split(' ').collect();
        let [MAGIC, origin, index, size, leaf] = parts.as_slice() else {
            return Err(SlipError);
        };
        let leaf = URL_SAFE_NO_PAD
            .decode(leaf)
            .map_err(|_not_base64| SlipError)?;
        let slip = Self {
            origin: Origin::new(*origin).map_err(|_not_one| SlipError)?,
            index: number(index)?,
            size: number(size)?,
            leaf: Hash(leaf.try_into().map_err(|_other_length| SlipError)?),
        };
        (slip.index < slip.size).then_some(slip).ok_or(SlipError)
    }
}

impl std::fmt::Display for Slip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let leaf = URL_SAFE_NO_PAD.encode(self.leaf.0);
        write!(
            f,
            "{MAGIC} {} {} {} {leaf}",
            self.origin, self.index, self.size
        )
    }
}

/// Decimal digits as they are written: no sign, no zeros in front.
pub(crate) fn number(text: &str) -> Result<u64, SlipError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or(SlipError)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// P7, G3: the text of a slip reads back, and nothing else does.
    #[test]
    fn a_slip_reads_back() {
        let text = format!("STN1 gateway.demo/station/demo/1 41 43 {}", "A".repeat(43));
        assert_eq!(text.parse::<Slip>().unwrap().to_string(), text);
        for bad in [
            text.replace("STN1", "STN2"),
            text.replace(" 41", " 041"),
            text.replace(" 41", " +41"),
            text.replace(" 43 ", " 41 "),
            text.replace("  ", " ") + " ",
            text.replace("AAA", "AA"),
            text.replace("gateway", "GATEWAY"),
            String::new(),
        ] {
            assert_eq!(bad.parse::<Slip>(), Err(SlipError), "{bad}");
        }
    }
}

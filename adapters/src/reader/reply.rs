//! What a SAM_V module answers (GA/T 467). Pure.

use zeroize::Zeroizing;

use super::frame::Body;

/// The result of a request, SW3. The words follow CEN XFS4IoT where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamResult {
    /// 90: done.
    Success,
    /// 9F: a card was found.
    MediaFound,
    /// 91: the item is empty.
    ItemEmpty,
    /// 10: the check byte of the request does not fit.
    ChecksumError,
    /// 11: the length of the request does not fit.
    LengthError,
    /// 21: no such request, or not in this state.
    SequenceError,
    /// 23: not permitted.
    NotPermitted,
    /// 24: an error without a name.
    UnknownError,
    /// 31: the card rejects the security module.
    MediaRejectsSam,
    /// 32: the security module rejects the card.
    SamRejectsMedia,
    /// 33: what the card says could not be verified.
    VerificationFailed,
    /// 40: a card of a kind that it does not know.
    InvalidMedia,
    /// 41: the card could not be read.
    ReadFailed,
    /// 47: no random number.
    RandomFailed,
    /// 60: the security module failed its own test.
    SelfTestFailed,
    /// 66: the security module is not authorised.
    NotAuthorised,
    /// 80: no card, or one that was read and not lifted since.
    NoMedia,
    /// 81: the card could not be selected.
    SelectFailed,
    /// Any other code.
    Other(u8),
}

/// All results that have a name, by their code.
const RESULTS: [(u8, SamResult); 18] = [
    (0x90, SamResult::Success),
    (0x9F, SamResult::MediaFound),
    (0x91, SamResult::ItemEmpty),
    (0x10, SamResult::ChecksumError),
    (0x11, SamResult::LengthError),
    (0x21, SamResult::SequenceError),
    (0x23, SamResult::NotPermitted),
    (0x24, SamResult::UnknownError),
    (0x31, SamResult::MediaRejectsSam),
    (0x32, SamResult::SamRejectsMedia),
    (0x33, SamResult::VerificationFailed),
    (0x40, SamResult::InvalidMedia),
    (0x41, SamResult::ReadFailed),
    (0x47, SamResult::RandomFailed),
    (0x60, SamResult::SelfTestFailed),
    (0x66, SamResult::NotAuthorised),
    (0x80, SamResult::NoMedia),
    (0x81, SamResult::SelectFailed),
];

impl SamResult {
    /// The result of this code.
    pub fn from_code(code: u8) -> Self {
        let named = RESULTS.iter().find(|(known, _)| *known == code);
        named.map_or(Self::Other(code), |(_, result)| *result)
    }

    /// Its code, SW3.
    pub fn code(self) -> u8 {
        if let Self::Other(code) = self {
            return code;
        }
        let named = RESULTS.iter().find(|(_, known)| *known == self);
        named.map_or(0x24, |(code, _)| *code)
    }

    /// Whether the reader or the line to it is at fault, and not the card.
    pub const fn is_of_the_device(self) -> bool {
        matches!(
            self,
            Self::ChecksumError
                | Self::LengthError
                | Self::NotPermitted
                | Self::RandomFailed
                | Self::SelfTestFailed
                | Self::NotAuthorised
        )
    }
}

/// A reply. Its data may be a card's: wiped, and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// SW1 and SW2: what the card itself answered, 00 00 as a rule.
    pub card_status: [u8; 2],
    /// SW3.
    pub result: SamResult,
    /// What follows.
    pub data: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for Reply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reply")
            .field("card_status", &self.card_status)
            .field("result", &self.result)
            .field("data_len", &self.data.len())
            .finish()
    }
}

impl Reply {
    /// A reply of this result, without an error of the card.
    pub fn new(result: SamResult, data: &[u8]) -> Self {
        Self {
            card_status: [0, 0],
            result,
            data: Zeroizing::new(data.to_vec()),
        }
    }

    /// Reads a frame's body. `None`: it is shorter than three bytes.
    pub fn from_body(body: &Body) -> Option<Self> {
        let [sw1, sw2, sw3, data @ ..] = body.as_slice() else {
            return None;
        };
        Some(Self {
            card_status: [*sw1, *sw2],
            result: SamResult::from_code(*sw3),
            data: Zeroizing::new(data.to_vec()),
        })
    }

    /// The body of its frame.
    pub fn to_body(&self) -> Body {
        let mut body = Zeroizing::new(Vec::with_capacity(3 + self.data.len()));
        body.extend_from_slice(&self.card_status);
        body.push(self.result.code());
        body.extend_from_slice(&self.data);
        body
    }
}

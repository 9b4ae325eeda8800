//! The fingerprints of a card: up to two blocks of 512 bytes (GA/T 1012). Only the head is read; the rest
//! is for the scanner. Pure.

use schemas::message::Template;
use schemas::words::Hand;
use schemas::words::application::FingerPosition;

/// Bytes of a finger's block.
pub const BLOCK_BYTES: usize = 512;
/// What a block begins with.
const MARK: u8 = 0x43;

/// Whether the finger was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// 01
    Registered,
    /// 02
    Failed,
    /// 03
    NotRegistered,
    /// 09, and any other.
    Unknown,
}

/// Which finger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finger {
    /// 11 to 20: thumb (1) to little finger (5) of a hand.
    Known {
        /// The hand.
        hand: Hand,
        /// 1 to 5.
        number: u8,
    },
    /// 97, 98: a finger of this hand.
    OfHand(Hand),
    /// 99, and any other.
    Other,
}

impl Finger {
    fn from_code(code: u8) -> Self {
        let known = |hand, first| Self::Known {
            hand,
            number: code - first + 1,
        };
        match code {
            11..=15 => known(Hand::Right, 11),
            16..=20 => known(Hand::Left, 16),
            97 => Self::OfHand(Hand::Right),
            98 => Self::OfHand(Hand::Left),
            _ => Self::Other,
        }
    }

    /// Its hand, where it is known.
    pub const fn hand(self) -> Option<Hand> {
        match self {
            Self::Known { hand, .. } | Self::OfHand(hand) => Some(hand),
            Self::Other => None,
        }
    }

    /// Its position, where it is known.
    pub fn position(self) -> Option<FingerPosition> {
        match self {
            // The first of a hand is its thumb, as that of the attempts at one is.
            Self::Known { hand, number } => Some(FingerPosition::asked(hand, number.into())),
            Self::OfHand(_) | Self::Other => None,
        }
    }
}

/// A finger's block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerBlock {
    /// Whether it was registered.
    pub registration: Registration,
    /// Which finger.
    pub finger: Finger,
    /// Quality, 1 to 100; none where it is not known.
    pub quality: Option<u8>,
    /// The whole block.
    pub template: Template,
}

impl FingerBlock {
    /// Reads a block of 512 bytes. `None`: it is another length, or no block.
    pub fn decode(block: &[u8]) -> Option<Self> {
        let [MARK, _, _, _, registration, finger, quality, ..] = *block else {
            return None;
        };
        if block.len() != BLOCK_BYTES {
            return None;
        }
        Some(Self {
            registration: match registration {
                1 => Registration::Registered,
                2 => Registration::Failed,
                3 => Registration::NotRegistered,
                _ => Registration::Unknown,
            },
            finger: Finger::from_code(finger),
            quality: (1..=100).contains(&quality).then_some(quality),
            template: Template::new(block.to_vec()).ok()?,
        })
    }
}

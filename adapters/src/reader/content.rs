//! What a card's chip gives: text, photo and fingerprints, each as long as the reply says, and the card
//! management number. Pure.

use schemas::ids::CardSerial;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::fingerprint::{BLOCK_BYTES, FingerBlock};
use super::text::{CardText, TextError};

/// Why a reply is no content of a card. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContentError {
    /// The lengths in it do not fit its own.
    #[error("a content of {0} bytes whose lengths do not fit")]
    Length(usize),
    /// The text.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// A photo as on the card: a WLT stream, whose decoder is proprietary. Does not print.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Photo(Vec<u8>);

impl Photo {
    /// Its bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for Photo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Photo(hidden)")
    }
}

/// What a chip holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardContent {
    /// The text.
    pub text: CardText,
    /// The photo.
    pub photo: Photo,
    /// The fingerprints; none on cards issued before they were taken.
    pub fingers: Vec<FingerBlock>,
}

impl CardContent {
    /// Reads the data of the reply to "read text and photo": two lengths, text, photo.
    ///
    /// # Errors
    /// The lengths do not fit, or the text cannot be read.
    pub fn decode_base(data: &[u8]) -> Result<Self, ContentError> {
        let ([text, photo], []) = parts(data)? else {
            return Err(ContentError::Length(data.len()));
        };
        Self::of(text, photo, &[])
    }

    /// Reads the data of the reply to "read text, photo and fingerprint": three lengths, text, photo,
    /// fingerprints.
    ///
    /// # Errors
    /// The lengths do not fit, or the text cannot be read.
    pub fn decode_with_fingerprint(data: &[u8]) -> Result<Self, ContentError> {
        let ([text, photo, fingers], []) = parts(data)? else {
            return Err(ContentError::Length(data.len()));
        };
        if fingers.len() % BLOCK_BYTES != 0 {
            return Err(ContentError::Length(data.len()));
        }
        Self::of(text, photo, fingers)
    }

    fn of(text: &[u8], photo: &[u8], fingers: &[u8]) -> Result<Self, ContentError> {
        Ok(Self {
            text: CardText::decode(text)?,
            photo: Photo(photo.to_vec()),
            // A finger that was not taken is a block without its mark.
            fingers: fingers
                .chunks(BLOCK_BYTES)
                .filter_map(FingerBlock::decode)
                .collect(),
        })
    }
}

/// `N` parts, and what is left behind them.
type Parts<'a, const N: usize> = ([&'a [u8]; N], &'a [u8]);

/// `N` lengths of two bytes, big-endian, then as many parts of these lengths.
fn parts<const N: usize>(data: &[u8]) -> Result<Parts<'_, N>, ContentError> {
    let short = ContentError::Length(data.len());
    let (lengths, mut rest) = data.split_at_checked(2 * N).ok_or(short)?;
    let mut parts: [&[u8]; N] = [&[]; N];
    let (lengths, _) = lengths.as_chunks::<2>();
    for (part, length) in parts.iter_mut().zip(lengths) {
        let len = usize::from(u16::from_be_bytes(*length));
        (*part, rest) = rest.split_at_checked(len).ok_or(short)?;
    }
    Ok((parts, rest))
}

/// Puts the data of a reply together from its parts.
///
/// # Errors
/// A part of 65,536 bytes or more.
pub fn encode(parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, ContentError> {
    let len = parts.iter().map(|part| 2 + part.len()).sum();
    let mut data = Zeroizing::new(Vec::with_capacity(len));
    for part in parts {
        let Ok(length) = u16::try_from(part.len()) else {
            return Err(ContentError::Length(part.len()));
        };
        data.extend_from_slice(&length.to_be_bytes());
    }
    for part in parts {
        data.extend_from_slice(part);
    }
    Ok(data)
}

/// The card management number: 28 bytes, the chip's serial within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagementNumber {
    /// Identification of the chip's issuer (IIN).
    pub issuer: [u8; 4],
    /// Serial of the chip (SN).
    pub serial: [u8; 8],
    /// Number of the card (DN).
    pub card: [u8; 16],
}

impl ManagementNumber {
    /// Reads the data of the reply. `None`: it is not 28 bytes.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let (issuer, rest) = data.split_first_chunk()?;
        let (serial, rest) = rest.split_first_chunk()?;
        Some(Self {
            issuer: *issuer,
            serial: *serial,
            card: rest.try_into().ok()?,
        })
    }

    /// The 28 bytes.
    pub fn encode(&self) -> [u8; 28] {
        let mut bytes = [0; 28];
        let all = self.issuer.iter().chain(&self.serial).chain(&self.card);
        for (place, byte) in bytes.iter_mut().zip(all) {
            *place = *byte;
        }
        bytes
    }

    /// The chip's serial as manifests and events have it: 16 hexadecimal digits.
    pub fn card_serial(&self) -> CardSerial {
        let text = format!("{:016X}", u64::from_be_bytes(self.serial));
        crate::link::checked(CardSerial::new(text))
    }
}

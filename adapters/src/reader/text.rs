//! The text of a card: 256 bytes of UTF-16LE, padded with spaces (GA/T 490). One layout for each kind of
//! card, told apart by the character at byte 248. Pure.

use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::personal::Personal;

/// Bytes of the text.
pub const TEXT_BYTES: usize = 256;
/// Bytes of an appended address.
pub const ADDRESS_BYTES: usize = 70;
/// Where the kind of the card stands.
const KIND_AT: usize = 248;

/// Why 256 bytes are no text of a card. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Another number of bytes.
    #[error("a text of {0} bytes")]
    Length(usize),
    /// A kind of card that is not known.
    #[error("a card of the unknown kind {0:#04x}")]
    Kind(u8),
    /// A field that is not UTF-16.
    #[error("the field at byte {at} is not UTF-16")]
    Encoding {
        /// Where the field begins.
        at: usize,
    },
    /// A text that is longer than its field.
    #[error("the field at byte {at} has room for {len} bytes")]
    TooLong {
        /// Where the field begins.
        at: usize,
        /// Its length.
        len: usize,
    },
}

/// A text as it stands on a card.
pub type Record = Zeroizing<Vec<u8>>;

macro_rules! layout {
    ($(#[$about:meta])* $name:ident, $kind:literal {
        $($(#[$what:meta])* $field:ident: $at:literal, $len:literal;)+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name {
            $($(#[$what])* pub $field: Personal,)+
        }

        impl $name {
            fn decode(record: &[u8]) -> Result<Self, TextError> {
                Ok(Self { $($field: field(record, $at, $len)?,)+ })
            }

            fn encode(&self) -> Result<Record, TextError> {
                let mut record = blank(TEXT_BYTES);
                $(put(&mut record, $at, $len, &self.$field)?;)+
                put(&mut record, KIND_AT, 2, &Personal::new($kind))?;
                Ok(record)
            }
        }
    };
}

layout! {
    /// A resident identity card.
    CitizenText, " " {
        /// Name.
        name: 0, 30;
        /// Sex, GB/T 2261.1.
        sex: 30, 2;
        /// Ethnic group, GB/T 3304.
        ethnic_group: 32, 4;
        /// Birth, YYYYMMDD.
        birth: 36, 16;
        /// Address.
        address: 52, 70;
        /// Citizen number, GB 11643.
        number: 122, 36;
        /// Issuer.
        issuer: 158, 30;
        /// Valid from, YYYYMMDD.
        valid_from: 188, 16;
        /// Valid to, YYYYMMDD or 长期.
        valid_to: 204, 16;
    }
}
layout! {
    /// A residence permit for Hong Kong, Macao and Taiwan residents.
    PermitText, "J" {
        /// Name.
        name: 0, 30;
        /// Sex.
        sex: 30, 2;
        /// Birth, YYYYMMDD.
        birth: 36, 16;
        /// Address.
        address: 52, 70;
        /// Citizen number, GB 11643.
        number: 122, 36;
        /// Issuer.
        issuer: 158, 30;
        /// Valid from, YYYYMMDD.
        valid_from: 188, 16;
        /// Valid to, YYYYMMDD.
        valid_to: 204, 16;
        /// Number of the pass.
        pass_number: 220, 18;
        /// How often it was issued.
        issue_count: 238, 4;
    }
}
layout! {
    /// A foreigner's permanent residence card of 2017.
    Foreigner2017Text, "I" {
        /// English name.
        english_name: 0, 120;
        /// Sex.
        sex: 120, 2;
        /// Number: 3 letters and 12 digits.
        number: 122, 30;
        /// Nationality.
        nationality: 152, 6;
        /// Chinese name.
        chinese_name: 158, 30;
        /// Valid from, YYYYMMDD.
        valid_from: 188, 16;
        /// Valid to, YYYYMMDD.
        valid_to: 204, 16;
        /// Birth, YYYYMMDD.
        birth: 220, 16;
        /// Version.
        version: 236, 4;
        /// Authority.
        authority: 240, 8;
    }
}
layout! {
    /// A foreigner's permanent residence card of 2023.
    Foreigner2023Text, "Y" {
        /// Chinese name.
        chinese_name: 0, 30;
        /// Sex.
        sex: 30, 2;
        /// How often it was renewed.
        renewal_count: 32, 4;
        /// Birth, YYYYMMDD.
        birth: 36, 16;
        /// English name.
        english_name: 52, 70;
        /// Number, 18 characters as a citizen number.
        number: 122, 36;
        /// Valid from, YYYYMMDD.
        valid_from: 188, 16;
        /// Valid to, YYYYMMDD.
        valid_to: 204, 16;
        /// The rest of the English name.
        english_name_rest: 220, 22;
        /// Country.
        country: 242, 6;
        /// What links it to the number before.
        prior_number_link: 250, 6;
    }
}

/// The text of a card, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardText {
    /// A resident identity card.
    Citizen(CitizenText),
    /// A residence permit (`J`).
    Permit(PermitText),
    /// A foreigner's card of 2017 (`I`).
    Foreigner2017(Foreigner2017Text),
    /// A foreigner's card of 2023 (`Y`).
    Foreigner2023(Foreigner2023Text),
}

impl CardText {
    /// Reads the 256 bytes.
    ///
    /// # Errors
    /// Another length, an unknown kind, or a field that is not UTF-16.
    pub fn decode(record: &[u8]) -> Result<Self, TextError> {
        if record.len() != TEXT_BYTES {
            return Err(TextError::Length(record.len()));
        }
        match record.get(KIND_AT).copied().unwrap_or_default() {
            0 | b' ' => CitizenText::decode(record).map(Self::Citizen),
            b'J' => PermitText::decode(record).map(Self::Permit),
            b'I' => Foreigner2017Text::decode(record).map(Self::Foreigner2017),
            b'Y' => Foreigner2023Text::decode(record).map(Self::Foreigner2023),
            kind => Err(TextError::Kind(kind)),
        }
    }

    /// The 256 bytes, as a card has them.
    ///
    /// # Errors
    /// A text that is longer than its field.
    pub fn encode(&self) -> Result<Record, TextError> {
        match self {
            Self::Citizen(text) => text.encode(),
            Self::Permit(text) => text.encode(),
            Self::Foreigner2017(text) => text.encode(),
            Self::Foreigner2023(text) => text.encode(),
        }
    }

    /// The holder's name; of a foreigner the Chinese one.
    pub const fn name(&self) -> &Personal {
        match self {
            Self::Citizen(text) => &text.name,
            Self::Permit(text) => &text.name,
            Self::Foreigner2017(text) => &text.chinese_name,
            Self::Foreigner2023(text) => &text.chinese_name,
        }
    }

    /// The last day, YYYYMMDD or 长期.
    pub const fn valid_to(&self) -> &Personal {
        match self {
            Self::Citizen(text) => &text.valid_to,
            Self::Permit(text) => &text.valid_to,
            Self::Foreigner2017(text) => &text.valid_to,
            Self::Foreigner2023(text) => &text.valid_to,
        }
    }

    /// The code of the ethnic group (GB/T 3304), where the kind of card states one.
    pub const fn ethnic_group(&self) -> Option<&Personal> {
        match self {
            Self::Citizen(text) => Some(&text.ethnic_group),
            Self::Permit(_) | Self::Foreigner2017(_) | Self::Foreigner2023(_) => None,
        }
    }

    /// The registered address, where the kind of card states one.
    pub const fn address(&self) -> Option<&Personal> {
        match self {
            Self::Citizen(text) => Some(&text.address),
            Self::Permit(text) => Some(&text.address),
            Self::Foreigner2017(_) | Self::Foreigner2023(_) => None,
        }
    }

    /// Who issued the card, where the kind of card states it.
    pub const fn issuer(&self) -> Option<&Personal> {
        match self {
            Self::Citizen(text) => Some(&text.issuer),
            Self::Permit(text) => Some(&text.issuer),
            Self::Foreigner2017(_) | Self::Foreigner2023(_) => None,
        }
    }

    /// The number of the card's holder.
    pub const fn number(&self) -> &Personal {
        match self {
            Self::Citizen(text) => &text.number,
            Self::Permit(text) => &text.number,
            Self::Foreigner2017(text) => &text.number,
            Self::Foreigner2023(text) => &text.number,
        }
    }
}

/// Reads the newest appended address: 70 bytes of UTF-16LE.
///
/// # Errors
/// Another length, or no UTF-16.
pub fn decode_address(bytes: &[u8]) -> Result<Personal, TextError> {
    if bytes.len() != ADDRESS_BYTES {
        return Err(TextError::Length(bytes.len()));
    }
    field(bytes, 0, ADDRESS_BYTES)
}

/// An appended address as it stands on a card.
///
/// # Errors
/// A text of more than 35 UTF-16 units.
pub fn encode_address(address: &Personal) -> Result<Record, TextError> {
    let mut record = blank(ADDRESS_BYTES);
    put(&mut record, 0, ADDRESS_BYTES, address)?;
    Ok(record)
}

/// A field without its padding.
fn field(record: &[u8], at: usize, len: usize) -> Result<Personal, TextError> {
    let bytes = record.get(at..at + len).unwrap_or_default();
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    // A UTF-16 unit takes three bytes of UTF-8 at the most: no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(len / 2 * 3));
    for unit in char::decode_utf16(units) {
        let Ok(unit) = unit else {
            return Err(TextError::Encoding { at });
        };
        text.push(unit);
    }
    let kept = text.trim_end_matches([' ', '\0']).len();
    text.truncate(kept);
    Ok(Personal::new(core::mem::take(&mut *text)))
}

/// `len` bytes of spaces.
fn blank(len: usize) -> Record {
    Zeroizing::new([b' ', 0].repeat(len / 2))
}

fn put(record: &mut Record, at: usize, len: usize, text: &Personal) -> Result<(), TextError> {
    let mut units: Vec<u8> = text
        .expose()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let fits = units.len() <= len;
    if let Some(place) = record.get_mut(at..at + units.len()).filter(|_| fits) {
        place.copy_from_slice(&units);
    }
    units.zeroize();
    if fits {
        Ok(())
    } else {
        Err(TextError::TooLong { at, len })
    }
}

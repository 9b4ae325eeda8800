//! What a ZFM module answers. Pure.

use super::packet::{Content, Kind, Packet};

/// How an instruction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// Done.
    Done,
    /// The packet did not arrive whole, or the module is busy.
    PacketError,
    /// No finger lies on the sensor.
    NoFinger,
    /// The image could not be taken.
    ImageFailed,
    /// The image is too messy.
    TooMessy,
    /// The image has too few points of a finger.
    TooFewPoints,
    /// The two do not match.
    NoMatch,
    /// Nothing in the library fits.
    NotFound,
    /// The two buffers are not of one finger.
    MergeFailed,
    /// The library has no such page.
    PageOutOfRange,
    /// A template could not be read from the library.
    TemplateUnreadable,
    /// The features could not be sent.
    FeatureUploadFailed,
    /// The module cannot take data.
    CannotReceive,
    /// The image could not be sent.
    ImageUploadFailed,
    /// A page could not be deleted.
    DeleteFailed,
    /// The library could not be cleared.
    ClearFailed,
    /// The password is wrong.
    WrongPassword,
    /// There is no image to work on.
    NoImage,
    /// The flash could not be written.
    FlashFailed,
    /// No such register.
    RegisterInvalid,
    /// The address is wrong.
    AddressWrong,
    /// The password has to be given first.
    PasswordRequired,
    /// Another one.
    Other(u8),
}

/// Confirmations that have a name, and their codes.
const CODES: [(u8, Confirmation); 22] = {
    use Confirmation as C;
    [
        (0x00, C::Done),
        (0x01, C::PacketError),
        (0x02, C::NoFinger),
        (0x03, C::ImageFailed),
        (0x06, C::TooMessy),
        (0x07, C::TooFewPoints),
        (0x08, C::NoMatch),
        (0x09, C::NotFound),
        (0x0A, C::MergeFailed),
        (0x0B, C::PageOutOfRange),
        (0x0C, C::TemplateUnreadable),
        (0x0D, C::FeatureUploadFailed),
        (0x0E, C::CannotReceive),
        (0x0F, C::ImageUploadFailed),
        (0x10, C::DeleteFailed),
        (0x11, C::ClearFailed),
        (0x13, C::WrongPassword),
        (0x15, C::NoImage),
        (0x18, C::FlashFailed),
        (0x1A, C::RegisterInvalid),
        (0x20, C::AddressWrong),
        (0x21, C::PasswordRequired),
    ]
};

impl Confirmation {
    /// The confirmation of a code.
    pub fn of(code: u8) -> Self {
        let known = CODES.iter().find(|(known, _)| *known == code);
        known.map_or(Self::Other(code), |(_, confirmation)| *confirmation)
    }

    /// Its code.
    pub fn code(self) -> u8 {
        if let Self::Other(code) = self {
            return code;
        }
        let known = CODES.iter().find(|(_, known)| *known == self);
        known.map_or(u8::MAX, |(code, _)| *code)
    }

    /// Whether the image is at fault: another one may do.
    pub const fn is_of_the_image(self) -> bool {
        matches!(
            self,
            Self::ImageFailed | Self::TooMessy | Self::TooFewPoints | Self::NoImage
        )
    }

    /// Whether nothing that is enrolled fits, or nothing is enrolled there.
    pub const fn is_no_match(self) -> bool {
        matches!(
            self,
            Self::NoMatch | Self::NotFound | Self::PageOutOfRange | Self::TemplateUnreadable
        )
    }
}

/// An acknowledgement. Its data do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// How the instruction ended.
    pub confirmation: Confirmation,
    /// What it brought.
    pub data: Content,
}

impl core::fmt::Debug for Acknowledgement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Acknowledgement")
            .field("confirmation", &self.confirmation)
            .field("len", &self.data.len())
            .finish()
    }
}

impl Acknowledgement {
    /// One with these data.
    pub fn new(confirmation: Confirmation, data: &[u8]) -> Self {
        Self {
            confirmation,
            data: Content::new(data.to_vec()),
        }
    }

    /// Its packet.
    pub fn to_packet(&self) -> Packet {
        let mut content = Content::new(Vec::with_capacity(1 + self.data.len()));
        content.push(self.confirmation.code());
        content.extend_from_slice(&self.data);
        Packet {
            content,
            ..Packet::new(Kind::Acknowledge, &[])
        }
    }

    /// What a packet acknowledges. `None`: it is no acknowledgement.
    pub fn of(packet: &Packet) -> Option<Self> {
        if packet.kind != Kind::Acknowledge {
            return None;
        }
        let (code, data) = packet.content.split_first()?;
        Some(Self::new(Confirmation::of(*code), data))
    }

    /// The number in the data of an answer to Match (score) or TemplateNum (count). `None`: there is none.
    pub fn number(&self) -> Option<u16> {
        Some(u16::from_be_bytes(self.data.as_slice().try_into().ok()?))
    }

    /// Page and score in the data of an answer to Search. `None`: there are none.
    pub fn found(&self) -> Option<Found> {
        let (page, score) = self.data.split_first_chunk()?;
        Some(Found {
            page: u16::from_be_bytes(*page),
            score: u16::from_be_bytes(score.try_into().ok()?),
        })
    }
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The page.
    pub page: u16,
    /// How well it fits, on the sensor's own scale.
    pub score: u16,
}

/// A module's parameters, the answer to ReadSysPara.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Bits: 0 busy, 1 match passed, 2 password verified, 3 image valid.
    pub status: u16,
    /// Code of the system.
    pub system: u16,
    /// Pages of the library.
    pub capacity: u16,
    /// Level of security, 1 to 5.
    pub security: u16,
    /// Its address.
    pub address: u32,
    /// Code of the size of data packets, 0 to 3.
    pub packet_size: u16,
    /// Speed of the line in 9,600 bit/s.
    pub baud: u16,
}

impl Parameters {
    /// Reads the data of an answer. `None`: they are not 16 bytes, or name a packet size that there is not.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let data: [u8; 16] = data.try_into().ok()?;
        let [
            s0,
            s1,
            y0,
            y1,
            c0,
            c1,
            l0,
            l1,
            a0,
            a1,
            a2,
            a3,
            p0,
            p1,
            b0,
            b1,
        ] = data;
        let read = Self {
            status: u16::from_be_bytes([s0, s1]),
            system: u16::from_be_bytes([y0, y1]),
            capacity: u16::from_be_bytes([c0, c1]),
            security: u16::from_be_bytes([l0, l1]),
            address: u32::from_be_bytes([a0, a1, a2, a3]),
            packet_size: u16::from_be_bytes([p0, p1]),
            baud: u16::from_be_bytes([b0, b1]),
        };
        read.packet_bytes().map(|_| read)
    }

    /// The 16 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let words = [self.status, self.system, self.capacity, self.security];
        let mut data: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
        data.extend_from_slice(&self.address.to_be_bytes());
        data.extend_from_slice(&self.packet_size.to_be_bytes());
        data.extend_from_slice(&self.baud.to_be_bytes());
        data
    }

    /// Bytes of a data packet's content.
    pub const fn packet_bytes(&self) -> Option<usize> {
        match self.packet_size {
            0 => Some(32),
            1 => Some(64),
            2 => Some(128),
            3 => Some(256),
            _ => None,
        }
    }

    /// Whether the module is at work on something else.
    pub const fn is_busy(&self) -> bool {
        self.status & 1 == 1
    }
}

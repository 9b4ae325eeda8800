//! What a host may ask of a SAM_V module (GA/T 467). Pure.

use super::frame::{self, FrameError};

/// Speeds of the serial line, 8N1, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Baud {
    /// 115,200 bit/s, the default of the module.
    B115200,
    /// 57,600 bit/s.
    B57600,
    /// 38,400 bit/s.
    B38400,
    /// 19,200 bit/s.
    B19200,
    /// 9,600 bit/s.
    B9600,
}

impl Baud {
    /// All of them, the default first.
    pub const ALL: [Self; 5] = [
        Self::B115200,
        Self::B57600,
        Self::B38400,
        Self::B19200,
        Self::B9600,
    ];

    /// In bit/s.
    pub const fn bits_per_s(self) -> u32 {
        match self {
            Self::B115200 => 115_200,
            Self::B57600 => 57_600,
            Self::B38400 => 38_400,
            Self::B19200 => 19_200,
            Self::B9600 => 9_600,
        }
    }

    /// The speed of so many bit/s, if the module has it.
    pub fn from_bits_per_s(bits_per_s: u32) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|baud| baud.bits_per_s() == bits_per_s)
    }

    const fn code(self) -> u8 {
        match self {
            Self::B115200 => 0,
            Self::B57600 => 1,
            Self::B38400 => 2,
            Self::B19200 => 3,
            Self::B9600 => 4,
        }
    }
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Reset the security module.
    ResetSam,
    /// How is the security module?
    SamStatus,
    /// Which security module is it? 16 bytes.
    SamId,
    /// Is there a card that was not read yet? 4 bytes.
    FindCard,
    /// Select the card that was found. 8 bytes.
    SelectCard,
    /// Text and photo.
    ReadBase,
    /// Further items.
    ReadExtra,
    /// The newest appended address, 70 bytes. Also how the presence of a card that was read is asked.
    ReadNewAddress,
    /// The card management number, 28 bytes.
    ReadManagementNumber,
    /// Text, photo and fingerprints.
    ReadWithFingerprint,
    /// Change the speed of the serial line.
    SetBaud(Baud),
    /// Set the largest number of bytes of a radio frame.
    SetRadioBytes(u8),
}

impl Request {
    /// `CMD PARA`, and the data where there is any.
    fn body(self) -> ([u8; 2], Option<u8>) {
        match self {
            Self::ResetSam => ([0x10, 0xFF], None),
            Self::SamStatus => ([0x11, 0xFF], None),
            Self::SamId => ([0x12, 0xFF], None),
            Self::FindCard => ([0x20, 0x01], None),
            Self::SelectCard => ([0x20, 0x02], None),
            Self::ReadBase => ([0x30, 0x01], None),
            Self::ReadExtra => ([0x30, 0x02], None),
            Self::ReadNewAddress => ([0x30, 0x03], None),
            Self::ReadManagementNumber => ([0x30, 0x05], None),
            Self::ReadWithFingerprint => ([0x30, 0x10], None),
            Self::SetBaud(baud) => ([0x60, baud.code()], None),
            Self::SetRadioBytes(bytes) => ([0x61, 0xFF], Some(bytes)),
        }
    }

    /// The whole frame.
    ///
    /// # Errors
    /// None in practice: every request is shorter than the limit.
    pub fn encode(self) -> Result<Vec<u8>, FrameError> {
        let (command, data) = self.body();
        let body: Vec<u8> = command.into_iter().chain(data).collect();
        Ok(frame::encode(&body)?.to_vec())
    }

    /// Reads a frame's body as the module does. `None`: no such request.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let plain = [
            Self::ResetSam,
            Self::SamStatus,
            Self::SamId,
            Self::FindCard,
            Self::SelectCard,
            Self::ReadBase,
            Self::ReadExtra,
            Self::ReadNewAddress,
            Self::ReadManagementNumber,
            Self::ReadWithFingerprint,
        ];
        match *body {
            [0x61, 0xFF, bytes] => Some(Self::SetRadioBytes(bytes)),
            [command, parameter] => plain
                .into_iter()
                .chain(Baud::ALL.map(Self::SetBaud))
                .find(|request| request.body().0 == [command, parameter]),
            _ => None,
        }
    }
}

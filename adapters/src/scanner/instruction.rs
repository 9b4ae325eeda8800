//! What a ZFM module can be asked. Pure.

use super::packet::{Kind, Packet};

/// One of the two buffers for features of a finger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffer {
    /// The first.
    One,
    /// The second.
    Two,
}

impl Buffer {
    const fn code(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }
}

/// Pages of the module's library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The first.
    pub first: u16,
    /// How many.
    pub len: u16,
}

/// The ring of light around the sensor, where a model has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Light {
    /// 1 breathing, 2 flashing, 3 on, 4 off.
    pub mode: u8,
    /// Speed, 0 to 255.
    pub speed: u8,
    /// 1 red, 2 blue, 3 purple.
    pub colour: u8,
    /// Repetitions, 0 for ever.
    pub count: u8,
}

impl Light {
    /// Dark.
    pub const OFF: Self = Self {
        mode: 4,
        speed: 0,
        colour: 1,
        count: 0,
    };

    /// On in this colour until it is set otherwise.
    pub const fn on(colour: u8) -> Self {
        Self {
            mode: 3,
            speed: 0,
            colour,
            count: 0,
        }
    }
}

/// An instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    /// Take an image of the finger (GenImg).
    TakeImage,
    /// Find its features (Img2Tz).
    Extract(Buffer),
    /// Compare the two buffers (Match).
    Match,
    /// Look for a buffer's features in the library (Search).
    Search(Buffer, Pages),
    /// The same, quicker and less thorough (HighSpeedSearch).
    QuickSearch(Buffer, Pages),
    /// Make a template of both buffers (RegModel).
    MakeModel,
    /// Put a buffer into a page (Store).
    Store(Buffer, u16),
    /// Take a page into a buffer (LoadChar).
    Load(Buffer, u16),
    /// Send a buffer (UpChar); data packets follow.
    UploadFeatures(Buffer),
    /// Take a buffer (DownChar); data packets follow.
    DownloadFeatures(Buffer),
    /// Send the image (UpImage); data packets follow.
    UploadImage,
    /// Take an image (DownImage); data packets follow.
    DownloadImage,
    /// Delete pages (DeleteChar).
    Delete(Pages),
    /// Delete all pages (Empty).
    Clear,
    /// Set a parameter: 4 speed, 5 security, 6 packet size (SetSysPara).
    SetParameter {
        /// Which.
        number: u8,
        /// Its value.
        value: u8,
    },
    /// Say the parameters (ReadSysPara).
    ReadParameters,
    /// Set another password (SetPwd).
    SetPassword(u32),
    /// Compare the password (VfyPwd).
    VerifyPassword(u32),
    /// Draw a number (GetRandom).
    Random,
    /// Set another address (SetAddr).
    SetAddress(u32),
    /// Say how many pages are taken (TemplateNum).
    CountTemplates,
    /// Say which of 256 pages are taken (ReadConList).
    ReadIndex(u8),
    /// Set the ring of light.
    SetLight(Light),
    /// Switch the lamp under the finger.
    Lamp(bool),
}

impl Instruction {
    /// Its packet.
    pub fn to_packet(self) -> Packet {
        let (code, arguments) = self.parts();
        let mut content = vec![code];
        content.extend_from_slice(&arguments);
        Packet::new(Kind::Command, &content)
    }

    fn parts(self) -> (u8, Vec<u8>) {
        match self {
            Self::TakeImage => (0x01, Vec::new()),
            Self::Extract(buffer) => (0x02, vec![buffer.code()]),
            Self::Match => (0x03, Vec::new()),
            Self::Search(buffer, pages) => (0x04, in_library(buffer, pages)),
            Self::MakeModel => (0x05, Vec::new()),
            Self::Store(buffer, page) => (0x06, with_page(buffer, page)),
            Self::Load(buffer, page) => (0x07, with_page(buffer, page)),
            Self::UploadFeatures(buffer) => (0x08, vec![buffer.code()]),
            Self::DownloadFeatures(buffer) => (0x09, vec![buffer.code()]),
            Self::UploadImage => (0x0A, Vec::new()),
            Self::DownloadImage => (0x0B, Vec::new()),
            Self::Delete(pages) => (0x0C, words(pages)),
            Self::Clear => (0x0D, Vec::new()),
            Self::SetParameter { number, value } => (0x0E, vec![number, value]),
            Self::ReadParameters => (0x0F, Vec::new()),
            Self::SetPassword(password) => (0x12, password.to_be_bytes().to_vec()),
            Self::VerifyPassword(password) => (0x13, password.to_be_bytes().to_vec()),
            Self::Random => (0x14, Vec::new()),
            Self::SetAddress(address) => (0x15, address.to_be_bytes().to_vec()),
            Self::QuickSearch(buffer, pages) => (0x1B, in_library(buffer, pages)),
            Self::CountTemplates => (0x1D, Vec::new()),
            Self::ReadIndex(page) => (0x1F, vec![page]),
            Self::SetLight(l) => (0x35, vec![l.mode, l.speed, l.colour, l.count]),
            Self::Lamp(true) => (0x50, Vec::new()),
            Self::Lamp(false) => (0x51, Vec::new()),
        }
    }

    /// What a packet asks for. `None`: it is no command that is known, or its arguments do not fit.
    pub fn of(packet: &Packet) -> Option<Self> {
        if packet.kind != Kind::Command {
            return None;
        }
        let (code, arguments) = packet.content.split_first()?;
        match (*code, arguments) {
            (0x01, []) => Some(Self::TakeImage),
            (0x02, [buffer]) => Some(Self::Extract(Buffer::of(*buffer)?)),
            (0x03, []) => Some(Self::Match),
            (0x04, [buffer, range @ ..]) => Some(Self::Search(Buffer::of(*buffer)?, pages(range)?)),
            (0x05, []) => Some(Self::MakeModel),
            (0x06, [buffer, page @ ..]) => Some(Self::Store(Buffer::of(*buffer)?, word(page)?)),
            (0x07, [buffer, page @ ..]) => Some(Self::Load(Buffer::of(*buffer)?, word(page)?)),
            (0x08, [buffer]) => Some(Self::UploadFeatures(Buffer::of(*buffer)?)),
            (0x09, [buffer]) => Some(Self::DownloadFeatures(Buffer::of(*buffer)?)),
            (0x0A, []) => Some(Self::UploadImage),
            (0x0B, []) => Some(Self::DownloadImage),
            (0x0C, range) => Some(Self::Delete(pages(range)?)),
            (0x0D, []) => Some(Self::Clear),
            (0x0E, [number, value]) => Some(Self::SetParameter {
                number: *number,
                value: *value,
            }),
            (0x0F, []) => Some(Self::ReadParameters),
            (0x12, rest) => Some(Self::SetPassword(double(rest)?)),
            (0x13, rest) => Some(Self::VerifyPassword(double(rest)?)),
            (0x14, []) => Some(Self::Random),
            (0x15, rest) => Some(Self::SetAddress(double(rest)?)),
            (0x1B, [buffer, range @ ..]) => {
                Some(Self::QuickSearch(Buffer::of(*buffer)?, pages(range)?))
            }
            (0x1D, []) => Some(Self::CountTemplates),
            (0x1F, [page]) => Some(Self::ReadIndex(*page)),
            (0x35, [mode, speed, colour, count]) => Some(Self::SetLight(Light {
                mode: *mode,
                speed: *speed,
                colour: *colour,
                count: *count,
            })),
            (0x50, []) => Some(Self::Lamp(true)),
            (0x51, []) => Some(Self::Lamp(false)),
            _ => None,
        }
    }
}

fn words(pages: Pages) -> Vec<u8> {
    [pages.first.to_be_bytes(), pages.len.to_be_bytes()].concat()
}

fn in_library(buffer: Buffer, pages: Pages) -> Vec<u8> {
    [vec![buffer.code()], words(pages)].concat()
}

fn with_page(buffer: Buffer, page: u16) -> Vec<u8> {
    [&[buffer.code()][..], &page.to_be_bytes()].concat()
}

fn word(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn double(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn pages(bytes: &[u8]) -> Option<Pages> {
    let (first, len) = bytes.split_first_chunk()?;
    Some(Pages {
        first: u16::from_be_bytes(*first),
        len: word(len)?,
    })
}

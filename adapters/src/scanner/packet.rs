//! Packets of ZFM modules (ZFM, R30x, AS608): head, address, kind, length, content, sum. Pure.
//!
//! | part | bytes |
//! |---|---|
//! | head | `EF 01` |
//! | address | 4, of the module |
//! | kind | 1 |
//! | length | 2: content and sum |
//! | content | of a command `instruction arguments…`, of an acknowledgement `confirmation data…` |
//! | sum | 2: kind, length and content added up |
//!
//! All numbers are big-endian.

use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

/// What every packet begins with.
pub const HEAD: [u8; 2] = [0xEF, 0x01];
/// The address of a module that was given none.
pub const ADDRESS: u32 = 0xFFFF_FFFF;
/// Longest content: that of a data packet of the largest size.
pub const CONTENT_BYTES_MAX: usize = 256;
/// Bytes of the sum.
const SUM_BYTES: usize = 2;
/// Bytes before the content.
const BEFORE_CONTENT: usize = 9;
/// Bytes before what the sum covers.
const BEFORE_SUMMED: usize = 6;
/// Largest packet.
const PACKET_BYTES_MAX: usize = BEFORE_CONTENT + CONTENT_BYTES_MAX + SUM_BYTES;

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instruction to the module.
    Command,
    /// Data, more follows.
    Data,
    /// The answer to an instruction.
    Acknowledge,
    /// The last of the data.
    LastData,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Command => 1,
            Self::Data => 2,
            Self::Acknowledge => 7,
            Self::LastData => 8,
        }
    }

    const fn of(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Command),
            2 => Some(Self::Data),
            7 => Some(Self::Acknowledge),
            8 => Some(Self::LastData),
            _ => None,
        }
    }
}

/// What a packet carries. It may be part of a finger's image, so it is wiped.
pub type Content = Zeroizing<Vec<u8>>;

/// A packet. Its content does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// The module's address.
    pub address: u32,
    /// What it is.
    pub kind: Kind,
    /// What it carries.
    pub content: Content,
}

impl core::fmt::Debug for Packet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Packet")
            .field("address", &format_args!("{:08X}", self.address))
            .field("kind", &self.kind)
            .field("len", &self.content.len())
            .finish()
    }
}

/// Why bytes are no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PacketError {
    /// No packet has this length.
    #[error("a packet of length {0}")]
    Length(usize),
    /// No packet is of this kind.
    #[error("a packet of kind {0:#04X}")]
    Kind(u8),
    /// The sum does not fit.
    #[error("the sum does not fit")]
    Sum,
}

impl Packet {
    /// A packet to or from a module that was given no address.
    pub fn new(kind: Kind, content: &[u8]) -> Self {
        Self {
            address: ADDRESS,
            kind,
            content: Zeroizing::new(content.to_vec()),
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`PacketError::Length`] for a content of none or more than [`CONTENT_BYTES_MAX`] bytes.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, PacketError> {
        let len = self.content.len() + SUM_BYTES;
        let field = u16::try_from(len)
            .ok()
            .filter(|_| (1..=CONTENT_BYTES_MAX).contains(&self.content.len()))
            .ok_or(PacketError::Length(len))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(BEFORE_CONTENT + len));
        bytes.extend_from_slice(&HEAD);
        bytes.extend_from_slice(&self.address.to_be_bytes());
        bytes.push(self.kind.code());
        bytes.extend_from_slice(&field.to_be_bytes());
        bytes.extend_from_slice(&self.content);
        let sum = sum(bytes.get(BEFORE_SUMMED..).unwrap_or_default());
        bytes.extend_from_slice(&sum.to_be_bytes());
        Ok(bytes)
    }
}

fn sum(bytes: &[u8]) -> u16 {
    bytes
        .iter()
        .fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)))
}

/// Finds packets in any stream of bytes, in whatever portions it comes. Holds one packet at the most.
///
/// After bytes that are no packet it goes on one byte behind their beginning, so that a packet which begins
/// within them is found.
#[derive(Debug)]
pub struct Decoder {
    held: Held,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            held: Held(Zeroizing::new(Vec::with_capacity(PACKET_BYTES_MAX))),
        }
    }
}

impl Decoder {
    /// Takes bytes in and says how many: 1 at least of what is not empty, if [`Decoder::next_packet`] has said
    /// `None` before.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let room = PACKET_BYTES_MAX.saturating_sub(self.held.0.len());
        let (taken, _) = bytes.split_at(room.min(bytes.len()));
        self.held.0.extend_from_slice(taken);
        taken.len()
    }

    /// The next packet, or what was found instead of one. `None`: more bytes are needed.
    pub fn next_packet(&mut self) -> Option<Result<Packet, PacketError>> {
        self.held.skip_to_head();
        match self.held.packet()? {
            Ok((packet, len)) => {
                self.held.forget(len);
                Some(Ok(packet))
            }
            Err(error) => {
                self.held.forget(1);
                Some(Err(error))
            }
        }
    }

    /// Forgets what has come.
    pub fn clear(&mut self) {
        self.held.forget(self.held.0.len());
    }

    /// Bytes that wait for the rest of their packet.
    pub fn held_len(&self) -> usize {
        self.held.0.len()
    }
}

/// Bytes that came and are not used up yet. They do not print.
struct Held(Zeroizing<Vec<u8>>);

impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Held {
    /// The packet at the beginning, and its length. What cannot become one is said as soon as that is known.
    fn packet(&self) -> Option<Result<(Packet, usize), PacketError>> {
        let bytes = &self.0;
        let address = bytes.get(HEAD.len()..)?.first_chunk::<4>()?;
        let code = *bytes.get(BEFORE_SUMMED)?;
        let Some(kind) = Kind::of(code) else {
            return Some(Err(PacketError::Kind(code)));
        };
        let field = bytes.get(BEFORE_SUMMED + 1..)?.first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*field));
        let content_len = len.checked_sub(SUM_BYTES);
        let Some(content_len) = content_len.filter(|len| (1..=CONTENT_BYTES_MAX).contains(len))
        else {
            return Some(Err(PacketError::Length(len)));
        };
        let end = BEFORE_CONTENT + content_len;
        let wanted = bytes.get(end..)?.first_chunk::<SUM_BYTES>()?;
        if sum(bytes.get(BEFORE_SUMMED..end)?) != u16::from_be_bytes(*wanted) {
            return Some(Err(PacketError::Sum));
        }
        let packet = Packet {
            address: u32::from_be_bytes(*address),
            kind,
            content: Zeroizing::new(bytes.get(BEFORE_CONTENT..end)?.to_vec()),
        };
        Some(Ok((packet, end + SUM_BYTES)))
    }

    /// Drops what cannot be the beginning of a packet.
    fn skip_to_head(&mut self) {
        let begins = |rest: &[u8]| {
            let len = rest.len().min(HEAD.len());
            rest.get(..len) == HEAD.get(..len)
        };
        let at = (0..self.0.len()).find(|at| self.0.get(*at..).is_some_and(begins));
        self.forget(at.unwrap_or(self.0.len()));
    }

    /// Drops the first `len` bytes, and wipes what they leave behind.
    fn forget(&mut self, len: usize) {
        let len = len.min(self.0.len());
        if len == 0 {
            return;
        }
        self.0.copy_within(len.., 0);
        let kept = self.0.len() - len;
        if let Some(rest) = self.0.get_mut(kept..) {
            rest.zeroize();
        }
        self.0.truncate(kept);
    }
}

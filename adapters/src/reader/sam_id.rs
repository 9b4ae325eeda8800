//! The identity of a reader's security module: 16 bytes, five numbers, little-endian. Pure.

use core::fmt;
use core::str::FromStr;

use schemas::text::Invalid;

/// The identity of a security module; the reader's serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SamId {
    /// The two short numbers, before and after the point.
    pub maker: [u16; 2],
    /// The three long ones, with hyphens between.
    pub numbers: [u32; 3],
}

impl SamId {
    /// Reads the data of the reply. `None`: it is not 16 bytes.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let (&[a, b, c, d], numbers) = data.split_first_chunk()?;
        let (numbers, []) = numbers.as_chunks::<4>() else {
            return None;
        };
        let numbers: [[u8; 4]; 3] = numbers.try_into().ok()?;
        Some(Self {
            maker: [[a, b], [c, d]].map(u16::from_le_bytes),
            numbers: numbers.map(u32::from_le_bytes),
        })
    }

    /// The 16 bytes.
    pub fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let maker = self.maker.iter().flat_map(|n| n.to_le_bytes());
        let all = maker.chain(self.numbers.iter().flat_map(|n| n.to_le_bytes()));
        for (place, byte) in bytes.iter_mut().zip(all) {
            *place = byte;
        }
        bytes
    }
}

impl fmt::Display for SamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([major, minor], [first, second, third]) = (self.maker, self.numbers);
        write!(
            f,
            "{major:02}.{minor:02}-{first:08}-{second:010}-{third:010}"
        )
    }
}

/// Padding is not looked at: programs differ in it.
impl FromStr for SamId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let read = || {
            let (maker, rest) = text.split_once('-')?;
            let (a, b) = maker.split_once('.')?;
            let mut numbers = rest.split('-').map(number);
            let id = Self {
                maker: [number(a)?, number(b)?],
                numbers: [numbers.next()??, numbers.next()??, numbers.next()??],
            };
            numbers.next().is_none().then_some(id)
        };
        read().ok_or(Invalid {
            what: "SAM id",
            rule: "five numbers, as 05.03-20200101-0000000001-0000000002",
        })
    }
}

fn number<T: FromStr>(digits: &str) -> Option<T> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok())?
}

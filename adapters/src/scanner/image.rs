//! The image of a finger as ZFM modules send it: 256 × 288 pixels of 4 bits, high half first. Pure.

use schemas::matcher::{self, Bits, Pixels};
use zeroize::Zeroizing;

/// Pixels of a row.
pub const WIDTH: usize = 256;
/// Rows.
pub const HEIGHT: usize = 288;
/// Bytes of an image.
pub const IMAGE_BYTES: usize = WIDTH * HEIGHT / 2;
/// Side of the squares that are looked at one by one, in pixels.
const SQUARE: usize = 16;
/// Shades that lie between ridge and valley in a square that shows skin.
pub(super) const RELIEF_MIN: u8 = 4;
/// Squares that must show skin, in percent.
const COVERAGE_PERCENT_MIN: usize = 25;

/// An image. It is wiped and does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Image(Zeroizing<Vec<u8>>);

impl core::fmt::Debug for Image {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Image(hidden)")
    }
}

impl Image {
    /// Takes [`IMAGE_BYTES`] bytes. `None`: there are more or fewer.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (bytes.len() == IMAGE_BYTES).then_some(Self(bytes))
    }

    /// Its bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The shade of a pixel, 0 black to 15 white. `None`: it lies outside.
    pub fn shade(&self, column: usize, row: usize) -> Option<u8> {
        if column >= WIDTH {
            return None;
        }
        let byte = *self.0.get(row * (WIDTH / 2) + column / 2)?;
        Some(if column.is_multiple_of(2) {
            byte >> 4
        } else {
            byte & 0x0F
        })
    }

    /// Share of squares that show skin, in percent. The sensor judges the features; this judges the picture, so
    /// that one which is empty or smeared is not sent on.
    pub fn coverage_percent(&self) -> usize {
        let skin = self.reliefs().filter(|relief| *relief >= RELIEF_MIN);
        skin.count() * 100 / (WIDTH * HEIGHT / SQUARE / SQUARE)
    }

    /// Whether enough of a finger is to be seen.
    pub fn is_usable(&self) -> bool {
        self.coverage_percent() >= COVERAGE_PERCENT_MIN
    }

    /// The relief of each square.
    pub(super) fn reliefs(&self) -> impl Iterator<Item = u8> {
        let columns = (0..WIDTH).step_by(SQUARE);
        let squares = columns.flat_map(|x| (0..HEIGHT).step_by(SQUARE).map(move |y| (x, y)));
        squares.map(|(x, y)| self.relief(x, y))
    }

    /// Shades between the darkest and the lightest of a square's middle: a single pixel does not count.
    fn relief(&self, x: usize, y: usize) -> u8 {
        let mut shades = [0u16; 16];
        for row in y..y + SQUARE {
            for column in x..x + SQUARE {
                let shade = self.shade(column, row).map_or(0, usize::from);
                if let Some(count) = shades.get_mut(shade) {
                    *count += 1;
                }
            }
        }
        let tenth = u16::try_from(SQUARE * SQUARE / 10).unwrap_or(u16::MAX);
        let dark = after(shades.iter(), tenth);
        let light = 15 - after(shades.iter().rev(), tenth);
        light.saturating_sub(dark)
    }

    /// As a matcher takes it.
    pub fn into_matchers(mut self) -> Result<matcher::Image, schemas::text::Invalid> {
        Ok(matcher::Image {
            width: 256,
            height: 288,
            bits: Bits::Four,
            pixels: Pixels::new(core::mem::take(&mut *self.0))?,
        })
    }
}

/// How many counts lie before the one at which their sum exceeds `limit`.
fn after<'a>(counts: impl Iterator<Item = &'a u16>, limit: u16) -> u8 {
    let mut sum = 0u16;
    let before = counts.take_while(|count| {
        sum = sum.saturating_add(**count);
        sum <= limit
    });
    u8::try_from(before.count()).unwrap_or(15).min(15)
}

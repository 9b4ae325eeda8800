//! What a simulated camera sees: a small JPEG that shows the view and the time.

use jpeg_encoder::{ColorType, Encoder, EncodingError};
use schemas::words::PhotoView;

/// What every photo holds as plain bytes (segment APP11), so that one can be searched for where none may be.
pub const MARK: &[u8] = b"simulated camera, nobody's face";
const WIDTH: u16 = 160;
const HEIGHT: u16 = 120;
/// Pixels of one dot of a digit.
const DOT: u16 = 3;
/// Digits 0 to 9 as five rows of three dots, highest bit left.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 1, 1],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// A JPEG of 160 by 120 grey pixels: a brightness for the view, the view's number, the time in ms.
pub fn draw(view: PhotoView, wall_ms: u64) -> Result<Vec<u8>, EncodingError> {
    let (number, ground) = match view {
        PhotoView::Frontal => (1u64, 200u8),
        PhotoView::Panoramic => (2, 160),
        PhotoView::RightHand => (3, 120),
        PhotoView::LeftHand => (4, 80),
    };
    let width = usize::from(WIDTH);
    let mut pixels: Vec<u8> = (0..width * usize::from(HEIGHT))
        .map(|at| ground.saturating_add(u8::try_from(at / width / 4).unwrap_or(0)))
        .collect();
    write_number(&mut pixels, number, 10, 20);
    write_number(&mut pixels, wall_ms % 10_000_000_000, 10, 70);
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 70);
    encoder.add_app_segment(11, MARK)?;
    encoder.encode(&pixels, WIDTH, HEIGHT, ColorType::Luma)?;
    Ok(jpeg)
}

fn write_number(pixels: &mut [u8], number: u64, left: u16, top: u16) {
    for (at, digit) in (0u16..).zip(number.to_string().bytes()) {
        let Some(rows) = DIGITS.get(usize::from(digit.wrapping_sub(b'0'))) else {
            continue;
        };
        for (y, row) in (0u16..).zip(rows) {
            for x in (0..3u16).filter(|x| row >> (2 - x) & 1 == 1) {
                let (left, top) = (left + (at * 4 + x) * DOT, top + y * DOT);
                fill(pixels, left, top);
            }
        }
    }
}

fn fill(pixels: &mut [u8], left: u16, top: u16) {
    for y in top..top + DOT {
        for x in left..left + DOT {
            let at = usize::from(y) * usize::from(WIDTH) + usize::from(x);
            if let Some(pixel) = pixels.get_mut(at) {
                *pixel = 0;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// P5: a photo begins and ends as a JPEG does (ITU-T T.81, B.1), and no two are the same.
    #[test]
    fn photos_are_jpegs_and_differ() {
        let first = draw(PhotoView::Frontal, 1_795_305_599_999).unwrap();
        assert!(first.starts_with(&[0xFF, 0xD8, 0xFF]) && first.ends_with(&[0xFF, 0xD9]));
        assert!(first.windows(MARK.len()).any(|window| window == MARK));
        assert_ne!(first, draw(PhotoView::Frontal, 1_795_305_600_000).unwrap());
        assert_ne!(first, draw(PhotoView::LeftHand, 1_795_305_599_999).unwrap());
    }
}

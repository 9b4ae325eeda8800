//! The picture of an invented finger: what a sample holds, drawn as patches of grey, and read from them again. It
//! looks like no skin; it has the size and depth of an image of a ZFM module.

use adapters::scanner::image::{HEIGHT, IMAGE_BYTES, Image, WIDTH};
use zeroize::Zeroizing;

/// Patches in a row, and rows of patches: two for each byte of a sample.
const PATCHES: usize = 32;
const PATCH_WIDTH: usize = WIDTH / PATCHES;
const PATCH_HEIGHT: usize = HEIGHT / PATCHES;

/// Bytes of a sample.
pub(super) const SAMPLE_BYTES: usize = PATCHES * PATCHES / 2;

/// Draws a sample of 512 bytes. What is missing of it is black.
pub fn draw(sample: &[u8]) -> Zeroizing<Vec<u8>> {
    let shade = |column: usize, row: usize| {
        let patch = row / PATCH_HEIGHT * PATCHES + column / PATCH_WIDTH;
        let byte = sample.get(patch / 2).copied().unwrap_or_default();
        if patch.is_multiple_of(2) {
            byte >> 4
        } else {
            byte & 0x0F
        }
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(IMAGE_BYTES));
    for row in 0..HEIGHT {
        for column in (0..WIDTH).step_by(2) {
            bytes.push(shade(column, row) << 4 | shade(column + 1, row));
        }
    }
    bytes
}

/// Reads the sample from a picture: of each patch the pixel in its middle.
pub fn read(image: &Image) -> Zeroizing<Vec<u8>> {
    let shade = |patch: usize| {
        let column = patch % PATCHES * PATCH_WIDTH + PATCH_WIDTH / 2;
        let row = patch / PATCHES * PATCH_HEIGHT + PATCH_HEIGHT / 2;
        image.shade(column, row).unwrap_or_default()
    };
    let bytes = (0..SAMPLE_BYTES).map(|at| shade(at * 2) << 4 | shade(at * 2 + 1));
    Zeroizing::new(bytes.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// P4: what is drawn can be read, and looks like enough of a finger.
    #[test]
    fn p4_a_drawn_finger_is_read_again() {
        let mut rng = fastrand::Rng::with_seed(4);
        let sample: Vec<u8> = core::iter::repeat_with(|| rng.u8(..))
            .take(SAMPLE_BYTES)
            .collect();
        let image = Image::new(draw(&sample)).unwrap();
        assert_eq!(*read(&image), sample);
        assert!(image.is_usable(), "{}", image.coverage_percent());
        let grey = Image::new(draw(&[0x88; SAMPLE_BYTES])).unwrap();
        assert!(!grey.is_usable());
    }
}

//! The image of a finger as a PNG of 8 bits of grey (ISO/IEC 15948), without compression. What it shows is personal: it stands in one
//! buffer that does not grow and is wiped, which no encoder with a state of its own would promise. Pure.

use zeroize::Zeroizing;

use super::image::{HEIGHT, Image, WIDTH};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];
/// Most bytes of a stored block (RFC 1951, section 3.2.4).
const BLOCK_BYTES_MAX: usize = 65_535;
/// Rows with their filter type, as they are compressed.
const ROWS_BYTES: usize = HEIGHT * (1 + WIDTH);
/// Length, type and check of a chunk.
const CHUNK_BYTES: usize = 12;
/// Head and check of a zlib stream (RFC 1950).
const ZLIB_BYTES: usize = 6;
/// Head of a stored block.
const BLOCK_HEAD_BYTES: usize = 5;
/// Parameters of the image: sizes, depth, colour, compression, filter, interlace.
const HEAD_BYTES: usize = 13;
/// Bytes of the whole.
const PNG_BYTES: usize = SIGNATURE.len()
    + 3 * CHUNK_BYTES
    + HEAD_BYTES
    + ZLIB_BYTES
    + ROWS_BYTES.div_ceil(BLOCK_BYTES_MAX) * BLOCK_HEAD_BYTES
    + ROWS_BYTES;

/// Writes the image as a PNG. Its 16 shades are spread over 256.
pub fn encode(image: &Image) -> Zeroizing<Vec<u8>> {
    let mut png = Zeroizing::new(Vec::with_capacity(PNG_BYTES));
    png.extend_from_slice(&SIGNATURE);
    chunk(&mut png, *b"IHDR", |png| {
        png.extend_from_slice(&number(WIDTH));
        png.extend_from_slice(&number(HEIGHT));
        // 8 bits, grey; deflate, filters by row, not interlaced.
        png.extend_from_slice(&[8, 0, 0, 0, 0]);
    });
    chunk(&mut png, *b"IDAT", |png| store(png, &rows(image)));
    chunk(&mut png, *b"IEND", |_| {});
    png
}

/// The rows from the top, each behind its filter type: none.
fn rows(image: &Image) -> Zeroizing<Vec<u8>> {
    let mut rows = Zeroizing::new(Vec::with_capacity(ROWS_BYTES));
    for row in 0..HEIGHT {
        rows.push(0);
        rows.extend((0..WIDTH).map(|column| image.shade(column, row).unwrap_or_default() * 17));
    }
    rows
}

/// Writes a chunk: its length, its type, what `fill` adds, and the check of the last two.
fn chunk(png: &mut Vec<u8>, name: [u8; 4], fill: impl FnOnce(&mut Vec<u8>)) {
    let begin = png.len();
    png.extend_from_slice(&[0; 4]);
    png.extend_from_slice(&name);
    fill(png);
    let len = number(png.len() - begin - 8);
    for (place, byte) in png.iter_mut().skip(begin).zip(len) {
        *place = byte;
    }
    let check = crc32fast::hash(png.get(begin + 4..).unwrap_or_default());
    png.extend_from_slice(&check.to_be_bytes());
}

/// Writes a zlib stream of stored blocks.
fn store(png: &mut Vec<u8>, bytes: &[u8]) {
    png.extend_from_slice(&[0x78, 0x01]);
    let mut blocks = bytes.chunks(BLOCK_BYTES_MAX).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
        png.push(u8::from(blocks.peek().is_none()));
        png.extend_from_slice(&len.to_le_bytes());
        png.extend_from_slice(&(!len).to_le_bytes());
        png.extend_from_slice(block);
    }
    png.extend_from_slice(&adler32(bytes).to_be_bytes());
}

/// The check of a zlib stream (RFC 1950, section 8.2).
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (one, two) = bytes.iter().fold((1, 0), |(one, two), byte| {
        let one = (one + u32::from(*byte)) % BASE;
        (one, (two + one) % BASE)
    });
    two << 16 | one
}

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::super::image::IMAGE_BYTES;
    use super::*;

    /// G7, A9: the buffer of a PNG is as large as the PNG, so that no copy of a finger is left behind by growing.
    #[test]
    fn g7_a_png_fits_its_buffer() {
        let image = Image::new(Zeroizing::new(vec![0x5A; IMAGE_BYTES])).unwrap();
        let png = encode(&image);
        assert_eq!(png.len(), PNG_BYTES);
        assert_eq!(png.capacity(), PNG_BYTES);
        assert!(png.starts_with(&SIGNATURE) && png.ends_with(b"IEND\xAE\x42\x60\x82"));
    }

    /// A9: the checks are those of the RFCs' own examples.
    #[test]
    fn a9_checks_are_those_of_the_rfcs() {
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        assert_eq!(crc32fast::hash(b"123456789"), 0xCBF4_3926);
    }
}

//! Pictures from a signature pad or a camera, PNG or JPEG: bounded, decoded, and held as plain pixels. What else a file holds does not get
//! onto a document.

use std::io::Cursor;

use png::{ColorType, Limits, Transformations};
use zeroize::{Zeroize, ZeroizeOnDrop};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::PictureFault;

/// Bytes of a picture as it comes.
pub const BYTES_MAX: usize = 2 << 20;
/// Pixels of a side.
pub const SIDE_MAX: u16 = 2_000;

/// A decoded picture: rows from the top, 8 bits a sample. Erased when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Picture {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// 1 for gray, 3 for red, green and blue.
    pub(crate) samples: u8,
    pub(crate) pixels: Vec<u8>,
}

impl core::fmt::Debug for Picture {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

impl Picture {
    /// Decodes a PNG or a JPEG of at most [`BYTES_MAX`] bytes and [`SIDE_MAX`] pixels a side. What is transparent becomes white.
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureFault> {
        match bytes {
            _ if bytes.len() > BYTES_MAX => Err(PictureFault::Bytes),
            [0x89, b'P', b'N', b'G', ..] => png(bytes),
            [0xFF, 0xD8, 0xFF, ..] => jpeg(bytes),
            _ => Err(PictureFault::Format),
        }
    }

    /// The same picture in at most so many pixels: squares of pixels become one of their average. Paper shows no more, and a file with
    /// all of them would be megabytes.
    #[must_use]
    pub fn fitted(self, width_max: u16, height_max: u16) -> Self {
        let times = |side: u16, max: u16| side.div_ceil(max.max(1));
        let factor = times(self.width, width_max).max(times(self.height, height_max));
        if factor <= 1 {
            return self;
        }
        let (width, height) = ((self.width / factor).max(1), (self.height / factor).max(1));
        let samples = usize::from(self.samples);
        let row = usize::from(self.width) * samples;
        let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * samples);
        let rows = self.pixels.chunks(row * usize::from(factor));
        for rows in rows.take(usize::from(height)) {
            shrink(rows, row, samples, usize::from(factor), width, &mut pixels);
        }
        Self {
            width,
            height,
            samples: self.samples,
            pixels,
        }
    }
}

/// Appends one row: the average of each square of `factor` pixels a side. A side that is shorter than that is one square.
fn shrink(
    rows: &[u8],
    row: usize,
    samples: usize,
    factor: usize,
    width: u16,
    pixels: &mut Vec<u8>,
) {
    for column in 0..usize::from(width) {
        for sample in 0..samples {
            let (mut sum, mut count) = (0_u32, 0_u32);
            for line in rows.chunks(row) {
                let from = column * factor * samples + sample;
                let values = line.iter().skip(from).step_by(samples);
                for value in values.take(factor) {
                    sum += u32::from(*value);
                    count += 1;
                }
            }
            pixels.push(u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
        }
    }
}

fn side(pixels: impl TryInto<u16>) -> Result<u16, PictureFault> {
    let pixels = pixels.try_into().ok();
    pixels
        .filter(|side| (1..=SIDE_MAX).contains(side))
        .ok_or(PictureFault::Side)
}

fn png(bytes: &[u8]) -> Result<Picture, PictureFault> {
    let damaged = |_error| PictureFault::Damaged;
    let limit = usize::from(SIDE_MAX) * usize::from(SIDE_MAX) * 8;
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: limit });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (side(reader.info().width)?, side(reader.info().height)?);
    let size = reader.output_buffer_size().ok_or(PictureFault::Side)?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
    let (samples, has_alpha) = match frame.color_type {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (3, true),
        ColorType::Indexed => return Err(PictureFault::Damaged),
    };
    if has_alpha {
        let opaque = on_white(&pixels, usize::from(samples));
        pixels.zeroize();
        pixels = opaque;
    }
    Ok(Picture {
        width,
        height,
        samples,
        pixels,
    })
}

/// Lays pixels with alpha on white.
fn on_white(pixels: &[u8], samples: usize) -> Vec<u8> {
    let mut opaque = Vec::with_capacity(pixels.len());
    for pixel in pixels.chunks_exact(samples + 1) {
        if let Some((alpha, colours)) = pixel.split_last() {
            let alpha = u16::from(*alpha);
            let laid = |colour: &u8| (u16::from(*colour) * alpha + 255 * (255 - alpha)) / 255;
            opaque.extend(
                colours
                    .iter()
                    .map(|c| u8::try_from(laid(c)).unwrap_or(u8::MAX)),
            );
        }
    }
    opaque
}

fn jpeg(bytes: &[u8]) -> Result<Picture, PictureFault> {
    let side_max = usize::from(SIDE_MAX);
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(side_max)
        .set_max_height(side_max)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|_damaged| PictureFault::Damaged)?;
    let info = decoder.info().ok_or(PictureFault::Damaged)?;
    let (width, height) = (side(info.width)?, side(info.height)?);
    let pixels = decoder.decode().map_err(|_damaged| PictureFault::Damaged)?;
    if pixels.len() != usize::from(width) * usize::from(height) * 3 {
        return Err(PictureFault::Damaged);
    }
    Ok(Picture {
        width,
        height,
        samples: 3,
        pixels,
    })
}

//! Whether bytes are a whole JPEG (ITU-T T.81, annex B). Looks at markers only; nothing is decoded. Pure.

/// Fewest pixels of a side: less shows nobody.
const SIDE_MIN: u16 = 16;
/// Most pixels of a side.
const SIDE_MAX: u16 = 16_384;

/// What the markers say of a JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jpeg {
    /// Pixels of a line.
    pub width: u16,
    /// Lines.
    pub height: u16,
    /// Bytes from its first marker to its last. What follows is not of the picture.
    pub len: usize,
}

/// Reads the markers of `bytes`, from SOI to EOI. `None`: it is no JPEG, or not a whole one, or of a size that no camera gives.
pub fn inspect(bytes: &[u8]) -> Option<Jpeg> {
    let mut markers = Markers { bytes, at: 0 };
    if markers.next()? != SOI {
        return None;
    }
    let (mut size, mut scans) = (None, 0u32);
    loop {
        match markers.next()? {
            EOI => {
                let (width, height) = size.filter(|_| scans > 0)?;
                let len = markers.at;
                return Some(Jpeg { width, height, len });
            }
            SOS if size.is_some() => {
                markers.segment()?;
                markers.pass_scan()?;
                scans += 1;
            }
            // Start of frame, whatever the coding; C4, C8 and CC are tables.
            frame @ 0xC0..=0xCF if !matches!(frame, 0xC4 | 0xC8 | 0xCC) => {
                if size.is_some() {
                    return None;
                }
                size = Some(size_of(markers.segment()?)?);
            }
            // Tables, restart interval, application data, comments.
            0xC4 | 0xCC | 0xDB..=0xDF | 0xE0..=0xEF | 0xFE => {
                markers.segment()?;
            }
            _ => return None,
        }
    }
}

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;

/// Width and height of a frame header: precision, lines, samples per line, number of components, 3 bytes for each.
fn size_of(frame: &[u8]) -> Option<(u16, u16)> {
    let [_, y1, y2, x1, x2, components, rest @ ..] = frame else {
        return None;
    };
    let (height, width) = (
        u16::from_be_bytes([*y1, *y2]),
        u16::from_be_bytes([*x1, *x2]),
    );
    let sane = |side| (SIDE_MIN..=SIDE_MAX).contains(&side);
    let whole = matches!(components, 1..=4) && rest.len() == usize::from(*components) * 3;
    (whole && sane(width) && sane(height)).then_some((width, height))
}

struct Markers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Markers<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// The next marker. It may be filled up with FF.
    fn next(&mut self) -> Option<u8> {
        if self.byte()? != 0xFF {
            return None;
        }
        loop {
            match self.byte()? {
                0xFF => {}
                0 => return None,
                marker => return Some(marker),
            }
        }
    }

    /// The parameters behind a marker: a length that counts itself, and so many bytes.
    fn segment(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        let begin = self.at;
        self.at = begin.checked_add(len.checked_sub(2)?)?;
        self.bytes.get(begin..self.at)
    }

    /// Goes to the marker that ends a scan: not a stuffed zero, not a restart.
    fn pass_scan(&mut self) -> Option<()> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += rest.iter().position(|byte| *byte == 0xFF)?;
            match self.bytes.get(self.at + 1)? {
                0 | 0xD0..=0xD7 => self.at += 2,
                0xFF => self.at += 1,
                _ => return Some(()),
            }
        }
    }
}

//! Pictures for tests: small, and read by whatever reads PNG.

/// A white PNG of 100 by 60 pixels that holds `mark` as a comment, so that it can be searched for.
pub fn png(mark: &str) -> Vec<u8> {
    let (width, height) = (100_u32, 60_u32);
    let row: Vec<u8> = std::iter::once(0).chain([255; 100]).collect();
    let rows = row.repeat(60);
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    // 8 bits of grey, nothing special.
    head.extend([8, 0, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, *b"IHDR", &head);
    chunk(&mut out, *b"tEXt", format!("Comment\0{mark}").as_bytes());
    chunk(&mut out, *b"IDAT", &stored(&rows));
    chunk(&mut out, *b"IEND", &[]);
    out
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let named = [&kind, body].concat();
    out.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(&named);
    out.extend(crc32(&named).to_be_bytes());
}

/// A zlib stream (RFC 1950) of one block that is not compressed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap();
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(len.to_le_bytes());
    out.extend((!len).to_le_bytes());
    out.extend(bytes);
    out.extend(adler32(bytes).to_be_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of RFC 1950 and of ISO/IEC 15948.
    #[test]
    fn the_sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        assert!(png("mark").windows(4).any(|part| part == b"mark"));
    }
}

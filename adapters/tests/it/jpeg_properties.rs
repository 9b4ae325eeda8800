//! P5: what counts as a whole picture. JPEGs made here by the grammar of ITU-T T.81, annex B, are taken whatever is in them; cut or
//! changed ones are not, and nothing makes the check panic or read on for ever.

use adapters::camera::jpeg::inspect;
use proptest::collection::vec;
use proptest::prelude::*;

/// A marker with its segment.
fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker], len.as_slice(), body].concat()
}

fn frame(width: u16, height: u16) -> Vec<u8> {
    let [y, x] = [height.to_be_bytes(), width.to_be_bytes()];
    segment(0xC0, &[8, y[0], y[1], x[0], x[1], 1, 1, 0x11, 0])
}

/// A scan: its header, and coded data with stuffed bytes and restart markers in it.
fn scan(data: &[u8]) -> Vec<u8> {
    let mut coded = segment(0xDA, &[1, 1, 0, 0, 63, 0]);
    for (at, byte) in data.iter().enumerate() {
        match byte {
            0xFF if at % 2 == 0 => coded.extend([0xFF, 0]),
            0xFF => coded.extend([0xFF, 0xD0 + u8::try_from(at % 8).unwrap()]),
            other => coded.push(*other),
        }
    }
    coded
}

fn whole(tables: &[(u8, Vec<u8>)], size: (u16, u16), scans: &[Vec<u8>]) -> Vec<u8> {
    let mut jpeg = vec![0xFF, 0xD8];
    for (kind, body) in tables {
        let markers = [0xC4, 0xDB, 0xDD, 0xE0, 0xE1, 0xED, 0xFE];
        jpeg.extend(segment(markers[usize::from(*kind) % markers.len()], body));
    }
    jpeg.extend(frame(size.0, size.1));
    for data in scans {
        jpeg.extend(scan(data));
    }
    jpeg.extend([0xFF, 0xD9]);
    jpeg
}

fn tables() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    vec((any::<u8>(), vec(any::<u8>(), 0..40)), 0..5)
}

fn scans() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(prop_oneof![any::<u8>(), Just(0xFF)], 0..60), 1..4)
}

proptest! {
    #[test]
    fn p5_whole_pictures_are_taken(
        tables in tables(), width in 16u16..=16_384, height in 16u16..=16_384, scans in scans(), trailer in vec(any::<u8>(), 0..20),
    ) {
        let jpeg = whole(&tables, (width, height), &scans);
        let read = inspect(&[jpeg.as_slice(), &trailer].concat()).unwrap();
        prop_assert_eq!((read.width, read.height, read.len), (width, height, jpeg.len()));
    }

    #[test]
    fn p5_no_part_of_a_picture_is_a_picture(tables in tables(), scans in scans(), cut in any::<prop::sample::Index>()) {
        let jpeg = whole(&tables, (160, 120), &scans);
        prop_assert_eq!(inspect(&jpeg[..cut.index(jpeg.len())]), None);
    }

    #[test]
    fn p5_any_bytes_are_looked_at(bytes in vec(any::<u8>(), 0..400), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        prop_assert!(inspect(&bytes).is_none_or(|read| read.len <= bytes.len()));
        let mut jpeg = whole(&[], (160, 120), &[vec![1, 0xFF, 2]]);
        for (at, byte) in changes {
            let at = at.index(jpeg.len());
            jpeg[at] = byte;
        }
        prop_assert!(inspect(&jpeg).is_none_or(|read| read.len <= jpeg.len()));
    }
}

/// Sizes that no camera gives, no frame, no scan, two frames, two beginnings.
#[test]
fn p5_what_is_built_wrongly_is_no_picture() {
    let good = scan(&[1, 2, 3]);
    let [soi, eoi] = [vec![0xFF, 0xD8], vec![0xFF, 0xD9]];
    for parts in [
        vec![&soi, &frame(0, 120), &good, &eoi],
        vec![&soi, &frame(160, 15), &good, &eoi],
        vec![&soi, &frame(16_385, 120), &good, &eoi],
        vec![&soi, &good, &eoi],
        vec![&soi, &frame(160, 120), &eoi],
        vec![&soi, &frame(160, 120), &frame(160, 120), &good, &eoi],
        vec![&soi, &soi, &frame(160, 120), &good, &eoi],
        vec![&soi, &eoi],
        vec![&soi],
        vec![],
    ] {
        let bytes: Vec<u8> = parts.into_iter().flatten().copied().collect();
        assert_eq!(inspect(&bytes), None, "{bytes:02X?}");
    }
}

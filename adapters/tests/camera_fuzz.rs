//! G1: random and mangled pictures and challenges for the camera's codecs: no panic, bounded memory, and still working.
//!
//! Runs for `CAMERA_FUZZ_SECONDS` (2 by default) with `CAMERA_FUZZ_SEED` (printed).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "support/memory.rs"]
mod memory;

use std::time::{Duration, Instant};

use adapters::camera::challenge::{Offer, challenges};
use adapters::camera::jpeg::inspect;
use fastrand::Rng;

const CHALLENGES: [&str; 3] = [
    r#"Digest realm="camera", qop="auth", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", algorithm=SHA-256, stale=true"#,
    r#"Basic realm="a \"quoted\" one", Digest realm="other", nonce="0", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
    "Negotiate dG9rZW4=, Basic realm=x, charset=UTF-8",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// A whole picture with a segment of any kind and coded data with stuffed bytes.
fn picture(rng: &mut Rng) -> Vec<u8> {
    let mut jpeg = vec![0xFF, 0xD8];
    let segment = |jpeg: &mut Vec<u8>, marker: u8, body: &[u8]| {
        jpeg.extend([0xFF, marker]);
        jpeg.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
        jpeg.extend_from_slice(body);
    };
    let table: Vec<u8> = (0..rng.usize(..60)).map(|_| rng.u8(..)).collect();
    segment(&mut jpeg, [0xC4, 0xDB, 0xE1, 0xFE][rng.usize(..4)], &table);
    segment(&mut jpeg, 0xC0, &[8, 0, 120, 0, 160, 1, 1, 0x11, 0]);
    segment(&mut jpeg, 0xDA, &[1, 1, 0, 0, 63, 0]);
    for _ in 0..rng.usize(1..200) {
        match rng.u8(..) {
            0xFF => jpeg.extend([0xFF, 0]),
            byte => jpeg.push(byte),
        }
    }
    jpeg.extend([0xFF, 0xD9]);
    jpeg
}

/// Some bytes changed, doubled or left out; often none.
fn mangle(rng: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.usize(..4) {
        let at = rng.usize(..bytes.len().max(1));
        match rng.u8(..4) {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_within(at.min(bytes.len())..),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.u8(..);
                }
            }
        }
    }
}

#[test]
fn g1_no_picture_and_no_challenge_is_too_bad() {
    let seconds = setting("CAMERA_FUZZ_SECONDS", 2);
    let seed = setting("CAMERA_FUZZ_SEED", fastrand::u64(..));
    println!("CAMERA_FUZZ_SEED={seed} CAMERA_FUZZ_SECONDS={seconds}");
    let mut rng = Rng::with_seed(seed);
    let span = Duration::from_secs(seconds);
    let (began, mut early) = (Instant::now(), None);
    let (mut taken, mut refused, mut offers) = (0u64, 0u64, 0u64);
    while began.elapsed() < span {
        let mut bytes = picture(&mut rng);
        mangle(&mut rng, &mut bytes);
        match inspect(&bytes) {
            Some(read) => {
                assert!(read.len <= bytes.len());
                taken += 1;
            }
            None => refused += 1,
        }
        let mut header = CHALLENGES[rng.usize(..3)].as_bytes().to_vec();
        mangle(&mut rng, &mut header);
        let header = String::from_utf8_lossy(&header);
        assert!(challenges(&header).len() <= header.len());
        if let Some(offer) = Offer::best([header.as_ref()].into_iter()) {
            offer.is_stale();
            offers += 1;
        }
        if began.elapsed() > span / 10 {
            early.get_or_insert_with(memory::Peak::now);
        }
    }
    assert!(
        taken > 100 && refused > 100 && offers > 100,
        "{taken} taken, {refused} refused, {offers} offers"
    );
    early.unwrap().has_held(taken + refused);
    assert!(inspect(&picture(&mut rng)).is_some());
}

//! G1: random and mangled bytes for the SAM_V codec: no panic, bounded memory, and still working.
//!
//! Runs for `READER_FUZZ_SECONDS` (2 by default) with `READER_FUZZ_SEED` (printed).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "support/memory.rs"]
mod memory;

use std::time::{Duration, Instant};

use adapters::reader::SamId;
use adapters::reader::content::{CardContent, ManagementNumber, encode};
use adapters::reader::fingerprint::FingerBlock;
use adapters::reader::frame::{self, Body, Decoder, FrameError, LEN_MAX};
use adapters::reader::reply::{Reply, SamResult};
use adapters::reader::request::Request;
use adapters::reader::text::{CardText, CitizenText, decode_address};
use fastrand::Rng;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// A stream of frames and rubbish, some of it mangled.
fn stream(rng: &mut Rng, whole: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(1..6) {
        match rng.u8(0..5) {
            0 => bytes.extend(core::iter::repeat_with(|| rng.u8(..)).take(300)),
            1 => bytes.extend_from_slice(&Request::FindCard.encode().unwrap()),
            2 => {
                // A head that promises anything.
                bytes.extend_from_slice(&frame::PREAMBLE);
                bytes.extend_from_slice(&rng.u16(..).to_be_bytes());
            }
            3 => {
                let cut = rng.usize(..whole.len());
                bytes.extend_from_slice(&whole[..cut]);
            }
            _ => bytes.extend_from_slice(whole),
        }
    }
    for _ in 0..rng.usize(0..4) {
        let at = rng.usize(..bytes.len().max(1));
        if let Some(byte) = bytes.get_mut(at) {
            *byte = rng.u8(..);
        }
    }
    bytes
}

/// Everything that reads what is in a frame.
fn read_all(body: &Body) {
    let request = Request::decode(body);
    assert!(request.is_none_or(|request| request.encode().is_ok()));
    let Some(reply) = Reply::from_body(body) else {
        return;
    };
    assert_eq!(reply.to_body().as_slice(), body.as_slice());
    let data = reply.data.as_slice();
    let contents = [
        CardContent::decode_base(data),
        CardContent::decode_with_fingerprint(data),
    ];
    for content in contents.into_iter().flatten() {
        assert!(content.photo.expose().len() <= LEN_MAX);
    }
    for part in [data, data.get(4..260).unwrap_or_default()] {
        CardText::decode(part).ok();
        decode_address(part).ok();
        FingerBlock::decode(part);
        SamId::decode(part);
        ManagementNumber::decode(part);
    }
}

#[test]
fn no_bytes_are_too_bad() {
    let seconds = setting("READER_FUZZ_SECONDS", 2);
    let seed = setting("READER_FUZZ_SEED", fastrand::u64(..));
    println!("READER_FUZZ_SEED={seed} READER_FUZZ_SECONDS={seconds}");
    let mut rng = Rng::with_seed(seed);
    let text = CardText::Citizen(CitizenText::default()).encode().unwrap();
    let data = encode(&[&text, &[7; 1024], &[0x43; 1024]]).unwrap();
    let whole = Reply::new(SamResult::Success, &data).to_body();
    let whole = frame::encode(&whole).unwrap();
    let mut decoder = Decoder::of_replies();
    let (mut frames, mut errors) = (0u64, 0u64);
    let span = Duration::from_secs(seconds);
    let (began, mut early) = (Instant::now(), None);
    while began.elapsed() < span {
        if began.elapsed() > span / 10 {
            early.get_or_insert_with(memory::Peak::now);
        }
        let bytes = stream(&mut rng, &whole);
        for mut part in bytes.chunks(rng.usize(1..700)) {
            while !part.is_empty() {
                let taken = decoder.push(part);
                assert!(taken > 0, "the decoder is stuck");
                part = &part[taken..];
                while let Some(found) = decoder.next_frame() {
                    match found {
                        Ok(body) => {
                            frames += 1;
                            read_all(&body);
                        }
                        Err(_) => errors += 1,
                    }
                }
                assert!(decoder.held_len() < LEN_MAX + 7);
            }
        }
    }
    assert!(
        frames > 100 && errors > 100,
        "{frames} frames, {errors} errors"
    );
    early.unwrap().has_held(frames + errors);
    // Whatever came before: a frame that it seems to begin is over after so many bytes, and then the next one is read.
    let count = (LEN_MAX + 7).div_ceil(whole.len()) + 1;
    let last = (0..=count).map(|_| feed(&mut decoder, &whole)).last();
    assert!(matches!(last, Some(Some(Ok(body))) if body.len() == whole.len() - 8));
}

/// Feeds all of it. What was found last.
fn feed(decoder: &mut Decoder, mut bytes: &[u8]) -> Option<Result<Body, FrameError>> {
    let mut last = None;
    while !bytes.is_empty() {
        let taken = decoder.push(bytes);
        bytes = &bytes[taken..];
        while let Some(found) = decoder.next_frame() {
            last = Some(found);
        }
    }
    last
}

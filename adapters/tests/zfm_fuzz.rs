//! G1: random and mangled bytes for the ZFM codec: no panic, bounded memory, and still working.
//!
//! Runs for `SCANNER_FUZZ_SECONDS` (2 by default) with `SCANNER_FUZZ_SEED` (printed).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "support/memory.rs"]
mod memory;

use std::time::{Duration, Instant};

use adapters::scanner::acknowledgement::{Acknowledgement, Parameters};
use adapters::scanner::instruction::Instruction;
use adapters::scanner::packet::{CONTENT_BYTES_MAX, Decoder, HEAD, Kind, Packet, PacketError};
use fastrand::Rng;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// A stream of packets and rubbish, some of it mangled.
fn stream(rng: &mut Rng, whole: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(1..6) {
        match rng.u8(0..5) {
            0 => bytes.extend(core::iter::repeat_with(|| rng.u8(..)).take(100)),
            1 => bytes.extend_from_slice(&Instruction::TakeImage.to_packet().encode().unwrap()),
            2 => {
                // A head that promises anything.
                bytes.extend_from_slice(&HEAD);
                bytes.extend_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF, rng.u8(0..9)]);
                bytes.extend_from_slice(&rng.u16(..512).to_be_bytes());
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

/// Everything that reads what is in a packet.
fn read_all(packet: &Packet) {
    assert!(packet.content.len() <= CONTENT_BYTES_MAX);
    assert!(packet.encode().is_ok());
    if let Some(instruction) = Instruction::of(packet) {
        assert_eq!(*instruction.to_packet().content, *packet.content);
    }
    if let Some(answer) = Acknowledgement::of(packet) {
        assert_eq!(*answer.to_packet().content, *packet.content);
        answer.number();
        answer.found();
        Parameters::decode(&answer.data);
    }
}

#[test]
fn no_bytes_are_too_bad() {
    let seconds = setting("SCANNER_FUZZ_SECONDS", 2);
    let seed = setting("SCANNER_FUZZ_SEED", fastrand::u64(..));
    println!("SCANNER_FUZZ_SEED={seed} SCANNER_FUZZ_SECONDS={seconds}");
    let mut rng = Rng::with_seed(seed);
    let largest = Packet::new(Kind::Data, &[7; CONTENT_BYTES_MAX]);
    let whole = largest.encode().unwrap();
    let mut decoder = Decoder::default();
    let (mut packets, mut errors) = (0u64, 0u64);
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
                while let Some(found) = decoder.next_packet() {
                    match found {
                        Ok(packet) => {
                            packets += 1;
                            read_all(&packet);
                        }
                        Err(_) => errors += 1,
                    }
                }
                assert!(decoder.held_len() < whole.len());
            }
        }
    }
    assert!(
        packets > 100 && errors > 100,
        "{packets} packets, {errors} errors"
    );
    early.unwrap().has_held(packets + errors);
    // Whatever came before: the largest packet pushes out what is left, and one more is read.
    let mut last = None;
    for _ in 0..4 {
        last = read_to_the_end(&mut decoder, &whole);
    }
    assert_eq!(last, Some(Ok(largest)));
}

/// Takes all of it in, as much at once as there is room for, and gives what was found last.
fn read_to_the_end(decoder: &mut Decoder, mut bytes: &[u8]) -> Option<Result<Packet, PacketError>> {
    let mut last = None;
    while !bytes.is_empty() {
        let taken = decoder.push(bytes);
        bytes = &bytes[taken..];
        last = core::iter::from_fn(|| decoder.next_packet())
            .last()
            .or(last);
    }
    last
}

//! G1: random registers for the dispenser's codec and random bytes for its lines: no panic, nothing but what the profile knows, and
//! still working.
//!
//! Runs for `DISPENSER_FUZZ_SECONDS` (2 by default) with `DISPENSER_FUZZ_SEED` (printed).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "support/memory.rs"]
mod memory;

use std::time::{Duration, Instant};

use adapters::dispenser::codec::{Snapshot, bitmap_pages, encode_command, slot_map};
use edge_config::profile::DispenserProfile;
use fastrand::Rng;
use schemas::slot::SlotAddress;
use schemas::words::Motion;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_modbus::client::{Client as _, Context, rtu, tcp};
use tokio_modbus::{Request, Response, Slave};

const OTHER: &str = include_str!("../../simulator/tests/profiles/other-maker-3.toml");

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn profiles() -> [DispenserProfile; 2] {
    [
        DispenserProfile::load(None).unwrap(),
        DispenserProfile::parse(OTHER, "other").unwrap(),
    ]
}

/// The status block of a machine of 8 columns of 250 slots at rest.
fn at_rest(profile: &DispenserProfile) -> Vec<u16> {
    let (inputs, constants, status) = (&profile.inputs, &profile.constants, profile.status());
    let mut words = vec![0; usize::from(status.len)];
    for (address, word) in [
        (inputs.map_version, constants.map_version),
        (inputs.kind, constants.kind),
        (
            inputs.state,
            profile
                .states
                .code(edge_config::profile::MachineState::Idle),
        ),
        (
            inputs.ack_result,
            profile.results.code(edge_config::profile::AckResult::None),
        ),
        (inputs.columns, 8),
        (inputs.slots_per_column, 250),
        (inputs.hopper, profile.hopper.code(0)),
        (
            inputs.position,
            profile
                .positions
                .code(schemas::words::CarriagePosition::None),
        ),
        (inputs.ack_column, constants.no_slot),
        (inputs.ack_slot, constants.no_slot),
        (inputs.ack_slot_occupied, constants.no_slot),
    ] {
        words[status.offset(address).unwrap()] = word;
    }
    words
}

/// Words near what a machine says, or any words at all.
fn words(rng: &mut Rng, profile: &DispenserProfile) -> Vec<u16> {
    if rng.u8(..4) == 0 {
        let len = rng.usize(..40);
        return (0..len).map(|_| rng.u16(..)).collect();
    }
    let mut words = at_rest(profile);
    for _ in 0..rng.usize(..4) {
        let at = rng.usize(..words.len());
        words[at] = if rng.bool() {
            rng.u16(..)
        } else {
            rng.u16(..80)
        };
    }
    words
}

fn read_all(profile: &DispenserProfile, snapshot: &Snapshot) {
    let slots = u32::from(snapshot.columns) * u32::from(snapshot.slots_per_column);
    assert!(slots <= u32::from(profile.limits.slots));
    let pages = bitmap_pages(profile, snapshot.columns, snapshot.slots_per_column);
    assert!(pages.iter().all(|(_, len)| (1..=125).contains(len)));
    let all = vec![u16::MAX; pages.iter().map(|(_, len)| usize::from(*len)).sum()];
    let map = slot_map(snapshot.columns, snapshot.slots_per_column, &all);
    assert_eq!(
        map.occupied().unwrap().len(),
        usize::try_from(slots).unwrap()
    );
    snapshot.progress();
    snapshot.is_at_rest();
    snapshot.evidence_of(snapshot.ack.sequence, &Motion::Retract);
}

/// G1: whatever registers say, the codec answers with a value of the profile or with the register at fault.
#[test]
fn g1_any_registers_are_read_or_refused() {
    let seed = setting("DISPENSER_FUZZ_SEED", fastrand::u64(..));
    println!("DISPENSER_FUZZ_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let span = Duration::from_secs(setting("DISPENSER_FUZZ_SECONDS", 2)) / 2;
    let (began, mut early) = (Instant::now(), None);
    let profiles = profiles();
    let (mut read, mut refused) = (0u64, 0u64);
    while began.elapsed() < span {
        if began.elapsed() > span / 10 {
            early.get_or_insert_with(memory::Peak::now);
        }
        let profile = &profiles[rng.usize(..2)];
        match Snapshot::decode(profile, &words(&mut rng, profile)) {
            Ok(snapshot) => {
                read_all(profile, &snapshot);
                read += 1;
            }
            Err(error) => {
                let status = profile.status();
                assert!(status.offset(error.address).is_some(), "{error}");
                refused += 1;
            }
        }
        let slot = SlotAddress::new(rng.u16(..32), rng.u16(..500)).unwrap();
        let block = encode_command(profile, rng.u16(1..), &Motion::ToReader { slot });
        let named = |address| block[profile.command_block().offset(address).unwrap()];
        assert_eq!(named(profile.holdings.column), slot.column());
        assert_eq!(named(profile.holdings.slot), slot.slot());
    }
    assert!(
        read > 100 && refused > 100,
        "{read} read, {refused} refused"
    );
    early.unwrap().has_held(read + refused);
}

/// An answer, mangled; in RTU frames or with the head of Modbus TCP.
fn answer(rng: &mut Rng, is_rtu: bool, transaction: u16) -> Vec<u8> {
    let mut pdu = vec![4, 54];
    pdu.extend((0..54).map(|_| rng.u8(..)));
    match rng.u8(..6) {
        0 => pdu = vec![0x84, rng.u8(..)],
        1 => pdu[1] = rng.u8(..),
        2 => pdu[0] = rng.u8(..),
        3 => pdu.truncate(rng.usize(1..pdu.len())),
        _ => {}
    }
    let mut bytes = Vec::new();
    if is_rtu {
        bytes.push(if rng.u8(..8) == 0 { rng.u8(..) } else { 1 });
        bytes.extend(pdu);
        let mut crc = 0xFFFFu16;
        for byte in &bytes {
            crc ^= u16::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0xA001
                } else {
                    crc >> 1
                };
            }
        }
        bytes.extend(crc.to_le_bytes());
    } else {
        bytes.extend(transaction.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(u16::try_from(pdu.len() + 1).unwrap().to_be_bytes());
        bytes.push(1);
        bytes.extend(pdu);
    }
    for _ in 0..rng.usize(..2) {
        let at = rng.usize(..bytes.len());
        bytes[at] = rng.u8(..);
    }
    bytes
}

/// G1: whatever comes instead of an answer, a call ends with the words asked for, with fewer or more, or with an error.
#[tokio::test]
async fn g1_any_answer_ends_a_call() {
    let seed = setting("DISPENSER_FUZZ_SEED", fastrand::u64(..));
    println!("DISPENSER_FUZZ_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let span = Duration::from_secs(setting("DISPENSER_FUZZ_SECONDS", 2)) / 2;
    let (began, mut early) = (Instant::now(), None);
    let (mut whole, mut other) = (0u64, 0u64);
    while began.elapsed() < span {
        if began.elapsed() > span / 10 {
            early.get_or_insert_with(memory::Peak::now);
        }
        let is_rtu = rng.bool();
        let (ours, mut theirs) = duplex(1_024);
        let mut context: Context = if is_rtu {
            rtu::attach_slave(ours, Slave(1))
        } else {
            tcp::attach_slave(ours, Slave(1))
        };
        let bytes = answer(&mut rng, is_rtu, 0);
        let call = async {
            let answer = context.call(Request::ReadInputRegisters(0, 27)).await;
            matches!(answer, Ok(Ok(Response::ReadInputRegisters(words))) if words.len() == 27)
        };
        let device = async {
            let mut request = [0; 64];
            assert!(theirs.read(&mut request).await.unwrap() > 0);
            theirs.write_all(&bytes).await.unwrap();
            // What is missing of an answer does not come any more.
            theirs.shutdown().await.unwrap();
        };
        let (is_whole, ()) = tokio::join!(call, device);
        if is_whole {
            whole += 1;
        } else {
            other += 1;
        }
    }
    assert!(whole > 10 && other > 10, "{whole} whole, {other} other");
    early.unwrap().has_held(whole + other);
}

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::LazyLock;

use schemas::slot::SlotAddress;
use schemas::words::Motion;

use super::*;

static PROFILE: LazyLock<DispenserProfile> =
    LazyLock::new(|| DispenserProfile::load(None).unwrap());

/// A machine whose last command was `command` of slot 1/2 under `sequence`; done, or none when 0.
fn machine(sequence: u16, command: u16) -> Snapshot {
    let result = if sequence == 0 { 0 } else { 2 };
    let mut words = [0u16; 27];
    for (at, word) in [
        (0, 1),
        (1, 1),
        (4, 2),
        (6, sequence),
        (7, command),
        (8, result),
        (23, 1),
        (24, 2),
        (25, 1),
    ] {
        if let Some(place) = words.get_mut(at) {
            *place = word;
        }
    }
    Snapshot::decode(&PROFILE, &words).unwrap()
}

fn command(sequence: u16) -> MoveCommand {
    MoveCommand {
        command_id: CommandId::of(1, 9, 0),
        sequence,
        motion: Motion::ToReader {
            slot: SlotAddress::new(1, 2).unwrap(),
        },
        timeout_s: 30,
    }
}

fn block(sequence: u16) -> Step {
    Step::Write([sequence, 5, 1, 2, 0, 0])
}

/// P3, G1: given the device's last sequence, a command's sequence is written, answered or refused.
#[test]
fn only_the_next_sequences_are_written() {
    let done = Step::Answer(MotionResult::Done);
    let out = rejected(PROFILE.refusals.sequence_out_of_turn);
    for (last, sequence, step) in [
        (41, 41, done),
        (41, 42, block(42)),
        (41, 49, block(49)),
        (41, 50, out),
        (41, 40, out),
        (41, 1, out),
        (41, 65_535, out),
        (41, 0, out),
        (65_535, 1, block(1)),
        (65_535, 8, block(8)),
        (65_535, 9, out),
        (65_535, 0, out),
        (65_535, 65_534, out),
        (65_530, 3, block(3)),
        (65_530, 4, out),
        (1, 65_535, out),
        (0, 0, out),
        (0, 1, block(1)),
        (0, 40_000, block(40_000)),
    ] {
        let now = Instant::now();
        let next = Pending::new(command(sequence), now).next(&PROFILE, &machine(last, 5), now);
        assert_eq!(next, step, "{sequence} after {last}");
    }
}

/// G1: the acknowledged sequence of another command is neither written nor taken for this one.
#[test]
fn a_sequence_of_another_command_is_refused() {
    let now = Instant::now();
    let step = Pending::new(command(41), now).next(&PROFILE, &machine(41, 12), now);
    assert_eq!(step, rejected(PROFILE.refusals.sequence_reused));
}

/// G1: what was perhaps written is never called rejected: the device may have moved, and then been
/// commanded by somebody else.
#[test]
fn a_doubtful_write_is_never_rejected() {
    let now = Instant::now();
    let mut pending = Pending::new(command(42), now);
    assert_eq!(pending.next(&PROFILE, &machine(41, 5), now), block(42));
    assert_eq!(pending.next(&PROFILE, &machine(41, 5), now), block(42));
    assert_eq!(pending.next(&PROFILE, &machine(43, 5), now), Step::GiveUp);
}

/// G1: a command beside a pending one is answered by what the device has acknowledged, else with busy.
#[test]
fn a_command_beside_another_is_not_begun() {
    for (sequence, step) in [
        (41, Step::Answer(MotionResult::Done)),
        (42, rejected(PROFILE.refusals.busy)),
        (40, rejected(PROFILE.refusals.sequence_out_of_turn)),
    ] {
        assert_eq!(
            Pending::beside(&PROFILE, &command(sequence), &machine(41, 5)),
            step
        );
    }
}

/// G1: the slot's sensor speaks of the acknowledged command, never of one the device did not take.
#[test]
fn the_slot_belongs_to_the_acknowledged_command() {
    let seen = machine(41, 5);
    let slot = |sequence, motion: &Motion| seen.evidence_of(sequence, motion).slot_occupied;
    let motion = command(41).motion;
    assert_eq!(slot(41, &motion), Some(true));
    assert_eq!(slot(42, &motion), None);
    assert_eq!(slot(40, &motion), None);
    let elsewhere = Motion::ToReader {
        slot: SlotAddress::new(1, 3).unwrap(),
    };
    assert_eq!(slot(41, &elsewhere), None);
    assert_eq!(slot(41, &Motion::Retract), None);
    assert_eq!(machine(0, 0).evidence_of(0, &motion).slot_occupied, None);
}

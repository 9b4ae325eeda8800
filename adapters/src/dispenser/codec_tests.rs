#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::sync::LazyLock;

use super::*;

static PROFILE: LazyLock<DispenserProfile> =
    LazyLock::new(|| DispenserProfile::load(None).unwrap());

/// The example of the register map's document: a machine of 8 columns of 250 slots that has just put the
/// card of slot 1/2 into its reader.
const EXAMPLE: [u16; 27] = [
    1, 1, 0x0102, 77, 2, 0, 41, 5, 2, 0, 8, 250, 1990, 10, 2, 1, 50, 3, 1, 1, 2, 0, 9, 1, 2, 0, 0,
];

fn slot(column: u16, slot: u16) -> SlotAddress {
    SlotAddress::new(column, slot).unwrap()
}

/// The document's example reads as it says.
#[test]
fn the_status_block_is_read() {
    let snapshot = Snapshot::decode(&PROFILE, &EXAMPLE).unwrap();
    assert_eq!(snapshot.state, MachineState::Idle);
    assert_eq!(
        snapshot.progress(),
        Progress::Over {
            sequence: 41,
            outcome: MotionResult::Done
        }
    );
    assert_eq!(
        snapshot.evidence(),
        Evidence {
            position: CarriagePosition::InReader,
            outlet_present: false,
            slot_occupied: Some(false),
            recycle_count: 3,
        }
    );
    assert_eq!(snapshot.ack_slot, Some(slot(1, 2)));
    assert_eq!(snapshot.dispensed_total, 0x0001_0002);
    assert_eq!(snapshot.retracted_total, 9);
}

/// Every register outside its codes is named, and none panics.
#[test]
fn registers_outside_the_map_are_refused() {
    for (address, value) in [
        (0u16, 2u16),
        (1, 0),
        (4, 7),
        (8, 5),
        (10, 33),
        (11, 501),
        (14, 3),
        (18, 5),
        // 9 columns of 250 slots are more than a machine has.
        (10, 9),
        (23, 32),
        (25, 2),
    ] {
        let mut words = EXAMPLE;
        words[usize::from(address)] = value;
        let error = Snapshot::decode(&PROFILE, &words).unwrap_err();
        assert_eq!((error.address, error.value), (address, value));
    }
    // A sequence without a result, and a result without a sequence.
    for address in [6, 8] {
        let mut words = EXAMPLE;
        words[address] = 0;
        assert_eq!(Snapshot::decode(&PROFILE, &words).unwrap_err().address, 6);
    }
    for len in 0..27 {
        assert!(Snapshot::decode(&PROFILE, &EXAMPLE[..len]).is_err());
    }
}

/// P3, P7: every motion has the command block of the document.
#[test]
fn motions_are_written_as_the_document_says() {
    let at = slot(3, 17);
    for (motion, words) in [
        (Motion::Load { slot: at }, [9, 2, 3, 17, 0, 0]),
        (
            Motion::Dispense {
                slot: at,
                hold_s: 30,
            },
            [9, 3, 3, 17, 30, 0],
        ),
        (Motion::ToReader { slot: at }, [9, 5, 3, 17, 0, 0]),
        (Motion::Present { hold_s: 30 }, [9, 11, 0, 0, 30, 0]),
        (Motion::Retract, [9, 13, 0, 0, 0, 0]),
        (Motion::ToSlot { slot: at }, [9, 12, 3, 17, 0, 0]),
        (Motion::Reject, [9, 6, 0, 0, 0, 0]),
        (Motion::TakeOldCard, [9, 7, 0, 0, 0, 0]),
        (Motion::Inventory, [9, 8, 0, 0, 0, 0]),
    ] {
        assert_eq!(encode_command(&PROFILE, 9, &motion), words);
    }
}

/// C2: the bitmap of the largest machines is fetched in reads that Modbus allows.
#[test]
fn the_bitmap_is_paged() {
    assert_eq!(bitmap_pages(&PROFILE, 4, 10), [(32, 3)]);
    assert_eq!(bitmap_pages(&PROFILE, 8, 250), [(32, 125)]);
    assert_eq!(bitmap_pages(&PROFILE, 32, 100), [(32, 125), (157, 75)]);
    assert!(bitmap_pages(&PROFILE, 0, 0).is_empty());
}

/// C2: slot s of column c is bit c * slots_per_column + s, lowest bit first.
#[test]
fn the_bitmap_names_its_slots() {
    let map = slot_map(2, 10, &[0b1000_0000_0000_0001, 0b1000]);
    assert_eq!(
        map.occupied().unwrap(),
        [slot(0, 0), slot(1, 5), slot(1, 9)]
    );
    assert_eq!(slot_map(2, 10, &[]).occupied().unwrap(), []);
}

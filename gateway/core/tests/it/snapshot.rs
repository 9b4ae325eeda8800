//! G4: a state as it was written into a snapshot by an older program must be read for ever: a station may have nothing else to start
//! from. The file was written once, from a stocked station with a pickup under way; it is never made again.

use gateway_core::{State, pending};
use schemas::ids::CardSerial;

const STATE_1: &[u8] = include_bytes!("../golden/state-1.cbor");

#[test]
fn the_first_version_of_the_state_is_read() {
    let state: State = ciborium::from_reader(STATE_1).unwrap();
    assert!(state.next_index() > 10);
    assert_eq!(state.pickups().count(), 1);
    let card = state.card(&CardSerial::new("CARD000001").unwrap());
    assert!(card.unwrap().announced.is_some());
    assert!(state.cards().count() >= 5);
    assert!(state.devices().filter(|(_, online)| *online).count() >= 6);
    assert!(!pending(&state).is_empty(), "the session is gone on with");
}

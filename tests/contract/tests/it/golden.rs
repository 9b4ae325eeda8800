//! G3: every event version that was ever written still reads, verifies, and encodes to the same bytes.

use std::collections::BTreeSet;
use std::fs;

use contract::golden::{TestKey, payload};
use contract::{COMMAND, schemas_folder};
use schemas::envelope::{Entry, read};
use schemas::event::EVENT_TYPES;

fn golden(name: &str) -> String {
    let path = schemas_folder().join("golden").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{name}: {error}. Every event type has a golden event; for a new type run: {COMMAND}"
        )
    })
}

fn signed(type_name: &str) -> Vec<u8> {
    hex::decode(golden(&format!("{type_name}.cose")).trim_end()).unwrap()
}

#[test]
fn golden_events_read_and_encode_to_the_same_bytes() {
    let key = TestKey::new().unwrap();
    for type_name in EVENT_TYPES {
        let signed = signed(type_name);
        let entry: Entry = key
            .verify(&signed)
            .unwrap_or_else(|error| panic!("{type_name}: {error:#}"));
        assert_eq!(entry.event.type_name(), *type_name);
        assert_eq!(
            read(&signed).unwrap(),
            entry,
            "{type_name}: reading without a check differs"
        );
        let json = golden(&format!("{type_name}.json"));
        assert_eq!(
            payload(&signed).unwrap(),
            json.trim_end(),
            "{type_name}: .json and .cose differ"
        );
        let again = key
            .seal(&entry.origin, entry.index, &entry.meta, &entry.event)
            .unwrap();
        assert!(
            again == signed,
            "{type_name} encodes to other bytes than it did: make a new version instead"
        );
    }
}

#[test]
fn no_golden_event_is_left_without_its_type() {
    let known: BTreeSet<&str> = EVENT_TYPES.iter().copied().collect();
    for entry in fs::read_dir(schemas_folder().join("golden")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let type_name = name
            .strip_suffix(".json")
            .or(name.strip_suffix(".cose"))
            .unwrap_or(&name);
        assert!(
            known.contains(type_name),
            "{name}: a type that was written once stays readable for ever"
        );
    }
}

/// A single changed bit anywhere is noticed.
#[test]
fn a_changed_bit_is_refused() {
    let key = TestKey::new().unwrap();
    let signed = signed("station.pickup.started.v1");
    for at in 0..signed.len() {
        let mut changed = signed.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        assert!(
            key.verify(&changed).is_err(),
            "a change of byte {at} passes"
        );
    }
}

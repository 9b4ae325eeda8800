//! Every kind of damage is named, with station and place, and stops that station alone.

use std::collections::BTreeSet;

use eventstore::{AppendToStreamOptions, StreamMetadataBuilder};
use schemas::envelope::{KeyId, Origin};
use schemas::event::Event;
use schemas::event::evidence::KeyRotated;
use schemas::proof::{Frontier, Hash};
use schemas::uplink::Record;
use simulator::centre::{Fault, Running};

use crate::house::{House, acknowledgements, until, until_acknowledged, until_log};
use crate::station::{Key, Station, sign_for, some_event, started};

/// Events in a log that is damaged.
const LEN: usize = 12;
/// Where the damage is.
const AT: usize = 7;

struct Damage {
    name: &'static str,
    make: fn(&mut Station) -> Vec<Record>,
    revision: u64,
    is_named: fn(&Fault) -> bool,
}

fn replaced(station: &Station, at: usize, signed: &[u8]) -> Vec<Record> {
    let mut records = station.records();
    records[at] = Record::of(signed, None).unwrap();
    records
}

#[allow(clippy::too_many_lines, reason = "a table")]
fn kinds() -> Vec<Damage> {
    vec![
        Damage {
            name: "changed-data",
            make: |station| {
                let mut records = station.records();
                let text = String::from_utf8(records[AT].data.clone()).unwrap();
                records[AT].data = text.replace("CARD000001", "CARD000009").into_bytes();
                records
            },
            revision: 7,
            is_named: |fault| *fault == Fault::Signature,
        },
        Damage {
            name: "other-key",
            make: |station| {
                let key = Key::new(99);
                let signed = station.sign(7, &some_event(7), &key);
                replaced(station, AT, &signed)
            },
            revision: 7,
            is_named: |fault| matches!(fault, Fault::OtherKey { .. }),
        },
        Damage {
            name: "forged",
            make: |station| {
                let id = KeyId::of(&station.keys[0].public());
                let signed = sign_for(&station.origin, 7, &some_event(7), id, &Key::new(99));
                replaced(station, AT, &signed)
            },
            revision: 7,
            is_named: |fault| *fault == Fault::Signature,
        },
        Damage {
            name: "gap",
            make: |station| {
                let mut records = station.records();
                records.remove(AT);
                records
            },
            revision: 7,
            is_named: |fault| *fault == Fault::OtherPlace { index: 8 },
        },
        Damage {
            name: "repeated",
            make: |station| {
                let mut records = station.records();
                records.insert(AT, records[AT - 1].clone());
                records
            },
            revision: 7,
            is_named: |fault| *fault == Fault::OtherPlace { index: 6 },
        },
        Damage {
            name: "swapped",
            make: |station| {
                let mut records = station.records();
                records.swap(AT, AT + 1);
                records
            },
            revision: 7,
            is_named: |fault| *fault == Fault::OtherPlace { index: 8 },
        },
        Damage {
            name: "other-origin",
            make: |station| {
                let origin = Origin::new("gateway.test/station/elsewhere/1").unwrap();
                let key = &station.keys[0];
                let id = KeyId::of(&key.public());
                let signed = sign_for(&origin, 7, &some_event(7), id, key);
                replaced(station, AT, &signed)
            },
            revision: 7,
            is_named: |fault| matches!(fault, Fault::OtherOrigin { .. }),
        },
        Damage {
            name: "other-id",
            make: |station| {
                let mut records = station.records();
                records[AT].id[0] ^= 1;
                records
            },
            revision: 7,
            is_named: |fault| matches!(fault, Fault::OtherId { .. }),
        },
        Damage {
            name: "other-type",
            make: |station| {
                let mut records = station.records();
                "station.gateway.started.v1".clone_into(&mut records[AT].event_type);
                records
            },
            revision: 7,
            is_named: |fault| matches!(fault, Fault::OtherType { .. }),
        },
        Damage {
            name: "no-signature",
            make: |station| {
                let mut records = station.records();
                records[AT].metadata = b"{}".to_vec();
                records
            },
            revision: 7,
            is_named: |fault| matches!(fault, Fault::NotAnEvent { .. }),
        },
        Damage {
            name: "other-root",
            make: |station| {
                let mut tree = station.tree(7);
                tree.append_leaf(Hash([7; 32]));
                let note = station.checkpoint_of(&tree);
                station.records_with(Some(&note))
            },
            // The eighth event completes the size that the checkpoint speaks of.
            revision: 7,
            is_named: |fault| *fault == Fault::OtherRoot { size: 8 },
        },
        Damage {
            name: "older-root",
            make: |station| {
                let mut tree = station.tree(2);
                tree.append_leaf(Hash([7; 32]));
                let note = station.checkpoint_of(&tree);
                let mut records = station.records_with(None);
                records[AT] = Record::of(&station.events[AT], Some(&note)).unwrap();
                records
            },
            revision: 7,
            is_named: |fault| *fault == Fault::OtherRoot { size: 3 },
        },
        Damage {
            name: "two-roots",
            make: |station| {
                let tree = |hash| {
                    let mut tree = Frontier::new();
                    (0..20).for_each(|_| tree.append_leaf(Hash([hash; 32])));
                    tree
                };
                let mut records = station.records_with(Some(&station.checkpoint_of(&tree(1))));
                let other = station.checkpoint_of(&tree(2));
                records[AT] = Record::of(&station.events[AT], Some(&other)).unwrap();
                records
            },
            revision: 7,
            is_named: |fault| *fault == Fault::TwoRoots { size: 20 },
        },
        Damage {
            name: "unsigned-checkpoint",
            make: |station| {
                let note = station.checkpoint(8).replace("\n8\n", "\n7\n");
                station.records_with(Some(&note))
            },
            revision: 6,
            is_named: |fault| matches!(fault, Fault::Checkpoint { size: 7, .. }),
        },
        Damage {
            name: "false-rotation",
            make: |station| {
                let index = station.size();
                station.rotate();
                let mut records = station.records_with(None);
                let signed = schemas::envelope::read(station.events.last().unwrap()).unwrap();
                let Event::KeyRotated(genuine) = signed.event else {
                    panic!("not a rotation");
                };
                let forged = Event::KeyRotated(KeyRotated {
                    possession: schemas::key::Signature::of(&[3; 64]),
                    ..genuine
                });
                let signed = station.sign(index, &forged, &station.keys[0]);
                records[LEN] = Record::of(&signed, None).unwrap();
                records
            },
            revision: 12,
            is_named: |fault| matches!(fault, Fault::Rotation { .. }),
        },
        Damage {
            name: "unreadable",
            make: |station| {
                let key = &station.keys[0];
                let id = KeyId::of(&key.public());
                let payload = br#"{"specversion":"1.0","type":"station.gateway.started.v1"}"#;
                let unsigned =
                    schemas::envelope::Unsigned::of_payload(&station.origin, 7, payload, id);
                let signed = unsigned.unwrap().signed(|message| key.sign(message));
                replaced(station, AT, &signed)
            },
            revision: 7,
            is_named: |fault| matches!(fault, Fault::Unreadable { .. }),
        },
    ]
}

/// G4: every kind of damage is named at its place; that station is stopped, told nothing more, and the others are followed as
/// before. A restart of the centre changes nothing of it.
#[tokio::test]
async fn every_damage_is_named_and_never_acknowledged() {
    let house = House::new().await;
    let mut stations = Vec::new();
    for (damage, seed) in kinds().into_iter().zip(10..) {
        let mut station = Station::of_len(damage.name, seed, LEN);
        house.register(station.registration());
        let records = (damage.make)(&mut station);
        let good = usize::try_from(damage.revision).unwrap();
        house.append(&station.stream(), 0, &records[..3]).await;
        stations.push((damage, station, records, good));
    }
    let mut centre = house.centre().await;
    for (_, station, ..) in &stations {
        until_log(&mut centre, station, |log| log.acknowledged == 3).await;
    }
    for (_, station, records, _) in &stations {
        house.append(&station.stream(), 3, &records[3..]).await;
    }
    let count = stations.len();
    until(&mut centre, |view| {
        view.logs.values().filter(|log| log.fault.is_some()).count() == count
    })
    .await;
    for (damage, station, _, good) in &stations {
        let view = centre.view();
        let log = &view.logs[&station.stream()];
        let fault = log.fault.clone().unwrap();
        assert!((damage.is_named)(&fault.fault), "{}: {fault}", damage.name);
        assert_eq!(fault.revision, damage.revision, "{}: {fault}", damage.name);
        assert_eq!(log.size, u64::try_from(*good).unwrap(), "{}", damage.name);
    }
    the_others_go_on(&house, &mut centre).await;
    let key = House::shown_key(&centre.view());
    for (damage, station, ..) in &stations {
        let told = house.told(&station.id, std::slice::from_ref(&key)).await;
        let (sizes, _) = acknowledgements(&told);
        assert_eq!(
            sizes,
            [(3, station.tree(3).root().to_string())],
            "{}",
            damage.name
        );
    }
    assert_eq!(
        forks(&house),
        BTreeSet::from([
            "station-older-root-1-3.json".to_owned(),
            "station-other-root-1-8.json".to_owned(),
            "station-two-roots-1-20.json".to_owned(),
        ])
    );
    let before = centre.faults();
    centre.shutdown().await;
    let mut centre = house.centre().await;
    the_others_go_on(&house, &mut centre).await;
    assert_eq!(centre.faults(), before);
    centre.shutdown().await;
}

/// A station that was not there before is read to its end: the loop has gone round several times.
async fn the_others_go_on(house: &House, centre: &mut Running) {
    let id = format!("honest-{}", centre.view().logs.len());
    let honest = Station::of_len(&id, 200, 5);
    house.register(honest.registration());
    house.append(&honest.stream(), 0, &honest.records()).await;
    until_acknowledged(centre, &honest).await;
}

fn forks(house: &House) -> BTreeSet<String> {
    let files = std::fs::read_dir(house.folder.path().join("forks")).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// G4: a fork's file holds what convinces a third party: the station's own signatures under two different roots.
#[tokio::test]
async fn a_fork_is_kept_as_a_proof() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, LEN);
    house.register(station.registration());
    let mut tree = station.tree(7);
    tree.append_leaf(Hash([7; 32]));
    let note = station.checkpoint_of(&tree);
    let good = station.checkpoint(5);
    let mut records = station.records_with(Some(&good));
    records[AT] = Record::of(&station.events[AT], Some(&note)).unwrap();
    house.append(&station.stream(), 0, &records).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    let path = house.folder.path().join("forks/station-s1-1-8.json");
    let fork: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(fork["checkpoints"], serde_json::json!([note]));
    assert_eq!(fork["root"], station.tree(8).root().to_string());
    assert_eq!(fork["before"], good);
    centre.shutdown().await;
}

/// G4: a stream that was cut off at its beginning is not the log.
#[tokio::test]
async fn a_truncated_stream_is_named() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, LEN);
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let metadata = StreamMetadataBuilder::new().truncate_before(4).build();
    let options = AppendToStreamOptions::default();
    let stream = station.stream();
    house
        .client()
        .set_stream_metadata(stream, &options, &metadata)
        .await
        .unwrap();
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    let fault = &centre.faults()[0];
    assert_eq!(
        (fault.revision, &fault.fault),
        (0, &Fault::Gap { found: 4 })
    );
    centre.shutdown().await;
}

/// G4: a log that claims to follow another one says which.
#[tokio::test]
async fn a_later_log_that_names_no_earlier_one_is_refused() {
    let house = House::new().await;
    let mut station = Station::incarnated("s1", 2, 1);
    station.push(started());
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    assert_eq!(centre.faults()[0].fault, Fault::Beginning);
    centre.shutdown().await;
}

/// What is wrong with another's stream is no reason to believe a person: `resume` goes on behind the last event that was
/// right, and stops at the same fault while it is there.
#[tokio::test]
async fn a_resumed_log_stops_at_the_same_fault() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, LEN);
    house.register(station.registration());
    let mut records = station.records();
    records.swap(AT, AT + 1);
    house.append(&station.stream(), 0, &records).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    let before = centre.faults();
    assert!(
        house.desk().resume(&station.stream()).is_err(),
        "the centre runs"
    );
    centre.shutdown().await;
    assert!(house.desk().resume(&station.stream()).unwrap());
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    assert_eq!(centre.faults(), before);
    centre.shutdown().await;
}

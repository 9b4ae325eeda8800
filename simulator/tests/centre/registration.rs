//! What a registration has to be.

use simulator::centre::Registration;

use crate::house::House;
use crate::station::Station;

const KEY: &str = "0a0b0c0d0e0f000102030405060708090a0b0c0d0e0f00010203040506070809";

fn read(station: &str, origin: &str, first_key: &str) -> Option<Registration> {
    let json = serde_json::json!({"station": station, "origin": origin, "first_key": first_key});
    serde_json::from_value(json).ok()
}

/// G4: a registration names a station, its own log, and that log's first key, as digits or as a verifier key.
#[test]
fn a_registration_names_station_log_and_key() {
    let good = read("s1", "gateway.test/station/s1/3", KEY).unwrap();
    assert_eq!((good.province(), good.incarnation()), ("test", 3));
    assert_eq!(good.stream(), "station-s1-3");
    for (station, origin) in [
        ("s2", "gateway.test/station/s1/3"),
        ("s1", "gateway.test/station/s1/0"),
        ("s1", "gateway.test/station/s1/03"),
        ("s1", "gateway.test/station/s1"),
        ("s1", "gateway./station/s1/1"),
        ("s1", "centre.test/station/s1/1"),
    ] {
        assert_eq!(read(station, origin, KEY), None, "{station} {origin}");
    }
    assert_eq!(read("s1", "gateway.test/station/s1/1", "12"), None);
}

/// G3: a verifier key is bound to its log, so that of another one is refused.
#[test]
fn the_verifier_key_of_another_log_is_refused() {
    let (one, other) = (Station::new("s1", 1), Station::new("s2", 2));
    let vkey = |station: &Station| {
        let key = schemas::proof::NoteKey::new(station.origin.as_str(), station.keys[0].public());
        key.unwrap().to_vkey()
    };
    let read_with = |vkey: &str| read("s1", one.origin.as_str(), vkey);
    assert_eq!(read_with(&vkey(&one)), Some(one.registration()));
    assert_eq!(read_with(&vkey(&other)), None);
}

/// G4: a log that is registered keeps its key: another one would be another log.
#[tokio::test]
async fn another_key_for_a_registered_log_is_refused() {
    let house = House::new().await;
    let desk = house.desk();
    assert!(desk.register(Station::new("s1", 1).registration()).unwrap());
    assert!(!desk.register(Station::new("s1", 1).registration()).unwrap());
    let refused = desk
        .register(Station::new("s1", 2).registration())
        .unwrap_err();
    assert!(
        refused.to_string().contains("another first key"),
        "{refused}"
    );
}

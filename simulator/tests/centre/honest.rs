//! What is right is verified and acknowledged, with its root, once each and in order.

use schemas::event::evidence::LogIncarnated;
use schemas::ids::OperatorId;
use schemas::words::IncarnationReason;

use crate::house::{House, acknowledgements, until, until_acknowledged, until_log};
use crate::station::{Station, started};

/// G4: an honest log, with rotations of its key in it, is verified to its end and acknowledged with the root that the station has
/// itself; numbers count up from 1.
#[tokio::test]
async fn an_honest_log_is_verified_and_acknowledged() {
    let house = House::new().await;
    let mut station = Station::of_len("s1", 1, 300);
    station.rotate();
    station.fill(200);
    station.rotate();
    station.fill(99);
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let mut centre = house.centre().await;
    until_acknowledged(&mut centre, &station).await;

    let first = station.size();
    let note = station.checkpoint(first);
    station.fill(10);
    let records = station.records_with(Some(&note));
    house.append(&station.stream(), 601, &records[601..]).await;
    until_acknowledged(&mut centre, &station).await;

    let view = centre.view();
    let log = &view.logs[&station.stream()];
    assert_eq!((log.size, log.checked_size, log.lag), (611, first, 0));
    assert_eq!(
        (log.root.as_str(), view.is_well()),
        (station.root().as_str(), true)
    );
    let told = house.told(&station.id, &[House::shown_key(&view)]).await;
    let (sizes, numbers) = acknowledgements(&told);
    assert_eq!(sizes.last(), Some(&(611, station.root())));
    assert!(
        sizes
            .iter()
            .all(|(size, root)| *root == station.tree(*size).root().to_string())
    );
    let counted: Vec<u64> = (1..).take(told.len()).collect();
    assert_eq!(numbers, counted);
    centre.shutdown().await;
}

/// G4: a checkpoint may cover events that follow; it waits for them, and is compared then. What is missing is the lag.
#[tokio::test]
async fn a_checkpoint_over_later_events_waits_for_them() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 40);
    house.register(station.registration());
    let records = station.records();
    house.append(&station.stream(), 0, &records[..25]).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.acknowledged == 25).await;
    let log = centre.view().logs[&station.stream()].clone();
    assert_eq!((log.signed_size, log.checked_size, log.lag), (40, 0, 15));
    house.append(&station.stream(), 25, &records[25..]).await;
    until_log(&mut centre, &station, |log| {
        log.checked_size == 40 && log.lag == 0
    })
    .await;
    centre.shutdown().await;
}

/// G4: a checkpoint may be signed by a key that only a later event brings: the lag counts it from there on.
#[tokio::test]
async fn a_checkpoint_under_a_later_key_counts_from_the_rotation_on() {
    let house = House::new().await;
    let mut station = Station::of_len("s1", 1, 10);
    station.rotate();
    station.fill(29);
    house.register(station.registration());
    let records = station.records();
    house.append(&station.stream(), 0, &records[..5]).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.acknowledged == 5).await;
    assert_eq!(centre.view().logs[&station.stream()].signed_size, 0);
    house.append(&station.stream(), 5, &records[5..30]).await;
    until_log(&mut centre, &station, |log| log.acknowledged == 30).await;
    let log = centre.view().logs[&station.stream()].clone();
    assert_eq!((log.signed_size, log.lag), (40, 10));
    centre.shutdown().await;
}

/// G4: of a stream that nobody has registered nothing is acknowledged; it is shown with the fingerprint of its key, and taken
/// once it is registered.
#[tokio::test]
async fn an_unregistered_log_is_shown_and_not_acknowledged() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 5);
    let stream = station.stream();
    house.append(&stream, 0, &station.records()).await;
    let mut centre = house.centre().await;
    let fingerprint = station.registration().fingerprint();
    until(&mut centre, |view| {
        let unknown = view.unknown.get(&stream).map(|shown| &shown.unknown);
        unknown.is_some_and(|unknown| {
            unknown.fingerprint.as_ref() == Some(&fingerprint) && unknown.events == 5
        })
    })
    .await;
    let key = House::shown_key(&centre.view());
    assert!(house.told(&station.id, &[key]).await.is_empty());
    house.register(station.registration());
    until_acknowledged(&mut centre, &station).await;
    assert!(centre.view().unknown.is_empty());
    centre.shutdown().await;
}

/// A demonstration's centre takes a station that offers the key with which its log begins, and no other.
#[tokio::test]
async fn a_demonstration_takes_offers_that_fit() {
    let house = House::new().await;
    let (honest, false_key) = (Station::of_len("s1", 1, 5), Station::of_len("s2", 2, 5));
    let mut config = house.config();
    config.accept_unknown = true;
    let mut centre = simulator::centre::Running::start(config).await.unwrap();
    centre.offer(&honest.registration()).unwrap();
    centre.offer(&Station::new("s2", 3).registration()).unwrap();
    house
        .append(&false_key.stream(), 0, &false_key.records())
        .await;
    house.append(&honest.stream(), 0, &honest.records()).await;
    until_acknowledged(&mut centre, &honest).await;
    let view = centre.view();
    assert!(!view.unknown[&false_key.stream()].is_offered);
    assert_eq!(view.logs.len(), 1);
    centre.shutdown().await;
}

/// G4: a log that follows another one is another registration, and begins by naming the log before it. Both are followed.
#[tokio::test]
async fn a_new_incarnation_is_registered_and_followed_for_itself() {
    let house = House::new().await;
    let old = Station::of_len("s1", 1, 5);
    let mut new = Station::incarnated("s1", 2, 2);
    let operator = |name| OperatorId::new(name).unwrap();
    new.push(LogIncarnated {
        incarnation: 2,
        old_origin: old.origin.to_string(),
        old_checkpoint: Some(old.checkpoint(5)),
        centre_checkpoint: None,
        downlink_revision: None,
        downlink_number: None,
        reason: IncarnationReason::DiskLost,
        approvers: [operator("operator-1"), operator("operator-2")],
        cards: 0,
    });
    new.push(started());
    house.register(old.registration());
    house.append(&old.stream(), 0, &old.records()).await;
    house.append(&new.stream(), 0, &new.records()).await;
    let mut centre = house.centre().await;
    until_acknowledged(&mut centre, &old).await;
    until(&mut centre, |view| {
        view.unknown.contains_key("station-s1-2")
    })
    .await;
    house.register(new.registration());
    until_acknowledged(&mut centre, &new).await;
    assert_eq!(centre.view().logs.len(), 2);
    centre.shutdown().await;
}

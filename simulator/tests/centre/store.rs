//! The store goes away, lies dead on the line, comes back, or comes back as another one.

use std::time::Duration;

use simulated_eventstore::{Cut, Server, ServerConfig};
use simulator::centre::{Fault, Running};

use crate::house::{House, acknowledgements, until, until_acknowledged, until_log};
use crate::restart::copy;
use crate::station::Station;

/// G4: whatever the line does, the centre says so, comes back by itself, and has acknowledged everything in the end, no number
/// used twice.
#[tokio::test]
async fn the_store_goes_and_comes_back() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 500);
    house.register(station.registration());
    let records = station.records();
    let mut centre = house.centre().await;
    house.append(&station.stream(), 0, &records[..100]).await;
    until_log(&mut centre, &station, |log| log.acknowledged == 100).await;

    house.faults().refuse(true).await.unwrap();
    house.faults().cut(Cut::Reset);
    until(&mut centre, |view| view.trouble.is_some()).await;
    house.faults().refuse(false).await.unwrap();
    house
        .append(&station.stream(), 100, &records[100..200])
        .await;
    until_log(&mut centre, &station, |log| log.acknowledged == 200).await;

    house
        .append(&station.stream(), 200, &records[200..300])
        .await;
    house.faults().black_hole(true);
    until(&mut centre, |view| view.trouble.is_some()).await;
    house.faults().black_hole(false);
    until_log(&mut centre, &station, |log| log.acknowledged == 300).await;

    // Committed, but the centre does not hear of it.
    house
        .append(&station.stream(), 300, &records[300..400])
        .await;
    house.faults().lose_answer(1);
    until_log(&mut centre, &station, |log| log.acknowledged == 400).await;
    assert_eq!(house.faults().state().lose_answer, 0);

    house.faults().deny_access(true);
    until(&mut centre, |view| view.is_blind).await;
    house.faults().deny_access(false);
    house.append(&station.stream(), 400, &records[400..]).await;
    until_acknowledged(&mut centre, &station).await;
    until(&mut centre, |view| view.is_well() && !view.is_blind).await;

    let told = house
        .told(&station.id, &[House::shown_key(&centre.view())])
        .await;
    let (sizes, numbers) = acknowledgements(&told);
    assert_eq!(sizes.last(), Some(&(500, station.root())));
    assert!(sizes.is_sorted(), "{sizes:?}");
    let counted: Vec<u64> = (1..).take(told.len()).collect();
    assert_eq!(numbers, counted);
    centre.shutdown().await;
}

/// G4: the store may come after the centre: a client whose first connection failed is not used again.
#[tokio::test]
async fn a_store_that_comes_later_is_followed() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 10);
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    house.faults().refuse(true).await.unwrap();
    let mut centre = house.centre().await;
    until(&mut centre, |view| view.trouble.is_some()).await;
    house.faults().refuse(false).await.unwrap();
    until_acknowledged(&mut centre, &station).await;
    centre.shutdown().await;
}

/// G4: a store that was restored from a backup has less than the centre has verified. For a moment that may be a node that is
/// not up to date; after it, it is a fault.
#[tokio::test]
async fn a_store_that_was_set_back_is_named() {
    let mut house = House::new().await;
    let station = Station::of_len("s1", 1, 30);
    house.register(station.registration());
    let records = station.records();
    house.append(&station.stream(), 0, &records[..20]).await;
    house = swap_store(house, None).await;
    let older = tempfile::tempdir().unwrap();
    copy(house.store.path(), older.path());
    house.append(&station.stream(), 20, &records[20..]).await;
    let mut centre = house.centre().await;
    until_acknowledged(&mut centre, &station).await;
    centre.shutdown().await;

    let house = swap_store(house, Some(older)).await;
    let mut config = house.config();
    config.store_patience = Duration::from_millis(500);
    let mut centre = Running::start(config).await.unwrap();
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    let fault = &centre.faults()[0];
    assert_eq!((fault.revision, &fault.fault), (29, &Fault::StoreBehind));
    centre.shutdown().await;
}

/// G4: another event where the centre has verified one is not passed over because it lies behind.
#[tokio::test]
async fn another_history_is_named() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 20);
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let mut centre = house.centre().await;
    until_acknowledged(&mut centre, &station).await;
    centre.shutdown().await;

    let house = swap_store(house, Some(tempfile::tempdir().unwrap())).await;
    let mut other = Station::of_len("s1", 1, 19);
    other.push(crate::station::started());
    other.fill(4);
    house.append(&other.stream(), 0, &other.records()).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.fault.is_some()).await;
    let fault = &centre.faults()[0];
    assert_eq!((fault.revision, &fault.fault), (19, &Fault::OtherHistory));
    centre.shutdown().await;
}

/// The same centre, with its store restarted in this folder or in its own.
async fn swap_store(house: House, store: Option<tempfile::TempDir>) -> House {
    house.server.shutdown().await;
    let store = store.unwrap_or(house.store);
    let server = Server::start(ServerConfig::new(store.path()))
        .await
        .unwrap();
    House {
        store,
        folder: house.folder,
        server,
    }
}

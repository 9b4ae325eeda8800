//! What was acknowledged is known after a restart; what was not saved is read again.

use std::path::Path;

use crate::house::{House, acknowledgements, until_acknowledged, until_log};
use crate::station::Station;

/// G4: a centre that is restarted in the middle goes on where it was; its numbers go on too.
#[tokio::test]
async fn a_restarted_centre_goes_on() {
    let house = House::new().await;
    let mut station = Station::of_len("s1", 1, 700);
    station.rotate();
    station.fill(99);
    house.register(station.registration());
    let records = station.records();
    house.append(&station.stream(), 0, &records[..750]).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.acknowledged == 750).await;
    centre.shutdown().await;

    let mut centre = house.centre().await;
    assert_eq!(centre.verified_size("s1"), Some(750));
    house.append(&station.stream(), 750, &records[750..]).await;
    until_acknowledged(&mut centre, &station).await;
    let told = house
        .told(&station.id, &[House::shown_key(&centre.view())])
        .await;
    let (sizes, numbers) = acknowledgements(&told);
    assert_eq!(sizes.last(), Some(&(800, station.root())));
    assert!(
        sizes.is_sorted() && numbers.is_sorted_by(|a, b| a < b),
        "{numbers:?}"
    );
    centre.shutdown().await;
}

/// G4: a crash leaves the centre with an older state than it has answered from: it reads again, comes to the same, and uses no
/// number twice.
#[tokio::test]
async fn after_a_crash_the_same_events_are_read_again() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 60);
    house.register(station.registration());
    let records = station.records();
    house.append(&station.stream(), 0, &records[..20]).await;
    let mut centre = house.centre().await;
    until_log(&mut centre, &station, |log| log.acknowledged == 20).await;
    centre.shutdown().await;
    let older = tempfile::tempdir().unwrap();
    copy(house.folder.path(), older.path());

    let mut centre = house.centre().await;
    house.append(&station.stream(), 20, &records[20..40]).await;
    until_log(&mut centre, &station, |log| log.acknowledged == 40).await;
    centre.shutdown().await;
    std::fs::remove_dir_all(house.folder.path()).unwrap();
    copy(older.path(), house.folder.path());

    house.append(&station.stream(), 40, &records[40..]).await;
    let mut centre = house.centre().await;
    assert_eq!(centre.verified_size("s1"), Some(20));
    until_acknowledged(&mut centre, &station).await;
    let told = house
        .told(&station.id, &[House::shown_key(&centre.view())])
        .await;
    let (sizes, numbers) = acknowledgements(&told);
    assert_eq!(sizes.last(), Some(&(60, station.root())));
    let counted: Vec<u64> = (1..).take(told.len()).collect();
    assert_eq!(numbers, counted);
    centre.shutdown().await;
}

/// Two centres with one folder would answer from two states.
#[tokio::test]
async fn a_second_centre_with_the_same_folder_is_refused() {
    let house = House::new().await;
    let centre = house.centre().await;
    let second = simulator::centre::Running::start(house.config()).await;
    assert!(
        second
            .unwrap_err()
            .to_string()
            .contains("another centre runs")
    );
    centre.shutdown().await;
    house.centre().await.shutdown().await;
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

//! What the centre says: signed, numbered, once, under the key that the station knows.

use schemas::downlink::Instruction;
use schemas::event::evidence::ErasureDone;
use schemas::event::pickup::PhotoArchived;
use schemas::ids::{BlobHash, SessionId};
use schemas::key::{PublicKey, SealingKeyId, SigningKeyId};
use schemas::words::PhotoView;
use sha2::{Digest as _, Sha256};
use simulator::centre::Running;
use simulator::people::People;

use crate::house::{House, check, until_acknowledged, until_log};
use crate::station::{PROVINCE, Station};

/// G5: manifest and policy go out between the acknowledgements of a running centre, with numbers that count on; a manifest that
/// is none does not go out.
#[tokio::test]
async fn instructions_and_acknowledgements_share_one_count() {
    let house = House::new().await;
    let mut station = Station::of_len("s1", 1, 5);
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let mut centre = house.centre().await;
    until_acknowledged(&mut centre, &station).await;

    let (desk, connection) = (house.desk(), house.connection());
    let inbox = tempfile::tempdir().unwrap();
    let people = People::new("demo-1".parse().unwrap(), 12, 1).unwrap();
    let path = people.write_manifest(inbox.path()).unwrap();
    let manifest = std::fs::read_to_string(path).unwrap();
    desk.send_manifest(&connection, &station.id, &manifest)
        .await
        .unwrap();
    let none = desk
        .send_manifest(&connection, &station.id, "{\"batch\":\"b\"}")
        .await;
    assert!(none.is_err());
    // Twelve times the length of an event of a log.
    let policy = format!("# {}\n", "x".repeat(72 * 1024));
    desk.send_policy(&connection, &station.id, 2, policy.clone())
        .await
        .unwrap();

    station.fill(5);
    let records = station.records();
    house.append(&station.stream(), 5, &records[5..]).await;
    until_acknowledged(&mut centre, &station).await;
    let told = house
        .told(&station.id, &[House::shown_key(&centre.view())])
        .await;
    let said: Vec<(u64, &str)> = told
        .iter()
        .map(|told| (told.number, told.instruction.type_name()))
        .collect();
    assert_eq!(
        said,
        [
            (1, "centre.log.acknowledged.v1"),
            (2, "centre.custody.manifest-issued.v1"),
            (3, "centre.policy.issued.v1"),
            (4, "centre.log.acknowledged.v1"),
        ]
    );
    match (&told[1].instruction, &told[2].instruction) {
        (Instruction::ManifestIssued(sent), Instruction::PolicyIssued(issued)) => {
            assert_eq!(sent.get(), manifest.trim());
            assert_eq!((issued.version, &issued.policy), (2, &policy));
        }
        other => panic!("{other:?}"),
    }
    centre.shutdown().await;
}

/// G5: where the answer to an append is lost, the instruction is in the stream once all the same.
#[tokio::test]
async fn a_lost_answer_doubles_nothing() {
    let house = House::new().await;
    let station = Station::new("s1", 1);
    house.register(station.registration());
    let (desk, connection) = (house.desk(), house.connection());
    desk.send_policy(&connection, &station.id, 1, "a".to_owned())
        .await
        .unwrap();
    house.faults().lose_answer(1);
    let sent = desk
        .send_policy(&connection, &station.id, 2, "b".to_owned())
        .await
        .unwrap();
    assert_eq!((sent.number, sent.revision), (2, 1));
    assert_eq!(house.faults().state().lose_answer, 0);
    let told = house.told(&station.id, &[keys(&house)[0].clone()]).await;
    assert_eq!(told.len(), 2);
}

/// G5: what others wrote into the stream is passed over, and the count goes on.
#[tokio::test]
async fn others_in_the_stream_do_not_disturb_the_count() {
    let house = House::new().await;
    let station = Station::of_len("s1", 1, 3);
    house.register(station.registration());
    let (desk, connection) = (house.desk(), house.connection());
    desk.send_policy(&connection, &station.id, 1, "a".to_owned())
        .await
        .unwrap();
    let foreign = station.records();
    for (at, record) in foreign.iter().enumerate() {
        house
            .append("centre-s1", at + 1, std::slice::from_ref(record))
            .await;
    }
    let sent = desk
        .send_policy(&connection, &station.id, 2, "b".to_owned())
        .await
        .unwrap();
    assert_eq!((sent.number, sent.revision), (2, 4));
}

/// G5: a new key of the centre is announced under the old one, and held by whoever announces it. A running centre goes over to
/// it, and a station that could not be told by the command is told by the running centre.
#[tokio::test]
async fn the_centres_key_is_rotated_for_every_station() {
    let house = House::new().await;
    let mut stations = [Station::of_len("s1", 1, 5), Station::of_len("s2", 2, 5)];
    for station in &stations {
        house.register(station.registration());
        house.append(&station.stream(), 0, &station.records()).await;
    }
    let mut centre = house.centre().await;
    for station in &stations {
        until_acknowledged(&mut centre, station).await;
    }
    let mut desk = house.desk();
    let told = desk.rotate_key(&house.connection()).await.unwrap();
    assert!(
        told.len() == 2 && told.values().all(Result::is_ok),
        "{told:?}"
    );
    for station in &mut stations {
        station.fill(5);
        let records = station.records();
        house.append(&station.stream(), 5, &records[5..]).await;
        until_acknowledged(&mut centre, station).await;
    }
    // The new key comes into the folder, and nobody is told: a command that was cut off.
    let away = "esdb://127.0.0.1:1?tls=false&maxDiscoverAttempts=1&discoveryInterval=20";
    let told = desk.rotate_key(away).await.unwrap();
    assert!(told.values().all(Result::is_err), "{told:?}");
    centre.shutdown().await;
    let mut centre = house.centre().await;
    let keys = keys(&house);
    assert_eq!(keys.len(), 3);
    for station in &mut stations {
        station.fill(1);
        let records = station.records();
        house.append(&station.stream(), 10, &records[10..]).await;
        until_acknowledged(&mut centre, station).await;
        follows_the_keys(&house, station, &keys).await;
    }
    centre.shutdown().await;
}

/// As the station does it: each instruction under the key in force, and each new key announced by the one before it.
async fn follows_the_keys(house: &House, station: &Station, keys: &[PublicKey]) {
    let origin = schemas::downlink::origin(PROVINCE, &station.id).unwrap();
    let mut signers = Vec::new();
    for genuine in house.told_with_keys(&station.id, keys).await {
        signers.push(genuine.0);
        if let Instruction::KeyRotated(change) = &genuine.1.instruction {
            let old = keys[genuine.0].to_raw();
            assert_eq!(change.old_key, SigningKeyId::of(&old));
            assert_eq!(change.public_key, keys[genuine.0 + 1]);
            assert!(schemas::downlink::is_held(change, &origin, &old, &check));
        }
    }
    // Acknowledgement, rotation; acknowledgement, rotation; acknowledgement.
    assert_eq!(signers, [0, 0, 1, 1, 2], "{}", station.id);
}

/// G7: the centre destroys its sealed keys of an erased session, and no others, before it says so; photos whose files came are
/// not asked for, nor those of the erased session.
#[tokio::test]
async fn erased_keys_are_destroyed_and_missing_photos_are_asked_for() {
    let house = House::new().await;
    let received = tempfile::tempdir().unwrap();
    let own = received.path().join("s1");
    let (keys_folder, blobs) = (own.join("session-keys"), own.join("blobs"));
    std::fs::create_dir_all(&keys_folder).unwrap();
    std::fs::create_dir_all(&blobs).unwrap();
    let mut station = Station::new("s1", 1);
    let key = |n: u8| SealingKeyId::of(&[n; 16]);
    for (n, session) in [(1, "s-1"), (2, "s-1"), (3, "s-2")] {
        let file = serde_json::json!({
            "version": 1, "key": key(n), "session": session,
            "origin": station.origin, "recipients": [],
        });
        let path = keys_folder.join(format!("{}.json", key(n)));
        std::fs::write(path, file.to_string()).unwrap();
    }
    let photo = |session: u64, bytes: &[u8]| PhotoArchived {
        session: SessionId::from_index(session),
        view: PhotoView::Frontal,
        blob: BlobHash::new(hex::encode(Sha256::digest(bytes))).unwrap(),
        key: key(3),
        len: 5,
    };
    let (came, missing) = (photo(2, b"came"), photo(2, b"missing"));
    std::fs::write(blobs.join(came.blob.as_str()), b"came").unwrap();
    station.push(photo(1, b"erased"));
    station.push(came);
    station.push(missing.clone());
    station.push(ErasureDone {
        session: SessionId::from_index(1),
        keys: vec![key(1)],
        centre_asked: true,
    });
    house.register(station.registration());
    house.append(&station.stream(), 0, &station.records()).await;
    let mut config = house.config();
    config.received = Some(received.path().to_owned());
    let mut centre = Running::start(config).await.unwrap();
    until_log(&mut centre, &station, |log| {
        log.acknowledged == 4 && log.blobs_missing == 1
    })
    .await;
    centre.shutdown().await;
    let left: Vec<_> = std::fs::read_dir(&keys_folder).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert!(keys_folder.join(format!("{}.json", key(3))).exists());

    let asked = house
        .desk()
        .ask_for_blobs(&house.connection(), &station.id)
        .await;
    assert_eq!(asked.unwrap(), 1);
    let told = house.told(&station.id, &keys(&house)).await;
    let kinds: Vec<&str> = told
        .iter()
        .map(|told| told.instruction.type_name())
        .collect();
    assert_eq!(
        kinds,
        [
            "centre.log.acknowledged.v1",
            "centre.erasure.done.v1",
            "centre.blobs.missing.v1",
        ]
    );
    match (&told[1].instruction, &told[2].instruction) {
        (Instruction::ErasureDone(done), Instruction::BlobsMissing(asked)) => {
            assert_eq!(done.session, SessionId::from_index(1));
            assert_eq!(asked.blobs, [missing.blob]);
        }
        other => panic!("{other:?}"),
    }
}

/// The centre's public keys, the oldest first.
fn keys(house: &House) -> Vec<PublicKey> {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    let folder = house.folder.path().join("keys");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let public = |path: &std::path::PathBuf| {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&std::fs::read(path).unwrap());
        PublicKey::of(pair.unwrap().public_key().as_ref().try_into().unwrap())
    };
    paths.iter().map(public).collect()
}

/// The centre's private keys are nobody else's.
#[tokio::test]
async fn keys_are_readable_by_the_centre_alone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let house = House::new().await;
    drop(house.desk());
    let path = house.folder.path().join("keys/0001.p8");
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = simulator::centre::Desk::open(house.folder.path()).unwrap_err();
    assert!(
        refused.to_string().contains("can be read by others"),
        "{refused}"
    );
}

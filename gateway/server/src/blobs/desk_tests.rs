use std::sync::OnceLock;

use schemas::message::command::CommandId;

use super::*;
use crate::sealing::desk_tests;

fn desk(folder: &std::path::Path, len_max: usize) -> (BlobDesk, SealingDesk) {
    let sealing = desk_tests::desk(folder);
    let session = SessionId::from_index(40);
    sealing.opened(&session);
    desk_tests::ask(&sealing, &[(4, "camera-1", &session)]);
    let store = BlobStore::open(&folder.join("blobs")).unwrap();
    let held = Held::default();
    (
        BlobDesk::new(store, sealing.clone(), held, len_max, 2),
        sealing,
    )
}

fn photo(device: &DeviceId) -> Source<'_> {
    static COMMAND: OnceLock<CommandId> = OnceLock::new();
    Source::asked(device, COMMAND.get_or_init(|| desk_tests::command(4)))
}

fn id(n: u8) -> BlobId {
    BlobId::new(format!("0190b7a2-1f00-7000-8000-0000000000{n:02x}")).unwrap()
}

/// P5, G7: acknowledged means sealed and on disk, and no file of the folder holds a byte of the photo in the clear.
#[tokio::test]
async fn a_received_blob_is_on_disk_sealed() {
    let place = tempfile::tempdir().unwrap();
    let (desk, _) = desk(place.path(), 1 << 20);
    let camera = DeviceId::new("camera-1").unwrap();
    let picture = b"JPEG of a citizen's face ".repeat(1000);
    let received = desk
        .receive(photo(&camera), &id(1), [1; 16], picture.clone().into())
        .await
        .unwrap();
    assert_eq!(received.len, 25_000);
    for file in std::fs::read_dir(place.path().join("blobs")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(12).any(|window| picture.starts_with(window)));
    }
    assert_eq!(desk.received(&camera, &id(1)), Some(received));
    assert_eq!(
        desk.received(&DeviceId::new("camera-2").unwrap(), &id(1)),
        None
    );
}

/// G7: what could not be erased with a session is not kept; a repetition of what was kept is.
#[tokio::test]
async fn a_blob_of_no_session_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (desk, sealing) = desk(place.path(), 1 << 20);
    let camera = DeviceId::new("camera-1").unwrap();
    let other = DeviceId::new("camera-2").unwrap();
    let bytes = || Bytes::from_static(b"one");
    let refused = desk.receive(photo(&other), &id(1), [1; 16], bytes()).await;
    assert_eq!(refused, Err(BlobRefusal::NoSession));
    let first = desk.receive(photo(&camera), &id(1), [1; 16], bytes()).await;
    sealing.ended(&SessionId::from_index(40));
    let again = desk.receive(photo(&camera), &id(1), [1; 16], bytes()).await;
    assert_eq!(first, again);
    let late = desk.receive(photo(&camera), &id(2), [2; 16], bytes()).await;
    assert_eq!(late, Err(BlobRefusal::NoSession));
    let files = || std::fs::read_dir(place.path().join("blobs")).unwrap();
    assert_eq!(files().count(), 1);
    let orphans = desk.orphans();
    assert_eq!((orphans.len(), desk.orphans().len()), (1, 0));
    desk.remove(orphans).await;
    assert_eq!(files().count(), 0, "no event names it, and none can");
}

#[tokio::test]
async fn a_repeated_blob_is_stored_once_and_other_content_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (desk, _) = desk(place.path(), 1 << 20);
    let camera = DeviceId::new("camera-1").unwrap();
    let first = desk
        .receive(photo(&camera), &id(1), [1; 16], Bytes::from_static(b"one"))
        .await
        .unwrap();
    let again = desk
        .receive(photo(&camera), &id(1), [1; 16], Bytes::from_static(b"one"))
        .await
        .unwrap();
    assert_eq!(first, again);
    assert_eq!(
        std::fs::read_dir(place.path().join("blobs"))
            .unwrap()
            .count(),
        1
    );
    let other = desk
        .receive(photo(&camera), &id(1), [2; 16], Bytes::from_static(b"two"))
        .await;
    assert_eq!(other, Err(BlobRefusal::IdReused));
}

#[tokio::test]
async fn blobs_have_a_limit_in_length_and_number() {
    let place = tempfile::tempdir().unwrap();
    let (desk, _) = desk(place.path(), 8);
    let camera = DeviceId::new("camera-1").unwrap();
    for blob in [&b""[..], b"ninebytes"] {
        let refused = desk
            .receive(photo(&camera), &id(0), [0; 16], blob.into())
            .await;
        assert_eq!(refused, Err(BlobRefusal::Length));
    }
    let first = desk
        .receive(photo(&camera), &id(0), [0; 16], Bytes::from_static(b"x"))
        .await
        .unwrap();
    desk.named(&first.hash);
    for n in 1..=40 {
        desk.receive(photo(&camera), &id(n), [n; 16], Bytes::from_static(b"y"))
            .await
            .unwrap();
    }
    assert!(
        desk.0.store.holds(&first.hash),
        "a blob that an event names stays"
    );
    assert_eq!(
        std::fs::read_dir(place.path().join("blobs"))
            .unwrap()
            .count(),
        BLOBS_PER_DEVICE_MAX + 1
    );
}

use schemas::envelope::Origin;
use schemas::event::pickup::MachineDevices;

use super::super::PrivateKey;
use super::*;

pub(crate) fn desk(folder: &std::path::Path) -> SealingDesk {
    let origin = Origin::new("gateway.demo/station/demo/1").unwrap();
    let store = KeyStore::open(&folder.join("session-keys"), origin).unwrap();
    let centre = vec![Recipient::from_bytes(&[9; 32]).unwrap()];
    SealingDesk::new(store, centre, Vec::new())
}

pub(crate) fn id(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

pub(crate) fn devices() -> MachineDevices {
    MachineDevices {
        dispenser: id("dispenser-1"),
        reader: id("reader-1"),
        intake_reader: id("reader-2"),
        scanner: id("scanner-1"),
        camera: id("camera-1"),
    }
}

/// The command that the event at `index` causes.
pub(crate) fn command(index: u64) -> CommandId {
    CommandId::of(1, index, 0)
}

/// A session waits for what a device was asked by the event at `index`.
pub(crate) fn ask(desk: &SealingDesk, of: &[(u64, &str, &SessionId)]) {
    let asked = of
        .iter()
        .map(|(index, device, session)| (command(*index), (id(device), (*session).clone())));
    desk.asks(asked.collect());
}

/// G7: a session has one key for all its devices, on disk before it is used; what nobody asked for gets none, and after the end
/// there is none in memory.
#[tokio::test]
async fn a_session_has_one_key_while_it_is_open() {
    let place = tempfile::tempdir().unwrap();
    let desk = desk(place.path());
    let session = SessionId::new("s-40").unwrap();
    let (camera, reader, four, five) = (id("camera-1"), id("reader-1"), command(4), command(5));
    let photo = Source::asked(&camera, &four);
    let none = desk.key_for(photo).await;
    assert_eq!(none.unwrap_err(), NotSealed::NoSession);
    desk.opened(&session);
    ask(
        &desk,
        &[(4, "camera-1", &session), (5, "reader-1", &session)],
    );
    let chip = Source::asked(&reader, &five);
    let (one, two) = tokio::join!(desk.key_for(photo), desk.key_for(chip));
    let one = one.unwrap();
    assert_eq!(one.id(), two.unwrap().id());
    assert!(desk.store().holds(one.id()));
    for not_asked in [
        Source::asked(&camera, &five),
        Source::asked(&camera, &command(6)),
        Source::kiosk(&camera),
    ] {
        let other = desk.key_for(not_asked).await;
        assert_eq!(other.unwrap_err(), NotSealed::NoSession, "{not_asked:?}");
    }
    desk.ended(&session);
    assert_eq!(Arc::strong_count(&one), 1, "forgotten");
    assert!(desk.key_for(photo).await.is_err());
    assert_eq!(
        desk.erase(&session).await.unwrap(),
        Erased(vec![one.id().clone()])
    );
    assert!(!desk.store().holds(one.id()));
}

/// A15, G7: officers get the key of an application, never that of a pickup, and only until nobody needs it any more.
#[tokio::test]
async fn officers_get_keys_of_applications_only() {
    let place = tempfile::tempdir().unwrap();
    let officer = PrivateKey::draw().unwrap();
    let public = Recipient::from_text(&officer.public()).unwrap();
    let store = desk(place.path()).store().clone();
    let centre = vec![Recipient::from_bytes(&[9; 32]).unwrap()];
    let desk = SealingDesk::new(store, centre, vec![public]);
    let pickup = SessionId::new("s-40").unwrap();
    let application = SessionId::new("s-41").unwrap();
    desk.opened(&pickup);
    desk.applications(&BTreeMap::from([(application.clone(), id("kiosk-1"))]));
    desk.key_in(pickup.clone()).await.unwrap();
    let key = desk.key_for(Source::kiosk(&id("kiosk-1"))).await.unwrap();
    assert!(desk.store().window_forms(&pickup).unwrap().is_empty());
    let forms = desk.store().window_forms(&application).unwrap();
    let opened = officer.open(&forms.first().unwrap().bytes).unwrap();
    assert_eq!((opened.id(), opened.session()), (key.id(), &application));
    desk.window_is_over(&application).await.unwrap();
    assert!(desk.store().window_forms(&application).unwrap().is_empty());
    assert!(desk.store().holds(key.id()), "the centre's form stays");
}

/// G7, A16: what a shared device sends belongs to the application whose command it names, never to the one that has the device
/// now; a kiosk's belongs to its own. Each has a key of its own.
#[tokio::test]
async fn g7_what_a_shared_device_sends_belongs_to_the_command_it_names() {
    let place = tempfile::tempdir().unwrap();
    let desk = desk(place.path());
    let (one, two) = (SessionId::from_index(1), SessionId::from_index(2));
    let (scanner, kiosk) = (id("scanner-1"), id("kiosk-2"));
    desk.applications(&BTreeMap::from([
        (one.clone(), id("kiosk-1")),
        (two.clone(), kiosk.clone()),
    ]));
    assert_eq!(desk.session_of(Source::kiosk(&kiosk)), Some(two.clone()));
    let (of_one, of_two) = (command(10), command(20));
    ask(&desk, &[(10, "scanner-1", &one)]);
    let first = Source::asked(&scanner, &of_one);
    assert_eq!(desk.session_of(first), Some(one.clone()));
    let first_key = desk.key_for(first).await.unwrap();
    ask(&desk, &[]);
    assert_eq!(desk.session_of(first), None, "nobody waits any more");
    ask(&desk, &[(20, "scanner-1", &two)]);
    assert_eq!(desk.session_of(first), None, "the next one is served");
    assert_eq!(desk.key_for(first).await.unwrap_err(), NotSealed::NoSession);
    let second = Source::asked(&scanner, &of_two);
    let second_key = desk.key_for(second).await.unwrap();
    assert_eq!((first_key.session(), second_key.session()), (&one, &two));
    assert_ne!(first_key.id(), second_key.id());
    let again = desk.key_in(one).await.unwrap();
    assert_eq!(first_key.id(), again.id(), "one key all the way");
}

/// G7: an application that is not under way any more has no key in memory, and gets none; the pickup beside it goes on.
#[tokio::test]
async fn g7_an_application_that_ended_has_no_key() {
    let place = tempfile::tempdir().unwrap();
    let desk = desk(place.path());
    let (pickup, application) = (SessionId::from_index(40), SessionId::from_index(50));
    desk.opened(&pickup);
    desk.applications(&BTreeMap::from([(application.clone(), id("kiosk-1"))]));
    assert!(desk.is_application(&application) && !desk.is_application(&pickup));
    let kiosk = id("kiosk-1");
    let key = desk.key_for(Source::kiosk(&kiosk)).await.unwrap();
    desk.applications(&BTreeMap::new());
    assert_eq!(Arc::strong_count(&key), 1, "forgotten");
    assert!(!desk.is_open(&application) && desk.is_open(&pickup));
    let none = desk.key_for(Source::kiosk(&kiosk)).await;
    assert_eq!(none.unwrap_err(), NotSealed::NoSession);
    assert!(desk.store().holds(key.id()), "for the centre");
}

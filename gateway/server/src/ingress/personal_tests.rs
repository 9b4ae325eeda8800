//! G7: what the way in makes of a message that carries personal data prints none of it, nor does what reaches the rules.

use std::collections::BTreeMap;
use std::path::Path;

use gateway_core::Input;
use schemas::ids::{DeviceId, SessionId, StationId};
use schemas::topic::Topics;

use super::entry::Aids;
use super::parse::{self, Parsed};
use super::{Arrival, wipe};
use crate::blobs::{BlobDesk, BlobStore};
use crate::centre::GrantDesk;
use crate::held::Held;
use crate::pipeline::Content;
use crate::sealing::{SealingDesk, desk_tests};

const PLANTED: [&str; 10] = [
    "朝阳",
    "维吾尔",
    "11010519491231002X",
    "19491231",
    "李",
    "小明",
    "1101050012026110100001",
    "c2FtcGxlLXRlbXBsYXRl",
    "975312468",
    "13812345678",
];

/// Topic and message of every type that can carry personal data.
const MESSAGES: [(&str, &str); 16] = [
    (
        "reader-1/cmd/read/reply",
        r#"{"message_id":"ID","command_id":"1-1-0","completion":"success","card":{"serial":"AB12345678",
            "number":"11010519491231002X","name":"李小明",
            "ethnic_group":"05","address":"示例市朝阳区建国路 1 号","issuer":"示例市公安局朝阳分局",
            "fingers":[{"hand":"right","template":"c2FtcGxlLXRlbXBsYXRl"}]}}"#,
    ),
    (
        "kiosk-1/request/start-pickup",
        r#"{"message_id":"ID","deadline_ms":1,"claim":{"citizen_number":"11010519491231002x"}}"#,
    ),
    (
        "kiosk-1/request/start-pickup",
        r#"{"message_id":"ID","deadline_ms":1,"claim":{"voucher":"1101050012026110100001"}}"#,
    ),
    ("kiosk-1/request/receive-batch", r#"{OPERATED,"batch":"b"}"#),
    (
        "kiosk-1/request/scan-card",
        r#"{OPERATED,"batch":"b","card":"AB12345678"}"#,
    ),
    ("kiosk-1/request/close-batch", r#"{OPERATED,"batch":"b"}"#),
    (
        "kiosk-1/request/load-card",
        r#"{OPERATED,"card":"AB12345678","machine":"machine-1","slot":{"column":0,"slot":1}}"#,
    ),
    (
        "kiosk-1/request/unload-card",
        r#"{OPERATED,"card":"AB12345678"}"#,
    ),
    (
        "kiosk-1/request/stock-take",
        r#"{OPERATED,"machine":"machine-1"}"#,
    ),
    (
        "kiosk-1/request/place-card",
        r#"{OPERATED,"card":"AB12345678","to":"safe","release_hold":true}"#,
    ),
    (
        "kiosk-1/request/resolve-machine",
        r#"{OPERATED,"machine":"machine-1","card_now":"safe"}"#,
    ),
    (
        "kiosk-1/request/application-input",
        r#"{"message_id":"ID","deadline_ms":1,"session":"s-50","step":1,"input":{"number":"11010519491231002x"}}"#,
    ),
    (
        "kiosk-1/request/application-input",
        r#"{"message_id":"ID","deadline_ms":1,"session":"s-50","step":1,"input":{"phone":{"first":"13812345678","second":"13812345678"}}}"#,
    ),
    (
        "kiosk-1/request/application-input",
        r#"{"message_id":"ID","deadline_ms":1,"session":"s-50","step":1,"input":{"portrait":{"way":"receipt","receipt":"1101050012026110100001"}}}"#,
    ),
    (
        "kiosk-1/request/application-input",
        r#"{"message_id":"ID","deadline_ms":1,"session":"s-50","step":1,"input":{"number":"11010519491231"}}"#,
    ),
    (
        "kiosk-1/request/unheard-of",
        r#"{"message_id":"ID","deadline_ms":1,"citizen_number":"11010519491231002X"}"#,
    ),
];

const OPERATED: &str =
    r#""message_id":"ID","deadline_ms":1,"operator":{"id":"operator-1","pin":"975312468"}"#;
const ID: &str = "0190b7a2-1f00-7000-8000-000000000001";

fn clean(what: &str, printed: &str) {
    for planted in PLANTED {
        assert!(!printed.contains(planted), "{planted} in {what}: {printed}");
    }
}

fn blobs(place: &Path, sealing: &SealingDesk, held: &Held) -> BlobDesk {
    let store = BlobStore::open(&place.join("blobs")).unwrap();
    BlobDesk::new(store, sealing.clone(), held.clone(), 1 << 20, 1)
}

#[tokio::test]
async fn nothing_personal_prints_on_the_way_in() {
    let place = tempfile::tempdir().unwrap();
    let marker = place.path().join("marker");
    let keys = crate::keys::open(&place.path().join("keys"), place.path(), &marker).unwrap();
    let sealing = desk_tests::desk(place.path());
    let session = SessionId::from_index(40);
    sealing.opened(&session);
    desk_tests::ask(&sealing, &[(1, "reader-1", &session)]);
    let (application, kiosk) = (SessionId::from_index(50), DeviceId::new("kiosk-1").unwrap());
    sealing.applications(&BTreeMap::from([(application.clone(), kiosk)]));
    let held = Held::default();
    held.only(BTreeMap::from([(
        application,
        gateway_core::Named::default(),
    )]));
    let blobs = blobs(place.path(), &sealing, &held);
    let grants = GrantDesk::new(place.path());
    let aids = Aids {
        keys: &keys.lookup,
        blobs: &blobs,
        sealing: &sealing,
        held: &held,
        grants: &grants,
    };
    let inbox = crate::inbox::Inbox::new(&place.path().join("inbox"), keys.lookup.clone());
    let pins = crate::operators::PinDesk::new(&crate::testing::station().operators, 1);
    let topics = Topics::new(StationId::new("demo").unwrap());
    for (topic, message) in MESSAGES {
        let topic = format!("station/v1/demo/{topic}");
        let (device, channel) = topics.parse(&topic).unwrap();
        let payload = message.replace("OPERATED", OPERATED).replace("ID", ID);
        let arrival = Arrival {
            device: device.clone(),
            channel,
            topic: topic.as_str().into(),
            payload: payload.into_bytes().into(),
            again: false,
        };
        let parsed =
            parse::parse(&arrival, &keys.lookup).unwrap_or_else(|e| unreachable!("{e:?}: {topic}"));
        clean(&topic, &format!("{parsed:?}"));
        let content = match parsed {
            Parsed::ChipRead(_, read) => {
                let (input, fingers) = read.seal(&device, aids).await.unwrap();
                let Input::Reply {
                    reply: gateway_core::Reply::Read(Ok(read)),
                    ..
                } = &input
                else {
                    unreachable!("{input:?}")
                };
                assert!(read.holder.is_some());
                Content::ChipRead(input, fingers)
            }
            Parsed::Message(_, input) => Content::Input(input),
            Parsed::Entered(_, entered) => {
                Content::Input(entered.resolve(&device, aids).await.unwrap())
            }
            Parsed::Operated(_, operated) => {
                Content::Operated(operated.look_up(&pins, &inbox).await)
            }
            other => unreachable!("{other:?}"),
        };
        clean(&topic, &format!("{content:?}"));
    }
}

/// Without a session nothing of the holder is kept.
#[tokio::test]
async fn a_reading_of_no_session_has_no_holder() {
    let place = tempfile::tempdir().unwrap();
    let marker = place.path().join("marker");
    let keys = crate::keys::open(&place.path().join("keys"), place.path(), &marker).unwrap();
    let sealing = desk_tests::desk(place.path());
    let topics = Topics::new(StationId::new("demo").unwrap());
    let topic = "station/v1/demo/reader-1/cmd/read/reply";
    let (device, channel) = topics.parse(topic).unwrap();
    let (_, message) = MESSAGES[0];
    let arrival = Arrival {
        device,
        channel,
        topic: topic.into(),
        payload: message.replace("ID", ID).into_bytes().into(),
        again: false,
    };
    let Ok(Parsed::ChipRead(_, read)) = parse::parse(&arrival, &keys.lookup) else {
        unreachable!("not read")
    };
    let reader = DeviceId::new("reader-1").unwrap();
    let held = Held::default();
    let blobs = blobs(place.path(), &sealing, &held);
    let grants = GrantDesk::new(place.path());
    let aids = Aids {
        keys: &keys.lookup,
        blobs: &blobs,
        sealing: &sealing,
        held: &held,
        grants: &grants,
    };
    let (input, fingers) = read.seal(&reader, aids).await.unwrap();
    assert!(format!("{input:?}").contains("holder: None"), "{input:?}");
    assert_eq!(fingers.len(), 1);
    wipe(arrival.payload);
}

//! Entries: how numbers are written, and which portraits are taken.

use std::collections::{BTreeMap, BTreeSet};

use schemas::message::face::PICTURE_BYTES_MAX;
use schemas::words::application::PortraitWay;

use super::*;
use crate::blobs::BlobStore;
use crate::sealing::desk_tests;

/// A3, A8: numbers are taken as people write them; what is no number of theirs is left to the check.
#[test]
fn a3_a8_groups_and_prefixes_are_taken() {
    for (keyed, number) in [
        ("110105 19491231 002x", "11010519491231002x"),
        ("110105-19491231-002X", "11010519491231002X"),
    ] {
        let bare = bare(&Keyed::new(keyed).unwrap());
        assert_eq!(*bare, number);
        assert!(CitizenNumber::new(&bare).is_ok());
    }
    for keyed in ["138 1234 5678", "+86 138-1234-5678"] {
        let bare = bare(&Keyed::new(keyed).unwrap());
        assert_eq!(
            PhoneNumber::new(mobile(&bare)).unwrap().expose(),
            "13812345678"
        );
    }
    assert!(PhoneNumber::new(mobile("+8512345678901")).is_err());
}

/// A6, A7: a portrait in which no face can be compared is refused with its reason before the rules see it; the other ways have no
/// picture to look at, and one that did not come is none.
#[tokio::test]
async fn a6_a_portrait_that_cannot_be_compared_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let marker = place.path().join("marker");
    let keys = crate::keys::open(&place.path().join("keys"), place.path(), &marker).unwrap();
    let sealing = desk_tests::desk(place.path());
    let (session, kiosk) = (SessionId::from_index(50), DeviceId::new("kiosk-1").unwrap());
    let devices = BTreeSet::from([kiosk.clone()]);
    sealing.applications(&BTreeMap::from([(session.clone(), devices)]));
    let held = Held::default();
    held.only(&BTreeSet::from([session.clone()]));
    let store = BlobStore::open(&place.path().join("blobs")).unwrap();
    let blobs = BlobDesk::new(store, sealing.clone(), held.clone(), 1 << 20, 1);
    let aids = Aids {
        keys: &keys.lookup,
        blobs: &blobs,
        sealing: &sealing,
        held: &held,
        grants: &GrantDesk::new(place.path()),
    };
    let id = |n: u8| BlobId::new(format!("0190b7a2-1f00-7000-8000-0000000000{n:02x}")).unwrap();
    let portrait = |n: u8, way| {
        Said::Portrait(PortraitEntry {
            way,
            picture: Some(id(n)),
            receipt: None,
            checks: Vec::new(),
        })
    };
    let unusable = Err(NotEntered::Refused(RefusalReason::PictureUnusable));
    let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
    large.resize(PICTURE_BYTES_MAX + 1, 0);
    let cases: [(&[u8], _); 4] = [
        (b"\xff\xd8\xff\xe0 a portrait", Ok(true)),
        (b"\x89PNG\r\n\x1a\n a portrait", Ok(true)),
        (b"GIF89a", unusable),
        (&large, unusable),
    ];
    for (n, (bytes, expected)) in (0..).zip(cases) {
        let bytes = bytes.to_vec().into();
        let received = blobs.receive(&kiosk, &id(n), [n; 16], bytes).await;
        received.unwrap();
        let said = portrait(n, PortraitWay::Booth);
        let entered = entry(said, &kiosk, &session, aids).await;
        let comes = entered.map(|e| {
            matches!(
                e,
                Entry::Portrait {
                    picture: Some(_),
                    ..
                }
            )
        });
        assert_eq!(comes, expected, "{n}");
    }
    for (n, way) in [(2, PortraitWay::Prepared), (9, PortraitWay::Booth)] {
        let entered = entry(portrait(n, way), &kiosk, &session, aids).await;
        assert!(matches!(entered, Ok(Entry::Portrait { picture: None, .. })));
    }
}

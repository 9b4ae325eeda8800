//! Entries: how numbers are written, and which portraits are taken.

use std::collections::BTreeMap;

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

/// A grey picture.
fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 50);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    // Noise: whatever is cut off at the end takes pixels along.
    let pixels: Vec<u8> = (0..2_000_u32)
        .map(|n| u8::try_from(n * n % 251).unwrap())
        .collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A6, A7: a portrait that is damaged, or in which no face can be compared is refused with its reason before the rules see it; the other ways have no
/// picture to look at, and one that did not come is none.
#[tokio::test]
async fn a6_a_portrait_that_cannot_be_compared_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let marker = place.path().join("marker");
    let keys = crate::keys::open(&place.path().join("keys"), place.path(), &marker).unwrap();
    let sealing = desk_tests::desk(place.path());
    let (session, kiosk) = (SessionId::from_index(50), DeviceId::new("kiosk-1").unwrap());
    sealing.applications(&BTreeMap::from([(session.clone(), kiosk.clone())]));
    let held = Held::default();
    held.only(BTreeMap::from([(
        session.clone(),
        gateway_core::Named::default(),
    )]));
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
    let damaged = Err(NotEntered::Refused(RefusalReason::PictureDamaged));
    let whole = png();
    let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
    large.resize(PICTURE_BYTES_MAX + 1, 0);
    let cases: [(&[u8], _); 6] = [
        (&whole, Ok(true)),
        (whole.split_at(whole.len() / 2).0, damaged),
        (b"\xff\xd8\xff\xe0 a portrait", damaged),
        (b"\x89PNG\r\n\x1a\n a portrait", damaged),
        (b"GIF89a", unusable),
        (&large, unusable),
    ];
    for (n, (bytes, expected)) in (0..).zip(cases) {
        let bytes = bytes.to_vec().into();
        let received = blobs
            .receive(Source::kiosk(&kiosk), &id(n), [n; 16], bytes)
            .await;
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
    for (n, expected) in [(0, Ok(true)), (1, damaged), (4, unusable), (5, damaged)] {
        let entered = entry(Said::Signature(id(n)), &kiosk, &session, aids).await;
        // What is taken is held for the papers.
        let comes = entered.map(|e| {
            matches!(e, Entry::Signature(Some(picture)) if held.signature(&session, &picture.blob).is_some())
        });
        assert_eq!(comes, expected, "a signature, {n}");
    }
    for (n, way) in [(4, PortraitWay::Prepared), (9, PortraitWay::Booth)] {
        let entered = entry(portrait(n, way), &kiosk, &session, aids).await;
        assert!(matches!(entered, Ok(Entry::Portrait { picture: None, .. })));
    }
}

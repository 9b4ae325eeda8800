//! G7 on the real binaries: the centre can open what a session left, and nobody can once its key was destroyed; the log
//! stands as it was.

use std::time::Duration;

use gateway_server::sealing::KeyStore;
use schemas::envelope::Origin;
use schemas::ids::SessionId;
use station_tests::kiosk::Kiosk;
use station_tests::stock::Stocked;
use station_tests::{left, sealed};

const STEP: Duration = Duration::from_secs(20);

fn pick_up(stocked: &mut Stocked, at: usize) -> String {
    let receipt = stocked.start_pickup(at);
    assert_eq!(receipt["outcome"], "accepted", "{receipt}");
    assert_eq!(stocked.kiosk.prompt("done", STEP)["outcome"], "collected");
    receipt["session"].as_str().unwrap().to_owned()
}

#[test]
fn g7_the_centre_opens_a_session_until_its_key_is_destroyed() {
    let root = tempfile::tempdir().unwrap();
    let mut stocked = Stocked::start(root.path(), 2);
    let (one, two) = (pick_up(&mut stocked, 0), pick_up(&mut stocked, 1));
    assert!(stocked.station.stop().success());
    let layout = stocked.station.layout.clone();
    let lines = sealed::open(&layout);
    for (session, at) in [(&one, 0), (&two, 1)] {
        assert_eq!(sealed::count(&lines, "key", session), (1, 0), "{lines:#?}");
        assert_eq!(
            sealed::count(&lines, "field", session),
            (1, 0),
            "{lines:#?}"
        );
        assert_eq!(
            sealed::count(&lines, "photo", session),
            (4, 0),
            "{lines:#?}"
        );
        let field = lines
            .iter()
            .find(|line| line["what"] == "field" && line["session"] == **session);
        let card = &stocked.cards[at];
        assert_eq!(field.unwrap()["says"]["number"], card["number"]);
        assert_eq!(field.unwrap()["says"]["name"], card["name"]);
    }
    let photos: Vec<_> = std::fs::read_dir(layout.root.join("photos"))
        .unwrap()
        .collect();
    assert_eq!(photos.len(), 8);
    for photo in photos {
        let bytes = std::fs::read(photo.unwrap().path()).unwrap();
        assert!(bytes.starts_with(&[0xFF, 0xD8, 0xFF]));
    }

    // What the gateway does when it is asked to erase.
    let before = left::entries(&layout).len();
    let origin = Origin::new("gateway.demo/station/demo/1").unwrap();
    let store = KeyStore::open(&layout.data().join("session-keys"), origin).unwrap();
    let erased = store.erase(&SessionId::new(one.as_str()).unwrap()).unwrap();
    assert_eq!(erased.0.len(), 1);

    // The station starts over it: its log verifies, the other session is whole.
    stocked.station.start();
    stocked.kiosk = Kiosk::connect(layout.mqtt, "kiosk-1");
    assert_eq!(stocked.start_pickup(0)["reason"], "already-collected");
    assert!(stocked.station.stop().success());
    let lines = sealed::open(&layout);
    assert_eq!(sealed::count(&lines, "key", &one), (0, 0));
    assert_eq!(sealed::count(&lines, "field", &one), (0, 1), "{lines:#?}");
    assert_eq!(sealed::count(&lines, "photo", &one), (0, 4), "{lines:#?}");
    assert_eq!(sealed::count(&lines, "field", &two), (1, 0));
    assert_eq!(sealed::count(&lines, "photo", &two), (4, 0));
    assert!(left::entries(&layout).len() > before);
    let left: Vec<_> = std::fs::read_dir(layout.data().join("session-keys"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "no note of the erasure is left: {left:?}");
}

/// A session whose gateway is killed and started again seals under a second key; both are the centre's to open.
#[test]
fn g7_a_session_that_survives_a_restart_has_two_keys() {
    let root = tempfile::tempdir().unwrap();
    let layout = station_tests::config::Layout::new(root.path());
    let station = station_tests::station::Station::new(layout);
    station.hurry();
    let mut stocked = Stocked::with(station, 1, &["--citizen", "walks-away"]);
    let receipt = stocked.start_pickup(0);
    let session = receipt["session"].as_str().unwrap().to_owned();
    stocked.kiosk.prompt("take-card", STEP);
    stocked.station.kill();
    stocked.station.start();
    stocked.kiosk = Kiosk::connect(stocked.station.layout.mqtt, "kiosk-1");
    // The card is retracted and read again, in the same session.
    station_tests::wait_for("the session is over", Duration::from_mins(1), || {
        (stocked.start_pickup(0)["outcome"] == "accepted").then_some(())
    });
    assert!(stocked.station.stop().success());
    let lines = sealed::open(&stocked.station.layout);
    assert_eq!(sealed::count(&lines, "key", &session), (2, 0), "{lines:#?}");
    assert_eq!(
        sealed::count(&lines, "field", &session),
        (2, 0),
        "{lines:#?}"
    );
    assert_eq!(
        sealed::count(&lines, "photo", &session),
        (4, 0),
        "{lines:#?}"
    );
}

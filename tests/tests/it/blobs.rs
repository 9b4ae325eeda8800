//! G4, G7 on the real binaries: what is sealed goes up to the centre's blob store, whole and once, whatever stands in its way; and what
//! has gone up is erased there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemas::event::Event;
use schemas::ids::StationId;
use serde_json::json;
use station_tests::centre::TestCentre;
use station_tests::config::Layout;
use station_tests::kiosk::Kiosk;
use station_tests::station::Station;
use station_tests::stock::Stocked;
use station_tests::{Random, left, sealed, wait_for};
use tokio::runtime::Runtime;

const STEP: Duration = Duration::from_secs(20);
/// Longer than the longest pause before the store is tried again.
const RETRIED: Duration = Duration::from_mins(1);
const PHOTOS: usize = 4;

/// A centre that is there, and a stocked station of it.
struct House {
    runtime: Runtime,
    centre: TestCentre,
    stocked: Stocked,
    root: tempfile::TempDir,
}

impl House {
    /// `more`: lines of `[centre]`.
    fn with(cards: usize, more: &str) -> Self {
        Self::with_epochs(cards, more, 200_000)
    }

    fn with_epochs(cards: usize, more: &str, events: u32) -> Self {
        let runtime = Runtime::new().unwrap();
        let root = tempfile::tempdir().unwrap();
        let mut centre = runtime.block_on(TestCentre::start(root.path()));
        let station = Station::configured(Layout::new(root.path()), |text| {
            let epochs = format!("epoch_events = {events}");
            let text = text.replace("epoch_events = 100000", &epochs);
            centre.configure_with_blobs(&text, more)
        });
        let stocked = Stocked::with(station, cards, &[]);
        centre.register(&stocked.station);
        runtime.block_on(centre.follow());
        Self {
            runtime,
            centre,
            stocked,
            root,
        }
    }

    fn pick_up(&mut self, at: usize) -> String {
        // After a start the devices are not there at once.
        let receipt = wait_for("the pickup is accepted", STEP, || {
            let receipt = self.stocked.start_pickup(at);
            (receipt["outcome"] == "accepted").then_some(receipt)
        });
        let outcome = self.stocked.kiosk.prompt("done", STEP);
        assert_eq!(outcome["outcome"], "collected");
        receipt["session"].as_str().unwrap().to_owned()
    }

    fn data(&self) -> PathBuf {
        self.stocked.station.layout.data()
    }

    /// What the centre has of the station.
    fn received(&self) -> PathBuf {
        self.centre.received().join("demo")
    }

    fn metric(&self, name: &str) -> Option<f64> {
        self.stocked.station.metric(name)
    }

    /// Waits until so many blobs and keys are at the centre, and nothing waits here.
    fn until_up(&self, blobs: usize, keys: usize) {
        let up = || {
            let received = self.received();
            (objects(&received.join("blobs")).len() == blobs
                && objects(&received.join("session-keys")).len() == keys
                && objects(&self.data().join("session-keys")).is_empty()
                && self.metric("station_blobs_to_send")? < 0.5)
                .then_some(())
        };
        wait_for("everything is up", RETRIED, up);
    }

    fn until_stands(&self, word: &str) {
        let figure = format!("station_blob_store_standing{{standing=\"{word}\"}}");
        wait_for(word, RETRIED, || {
            (self.metric(&figure)? > 0.5).then_some(())
        });
    }

    fn restart(&mut self) {
        self.stocked.station.kill();
        self.stocked.station.start();
        self.stocked.kiosk = Kiosk::connect(self.stocked.station.layout.mqtt, "kiosk-1");
    }

    fn end(mut self) -> (Vec<Event>, PathBuf, Layout, tempfile::TempDir) {
        assert!(self.stocked.station.stop().success());
        self.runtime.block_on(self.centre.stop());
        let layout = self.stocked.station.layout.clone();
        let entries = left::entries(&layout).into_iter();
        let events = entries.map(|entry| entry.event).collect();
        (
            events,
            self.centre.received().join("demo"),
            layout,
            self.root,
        )
    }
}

/// The files of a folder by name. Half-written ones, whose names end in `#` and a number, are no objects.
fn objects(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let names = entries.map(|entry| name(entry.unwrap()));
    // One that goes meanwhile is not there.
    names
        .filter(|name| !name.contains('#'))
        .filter_map(|name| Some((name.clone(), std::fs::read(folder.join(&name)).ok()?)))
        .collect()
}

/// The blobs that the log names.
fn named(events: &[Event]) -> BTreeSet<String> {
    let blobs = events.iter().filter_map(|event| match event {
        Event::PhotoArchived(photo) => Some(photo.blob.to_string()),
        #[allow(clippy::wildcard_enum_match_arm, reason = "only photos have blobs")]
        _ => None,
    });
    blobs.collect()
}

/// G4, G7: photos arrive with the bytes that were acknowledged, the centre opens them, the key is here no longer; an erasure then asks
/// the centre, which destroys its copy and says so.
#[test]
fn g7_what_is_sealed_goes_up_and_is_erased_there() {
    let mut house = House::with(2, "");
    let (one, two) = (house.pick_up(0), house.pick_up(1));
    house.until_up(2 * PHOTOS, 2);
    house.until_stands("current");
    let here = objects(&house.data().join("blobs"));
    assert_eq!(here, objects(&house.received().join("blobs")));
    for (kind, count) in [("blob", 8.0), ("key", 2.0)] {
        let figure = format!("station_blobs_sent_total{{kind=\"{kind}\"}}");
        assert_eq!(house.metric(&figure), Some(count), "{kind}");
    }

    let said = house.stocked.station.tool_ok(&["erase", &one], "");
    assert!(said.contains("the centre"), "{said}");
    wait_for("the centre destroys its key", RETRIED, || {
        (objects(&house.received().join("session-keys")).len() == 1).then_some(())
    });
    let followed = "station_instructions_total{outcome=\"followed\"}";
    wait_for("the centre's answer", RETRIED, || {
        (house.metric(followed)? > 0.5).then_some(())
    });
    let again = house.stocked.station.tool_ok(&["erase", &one], "");
    assert!(
        again.contains("erased already: the centre confirmed"),
        "{again}"
    );
    let (events, received, layout, _root) = house.end();
    let asked = |event: &&Event| matches!(event, Event::ErasureAsked(_));
    assert_eq!(events.iter().filter(asked).count(), 1);
    let done = events.iter().find_map(|event| match event {
        Event::ErasureDone(done) => Some(done.clone()),
        #[allow(clippy::wildcard_enum_match_arm, reason = "one kind is looked for")]
        _ => None,
    });
    let done = done.unwrap();
    assert_eq!(done.session.as_str(), one);
    assert!(done.centre_asked && done.keys.is_empty(), "{done:?}");
    let lines = sealed::open_in(&layout, &received);
    for (session, opened) in [(&one, false), (&two, true)] {
        let some = |count| if opened { (count, 0) } else { (0, count) };
        assert_eq!(
            sealed::count(&lines, "field", session),
            some(1),
            "{lines:#?}"
        );
        assert_eq!(sealed::count(&lines, "photo", session), some(PHOTOS));
    }
}

/// G4, G7: photos go from here with the events that name them, once the centre's store has them; one that it has lost goes up again first.
#[test]
fn g7_photos_go_with_their_events_once_the_centre_has_them() {
    let mut house = House::with_epochs(1, "", 100);
    house.pick_up(0);
    house.until_up(PHOTOS, 1);
    for _ in 0..120 {
        let claim = json!({ "claim": { "voucher": "1101050012026110100009" } });
        house.stocked.kiosk.request("start-pickup", claim);
    }
    assert!(house.stocked.station.stop().success());
    let photos = objects(&house.data().join("blobs"));
    assert_eq!(photos.len(), PHOTOS);
    assert_eq!(objects(&house.received().join("blobs")), photos);
    let newest = newest_epoch(&house.data());
    assert_eq!(left::prune(&house.stocked.station.layout, newest), newest);
    let lost = photos.keys().next().unwrap();
    std::fs::remove_file(house.received().join("blobs").join(lost)).unwrap();

    house.stocked.station.start();
    wait_for("what it lost is there again", RETRIED, || {
        // In this order: one that is gone here must have been there before.
        let here = objects(&house.data().join("blobs"));
        let there = objects(&house.received().join("blobs"));
        let is_kept = |name| here.contains_key(name) || there.contains_key(name);
        assert!(photos.keys().all(is_kept));
        // It is also known to be there, or the next start would bring it up again first, and look an hour later.
        let known = house.metric("station_blobs_to_send")? < 0.5;
        (there == photos && known).then_some(())
    });
    house.restart();
    wait_for("nothing is here", RETRIED, || {
        objects(&house.data().join("blobs"))
            .is_empty()
            .then_some(())
    });
    assert_eq!(objects(&house.received().join("blobs")), photos);
    assert!(
        house
            .stocked
            .station
            .tool_ok(&["verify"], "")
            .contains("whole")
    );
    assert!(house.stocked.station.stop().success());
    house.runtime.block_on(house.centre.stop());
}

fn newest_epoch(data: &Path) -> u64 {
    let folders = std::fs::read_dir(data.join("log")).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    let firsts = folders.map(|entry| name(entry.unwrap()).parse::<u64>().unwrap());
    firsts.max().unwrap()
}

/// G4: a store that is away, or takes nothing, stands in nobody's way; when it is back everything goes up.
#[test]
fn g4_a_store_that_is_away_is_waited_for() {
    let mut house = House::with(2, "");
    let (place, away) = (house.centre.received(), house.data().with_file_name("away"));
    std::fs::rename(&place, &away).unwrap();
    house.pick_up(0);
    house.until_stands("missing");
    assert!(
        !place.exists(),
        "it must not be made: a share is not mounted"
    );
    wait_for("the photos and the key are counted", RETRIED, || {
        (house.metric("station_blobs_to_send")? > 4.5).then_some(())
    });
    assert_eq!(objects(&house.data().join("session-keys")).len(), 1);
    std::fs::rename(&away, &place).unwrap();
    house.until_up(PHOTOS, 1);
    house.until_stands("current");

    // A file where the folder of keys should be: blobs go up, the key stays until it can follow.
    let keys = house.received().join("session-keys");
    std::fs::rename(&keys, &away).unwrap();
    std::fs::write(&keys, b"in the way").unwrap();
    house.pick_up(1);
    wait_for("the photos are up", RETRIED, || {
        (objects(&house.received().join("blobs")).len() == 2 * PHOTOS).then_some(())
    });
    wait_for("the key is not", RETRIED, || {
        (house.metric("station_blob_store_standing{standing=\"sending\"}")? < 0.5).then_some(())
    });
    let held = objects(&house.data().join("session-keys"));
    assert!(held.keys().any(|name| name.contains(".json")), "{held:?}");
    std::fs::remove_file(&keys).unwrap();
    std::fs::rename(&away, &keys).unwrap();
    house.until_up(2 * PHOTOS, 2);
    house.end();
}

/// G4: killed at any moment and started again, on a slow link: nothing is missing, nothing is half there, nothing else is there.
/// `SEED=…` repeats a run.
#[test]
fn g4_killed_in_the_middle_nothing_is_missing_or_doubled() {
    let mut random = Random::seeded("blobs");
    let mut house = House::with(3, "uplink_kib_per_s = 256");
    for at in 0..3 {
        house.pick_up(at);
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(random.below(400)));
            house.restart();
        }
    }
    house.until_up(3 * PHOTOS, 3);
    let blobs = objects(&house.data().join("blobs"));
    let (events, received, layout, _root) = house.end();
    let there = objects(&received.join("blobs"));
    assert_eq!(there, blobs);
    assert_eq!(there.into_keys().collect::<BTreeSet<_>>(), named(&events));
    let lines = sealed::open_in(&layout, &received);
    let closed = lines.iter().filter(|line| line["opened"] == false);
    assert_eq!(closed.count(), 0, "{lines:#?}");
}

/// G4: what the centre lacks goes up again when it asks, though something of the right length lies in its place.
#[test]
fn g4_blobs_that_the_centre_asks_for_go_up_again() {
    let mut house = House::with(1, "");
    let (place, away) = (house.centre.received(), house.data().with_file_name("away"));
    std::fs::rename(&place, &away).unwrap();
    house.pick_up(0);
    let here = objects(&house.data().join("blobs"));
    let (name, bytes) = here.first_key_value().unwrap();
    let blobs = away.join("demo/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(name), vec![0; bytes.len()]).unwrap();
    std::fs::rename(&away, &place).unwrap();
    house.until_up(PHOTOS, 1);
    let damaged = house.received().join("blobs").join(name);
    assert_ne!(
        std::fs::read(&damaged).unwrap(),
        *bytes,
        "it has the right length"
    );

    let (centre, id) = (&house.centre, StationId::new("demo").unwrap());
    wait_for("the centre lacks it", RETRIED, || {
        let asked = centre.desk();
        let asked = house
            .runtime
            .block_on(asked.ask_for_blobs(&centre.connection(), &id));
        (asked.unwrap() > 0).then_some(())
    });
    wait_for("it is whole", RETRIED, || {
        (std::fs::read(&damaged).ok()? == *bytes).then_some(())
    });
    let followed = "station_instructions_total{outcome=\"followed\"}";
    wait_for("it is followed", STEP, || {
        (house.metric(followed)? > 0.5).then_some(())
    });
    let (events, ..) = house.end();
    let followed = events.iter().filter(|event| {
        matches!(event, Event::InstructionFollowed(done) if done.instruction == "centre.blobs.missing.v1")
    });
    assert!(followed.count() >= 1);
}

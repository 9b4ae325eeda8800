//! G2: a power cut under the real binary. A recording file system keeps every write and sync of its data
//! and keys; crash images are built from that record, *strict* (all that was not synced is gone) and *page*
//! (each 4 KB page keeps any of its versions), some of them after a second crash in the middle of
//! recovery. Every image must open, and hold everything that was acknowledged, once.
//! `IMAGES=500` for a long run, `SEED=…` to repeat one.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crashfs::{Ack, AckLog, Mode, Recorder};
use gateway_server::snapshot::SnapshotStore;
use schemas::event::Event;
use station_tests::config::Layout;
use station_tests::left;
use station_tests::load::REPORTERS;
use station_tests::station::Station;
use station_tests::{Random, load};

/// What was promised, and up to where the record went when the promise had been received.
struct Promise {
    id: String,
    device: &'static str,
    seq: crashfs::Seq,
}

/// Runs the gateway on `backing` under a recorder, with load for `time`, and kills it.
fn record(root: &Path, backing: &Path, time: Duration) -> (Recorder, Vec<Promise>) {
    let mountpoint = root.join("mounted");
    std::fs::create_dir_all(&mountpoint).unwrap();
    let mut recorder = Recorder::mount(backing, &mountpoint).unwrap();
    // The shortest epochs that there are: several begin under the load.
    let short = |text: String| text.replace("epoch_events = 100000", "epoch_events = 100");
    let mut station = Station::configured(Layout::new(root), short)
        .in_folders(mountpoint.join("data"), mountpoint.join("keys"));
    station.start();
    let addr = station.layout.mqtt;
    let acks = Arc::new(AckLog::default());
    let readers = REPORTERS.map(|device| {
        let (sender, receiver) = channel();
        let client = std::thread::spawn(move || load::until_broken(addr, device, 4, &sender));
        (device, receiver, client)
    });
    let end = std::time::Instant::now() + time;
    let note = |device: &str, id: &str| {
        acks.note(
            &recorder,
            Ack::Entry {
                key: id.to_owned(),
                value: device.to_owned(),
            },
        );
    };
    while std::time::Instant::now() < end {
        for (device, receiver, _) in &readers {
            for id in receiver.try_iter() {
                note(device, &id);
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    station.kill();
    for (device, receiver, client) in readers {
        client.join().unwrap();
        for id in receiver.try_iter() {
            note(device, &id);
        }
    }
    recorder.unmount().unwrap();
    let entries = Arc::into_inner(acks).unwrap().into_entries();
    let promises = entries.into_iter().map(|witnessed| {
        let Ack::Entry { key, value } = witnessed.ack else {
            panic!("only entries are noted")
        };
        let device = REPORTERS
            .into_iter()
            .find(|device| *device == value)
            .unwrap();
        Promise {
            id: key,
            device,
            seq: witnessed.seq,
        }
    });
    let promises = promises.collect();
    (recorder, promises)
}

/// Opens an image as the gateway does and counts what it owes; what is missing or doubled fails. So does a snapshot that the newest
/// epoch begins with and that is not there whole (G4). How many epochs there are.
fn judge(image: &Path, owed: &[&Promise], name: &str) -> usize {
    let entries = left::read_log("demo", &image.join("data"), &image.join("keys"))
        .unwrap_or_else(|error| panic!("{name} does not open: {error:#}"));
    for device in REPORTERS {
        let stored = left::messages(&entries, device);
        for promise in owed.iter().filter(|p| p.device == device) {
            assert_eq!(
                stored.get(&promise.id),
                Some(&1),
                "{name}: {} was acknowledged",
                promise.id
            );
        }
        assert!(
            stored.values().all(|count| *count == 1),
            "{name}: a message is there twice"
        );
    }
    let taken = entries.iter().filter_map(|entry| match &entry.event {
        Event::SnapshotTaken(taken) => Some(taken),
        _ => None,
    });
    let taken: Vec<_> = taken.collect();
    if let Some(newest) = taken.last() {
        let snapshots = SnapshotStore::of(&image.join("data"));
        assert!(snapshots.holds(newest), "{name}: no snapshot {newest:?}");
    }
    println!(
        "{name}: {} acknowledged, {} events, 0 lost",
        owed.len(),
        entries.len()
    );
    taken.len() + 1
}

fn images(pages: bool) {
    let count: u64 = std::env::var("IMAGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(40);
    let kind = if pages { "page" } else { "strict" };
    let mut random = Random::seeded(kind);
    let root = tempfile::tempdir().unwrap();
    let backing = root.path().join("backing");
    std::fs::create_dir(&backing).unwrap();
    let (recorder, promises) = record(root.path(), &backing, Duration::from_secs(4));
    assert!(promises.len() > 200, "hardly any load: {}", promises.len());
    let (first, last) = (promises[0].seq, recorder.seq());
    let mut epochs = 0;
    for n in 0..count {
        let at = first + random.below(last - first + 1);
        let mode = if pages {
            Mode::Page {
                seed: random.draw(),
            }
        } else {
            Mode::Strict
        };
        let out = tempfile::tempdir().unwrap();
        let image = out.path().join("image");
        recorder.crash_image(at, mode, &image).unwrap();
        let mut owed: Vec<&Promise> = promises.iter().filter(|p| p.seq <= at).collect();
        if n % 4 != 0 {
            epochs += judge(&image, &owed, &format!("{kind} {n} at {at}"));
            continue;
        }
        // A second crash, in the middle of recovery or of the load after it.
        let (again, more) = record(out.path(), &image, Duration::from_millis(random.below(300)));
        let at = again.start() + random.below(again.seq() - again.start() + 1);
        let mode = if pages {
            Mode::Page {
                seed: random.draw(),
            }
        } else {
            Mode::Strict
        };
        let second = out.path().join("second");
        again.crash_image(at, mode, &second).unwrap();
        owed.extend(more.iter().filter(|p| p.seq <= at));
        epochs += judge(&second, &owed, &format!("{kind} {n}, cut again at {at}"));
    }
    println!("{kind}: {epochs} epochs in all images");
    assert!(
        epochs as u64 > 2 * count,
        "hardly any epoch began: {epochs}"
    );
}

#[test]
fn g2_strict_images_of_the_gateway_lose_nothing() {
    images(false);
}

#[test]
fn g2_page_images_of_the_gateway_lose_nothing() {
    images(true);
}

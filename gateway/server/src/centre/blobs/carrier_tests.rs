//! The carrier over a log in memory, to a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_log::{Limits, Log};
use gateway_sync::{LinkFigures, LinkStanding, Pace};
use schemas::event::Event;
use schemas::ids::{BlobHash, SessionId, StationId};
use schemas::key::SealingKeyId;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::again::Again;
use super::carrier::{Carrier, CarrierParts};
use super::fixtures::{append, applied, asked, ended, given_up, keyed, photo, started};
use super::place::Place;
use crate::blobs::BlobStore;
use crate::metrics::Metrics;
use crate::sealing::SealingDesk;
use crate::sealing::desk_tests;
use crate::testing;

const DEADLINE: Duration = Duration::from_mins(1);
const PHOTO_BYTES: usize = 100 * 1024;

/// A station that has something to send, and the centre's folder.
struct Bench {
    place: tempfile::TempDir,
    log: Log,
    blobs: BlobStore,
    sealing: SealingDesk,
    metrics: Metrics,
    again: Again,
    acknowledged: watch::Sender<u64>,
    uplink: watch::Sender<LinkFigures>,
}

impl Bench {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let keys = crate::keys::open(&at("keys"), place.path(), &at("marker")).unwrap();
        let ring = testing::ring(&keys);
        let identity = ring.identity().unwrap();
        let log = Log::in_memory(identity, Box::new(ring), Limits::default()).unwrap();
        let blobs = BlobStore::open(&at("blobs")).unwrap();
        let figures = LinkFigures {
            standing: LinkStanding::Current,
            sent: 0,
            connections: 1,
            bytes: 0,
        };
        std::fs::create_dir_all(at("centre/demo")).unwrap();
        Self {
            again: Again::open(log.clone(), blobs.clone()).unwrap(),
            sealing: desk_tests::desk(place.path()),
            metrics: Metrics::new().unwrap(),
            acknowledged: watch::Sender::new(0),
            uplink: watch::Sender::new(figures),
            place,
            log,
            blobs,
        }
    }

    fn carry(&self) -> JoinHandle<()> {
        let all = self.place.path().join("centre");
        self.carry_to(Place::folder(&all, &StationId::new("demo").unwrap()))
    }

    fn carry_to(&self, place: Place) -> JoinHandle<()> {
        let carrier = Carrier::new(CarrierParts {
            log: self.log.clone(),
            blobs: self.blobs.clone(),
            sealing: self.sealing.clone(),
            again: self.again.clone(),
            place,
            pace: Pace::default(),
            rest_ms: Arc::new(|| None),
            uplink: self.uplink.subscribe(),
            acknowledged: self.acknowledged.subscribe(),
            metrics: self.metrics.clone(),
            chance: || 0,
        });
        tokio::spawn(carrier.run())
    }

    /// A session with one photo and its key, to its end. The photo's name.
    async fn session(&self, name: &str) -> BlobHash {
        let session = SessionId::new(name).unwrap();
        self.sealing.opened(&session);
        let key = self.sealing.key_in(session.clone()).await.unwrap();
        let blob = self.blobs.write(name.as_bytes()).unwrap();
        let events = [
            started(name).into(),
            photo(name, &blob, key.id()).into(),
            ended(name).into(),
        ];
        append(&self.log, &events).await;
        self.sealing.ended(&session);
        blob
    }

    /// An application whose citizen has keyed a number. The key it is sealed under.
    async fn applied(&self, name: &str) -> SealingKeyId {
        let session = SessionId::new(name).unwrap();
        self.sealing.opened(&session);
        let key = self.sealing.key_in(session).await.unwrap();
        append(&self.log, &[applied(name), keyed(name, key.id())]).await;
        key.id().clone()
    }

    fn there(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        files(&self.place.path().join("centre/demo").join(folder))
    }

    /// Names of what is in the folder of session keys.
    fn keys_here(&self) -> Vec<String> {
        files(&self.place.path().join("session-keys"))
            .into_keys()
            .collect()
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let whole = paths.iter().filter(|path| !name(path).contains('#'));
    whole
        .filter_map(|path| Some((name(path), std::fs::read(path).ok()?)))
        .collect()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// G7: a key goes up as soon as its session has ended, and stays here until the centre has acknowledged that end; over a restart too.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_stays_until_the_centre_has_its_sessions_end() {
    let bench = Bench::new();
    bench.session("s-1").await;
    let carrying = bench.carry();
    until("the key is up", || bench.there("session-keys").len() == 1).await;
    let key = bench.there("session-keys").into_keys().next().unwrap();
    // The start and the photo: the end is the third event.
    bench.acknowledged.send_replace(2);
    bench.session("s-2").await;
    until("another one is up", || {
        bench.there("session-keys").len() == 2
    })
    .await;
    assert!(bench.keys_here().contains(&key), "its end is not there yet");
    carrying.abort();

    let _carrying = bench.carry();
    bench.session("s-3").await;
    until("a third one is up", || {
        bench.there("session-keys").len() == 3
    })
    .await;
    assert!(bench.keys_here().contains(&key), "nor after a restart");
    bench.acknowledged.send_replace(bench.log.size());
    until("nothing of them is here", || bench.keys_here().is_empty()).await;
    assert_eq!(bench.there("session-keys").len(), 3);
}

/// A2, G7: while its session is open a copy of the key goes up with a question, and the key stays until the centre has acknowledged
/// the end, over a restart too. What may be at the centre is asked of the centre when it is erased.
#[tokio::test(flavor = "multi_thread")]
async fn a2_a_question_sends_a_copy_of_its_key() {
    let bench = Bench::new();
    let (asking, quiet) = (bench.applied("s-1").await, bench.applied("s-2").await);
    append(&bench.log, &[asked("s-1", &asking)]).await;
    let carrying = bench.carry();
    until("the copy is up", || bench.there("session-keys").len() == 1).await;
    let [name, other] = [&asking, &quiet].map(|key| format!("{key}.json"));
    let copy = bench.there("session-keys").remove(&name).unwrap();
    let here = files(&bench.place.path().join("session-keys"));
    assert_eq!(here.get(&name), Some(&copy));
    assert!(here.contains_key(&other));
    let may_be_there = |key: &SealingKeyId| {
        let store = bench.sealing.store();
        store.any_sent(std::slice::from_ref(key)).unwrap()
    };
    assert!(may_be_there(&asking) && !may_be_there(&quiet));
    bench.acknowledged.send_replace(bench.log.size());
    carrying.abort();

    let _carrying = bench.carry();
    append(&bench.log, &[given_up("s-2")]).await;
    bench.sealing.ended(&SessionId::new("s-2").unwrap());
    until("the other one is up", || {
        bench.there("session-keys").contains_key(&other)
    })
    .await;
    assert!(bench.keys_here().contains(&name), "its session is open");
    append(&bench.log, &[given_up("s-1")]).await;
    bench.sealing.ended(&SessionId::new("s-1").unwrap());
    bench.acknowledged.send_replace(bench.log.size() - 1);
    let sent = bench.metrics.upload.sent.with_label_values(&["key"]);
    until("both went for good", || sent.get() == 2).await;
    assert!(bench.keys_here().contains(&name), "its end is not there");
    bench.acknowledged.send_replace(bench.log.size());
    until("nothing is here", || bench.keys_here().is_empty()).await;
}

/// G7: a key that was erased here while it waited does not come back, and stands in nobody's way.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_key_stands_in_nobodys_way() {
    let bench = Bench::new();
    bench.session("s-1").await;
    let carrying = bench.carry();
    until("the key is up", || bench.there("session-keys").len() == 1).await;
    let session = SessionId::new("s-1").unwrap();
    let erased = bench.sealing.erase(&session).await.unwrap();
    assert!(bench.sealing.store().any_sent(&erased.0).unwrap());
    bench.session("s-2").await;
    bench.acknowledged.send_replace(bench.log.size());
    bench.sealing.store().forget_notes(&erased.0);
    until("nothing is here", || bench.keys_here().is_empty()).await;
    carrying.abort();
}

/// G4, G7: an empty mount point is no store: nothing is made in it, and no key leaves.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_mount_point_gets_nothing() {
    let bench = Bench::new();
    let own = bench.place.path().join("centre/demo");
    std::fs::remove_dir(&own).unwrap();
    bench.session("s-1").await;
    bench.acknowledged.send_replace(bench.log.size());
    let _carrying = bench.carry();
    let missing = bench
        .metrics
        .upload
        .standing
        .with_label_values(&["missing"]);
    until("it is said", || missing.get() == 1).await;
    assert!(!own.exists());
    assert!(
        bench
            .keys_here()
            .iter()
            .any(|name| { Path::new(name).extension() == Some("json".as_ref()) })
    );
    std::fs::create_dir(&own).unwrap();
    until("it is there", || bench.keys_here().is_empty()).await;
    assert_eq!(bench.there("blobs").len(), 1);
}

/// G4: a backlog goes up side by side, each photo whole; it says how many a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_goes_up_side_by_side() {
    const PHOTOS: u32 = 600;
    let bench = Bench::new();
    let key = crate::sealing::test_key("s-1");
    let mut events = vec![Event::from(started("s-1"))];
    for n in 0..PHOTOS {
        let bytes = n.to_be_bytes().repeat(PHOTO_BYTES / 4);
        let blob = bench.blobs.write(&bytes).unwrap();
        events.push(photo("s-1", &blob, key.id()).into());
    }
    append(&bench.log, &events).await;
    let began = Instant::now();
    let _carrying = bench.carry();
    let sent = bench.metrics.upload.sent.with_label_values(&["blob"]);
    until("everything is up", || sent.get() == u64::from(PHOTOS)).await;
    let rate = f64::from(PHOTOS) / began.elapsed().as_secs_f64();
    println!("{rate:.0} photos of {PHOTO_BYTES} bytes a second");
    assert_eq!(
        bench.there("blobs"),
        files(&bench.place.path().join("blobs"))
    );
}

/// G4: what is sealed goes up to a bucket; what the centre says is missing goes up again. `tests/judges/s3` has a server for it, and
/// looks at what came.
#[cfg(feature = "s3")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server that speaks S3: tests/judges/s3/check.py"]
async fn what_is_sealed_goes_up_to_s3() {
    let centre = edge_config::Centre {
        blob_store: Some(edge_config::BlobPlace::S3 {
            bucket: "centre".to_owned(),
            prefix: "province".to_owned(),
        }),
        blob_store_file: std::env::var_os("STATION_S3_SETTINGS").map(PathBuf::from),
        ..edge_config::Centre::default()
    };
    let place = Place::configured(&centre, &StationId::new("demo").unwrap());
    let bench = Bench::new();
    let mut blobs = Vec::new();
    for n in 0..40 {
        blobs.push(bench.session(&format!("s-{n}")).await);
    }
    bench.acknowledged.send_replace(bench.log.size());
    let _carrying = bench.carry_to(place.unwrap().unwrap());
    until("everything is up", || bench.keys_here().is_empty()).await;
    let sent = bench.metrics.upload.sent.with_label_values(&["blob"]);
    assert_eq!(sent.get(), 40);
    bench.again.ask(blobs).await.unwrap();
    until("it is there again", || sent.get() == 80).await;
}

//! Parts for tests: a station of the shipped configuration in a temporary folder, its loop over a log in memory, and
//! an outlet that remembers.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use edge_config::Station;
use gateway_log::{Limits, Log, OpenOptions, RoomOptions};
use schemas::ids::{BootId, StationId};
use schemas::topic::Topics;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::blobs::{BlobDesk, BlobStore};
use crate::centre::GrantDesk;
use crate::clock::Clock;
use crate::effects::{Effects, Reach};
use crate::held::Held;
use crate::inbox::Inbox;
use crate::ingress::{Arrival, Desks, Ingress, Taken};
use crate::keys::{self, KeyRing, LookupKeys, StationKeys};
use crate::metrics::Metrics;
use crate::operators::PinDesk;
use crate::outlet::{Outgoing, Outlet};
use crate::papers::PaperDesk;
use crate::pipeline::{Job, Memory, Parts, Pipeline, PipelineError, SnapshotDesk};
use crate::run::rules;
use crate::sealing::{KeyStore, Recipient, SealingDesk};
use crate::service::Service;
use crate::slips::Slips;
use crate::snapshot::{EpochLimits, SnapshotStore};

/// An outlet that remembers what went out.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sent(Arc<Mutex<Vec<Outgoing>>>);

impl Outlet for Sent {
    fn send(&self, message: Outgoing) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message);
    }
}

impl Sent {
    /// What went out on this channel of a device, as JSON, in order.
    pub(crate) fn on(&self, device: &str, channel: &str) -> Vec<serde_json::Value> {
        let sent = self.0.lock().unwrap();
        let fits = |m: &&Outgoing| m.device.as_str() == device && m.channel == channel;
        sent.iter()
            .filter(fits)
            .map(|m| serde_json::from_slice(&m.payload).unwrap())
            .collect()
    }

    /// What went out from the `from`th message on.
    pub(crate) fn since(&self, from: usize) -> Vec<Outgoing> {
        self.0.lock().unwrap().iter().skip(from).cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A station whose loop runs.
pub(crate) struct Bench {
    pub(crate) place: tempfile::TempDir,
    pub(crate) ingress: Ingress,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) sealing: SealingDesk,
    pub(crate) lookup: LookupKeys,
    pub(crate) papers: PaperDesk,
    pub(crate) sent: Sent,
    pub(crate) log: Log,
    pub(crate) pipeline: JoinHandle<Result<(), PipelineError>>,
    pub(crate) stop: oneshot::Sender<()>,
}

pub(crate) fn station() -> Station {
    edge_config::load(None, None).unwrap()
}

fn log(keys: &StationKeys, limits: Limits) -> Log {
    let ring = ring(keys);
    Log::in_memory(ring.identity().unwrap(), Box::new(ring), limits).unwrap()
}

/// A log on disk, where a station has it.
pub(crate) fn log_on_disk(place: &Path, keys: &StationKeys) -> Log {
    let ring = ring(keys);
    let options = OpenOptions {
        identity: ring.identity().unwrap(),
        marker: place.join("marker"),
        witness: place.join("witness"),
        signer: Box::new(ring),
        limits: Limits::default(),
        room: RoomOptions::default(),
    };
    Log::open(&place.join("data"), options).unwrap().0
}

/// The ring of a log that begins.
pub(crate) fn ring(keys: &StationKeys) -> KeyRing {
    let origin = schemas::envelope::Origin::new(ORIGIN).unwrap();
    KeyRing::new(Path::new("no-such-folder"), origin, keys.signing.clone())
}

pub(crate) const ORIGIN: &str = "gateway.demo/station/demo/1";

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(station(), Limits::default(), 64)
    }

    pub(crate) fn with(station: Station, limits: Limits, queue_len_max: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let keys = keys::open(
            &place.path().join("keys"),
            place.path(),
            &place.path().join("marker"),
        )
        .unwrap();
        let log = log(&keys, limits);
        Self::over(station, place, keys, (log, limits), queue_len_max)
    }

    #[allow(
        clippy::too_many_lines,
        reason = "one list of all that a loop is made of"
    )]
    pub(crate) fn over(
        station: Station,
        place: tempfile::TempDir,
        keys: StationKeys,
        (log, limits): (Log, Limits),
        queue_len_max: usize,
    ) -> Self {
        let sent = Sent::default();
        let metrics = Metrics::new().unwrap();
        let inbox = Inbox::new(&place.path().join("inbox"), keys.lookup.clone());
        let sealing = sealing_desk(place.path());
        let (held, grants) = (Held::default(), GrantDesk::new(place.path()));
        let blobs = BlobDesk::new(
            BlobStore::open(&place.path().join("blobs")).unwrap(),
            sealing.clone(),
            held.clone(),
            1 << 20,
            2,
        );
        let papers = paper_desk(&sent, &metrics);
        let (jobs, queue) = mpsc::channel(queue_len_max);
        let ingress = Ingress::new(
            Desks {
                keys: keys.lookup.clone(),
                pins: PinDesk::new(&station.operators, 1),
                inbox: inbox.clone(),
                blobs: blobs.clone(),
                sealing: sealing.clone(),
                held: held.clone(),
                grants: grants.clone(),
                papers: papers.clone(),
                outlet: Arc::new(sent.clone()),
                metrics: metrics.clone(),
            },
            jobs.clone(),
        );
        let mut memory = Memory::new(&station.policy);
        for stored in log.read(0..log.size()) {
            let (index, signed) = stored.unwrap();
            let entry = schemas::envelope::read(&signed).unwrap();
            let recorded = gateway_core::Recorded {
                index,
                now: &entry.meta.now,
                event: &entry.event,
            };
            memory.apply(recorded, entry.meta.cause.as_ref());
        }
        let outlet = Arc::new(sent.clone());
        let (slips, making) = Slips::new(log.clone(), outlet.clone());
        tokio::spawn(making);
        let effects = Effects::new(Reach {
            outlet,
            inbox,
            blobs,
            sealing: sealing.clone(),
            held,
            grants,
            window: schemas::message::kiosk::Text {
                zh: String::new(),
                en: String::new(),
            },
            lookup: keys.lookup.clone(),
            metrics: metrics.clone(),
            service: Service::default(),
            slips,
            papers: papers.clone(),
            printer: None,
        });
        sealing.begin(&memory.state);
        let pipeline = Pipeline::new(Parts {
            log: log.clone(),
            memory,
            rules: rules(&station),
            origin: schemas::envelope::Origin::new(ORIGIN).unwrap(),
            ring: ring(&keys),
            signing: keys.signing.current.clone(),
            clock: Arc::new(Clock::new(edge_config::ClockTrustRule::Never).unwrap()),
            effects,
            lookup: keys.lookup.clone(),
            snapshots: SnapshotDesk {
                limits: EpochLimits {
                    events: station.log.epoch_events,
                    days: station.log.epoch_days,
                },
                store: SnapshotStore::of(place.path()),
                blobs: BlobStore::open(&place.path().join("blobs")).unwrap(),
                keys: sealing.store().clone(),
            },
            metrics: metrics.clone(),
            group_len_max: 64,
            group_bytes_max: limits.group_bytes_max,
            room_low_bytes: 0,
        });
        let instance = BootId::new("0190b7a2-1f00-7000-8000-0000000000ff").unwrap();
        let (stop, stops) = oneshot::channel();
        let pipeline = tokio::spawn(pipeline.run(instance, queue, stops));
        Self {
            place,
            ingress,
            jobs,
            sealing,
            lookup: keys.lookup,
            papers,
            sent,
            log,
            pipeline,
            stop,
        }
    }

    /// A message of a device; the place among its sender's messages is taken now.
    pub(crate) fn send(&self, topic: &str, payload: &str) -> impl Future<Output = Taken> + use<> {
        self.ingress.take(arrival(topic, payload))
    }

    /// The same, waiting for a place in the queue.
    pub(crate) fn send_in_turn(
        &self,
        topic: &str,
        payload: &str,
    ) -> impl Future<Output = Taken> + use<> {
        self.ingress.take_in_turn(arrival(topic, payload))
    }

    /// The same, sent again as its sender says.
    pub(crate) fn send_again(
        &self,
        topic: &str,
        payload: &str,
    ) -> impl Future<Output = Taken> + use<> {
        let again = true;
        self.ingress.take(Arrival {
            again,
            ..arrival(topic, payload)
        })
    }

    /// The events of the log so far.
    pub(crate) fn entries(&self) -> Vec<schemas::envelope::Entry> {
        let read = |stored: Result<(u64, Vec<u8>), _>| {
            schemas::envelope::read(&stored.unwrap().1).unwrap()
        };
        self.log.read(0..self.log.size()).map(read).collect()
    }

    /// Waits for what the loop does by itself.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let limit = Instant::now() + Duration::from_secs(10);
        while !holds(self) {
            assert!(Instant::now() < limit, "in vain: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn arrival(topic: &str, payload: &str) -> Arrival {
    let topic = format!("station/v1/demo/{topic}");
    let topics = Topics::new(StationId::new("demo").unwrap());
    let (device, channel) = topics.parse(&topic).unwrap();
    let payload = bytes::Bytes::copy_from_slice(payload.as_bytes());
    Arrival {
        device,
        channel,
        topic: topic.into(),
        payload,
        again: false,
    }
}

fn paper_desk(sent: &Sent, metrics: &Metrics) -> PaperDesk {
    let outlet = Arc::new(sent.clone());
    PaperDesk::new(outlet, metrics.clone(), Duration::from_mins(2))
}

fn sealing_desk(data: &Path) -> SealingDesk {
    let origin = schemas::envelope::Origin::new(ORIGIN).unwrap();
    let store = KeyStore::open(&data.join("session-keys"), origin).unwrap();
    let centre = vec![Recipient::from_bytes(&[9; 32]).unwrap()];
    SealingDesk::new(store, centre, Vec::new())
}

/// A message id.
pub(crate) fn id(n: u32) -> String {
    format!("0190b7a2-1f00-7000-8000-{n:012x}")
}

/// A sweep of folders that hold nothing.
pub(crate) fn sweeps(data: &Path) -> crate::pipeline::Sweeps {
    let origin = schemas::envelope::Origin::new(ORIGIN).unwrap();
    let blobs = BlobStore::open(&data.join("blobs")).unwrap();
    let keys = KeyStore::open(&data.join("session-keys"), origin).unwrap();
    crate::pipeline::Sweeps::begin(&blobs, &keys).unwrap()
}

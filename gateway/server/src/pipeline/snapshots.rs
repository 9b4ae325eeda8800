//! The end of an epoch: the state is written to a file, then the event that names it begins the next epoch.
//!
//! The file must hold the state after exactly the events before that event. So from the moment at which the state is copied until
//! the event is recorded the loop takes nothing in; what comes meanwhile waits in its queue. The copy is written by another
//! thread, and everything else of the program goes on.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gateway_core::Recorded;
use gateway_log::{Group, Log};
use schemas::envelope::Source;
use schemas::event::Event;
use schemas::event::evidence::SnapshotTaken;
use schemas::ids::TreeRoot;
use schemas::proof::Hash;
use tokio::time::Instant;

use super::{InFlight, Memory, Named, Pipeline, PipelineError, Unrecordable};
use crate::blobs::BlobStore;
use crate::keys::KeyRing;
use crate::sealing::KeyStore;
use crate::snapshot::{Contents, EpochLimits, SnapshotStore};

/// How long after one that could not be written another is tried.
const RETRY_PAUSE: Duration = Duration::from_hours(1);

/// What snapshots are made of beside the memory.
#[derive(Debug, Clone)]
pub struct SnapshotDesk {
    /// How long an epoch lasts.
    pub limits: EpochLimits,
    /// Where they are written.
    pub store: SnapshotStore,
    /// Sealed blobs.
    pub blobs: BlobStore,
    /// Sealed session keys.
    pub keys: KeyStore,
}

/// A snapshot whose file is durable.
pub(super) struct Taken {
    /// Its event.
    event: SnapshotTaken,
    /// What it says of sealed files: those that went with their events are forgotten.
    named: Named,
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The names are very many.
        f.debug_struct("Taken")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

type Taking = BoxFuture<'static, anyhow::Result<Taken>>;

/// The snapshot that is being taken, if one is.
pub(super) struct Snapshots {
    desk: SnapshotDesk,
    taking: Option<Taking>,
    not_before: Option<Instant>,
}

impl Snapshots {
    pub(super) fn new(desk: SnapshotDesk) -> Self {
        Self {
            desk,
            taking: None,
            not_before: None,
        }
    }

    pub(super) fn is_taking(&self) -> bool {
        self.taking.is_some()
    }

    /// The snapshot under way, once its file is durable.
    pub(super) async fn taken(&mut self) -> anyhow::Result<Taken> {
        let Some(taking) = &mut self.taking else {
            return std::future::pending().await;
        };
        let taken = taking.await;
        self.taking = None;
        taken
    }

    fn begin(&mut self, log: &Log, ring: &KeyRing, memory: Memory) {
        let (desk, log) = (self.desk.clone(), log.clone());
        let (origin, rotations) = (log.origin().to_owned(), ring.rotations());
        let first = log.first_index();
        let size = memory.state.next_index();
        let take = async move {
            let root = root_of(&log, size).await?;
            let write = move || {
                let mut memory = memory;
                desk.forget(first, &mut memory.named);
                memory.alerts.forget_before(first);
                let event = write(&desk, origin, size, root, &memory, rotations)?;
                Ok(Taken {
                    event,
                    named: memory.named,
                })
            };
            panics::off_runtime(write).await?
        };
        self.taking = Some(take.boxed());
    }
}

impl SnapshotDesk {
    /// Forgets the files that went with their events, which were pruned up to this one. Reads the disk.
    fn forget(&self, first_index: u64, named: &mut Named) {
        let (blobs, keys) = (&self.blobs, &self.keys);
        named.forget(first_index, |blob| blobs.holds(blob), |key| keys.holds(key));
    }
}

/// The root over exactly these events, which are all that were given to the log.
async fn root_of(log: &Log, size: u64) -> anyhow::Result<Hash> {
    log.append(Group::new(size, ()).sealed())
        .await?
        .into_inner();
    let head = log.sealed_head().map(|head| head.checkpoint);
    let head = head.filter(|head| head.size == size);
    Ok(head
        .ok_or_else(|| anyhow::anyhow!("no checkpoint was signed over them"))?
        .root)
}

fn write(
    desk: &SnapshotDesk,
    origin: String,
    size: u64,
    root: Hash,
    memory: &Memory,
    rotations: Vec<(u64, Vec<u8>)>,
) -> anyhow::Result<SnapshotTaken> {
    // The one before the last is not needed for going further back any more, once this one is there.
    desk.store
        .keep(memory.snapshots.iter().map(|(_, name)| name))?;
    let rotations = rotations.into_iter();
    let contents = Contents {
        origin,
        size,
        memory: memory.to_kept(),
        rotations: rotations
            .map(|(index, signed)| (index, hex::encode(signed)))
            .collect(),
        blobs: Vec::new(),
        keys: Vec::new(),
    };
    let bytes = contents.to_bytes()?;
    Ok(SnapshotTaken {
        state: desk.store.write(&bytes)?,
        state_len: u64::try_from(bytes.len())?,
        size,
        root: TreeRoot::of(&root),
    })
}

impl Pipeline {
    /// Begins a snapshot when the epoch has lasted long enough. From then on nothing is taken in until it is recorded.
    pub(super) fn look_at_epoch(&mut self) {
        let now = self.clock.now();
        let tried = self.snapshots.not_before;
        // Room that is low is for finishing what has begun.
        let waits =
            tried.is_some_and(|until| Instant::now() < until) || self.room_low == Some(true);
        let busy = self.memory.state.sessions().next().is_some();
        let limits = self.snapshots.desk.limits;
        let is_due = self
            .memory
            .epoch
            .as_ref()
            .is_some_and(|epoch| limits.is_due(epoch, self.log.next_index(), &now, busy));
        if is_due && !waits && !self.snapshots.is_taking() {
            self.snapshots
                .begin(&self.log, &self.ring, self.memory.clone());
        }
    }

    /// The file is durable: its event is the first of an epoch. Without a file the epoch goes on.
    pub(super) fn snapshot_taken(
        &mut self,
        taken: anyhow::Result<Taken>,
        in_flight: &mut InFlight,
    ) -> Result<(), PipelineError> {
        let index = self.log.next_index();
        let taken = match taken {
            Ok(taken) if taken.event.size == index => taken,
            outcome => {
                self.snapshots.not_before = Some(Instant::now() + RETRY_PAUSE);
                tracing::error!(index, ?outcome, "no snapshot was taken: the epoch goes on");
                return Ok(());
            }
        };
        let (now, mut group) = (self.clock.now(), self.gathering());
        // Nothing was taken in meanwhile, so nothing more was named.
        self.memory.named = taken.named;
        let events = vec![Event::SnapshotTaken(taken.event)];
        let sealed = self
            .seal_all(index, &events, &Source::Gateway, None, &now)
            .map_err(|error| PipelineError::Own(Unrecordable::Seal(error)))?;
        for event in &events {
            let recorded = Recorded {
                index,
                now: &now,
                event,
            };
            self.memory.apply(recorded, None);
        }
        group.push(events, sealed);
        group.begin_epoch();
        self.close(group, in_flight);
        tracing::info!(index, "an epoch of the log begins");
        Ok(())
    }
}

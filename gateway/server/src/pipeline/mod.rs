//! The loop: steps 4 to 8 of the way of one message (architecture.md), in one task with one owner of the state.
//!
//! Gather a group, decide, seal, evolve, append; when the log says that the group is durable, act. While a flush runs
//! the next group gathers. The state runs ahead of the disk by the groups under way, so nothing that shows it may leave
//! before its group is durable: acknowledgements, receipts, commands and prompts are snapshots that travel with their
//! group and come back as a `Durable`. If an append fails the loop ends with the error; nothing of the group has left,
//! and the process must end with it.

mod acts;
mod commission;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]
mod erase_tests;
mod group;
mod job;
mod look_ups;
mod memory;
mod named;
mod own;
mod printed;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod pruned_tests;
mod recent;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod registry_tests;
mod replay;
mod room;
mod rotation;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]
mod snapshot_tests;
mod snapshots;
mod step;
mod sweeps;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]
mod tests;
mod window;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use gateway_core::{
    Input, Rules, Watch, maintenance_left_ms, next_deadline, papers_left_ms, payments_left_ms,
    tickets_left_ms,
};
use gateway_log::{AppendError, Durable, Log};
use schemas::envelope::{KeyId, Origin};
use schemas::ids::BootId;
use tokio::sync::{mpsc, oneshot};

use crate::budget::Budget;
use crate::clock::Clock;
use crate::effects::{AskedFor, Effects, Errand, Finding, Outbox};
use crate::keys::{KeyRing, LookupKeys, SigningKey};
use crate::metrics::Metrics;
use crate::vault::Vault;
use group::Gathering;
use look_ups::{LookUps, LookedUp};
use recent::Recent;
use snapshots::{Snapshots, Taken};

pub use acts::{Acts, LoopEnded};
pub use job::{Answer, CentreTold, Command, CommissionAsk, Content, Job, MessageKey, Operated};
pub(crate) use memory::KeptMemory;
pub use memory::{EpochBegun, Memory};
pub use named::Named;
pub use replay::{Read, Replay, ReplayError};
pub use rotation::Rotated;
pub use snapshots::SnapshotDesk;
pub use sweeps::{Sweeps, Swept};
pub use window::{WindowAct, WindowAsk};

/// Groups that may be under way at once: one being flushed, one that waits for the committer.
const GROUPS_IN_FLIGHT_MAX: usize = 2;
/// A deadline that stays due although it was told is told again only after this.
const STUCK_DEADLINE_PAUSE: Duration = Duration::from_secs(1);
/// What the loop is made of.
#[derive(Debug)]
pub struct Parts {
    /// The log, replayed.
    pub log: Log,
    /// What the replay made of it.
    pub memory: Memory,
    /// The rules in force.
    pub rules: Rules,
    /// Name of the log.
    pub origin: Origin,
    /// Sign events and checkpoints.
    pub ring: KeyRing,
    /// The key of the ring that is in force.
    pub signing: SigningKey,
    /// Reads clocks.
    pub clock: Arc<Clock>,
    /// Acts on what is durable.
    pub effects: Effects,
    /// The lookup keys in use.
    pub lookup: LookupKeys,
    /// Snapshots of the memory.
    pub snapshots: SnapshotDesk,
    /// Figures.
    pub metrics: Metrics,
    /// Messages in one group at most.
    pub group_len_max: usize,
    /// Bytes of signed events that the log takes in one append.
    pub group_bytes_max: usize,
    /// Below this much free room no new session is taken.
    pub room_low_bytes: u64,
}

/// Why the loop ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The log could not make a group durable.
    #[error(
        "the log could not make events durable, so the gateway ends; what was acknowledged is in the log"
    )]
    Append(#[from] AppendError),
    /// No checkpoint can be signed or stored any more.
    #[error(
        "the log has no checkpoints any more, so the gateway ends; what was acknowledged is in the log"
    )]
    Checkpoints(#[source] gateway_log::LogFailed),
    /// The log could not be read.
    #[error("the log could not be read")]
    Log(#[from] gateway_log::LogFailed),
    /// What the gateway itself has to record cannot be recorded.
    #[error("an event of the gateway's own cannot be recorded")]
    Own(#[source] Unrecordable),
}

/// Why the events of one command cannot be recorded. Nothing was changed by it.
#[derive(Debug, thiserror::Error)]
pub enum Unrecordable {
    /// One of them does not fit an envelope.
    #[error("an event cannot be sealed")]
    Seal(#[from] schemas::envelope::EnvelopeError),
    /// They are one atomic batch, and the log takes none so large.
    #[error("its events have {bytes} bytes together, and the log takes {bytes_max} at once")]
    TooLarge {
        /// Bytes of its signed events.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
}

/// The loop's state.
pub struct Pipeline {
    log: Log,
    memory: Memory,
    rules: Rules,
    origin: Origin,
    ring: KeyRing,
    signing: SigningKey,
    key_id: KeyId,
    clock: Arc<Clock>,
    recent: Recent,
    watch: Watch,
    vault: Vault,
    effects: Effects,
    lookup: LookupKeys,
    errands: FuturesUnordered<Errand>,
    look_ups: LookUps,
    snapshots: Snapshots,
    asked_for: AskedFor,
    metrics: Metrics,
    group_len_max: usize,
    group_bytes_max: usize,
    room_low_bytes: u64,
    /// How long the room will last.
    budget: Budget,
    /// What the rules were last told of the room.
    room_low: Option<bool>,
    /// Written since the room was looked at.
    unlooked_bytes: u64,
    /// Taken from the queue, but too large for the group before it.
    carried: Option<Job>,
}

type InFlight = FuturesOrdered<BoxFuture<'static, Result<(Durable<Outbox>, Instant), AppendError>>>;

/// What woke the loop.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is taken apart at once"
)]
enum Wake {
    Durable(Option<Result<(Durable<Outbox>, Instant), AppendError>>),
    Job(Option<Job>),
    Errand(Option<Finding>),
    Snapshot(anyhow::Result<Taken>),
    LookedUp(Option<LookedUp>),
    Deadline,
    RoomLook,
    Stop,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

impl Pipeline {
    /// From its parts.
    pub fn new(parts: Parts) -> Self {
        let asked_for = AskedFor::of(&parts.memory.state);
        Self {
            key_id: KeyId::of(&parts.signing.public_key()),
            log: parts.log,
            memory: parts.memory,
            rules: parts.rules,
            origin: parts.origin,
            ring: parts.ring,
            signing: parts.signing,
            clock: parts.clock,
            recent: Recent::default(),
            watch: Watch::default(),
            vault: Vault::default(),
            effects: parts.effects,
            lookup: parts.lookup,
            errands: FuturesUnordered::new(),
            look_ups: LookUps::default(),
            snapshots: Snapshots::new(parts.snapshots),
            asked_for,
            metrics: parts.metrics,
            group_len_max: parts.group_len_max.max(1),
            group_bytes_max: parts.group_bytes_max,
            room_low_bytes: parts.room_low_bytes,
            budget: Budget::default(),
            room_low: None,
            unlooked_bytes: 0,
            carried: None,
        }
    }

    /// Runs until `stop`, or its sender, is gone; then takes in what is queued, waits until it is durable, and acts on
    /// it. `instance` is this life of the program.
    pub async fn run(
        mut self,
        instance: BootId,
        mut queue: mpsc::Receiver<Job>,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), PipelineError> {
        let mut in_flight = InFlight::new();
        let software = env!("CARGO_PKG_VERSION").to_owned();
        self.own(Input::Started { software, instance }, &mut in_flight)?;
        self.settle_lookup_keys(&mut in_flight)?;
        self.look_at_room(&mut in_flight)?;
        let mut told = None;
        let mut lookup_look = tokio::time::Instant::now() + own::LOOKUP_LOOK;
        let mut room_look = tokio::time::Instant::now() + self.room_pause();
        loop {
            self.look_at_epoch();
            let free = in_flight.len() < GROUPS_IN_FLIGHT_MAX && !self.snapshots.is_taking();
            let deadline = self.deadline(told);
            // What is durable first; then what comes by the clock, which no flood of messages may hold up.
            let wake = tokio::select! {
                biased;
                durable = in_flight.next(), if !in_flight.is_empty() => Wake::Durable(durable),
                _ = &mut stop => Wake::Stop,
                taken = self.snapshots.taken(), if self.snapshots.is_taking() =>
                    Wake::Snapshot(taken),
                () = tokio::time::sleep_until(deadline.unwrap_or(room_look)),
                    if free && deadline.is_some() => Wake::Deadline,
                finding = self.errands.next(), if free && !self.errands.is_empty() =>
                    Wake::Errand(finding),
                looked = self.look_ups.next(), if free && !self.look_ups.is_empty() =>
                    Wake::LookedUp(looked),
                () = tokio::time::sleep_until(room_look), if free => Wake::RoomLook,
                job = take(&mut self.carried, &mut queue), if free => Wake::Job(job),
            };
            match wake {
                Wake::Durable(durable) => {
                    self.act(durable)?;
                    room_look = self.room_look_after_group(room_look);
                }
                Wake::Job(Some(job)) => self.group(job, &mut queue, &mut in_flight)?,
                Wake::Errand(Some(finding)) => self.found(finding, &mut in_flight)?,
                Wake::Errand(None) | Wake::LookedUp(None) => {}
                Wake::LookedUp(Some(looked)) => self.looked_up(looked, &mut in_flight)?,
                Wake::Snapshot(taken) => self.snapshot_taken(taken, &mut in_flight)?,
                Wake::Deadline => {
                    told = Some(tokio::time::Instant::now());
                    self.tick(&mut in_flight)?;
                }
                Wake::RoomLook => {
                    self.look_at_room(&mut in_flight)?;
                    room_look = tokio::time::Instant::now() + self.room_pause();
                    if lookup_look <= tokio::time::Instant::now() {
                        lookup_look = tokio::time::Instant::now() + own::LOOKUP_LOOK;
                        self.look_at_lookup_keys(&mut in_flight);
                    }
                }
                Wake::Job(None) | Wake::Stop => break,
            }
        }
        queue.close();
        while let Some(job) = take(&mut self.carried, &mut queue).await {
            self.group(job, &mut queue, &mut in_flight)?;
        }
        while let Some(looked) = self.look_ups.next().await {
            self.looked_up(looked, &mut in_flight)?;
        }
        while !in_flight.is_empty() {
            let durable = in_flight.next().await;
            self.act(durable)?;
        }
        Ok(())
    }

    /// When the rules next want to be asked; a deadline that was told a moment ago and is still there waits a little.
    fn deadline(&self, told: Option<tokio::time::Instant>) -> Option<tokio::time::Instant> {
        let (now, state) = (self.clock.now(), &self.memory.state);
        let left_ms = [
            next_deadline(state, &now).map(|deadline| deadline.left_ms(&now)),
            maintenance_left_ms(state, &now),
            payments_left_ms(state, &now),
            tickets_left_ms(state, &now),
            papers_left_ms(state, &now),
            self.watch.left_ms(state, &self.rules, &now),
            self.effects.prompts_left_ms(&now),
        ];
        let left_ms = left_ms.into_iter().flatten().min()?;
        let at = tokio::time::Instant::now() + Duration::from_millis(left_ms);
        Some(told.map_or(at, |told| at.max(told + STUCK_DEADLINE_PAUSE)))
    }

    /// A group that begins where the log ends, under the key that is in force.
    fn gathering(&self) -> Gathering {
        Gathering::new(
            self.log.next_index(),
            self.signing.clone(),
            self.clock.now(),
        )
    }

    /// A group: this job and what is queued behind it, up to the limits. It never waits for more.
    fn group(
        &mut self,
        first: Job,
        queue: &mut mpsc::Receiver<Job>,
        in_flight: &mut InFlight,
    ) -> Result<(), PipelineError> {
        let mut group = self.gathering();
        self.take_in(first, &mut group)?;
        while group.taken() < self.group_len_max && !group.is_closed() {
            let Ok(job) = queue.try_recv() else { break };
            if job.stands_alone() {
                self.carried = Some(job);
                break;
            }
            self.take_in(job, &mut group)?;
        }
        self.metrics
            .queue_length
            .set(i64::try_from(queue.len()).unwrap_or(i64::MAX));
        self.close(group, in_flight);
        Ok(())
    }

    /// An input of the gateway's own, as a group of its own.
    fn own(&mut self, input: Input, in_flight: &mut InFlight) -> Result<(), PipelineError> {
        let mut group = self.gathering();
        self.take_own(&input, &mut group)?;
        self.close(group, in_flight);
        Ok(())
    }

    /// Hands the group to the log, with snapshots of what it owes the world.
    fn close(&mut self, group: Gathering, in_flight: &mut InFlight) {
        self.unlooked_bytes = self.unlooked_bytes.saturating_add(group.bytes());
        let mut parts = group.finish(&self.memory.state, &self.rules);
        let over = self.asked_for.over(&self.memory.state, &self.clock.now());
        if let Some(last) = parts.last_mut() {
            last.value.over_at_window.extend(over);
        }
        for part in parts {
            let appended = self.log.append(part);
            let began = Instant::now();
            in_flight
                .push_back(async move { appended.await.map(|durable| (durable, began)) }.boxed());
        }
    }

    fn act(
        &mut self,
        durable: Option<Result<(Durable<Outbox>, Instant), AppendError>>,
    ) -> Result<(), PipelineError> {
        let Some(durable) = durable else {
            return Ok(());
        };
        let (durable, began) = durable?;
        self.metrics.appended(began.elapsed());
        self.metrics
            .log_size
            .set(i64::try_from(self.log.size()).unwrap_or(i64::MAX));
        let now = self.clock.now();
        let rotated = self.effects.act(durable, &self.log, &self.vault, &now);
        self.errands.extend(self.effects.errands());
        if let Some(rotated) = rotated {
            self.complete_rotation(rotated);
        }
        Ok(())
    }
}

/// The job that was carried over, else the next one of the queue.
async fn take(carried: &mut Option<Job>, queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
    match carried.take() {
        Some(job) => Some(job),
        None => queue.recv().await,
    }
}

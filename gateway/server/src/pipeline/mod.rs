//! The loop: steps 4 to 8 of the way of one message (architecture.md), in one task with one owner of the state.
//!
//! Gather a group, decide, seal, evolve, append, and when the log says that the group is durable, act. While a flush runs the
//! next group gathers. The state runs ahead of the disk by the groups under way, so nothing that shows it may
//! leave before its group is durable: acknowledgements, receipts, commands and prompts are snapshots that travel with
//! their group and come back as a `Durable`. If an append fails the loop ends with the error; nothing of the group has
//! left, and the process must end with it.

mod group;
mod recent;
mod replay;
mod step;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use gateway_core::{Input, Request, Rules, State, next_deadline};
use gateway_log::{AppendError, Durable, Log};
use schemas::envelope::{KeyId, Origin};
use schemas::ids::{BootId, DeviceId, MessageId};
use schemas::message::command::FingerTemplate;
use tokio::sync::{mpsc, oneshot};
use tokio_util_free::CancelFlag;

use crate::blobs::BlobDesk;
use crate::clock::Clock;
use crate::effects::{Effects, Outbox};
use crate::keys::{LookupKeys, SigningKey};
use crate::metrics::Metrics;
use crate::operators::{Attempts, PinCheck};
use crate::remembered::Remembered;
use crate::vault::Vault;
use group::Gathering;
use recent::Recent;

pub use replay::{Replay, ReplayError, Replayed};

/// Groups that may be under way at once: one being flushed, one that waits for the committer.
const GROUPS_IN_FLIGHT_MAX: usize = 2;
/// A deadline that stays due although it was told is asked again only after this.
const STUCK_DEADLINE_PAUSE: Duration = Duration::from_secs(1);

/// What enters the loop from a device.
#[derive(Debug)]
pub enum Job {
    /// To be decided and recorded.
    Command(Command),
    /// A kiosk wants its prompt again; nothing is recorded.
    ShowSession {
        /// The kiosk.
        device: DeviceId,
        /// The request.
        id: MessageId,
        /// Told when it was shown.
        done: oneshot::Sender<Answer>,
    },
}

/// A message of a device.
#[derive(Debug)]
pub struct Command {
    /// Who sent it.
    pub device: DeviceId,
    /// Its id and digest; none for states, which carry no id.
    pub message: Option<MessageKey>,
    /// What it says.
    pub personal: Personal,
    /// When it came.
    pub received: Instant,
    /// Told when what became of it is durable.
    pub done: oneshot::Sender<Answer>,
}

/// What a message says, with what must not reach the rules beside it.
#[derive(Debug)]
pub enum Personal {
    /// Nothing personal.
    Input(Input),
    /// A chip was read: its templates.
    ChipRead(Input, Vec<FingerTemplate>),
    /// An operator asks: whether the PIN fits.
    Operated(Operated),
}

/// An operator's request with the outcome of the comparison.
#[derive(Debug)]
pub struct Operated {
    /// Whether the PIN fits.
    pub check: PinCheck,
    /// Until when the request is wanted.
    pub deadline_ms: u64,
    /// The level after `request/`.
    pub name: String,
    /// What is asked for.
    pub request: Request,
}

/// By what a repetition of a message is known.
#[derive(Debug)]
pub struct MessageKey {
    /// The sender's id for it.
    pub id: MessageId,
    /// Keyed digest of topic and payload.
    pub digest: [u8; 16],
    /// The topic, to compare with a digest of an older key.
    pub topic: Arc<str>,
    /// The payload, for the same. Wiped never, dropped with the command: it is what the broker holds too.
    pub payload: Bytes,
}

/// What the sender is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Durable, or nothing to make durable.
    Done,
    /// The same id came before with other content; not recorded.
    IdReused,
    /// It cannot be recorded.
    Failed,
}

/// What the loop is made of.
#[derive(Debug)]
pub struct Parts {
    /// The log, replayed.
    pub log: Log,
    /// What the replay made.
    pub replayed: Replayed,
    /// The rules in force.
    pub rules: Rules,
    /// Name of the log.
    pub origin: Origin,
    /// Signs events.
    pub signing: SigningKey,
    /// Compares digests.
    pub lookup: LookupKeys,
    /// Reads clocks.
    pub clock: Arc<Clock>,
    /// Photos that wait to be named.
    pub blobs: BlobDesk,
    /// Acts on what is durable.
    pub effects: Effects,
    /// Figures.
    pub metrics: Metrics,
    /// Messages in one group at most.
    pub group_len_max: usize,
}

/// Why the loop ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The log could not make a group durable.
    #[error("the log could not make events durable, so the gateway ends; what was acknowledged is in the log")]
    Append(#[from] AppendError),
    /// The log could not be read.
    #[error("the log could not be read")]
    Log(#[from] gateway_log::LogFailed),
    /// What the gateway itself has to record cannot be recorded.
    #[error("an event of the gateway's own cannot be sealed")]
    Seal(#[source] schemas::envelope::EnvelopeError),
}

/// The loop's state.
#[derive(Debug)]
pub struct Pipeline {
    log: Log,
    state: State,
    rules: Rules,
    origin: Origin,
    signing: SigningKey,
    key_id: KeyId,
    lookup: LookupKeys,
    clock: Arc<Clock>,
    remembered: Remembered,
    recent: Recent,
    attempts: Attempts,
    vault: Vault,
    blobs: BlobDesk,
    effects: Effects,
    metrics: Metrics,
    group_len_max: usize,
    /// Taken from the queue but too large for the group before it.
    carried: VecDeque<Job>,
}

type InFlight = FuturesOrdered<BoxFuture<'static, Result<(Durable<Outbox>, Instant), AppendError>>>;

/// Room as the loop is told of it.
pub type RoomNews = tokio::sync::watch::Receiver<bool>;

impl Pipeline {
    /// From its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { log, replayed, rules, origin, signing, lookup, .. } = &parts;
        tracing::debug!(events = replayed.events, "state rebuilt");
        Self {
            key_id: KeyId::of(&signing.public_key()),
            log: log.clone(),
            rules: rules.clone(),
            origin: origin.clone(),
            signing: signing.clone(),
            lookup: lookup.clone(),
            state: parts.replayed.state,
            clock: parts.clock,
            remembered: parts.replayed.remembered,
            recent: Recent::default(),
            attempts: parts.replayed.attempts,
            vault: Vault::default(),
            blobs: parts.blobs,
            effects: parts.effects,
            metrics: parts.metrics,
            group_len_max: parts.group_len_max,
            carried: VecDeque::new(),
        }
    }
}

//! Look-ups in epochs that are closed: each may copy its epoch whole, so that they are made off the runtime, one after the other, while the
//! loop goes on. What waits for one is decided when it is back, by the state of that moment.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use gateway_log::{Log, LogFailed};
use schemas::envelope;
use schemas::ids::{DeviceId, MessageId, SessionId};
use tokio::sync::{Semaphore, oneshot};

use super::group::Gathering;
use super::job::{Answer, Command};
use super::recent::Known;
use super::{InFlight, Pipeline, PipelineError};
use crate::effects::{Ack, EraseAnswer, index_of, session_of};

/// What may wait at once; a sender beyond that brings its message again.
const WAITING_MAX: usize = 256;

/// Look-ups under way.
#[derive(Debug)]
pub(super) struct LookUps {
    turn: Arc<Semaphore>,
    under_way: FuturesUnordered<BoxFuture<'static, LookedUp>>,
}

/// What was looked up, and for whom.
#[derive(Debug)]
pub(super) enum LookedUp {
    /// The record of a message's first copy.
    Message {
        /// The copy that came now.
        command: Box<Command>,
        /// Where the record was looked for.
        index: u64,
        /// The record, if it is this message's.
        known: anyhow::Result<Option<Known>>,
    },
    /// Whether the log has a session that shall be erased.
    Erase {
        /// The session.
        session: SessionId,
        /// Whether a key of it lies here.
        has_keys: bool,
        /// Who waits.
        done: oneshot::Sender<EraseAnswer>,
        /// Whether it has.
        known: anyhow::Result<bool>,
    },
}

/// Where a message's first copy is recorded.
pub(super) enum FirstCopy {
    Nowhere,
    Known(Known),
    /// In a closed epoch, if at all: to be looked up at this index.
    Closed(u64),
}

impl Default for LookUps {
    fn default() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            under_way: FuturesUnordered::new(),
        }
    }
}

impl LookUps {
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.under_way.len() >= WAITING_MAX
    }

    /// The next one that is done; none where none is under way.
    pub(super) async fn next(&mut self) -> Option<LookedUp> {
        self.under_way.next().await
    }

    /// Looks for the record of this message's first copy at `index`.
    pub(super) fn message(&self, log: &Log, command: Box<Command>, id: MessageId, index: u64) {
        let (log, device) = (log.clone(), command.device.clone());
        let turn = Arc::clone(&self.turn);
        let looked = look(turn, move || known_at(&log, index, &device, &id));
        let waiting = looked.map(move |known| LookedUp::Message {
            command,
            index,
            known,
        });
        self.under_way.push(waiting.boxed());
    }

    /// Looks whether the log has a session.
    pub(super) fn session(
        &self,
        log: &Log,
        session: SessionId,
        has_keys: bool,
        done: oneshot::Sender<EraseAnswer>,
    ) {
        let (log, of) = (log.clone(), session.clone());
        let looked = look(Arc::clone(&self.turn), move || knows(&log, &of));
        let waiting = looked.map(move |known| LookedUp::Erase {
            session,
            has_keys,
            done,
            known,
        });
        self.under_way.push(waiting.boxed());
    }
}

impl Pipeline {
    /// The record of a message's first copy, if it was recorded. Only the newest epoch is read here: a closed one is copied for that.
    pub(super) fn known(
        &self,
        device: &DeviceId,
        id: &MessageId,
    ) -> Result<FirstCopy, PipelineError> {
        if let Some(known) = self.recent.find(device, id) {
            return Ok(FirstCopy::Known(known.clone()));
        }
        let Some(index) = self.memory.remembered.find(device, id) else {
            return Ok(FirstCopy::Nowhere);
        };
        if self
            .log
            .epochs()
            .last()
            .is_some_and(|newest| index < *newest)
        {
            return Ok(FirstCopy::Closed(index));
        }
        let known = known_at(&self.log, index, device, id)?;
        Ok(known.map_or(FirstCopy::Nowhere, FirstCopy::Known))
    }

    /// What was looked up in a closed epoch is there: what waited for it is taken in, as a group of its own.
    pub(super) fn looked_up(
        &mut self,
        looked: LookedUp,
        in_flight: &mut InFlight,
    ) -> Result<(), PipelineError> {
        let mut group = self.gathering();
        match looked {
            LookedUp::Message {
                command,
                index,
                known,
            } => self.take_looked_up(command, index, known, &mut group)?,
            LookedUp::Erase {
                session,
                has_keys,
                done,
                known,
            } => self.erase(session, has_keys, known, done, &mut group)?,
        }
        self.close(group, in_flight);
        Ok(())
    }

    /// A message whose first copy was looked for in a closed epoch.
    fn take_looked_up(
        &mut self,
        command: Box<Command>,
        index: u64,
        known: anyhow::Result<Option<Known>>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                let device = &command.device;
                tracing::error!(%device, error = format!("{error:#}"), "whether a message came before cannot be read; it was refused");
                not_taken(*command, group);
                return Ok(());
            }
        };
        let still = command.message.as_ref().is_some_and(|key| {
            self.recent.find(&command.device, &key.id).is_none()
                && self.memory.remembered.find(&command.device, &key.id) == Some(index)
        });
        if !still {
            // Another copy was taken meanwhile.
            return self.take_command(command, group);
        }
        self.take_known(*command, known, group);
        Ok(())
    }
}

/// Off the runtime, when it is its turn.
async fn look<T: Send + 'static>(
    turn: Arc<Semaphore>,
    look: impl FnOnce() -> Result<T, LogFailed> + Send + 'static,
) -> anyhow::Result<T> {
    let _turn = turn.acquire_owned().await?;
    Ok(panics::off_runtime(look).await??)
}

/// The record at `index`, if it is that of this message. Reads the disk.
fn known_at(
    log: &Log,
    index: u64,
    device: &DeviceId,
    id: &MessageId,
) -> Result<Option<Known>, LogFailed> {
    let Some(stored) = log.read(index..index.saturating_add(1)).next() else {
        return Ok(None);
    };
    let (_, signed) = match stored {
        // So long ago that it may come again as a new one.
        Err(LogFailed::Pruned { .. }) => return Ok(None),
        stored => stored?,
    };
    let cause = envelope::read(&signed)
        .ok()
        .and_then(|entry| entry.meta.cause);
    // The index is by a hash; the record decides.
    let same = cause.filter(|cause| cause.sender == *device && cause.message_id == *id);
    Ok(same.map(|cause| Known::of(index, &cause)))
}

/// Whether this log has the session: the event that its name points at opened it. Reads the disk.
fn knows(log: &Log, session: &SessionId) -> Result<bool, LogFailed> {
    let Some(index) = index_of(session).filter(|index| *index < log.size()) else {
        return Ok(false);
    };
    let Some(stored) = log.read(index..index.saturating_add(1)).next() else {
        return Ok(false);
    };
    let (_, signed) = match stored {
        // What it was can only be asked of the centre, which holds what is personal of it, if anybody does.
        Err(LogFailed::Pruned { .. }) => return Ok(true),
        stored => stored?,
    };
    let entry = envelope::read(&signed).ok();
    Ok(entry.is_some_and(|entry| session_of(&entry.event) == Some(session)))
}

/// It cannot be said whether a message came before. Nothing was recorded or changed, and its sender brings it again.
pub(super) fn not_taken(command: Command, group: &mut Gathering) {
    group.ack(Ack {
        label: "failed",
        answer: Answer::Failed,
        done: Some(command.done),
        ..Ack::own(command.received)
    });
}

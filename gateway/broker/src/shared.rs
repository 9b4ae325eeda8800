//! What every connection's task holds: limits, handler, writer, clock, and the locked state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use crate::config::Limits;
use crate::counters::Counters;
use crate::handler::Handler;
use crate::state::{Context, State};
use crate::writer::{Op, Writer, Written};

/// Shared by all tasks of a broker.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) counters: Counters,
    pub(crate) clock: Clock,
    /// True once the broker is shutting down.
    pub(crate) stopping: watch::Sender<bool>,
    /// A timer was added that may be the earliest.
    pub(crate) timers_changed: Notify,
    /// One permit per connection that may be served.
    pub(crate) places: Arc<Semaphore>,
    /// A few more, for connections that are only told that the broker is busy.
    pub(crate) refusals: Arc<Semaphore>,
    writer: Writer,
    state: Mutex<State>,
    /// Held while sessions are let go or taken up and the wills of that are handed to the handler. Taken before the
    /// state's lock, never within it.
    wills: Mutex<()>,
}

/// Sockets over `connections_max` that are answered rather than closed.
const REFUSALS_AT_ONCE: usize = 1_024;

impl Shared {
    pub(crate) fn new(
        limits: Limits,
        handler: Arc<dyn Handler>,
        writer: Writer,
        clock: Clock,
        state: State,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections_max));
        Self {
            limits,
            handler,
            counters: Counters::default(),
            clock,
            stopping: watch::Sender::new(false),
            timers_changed: Notify::new(),
            places,
            refusals: Arc::new(Semaphore::new(REFUSALS_AT_ONCE)),
            writer,
            state: Mutex::new(state),
            wills: Mutex::new(()),
        }
    }

    /// Looks at the state.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The turn to let sessions go or take them up.
    pub(crate) fn wills_in_turn(&self) -> MutexGuard<'_, ()> {
        self.wills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and queues what the change wants written before anyone else can change it.
    pub(crate) fn change<R>(
        &self,
        change: impl FnOnce(&mut State, Context<'_>, &mut Vec<Op>) -> R,
    ) -> (R, Option<Written>) {
        let mut ops = Vec::new();
        let mut state = self.state();
        let result = change(&mut state, self.context(), &mut ops);
        let written = self.writer.write(ops);
        drop(state);
        (result, written)
    }

    /// Resolves when everything queued for the store so far is written.
    pub(crate) fn flush(&self) -> Written {
        self.writer.flush()
    }

    fn context(&self) -> Context<'_> {
        Context {
            limits: &self.limits,
            handler: &*self.handler,
            counters: &self.counters,
            now_ms: self.clock.now_ms(),
        }
    }
}

/// Milliseconds since 1970 that never step back or jump while the broker runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    wall_ms: u64,
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall_ms: u64::try_from(since.as_millis()).unwrap_or(0),
            started: Instant::now(),
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.wall_ms.saturating_add(elapsed)
    }

    /// The instant of a time of this clock.
    pub(crate) fn instant(&self, at_ms: u64) -> Instant {
        self.started + std::time::Duration::from_millis(at_ms.saturating_sub(self.wall_ms))
    }
}

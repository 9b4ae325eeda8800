//! The log goes up. Ask the stream for its tail, go on from there; after every error ask again.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gateway_log::Log;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::chunk::{self, Chunk, ChunkLimits, Unreadable};
use crate::fork::{Fork, Refusal, Short, judge};
use crate::standing::Board;
use crate::{LinkFault, LinkFigures, LinkStanding, Pace, Store, StoreError, Stores};

/// How long until the link may be used, in ms; none: now.
pub type RestMs = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// How the log goes up.
#[derive(Clone)]
pub struct UplinkOptions {
    /// The log's stream.
    pub stream: String,
    /// Size of an append.
    pub limits: ChunkLimits,
    /// How much of the link may be used.
    pub pace: Pace,
    /// How long until the link may be used, in ms; none: now.
    pub rest_ms: RestMs,
    /// So many events the centre has acknowledged: a stream with fewer is not gone on with.
    pub acknowledged: watch::Receiver<u64>,
    /// How often the link is looked at while nothing is to be sent.
    pub look_every: Duration,
    /// A random number, so that stations do not try again in step.
    pub chance: fn() -> u32,
}

impl std::fmt::Debug for UplinkOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UplinkOptions")
            .field("stream", &self.stream)
            .field("limits", &self.limits)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// Carries the log.
#[derive(Debug)]
pub struct Uplink<S> {
    log: Log,
    stores: Arc<S>,
    options: UplinkOptions,
    board: Board,
}

/// Why a connection is given up.
#[derive(Debug)]
enum End {
    Fork(Fork),
    Short(Short),
    Store(StoreError),
    Log(Unreadable),
    /// Outside its hours.
    Rest,
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fork(fork) => Self::Fork(fork),
            Refusal::Short(short) => Self::Short(short),
        }
    }
}

impl From<Unreadable> for End {
    fn from(error: Unreadable) -> Self {
        Self::Log(error)
    }
}

/// A connection whose place in the stream is known.
struct Carrying<St> {
    store: Arc<St>,
    next: u64,
    limits: ChunkLimits,
}

impl<S: Stores> Uplink<S> {
    /// Of this log, over these connections.
    pub fn new(log: Log, stores: Arc<S>, options: UplinkOptions) -> Self {
        Self {
            log,
            stores,
            options,
            board: Board::new(),
        }
    }

    /// How the link stands.
    pub fn figures(&self) -> watch::Receiver<LinkFigures> {
        self.board.watch()
    }

    /// Carries nothing: the centre's copy contradicted this log before.
    pub fn halt(self) {
        self.board.stands(LinkStanding::Forked);
    }

    /// Carries until the centre's copy contradicts the log, by its stream or by what it `told`; the answer says how. May be dropped
    /// at any moment: what was sent is in the stream or not.
    pub async fn run(self, told: impl Future<Output = Fork>) -> Fork {
        let fork = tokio::select! {
            biased;
            fork = told => fork,
            fork = self.carry_on() => fork,
        };
        self.board.stands(LinkStanding::Forked);
        fork
    }

    async fn carry_on(&self) -> Fork {
        let mut backoff = Backoff::new();
        loop {
            self.rest().await;
            let (fault, error) = match self.carry(&mut backoff).await {
                Ok(never) => match never {},
                Err(End::Rest) => continue,
                Err(End::Fork(fork)) => return fork,
                Err(End::Short(short)) => {
                    self.board.sent(short.has, 0);
                    (LinkFault::StreamShort, short.to_string())
                }
                Err(End::Store(error)) => (self.fault(&error).await, error.to_string()),
                Err(End::Log(error)) => {
                    tracing::error!(%error, "the log cannot be carried to the centre");
                    let error = StoreError::Failed(error.to_string());
                    (self.fault(&error).await, error.to_string())
                }
            };
            tracing::debug!(
                error,
                fault = fault.word(),
                "the link to the centre does not carry"
            );
            self.board.stands(LinkStanding::Down(fault));
            tokio::time::sleep(backoff.next((self.options.chance)())).await;
        }
    }

    /// Waits for the hours in which the link may be used.
    async fn rest(&self) {
        while let Some(wait_ms) = self.wait_ms() {
            self.board.stands(LinkStanding::Resting);
            // The wall clock may be set meanwhile.
            tokio::time::sleep(Duration::from_millis(wait_ms.min(60_000))).await;
        }
    }

    fn wait_ms(&self) -> Option<u64> {
        (self.options.rest_ms)()
    }

    async fn fault(&self, error: &StoreError) -> LinkFault {
        match error {
            StoreError::Denied => LinkFault::Denied,
            StoreError::Deleted => LinkFault::Deleted,
            StoreError::NotLeader => LinkFault::LeaderChange,
            StoreError::Overloaded => LinkFault::Overloaded,
            StoreError::WrongVersion | StoreError::TooLarge => LinkFault::Failed,
            StoreError::Timeout(_) => self.stores.diagnose().await.unwrap_or(LinkFault::NoAnswer),
            StoreError::NoConnection(_) => {
                self.stores.diagnose().await.unwrap_or(LinkFault::Broken)
            }
            StoreError::Failed(_) => self.stores.diagnose().await.unwrap_or(LinkFault::Failed),
        }
    }

    /// One connection, for as long as it holds.
    async fn carry(&self, backoff: &mut Backoff) -> Result<Infallible, End> {
        let store = Arc::new(self.stores.connect()?);
        let next = self.place(&*store).await?;
        self.board.connected();
        self.board.sent(next, 0);
        let limits = ChunkLimits {
            bytes_max: self.options.pace.chunk_bytes(self.options.limits.bytes_max),
            ..self.options.limits
        };
        let mut carrying = Carrying {
            store,
            next,
            limits,
        };
        let mut ready = self.prepare(next, limits).await?;
        loop {
            if self.wait_ms().is_some() {
                return Err(End::Rest);
            }
            ready = if ready.records.is_empty() {
                backoff.reset();
                self.wait(&mut carrying).await?;
                self.prepare(carrying.next, carrying.limits).await?
            } else {
                self.send(&mut carrying, ready, backoff).await?
            };
        }
    }

    /// Where the stream ends, if it ends as the log has it and has what the centre acknowledged.
    async fn place(&self, store: &S::Store) -> Result<u64, End> {
        let tail = store.tail(&self.options.stream).await?;
        let log = self.log.clone();
        let acknowledged = *self.options.acknowledged.borrow();
        let judged = off_loop(move || judge(&log, tail, acknowledged)).await??;
        judged.map_err(End::from)
    }

    /// Until there is more to send, or the link was looked at.
    async fn wait(&self, carrying: &mut Carrying<S::Store>) -> Result<(), End> {
        self.board.stands(LinkStanding::Current);
        let mut heads = self.log.heads();
        let look = Instant::now() + self.options.look_every;
        while heads.borrow_and_update().checkpoint.size <= carrying.next {
            tokio::select! {
                changed = heads.changed() => {
                    if changed.is_err() {
                        // The log is being closed.
                        std::future::pending::<()>().await;
                    }
                }
                () = tokio::time::sleep_until(look) => {
                    carrying.next = self.place(&carrying.store).await?;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends a chunk while the next one is read; answers the next one.
    async fn send(
        &self,
        carrying: &mut Carrying<S::Store>,
        chunk: Chunk,
        backoff: &mut Backoff,
    ) -> Result<Chunk, End> {
        if self.log.head().checkpoint.size > chunk.end() {
            self.board.stands(LinkStanding::Draining);
        }
        let (end, bytes, began) = (chunk.end(), chunk.bytes, Instant::now());
        let expected = chunk.from.checked_sub(1);
        let deadline = self.options.pace.deadline(bytes);
        let stream = &self.options.stream;
        let sent = carrying
            .store
            .append(stream, expected, chunk.records, deadline);
        let (sent, ready) = tokio::join!(sent, self.prepare(end, carrying.limits));
        match sent {
            Ok(()) => {
                backoff.reset();
                carrying.next = end;
                self.board.sent(end, bytes);
                let pause = self.options.pace.time_for(bytes);
                tokio::time::sleep_until(began + pause).await;
                ready.map_err(End::Log)
            }
            Err(StoreError::TooLarge) => {
                let halved = carrying.limits.halved();
                carrying.limits = halved.ok_or(StoreError::TooLarge)?;
                Ok(self.prepare(carrying.next, carrying.limits).await?)
            }
            Err(StoreError::WrongVersion) => {
                // Never mended by skipping: the tail says what is there, and it must be ours.
                let next = self.place(&carrying.store).await?;
                if next == carrying.next {
                    return Err(StoreError::WrongVersion.into());
                }
                carrying.next = next;
                Ok(self.prepare(next, carrying.limits).await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn prepare(&self, from: u64, limits: ChunkLimits) -> Result<Chunk, Unreadable> {
        let log = self.log.clone();
        off_loop(move || chunk::next(&log, from, limits))
            .await
            .unwrap_or_else(|_cancelled| Ok(Chunk::default()))
    }
}

/// Runs what reads the disk beside the runtime's own threads.
pub(crate) async fn off_loop<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = panics::off_runtime(work).await;
    done.map_err(|error| StoreError::Failed(error.to_string()))
}

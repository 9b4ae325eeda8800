//! Carries what is to go up: looks for it in the log, waits its turn, sends, keeps what is up.

use std::time::Duration;

use futures_util::future::join_all;
use gateway_log::Log;
use gateway_sync::{Backoff, LinkFault, LinkFigures, LinkStanding, Pace, RestMs};
use tokio::sync::watch;
use tokio::time::Instant;

use super::again::Again;
use super::fault::{Fault, off_loop};
use super::held::Held;
use super::place::Place;
use super::queue::{Item, Queue, Waiting};
use super::sender::{Sender, Sent};
use super::standing::{Board, StoreStanding};
use super::transfer::Transfer;
use super::{looking, mark};
use crate::blobs::BlobStore;
use crate::metrics::Metrics;
use crate::sealing::SealingDesk;

/// Things that go up at once, where the link is not to be spared.
const AT_ONCE: usize = 16;
/// Events looked through at once.
const LOOK_LEN: u64 = 4_096;
/// How often the log is looked at while nothing wakes it.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// A session's end is in the log a moment before its key is wiped.
const ENDING_PAUSE: Duration = Duration::from_secs(1);
/// So many things go up before it is kept that they are.
const KEEP_EVERY: u32 = 64;
/// So many events are looked through before that is kept, where nothing went up.
const KEEP_LEN: u64 = 4_096;

/// What it is made of.
pub(in crate::centre) struct CarrierParts {
    /// The log that names what goes up.
    pub(in crate::centre) log: Log,
    /// Sealed blobs.
    pub(in crate::centre) blobs: BlobStore,
    /// Sealed session keys.
    pub(in crate::centre) sealing: SealingDesk,
    /// What the centre asked for.
    pub(in crate::centre) again: Again,
    /// Where it all goes.
    pub(in crate::centre) place: Place,
    /// How much of the link may be used.
    pub(in crate::centre) pace: Pace,
    /// How long until the link may be used, in ms; none: now.
    pub(in crate::centre) rest_ms: RestMs,
    /// How the uplink stands: events go first.
    pub(in crate::centre) uplink: watch::Receiver<LinkFigures>,
    /// So many events the centre has acknowledged.
    pub(in crate::centre) acknowledged: watch::Receiver<u64>,
    /// Figures.
    pub(in crate::centre) metrics: Metrics,
    /// A random number, so that stations do not try again in step.
    pub(in crate::centre) chance: fn() -> u32,
}

/// Carries blobs and keys.
pub(in crate::centre) struct Carrier {
    parts: CarrierParts,
    sender: Sender,
    board: Board,
    backoff: Backoff,
    queue: Queue,
    held: Held,
    at_once: usize,
    /// What is kept durably of [`Queue::up_to`].
    kept: Option<u64>,
    unkept: u32,
}

impl Carrier {
    pub(in crate::centre) fn new(parts: CarrierParts) -> Self {
        // At a pace, one after the other, so that the link is never taken for longer than one of them lasts.
        let at_once = parts.pace.bytes_per_s.map_or(AT_ONCE, |_| 1);
        Self {
            sender: Sender {
                blobs: parts.blobs.clone(),
                sealing: parts.sealing.clone(),
                transfer: Transfer::new(parts.place.clone(), parts.pace, at_once),
            },
            board: Board::new(parts.metrics.clone()),
            backoff: Backoff::new(),
            queue: Queue::default(),
            held: Held::default(),
            at_once,
            kept: None,
            unkept: 0,
            parts,
        }
    }

    /// Carries for ever. May be dropped at any moment: what was sent is there or not, and is looked for.
    pub(in crate::centre) async fn run(mut self) {
        while let Err(fault) = self.begin().await {
            self.failed(&fault).await;
        }
        loop {
            if let Err(fault) = self.round().await {
                self.failed(&fault).await;
            }
        }
    }

    async fn failed(&mut self, fault: &Fault) {
        tracing::debug!(%fault, "blobs do not reach the centre");
        self.board.stands(fault.standing());
        let pause = self.backoff.next((self.parts.chance)());
        tokio::time::sleep(pause).await;
    }

    /// Where it was left. Where that is not known and events were pruned, nothing says any more what they named: all that is here goes up.
    async fn begin(&mut self) -> Result<(), Fault> {
        let (first, size) = (self.parts.log.first_index(), self.parts.log.size());
        let log = self.parts.log.clone();
        self.kept = off_loop(move || mark::up_to(&log)).await??;
        let from = self.kept.unwrap_or(0);
        let (blobs, sealing) = (self.parts.blobs.clone(), self.parts.sealing.clone());
        let found = off_loop(move || {
            if from < first {
                looking::all_that_is_here(&blobs, &sealing, from, size)
            } else {
                looking::keys_on_their_way(&sealing, size)
            }
        });
        let mut queue = Queue::from(from.max(first));
        for waiting in found.await?? {
            queue.push(waiting);
        }
        self.queue = queue;
        Ok(())
    }

    async fn round(&mut self) -> Result<(), Fault> {
        let released = self.release().await;
        let is_behind = self.look().await?;
        self.show();
        let load = self.load();
        if !load.is_empty() {
            self.turn().await;
            return self.send(load).await.and(released);
        }
        released?;
        if !is_behind {
            self.keep().await?;
            self.show();
            self.board.stands(StoreStanding::Current);
            self.backoff.reset();
            self.wait().await;
        }
        Ok(())
    }

    /// Removes the keys that the centre has and of whose sessions it has everything.
    async fn release(&mut self) -> Result<(), Fault> {
        let acknowledged = *self.parts.acknowledged.borrow_and_update();
        while let Some(key) = self.held.ripe(acknowledged) {
            self.sender.release(key).await?;
            self.held.released();
        }
        Ok(())
    }

    /// Looks through the next events. True: there are more.
    async fn look(&mut self) -> Result<bool, Fault> {
        let size = self.parts.log.size();
        let Some(from) = self.queue.next_index() else {
            return Ok(true);
        };
        let end = size.min(from.saturating_add(LOOK_LEN));
        if from < end {
            let log = self.parts.log.clone();
            for (index, event) in off_loop(move || looking::wanted(&log, from, end)).await?? {
                self.queue.follow(index, &event);
            }
            self.queue.looked(end);
        }
        Ok(end < size)
    }

    fn show(&self) {
        let behind = self.parts.log.size().saturating_sub(self.queue.up_to());
        let waiting = self.queue.len() + self.parts.again.len();
        self.board.to_send(waiting, behind);
    }

    /// What goes up next: first what the centre asked for.
    fn load(&self) -> Vec<Waiting> {
        let asked = self.parts.again.next(self.at_once).into_iter();
        let mut load: Vec<Waiting> = asked
            .map(|name| Waiting {
                item: Item::Again(name),
                session: None,
                from: None,
                end: 0,
            })
            .collect();
        load.extend(self.queue.next(self.at_once - load.len()));
        load
    }

    /// Until there may be more to do.
    async fn wait(&mut self) {
        let mut heads = self.parts.log.heads();
        heads.mark_unchanged();
        let looked = self.queue.next_index();
        if looked.is_none_or(|looked| looked < self.parts.log.size()) {
            return;
        }
        // A side that has ended wakes nobody any more.
        tokio::select! {
            Ok(()) = heads.changed() => {}
            Ok(()) = self.parts.acknowledged.changed() => {}
            () = self.parts.again.more() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }

    /// Until blobs may go up: within the link's hours, and while no event waits for it. A link that is down carries none. What leads to
    /// another store than the one that has the log may lead to another place for blobs too.
    async fn turn(&mut self) {
        loop {
            if let Some(wait_ms) = (self.parts.rest_ms)() {
                self.board.stands(StoreStanding::Waiting);
                // The wall clock may be set meanwhile.
                tokio::time::sleep(Duration::from_millis(wait_ms.min(60_000))).await;
                continue;
            }
            let standing = self.parts.uplink.borrow_and_update().standing;
            let is_another = standing == LinkStanding::Down(LinkFault::StreamShort);
            if matches!(standing, LinkStanding::Current | LinkStanding::Down(_)) && !is_another {
                return;
            }
            self.board.stands(StoreStanding::Waiting);
            if self.parts.uplink.changed().await.is_err() {
                // The centre's copy contradicts this log: what is sealed here may be another station's by name.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sends these at once; none of them stands in another's way. Fails with the last fault of them, if any.
    async fn send(&mut self, load: Vec<Waiting>) -> Result<(), Fault> {
        let began = Instant::now();
        let sending = load.iter().map(|waiting| self.sender.send(&waiting.item));
        let outcomes = join_all(sending).await;
        let (mut bytes, mut gone, mut fault) = (0, false, None);
        for (waiting, outcome) in load.into_iter().zip(outcomes) {
            match self.settle(waiting, outcome).await {
                Ok(Some(sent)) => {
                    bytes += sent;
                    gone = true;
                }
                Ok(None) => {}
                Err(failed) => fault = Some(failed),
            }
        }
        self.show();
        if self.unkept >= KEEP_EVERY {
            self.keep().await?;
        }
        if gone {
            self.backoff.reset();
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        if gone {
            self.board.stands(StoreStanding::Sending);
            tokio::time::sleep_until(began + self.parts.pace.time_for(bytes)).await;
        } else {
            tokio::time::sleep(ENDING_PAUSE).await;
        }
        Ok(())
    }

    /// Notes what became of it: how many bytes went over the link; none: it still waits.
    async fn settle(
        &mut self,
        waiting: Waiting,
        outcome: Result<Sent, Fault>,
    ) -> Result<Option<usize>, Fault> {
        let bytes = match outcome {
            Ok(Sent::NotYet) => return Ok(None),
            Ok(Sent::Gone) => 0,
            Ok(Sent::There(bytes)) => {
                if bytes > 0 {
                    self.board.sent(waiting.item.word());
                }
                bytes
            }
            Err(fault) => {
                self.not_sent(&waiting, &fault).await?;
                return Err(fault);
            }
        };
        if let Item::Again(name) = &waiting.item {
            self.parts.again.done(name).await?;
        } else {
            self.queue.done(&waiting);
            self.unkept += 1;
        }
        if let (Item::Key(key), true) = (waiting.item, bytes > 0) {
            self.held.hold(waiting.end, key);
        }
        Ok(Some(bytes))
    }

    /// What cannot be read here must not stand before the others.
    async fn not_sent(&mut self, waiting: &Waiting, fault: &Fault) -> Result<(), Fault> {
        if !matches!(fault, Fault::Here(_)) {
            return Ok(());
        }
        tracing::error!(item = ?waiting.item, %fault, "something that is to go up cannot be read");
        if let Item::Again(name) = &waiting.item {
            // The centre asks again for what it still lacks.
            return self.parts.again.done(name).await;
        }
        self.queue.defer(waiting);
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), Fault> {
        let up_to = self.queue.up_to();
        let beyond = self.kept.map(|kept| up_to.saturating_sub(kept));
        if self.unkept > 0 || beyond.is_none_or(|events| events >= KEEP_LEN) {
            mark::keep(&self.parts.log, up_to).await?;
            self.kept = Some(up_to);
            self.unkept = 0;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carrier")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

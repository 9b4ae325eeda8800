//! The adapter's loop: polls the device, carries commands out, reports what changes. One task, one owner
//! of the Modbus connection.

mod observed;

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use schemas::message::command::{CommandId, MoveCommand, QueryCommand};
use schemas::message::device::Code;
use schemas::words::{DeviceStatus, Motion, MotionResult};
use tokio::sync::watch;

use super::DispenserConfig;
use super::answers::{Moved, answer_query, log_fault, refusal};
use super::codec::Snapshot;
use super::line::{CallError, Line};
use super::moves::{Pending, Step};
use super::schedule::{Job, Schedule};
use super::vitals::{Life, Vitals};
use crate::link::{Command, Inbound, Link, LinkConfig, LinkHandle};

/// Queries that wait for the device to be reachable.
const QUERIES_LEN_MAX: usize = 16;
/// Commands that came while another motion was pending, and wait for the device to be reachable.
const BESIDE_LEN_MAX: usize = 16;
/// Least pause between two polls, so that a device that fails at once is not asked without pause.
const POLL_MS_MIN: u64 = 5;

/// Reads of all devices are timed from this.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(super) async fn run(
    config: DispenserConfig,
    link: LinkConfig,
    mut shutdown: watch::Receiver<bool>,
) {
    let (link, mut inbound) = Link::start(link);
    let mut adapter = Adapter::new(config, link.handle());
    while !*shutdown.borrow() {
        let next = adapter.next(Instant::now());
        tokio::select! {
            // What came is taken before anything is begun, so that a command waits for one exchange at most.
            biased;
            changed = shutdown.changed() => if changed.is_err() { break },
            message = inbound.recv() => match message {
                Some(Inbound::Command(command)) => adapter.take(command),
                Some(Inbound::Receipt(_) | Inbound::Prompt(_) | Inbound::Connected) => {}
                None => break,
            },
            job = when_due(next) => adapter.work(job).await,
        }
    }
    link.shutdown().await;
}

/// Waits until the job is due; looks again then.
async fn when_due(next: Result<Job, Instant>) -> Option<Job> {
    match next {
        Ok(job) => Some(job),
        Err(at) => {
            tokio::time::sleep_until(at.into()).await;
            None
        }
    }
}

struct Adapter {
    config: DispenserConfig,
    link: LinkHandle,
    line: Line,
    pending: Option<Pending>,
    /// Commands that came while another was pending, and until when somebody waits for the answer.
    beside: VecDeque<(MoveCommand, Instant)>,
    queries: VecDeque<(QueryCommand, Instant)>,
    last: Option<Snapshot>,
    vitals: Vitals,
    /// Why the device was not heard last, and whether it is its registers that are not as expected.
    failed: Option<(String, bool)>,
    /// What was last said of the device's life.
    life: Life,
    schedule: Schedule,
    /// When `last` was read; none once something was written since, or the connection is another.
    known_at: Option<Instant>,
    /// The status that was said last.
    said: Option<(DeviceStatus, Option<Code>)>,
    properties_at: Option<Instant>,
}

impl Adapter {
    fn new(config: DispenserConfig, link: LinkHandle) -> Self {
        link.status(DeviceStatus::Starting, None);
        let limit = Duration::from_millis(config.unreachable_after_ms);
        let (epoch, now) = (*EPOCH, Instant::now());
        let vitals = Vitals::new(limit, now);
        let schedule = Schedule::new(config.host_timeout_s, epoch, now);
        Self {
            line: Line::new(config.clone()),
            config,
            link,
            pending: None,
            beside: VecDeque::new(),
            queries: VecDeque::new(),
            last: None,
            vitals,
            failed: None,
            life: Life::Well,
            schedule,
            known_at: None,
            said: None,
            properties_at: None,
        }
    }

    /// How long until the next read.
    fn pause(&self) -> Duration {
        let busy = !self.beside.is_empty()
            || !self.queries.is_empty()
            || self.last.as_ref().is_some_and(|s| s.sensors.outlet_present);
        let ms = if self.pending.is_some() {
            self.config.watch_ms
        } else if busy {
            self.config.poll_busy_ms
        } else {
            self.config.poll_idle_ms
        };
        Duration::from_millis(ms.max(POLL_MS_MIN))
    }

    fn next(&self, now: Instant) -> Result<Job, Instant> {
        self.schedule.next(now, self.is_writable(now))
    }

    /// Whether the pending motion is to be written on what the last read said: it is no older than a poll, and of a device that lives.
    fn is_writable(&self, now: Instant) -> bool {
        let fresh = Duration::from_millis(self.config.poll_busy_ms);
        let is_fresh = self.known_at.is_some_and(|at| now - at <= fresh);
        let (Some(pending), Some(last)) = (&self.pending, &self.last) else {
            return false;
        };
        is_fresh
            && self.vitals.life(now) == Life::Well
            && pending.is_to_write(&self.config.profile, last, now)
    }

    fn take(&mut self, command: Command) {
        let now = Instant::now();
        self.schedule.ask();
        match command {
            Command::Move(command) => self.take_move(command, now),
            Command::Query(query) => {
                if self.queries.len() >= QUERIES_LEN_MAX
                    && let Some((oldest, _)) = self.queries.pop_front()
                {
                    self.link.forget(&oldest.command_id);
                }
                let until = waited_for_until(now, query.timeout_s);
                self.queries.push_back((query, until));
            }
            Command::Read(_)
            | Command::Match(_)
            | Command::MatchOnSensor(_)
            | Command::Capture(_)
            | Command::CaptureFinger(_)
            | Command::CompareFaces(_) => {
                tracing::warn!(command = %command.id(), "not a dispenser's command");
            }
        }
    }

    fn take_move(&mut self, command: MoveCommand, now: Instant) {
        let Some(pending) = &mut self.pending else {
            self.pending = Some(Pending::new(command, now));
            return;
        };
        if pending.is_same(&command) {
            pending.waiting.push(command.command_id);
            return;
        }
        // It is answered with what the device says next, not with what it said some time ago.
        if self.beside.len() >= BESIDE_LEN_MAX
            && let Some((oldest, _)) = self.beside.pop_front()
        {
            self.link.forget(&oldest.command_id);
        }
        let until = waited_for_until(now, command.timeout_s);
        self.beside.push_back((command, until));
    }

    /// One job, where one is due; then what has become too late is dropped.
    async fn work(&mut self, job: Option<Job>) {
        let done = match job {
            Some(Job::Write) => self.write().await,
            Some(Job::Heartbeat) => self.beat().await,
            Some(Job::Read) => self.read().await,
            None => Ok(()),
        };
        if let Err(error) = done {
            self.fail(&error);
        }
        self.drop_stale();
        self.judge_life();
    }

    fn fail(&mut self, error: &CallError) {
        self.known_at = None;
        let pause = self.pause();
        self.schedule
            .failed(Instant::now(), pause, self.line.is_open());
        // While backing off nothing was tried, so there is nothing new to say.
        if !matches!(error, CallError::BackingOff) {
            tracing::debug!(%error, "the dispenser was not heard");
            self.failed = Some((error.to_string(), error.is_of_profile()));
        }
    }

    async fn beat(&mut self) -> Result<(), CallError> {
        self.line.heartbeat().await?;
        self.schedule.beaten(Instant::now());
        Ok(())
    }

    /// Writes the pending motion on what is known.
    async fn write(&mut self) -> Result<(), CallError> {
        if let Some(known) = self.last.clone() {
            self.advance(known).await?;
        }
        self.schedule.done(Instant::now(), self.pause());
        Ok(())
    }

    /// Reads the status block and does what it calls for.
    async fn read(&mut self) -> Result<(), CallError> {
        let snapshot = self.line.snapshot().await?;
        let now = Instant::now();
        self.vitals.heard(snapshot.heartbeat, now);
        self.follow(snapshot, now).await?;
        self.schedule.done(Instant::now(), self.pause());
        Ok(())
    }

    /// Answers and moves as the registers say. Those of a frozen device are asked nothing: what waits goes on waiting, as with
    /// a device that does not answer.
    async fn follow(&mut self, snapshot: Snapshot, now: Instant) -> Result<(), CallError> {
        if self.vitals.life(now) != Life::Well {
            return Ok(());
        }
        self.observe(&snapshot, now);
        self.answer_queries(&snapshot).await?;
        for (command, _) in core::mem::take(&mut self.beside) {
            let id = &command.command_id;
            match Pending::beside(&self.config.profile, &command, &snapshot) {
                Step::Answer(outcome) => Moved {
                    profile: &self.config.profile,
                    command: &command,
                    outcome,
                    seen: &snapshot,
                    slots: None,
                }
                .answer(&self.link, id),
                Step::Write(_) | Step::Wait | Step::GiveUp => self.link.forget(id),
            }
        }
        self.advance(snapshot).await
    }

    /// A query stays until it is answered: reading the slots may fail.
    async fn answer_queries(&mut self, snapshot: &Snapshot) -> Result<(), CallError> {
        while let Some((query, _)) = self.queries.front() {
            // While something moves the slots are of no instant.
            let counted = if query.slots && snapshot.is_at_rest() {
                match self.line.slots().await {
                    Err(CallError::Unsteady) => None,
                    counted => Some(counted?),
                }
            } else {
                None
            };
            match counted {
                Some((seen, slots)) if seen.is_at_rest() => {
                    answer_query(&self.link, query, &seen, Some(slots));
                }
                Some(_) | None => answer_query(&self.link, query, snapshot, None),
            }
            self.queries.pop_front();
        }
        Ok(())
    }

    /// Brings the pending motion forward by what the registers say.
    async fn advance(&mut self, snapshot: Snapshot) -> Result<(), CallError> {
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        match pending.next(&self.config.profile, &snapshot, Instant::now()) {
            Step::Wait => Ok(()),
            Step::GiveUp => {
                self.give_up();
                Ok(())
            }
            Step::Answer(outcome) => self.finish(outcome, snapshot).await,
            Step::Write(words) => {
                self.known_at = None;
                match self.line.command(words).await {
                    Ok(()) => {
                        pending.written();
                        Ok(())
                    }
                    Err(CallError::Exception(exception)) => {
                        let outcome = MotionResult::Rejected {
                            detail: refusal(&self.config.profile, exception),
                        };
                        // What was known may be from before the command: the answer tells what is so after it.
                        let seen = self.line.snapshot().await?;
                        self.finish(outcome, seen).await
                    }
                    // Nothing was sent, or it is not known whether it was taken: the registers are read
                    // before anything else happens.
                    Err(error) => Err(error),
                }
            }
        }
    }

    async fn finish(&mut self, outcome: MotionResult, seen: Snapshot) -> Result<(), CallError> {
        let counted = self.pending.as_ref().is_some_and(|pending| {
            matches!(pending.command().motion, Motion::Inventory) && outcome == MotionResult::Done
        });
        let (seen, slots) = if counted {
            let (seen, slots) = self.line.slots().await?;
            (seen, Some(slots))
        } else {
            (seen, None)
        };
        if let Some(pending) = self.pending.take() {
            let profile = &self.config.profile;
            log_fault(profile, pending.command(), outcome);
            let moved = Moved {
                profile,
                command: pending.command(),
                outcome,
                seen: &seen,
                slots: slots.as_ref(),
            };
            for id in &pending.waiting {
                moved.answer(&self.link, id);
            }
        }
        Ok(())
    }

    fn give_up(&mut self) {
        if let Some(pending) = self.pending.take() {
            let sequence = pending.command().sequence;
            tracing::warn!(sequence, "the motion was not begun in time");
            for id in &pending.waiting {
                self.link.forget(id);
            }
        }
    }

    fn drop_stale(&mut self) {
        let now = Instant::now();
        if self.pending.as_ref().is_some_and(|p| p.is_stale(now)) {
            self.give_up();
        }
        let link = &self.link;
        let keep = |id: &CommandId, until: Instant| {
            if now >= until {
                link.forget(id);
            }
            now < until
        };
        self.queries
            .retain(|(query, until)| keep(&query.command_id, *until));
        self.beside
            .retain(|(command, until)| keep(&command.command_id, *until));
    }
}

/// After this nobody waits for an answer any more.
fn waited_for_until(now: Instant, timeout_s: u16) -> Instant {
    now + Duration::from_secs(u64::from(timeout_s))
}

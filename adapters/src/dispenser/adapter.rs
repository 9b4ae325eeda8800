//! The adapter's loop: polls the device, carries commands out, reports what changes. One task, one owner
//! of the Modbus connection.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use schemas::message::command::{
    CommandId, MoveCommand, MoveReply, QueryCommand, QueryReply, SlotMap,
};
use schemas::words::{DeviceStatus, Motion, MotionResult};
use tokio::sync::watch;
use tokio_modbus::ExceptionCode;

use super::DispenserConfig;
use super::codec::Snapshot;
use super::line::{CallError, Line};
use super::map::detail;
use super::moves::{Pending, Step};
use super::reports;
use crate::link::{Command, Inbound, Link, LinkConfig, LinkHandle, new_message_id};

/// Queries that wait for the device to be reachable.
const QUERIES_LEN_MAX: usize = 16;
/// Least pause between two polls, so that a device that fails at once is not asked without pause.
const POLL_MS_MIN: u64 = 5;

pub(super) async fn run(
    config: DispenserConfig,
    link: LinkConfig,
    mut shutdown: watch::Receiver<bool>,
) {
    let (link, mut inbound) = Link::start(link);
    let mut adapter = Adapter::new(config, link.handle());
    while !*shutdown.borrow() {
        let pause = adapter.pause();
        tokio::select! {
            message = inbound.recv() => match message {
                Some(Inbound::Command(command)) => adapter.take(command),
                Some(Inbound::Receipt(_) | Inbound::Prompt(_) | Inbound::Connected) => continue,
                None => break,
            },
            () = tokio::time::sleep(pause) => {}
            changed = shutdown.changed() => {
                if changed.is_err() { break; }
                continue;
            }
        }
        adapter.poll().await;
    }
    link.shutdown().await;
}

struct Adapter {
    config: DispenserConfig,
    link: LinkHandle,
    line: Line,
    pending: Option<Pending>,
    queries: VecDeque<(QueryCommand, Instant)>,
    last: Option<Snapshot>,
    heard_at: Option<Instant>,
    reachable: bool,
    heartbeat_at: Option<Instant>,
    properties_at: Option<Instant>,
}

impl Adapter {
    fn new(config: DispenserConfig, link: LinkHandle) -> Self {
        link.status(DeviceStatus::Starting, None);
        Self {
            line: Line::new(config.clone()),
            config,
            link,
            pending: None,
            queries: VecDeque::new(),
            last: None,
            heard_at: Some(Instant::now()),
            reachable: true,
            heartbeat_at: None,
            properties_at: None,
        }
    }

    /// How long until the next poll.
    fn pause(&self) -> Duration {
        let busy = self.pending.is_some()
            || !self.queries.is_empty()
            || self.last.as_ref().is_some_and(|s| s.sensors.outlet_present);
        let ms = if busy {
            self.config.poll_busy_ms
        } else {
            self.config.poll_idle_ms
        };
        Duration::from_millis(ms.max(POLL_MS_MIN))
    }

    fn take(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Move(command) => self.take_move(command, now),
            Command::Query(query) => {
                if self.queries.len() >= QUERIES_LEN_MAX
                    && let Some((oldest, _)) = self.queries.pop_front()
                {
                    self.link.forget(&oldest.command_id);
                }
                let until = now + Duration::from_secs(u64::from(query.timeout_s));
                self.queries.push_back((query, until));
            }
            Command::Read(_) | Command::Match(_) | Command::Capture(_) => {
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
        let outcome = MotionResult::Rejected {
            detail: detail::BUSY,
        };
        match &self.last {
            Some(last) => answer(
                &self.link,
                &command,
                &command.command_id,
                outcome,
                last,
                None,
            ),
            None => self.link.forget(&command.command_id),
        }
    }

    async fn poll(&mut self) {
        match self.exchange().await {
            // While backing off nothing was tried, so there is nothing new to say.
            Ok(()) | Err(CallError::BackingOff) => {}
            Err(error) => tracing::debug!(%error, "the dispenser was not heard"),
        }
        self.drop_stale();
        self.judge_reachability();
    }

    /// One round: heartbeat, status block, then what is asked for.
    async fn exchange(&mut self) -> Result<(), CallError> {
        let due = Duration::from_millis(self.config.poll_idle_ms.min(1_000));
        if self.heartbeat_at.is_none_or(|at| at.elapsed() >= due) {
            self.line.heartbeat().await?;
            self.heartbeat_at = Some(Instant::now());
        }
        let snapshot = self.read().await?;
        for (query, _) in core::mem::take(&mut self.queries) {
            answer_query(&self.link, &query, &snapshot);
        }
        self.advance(snapshot).await
    }

    async fn read(&mut self) -> Result<Snapshot, CallError> {
        let snapshot = self.line.snapshot().await?;
        self.observe(&snapshot);
        Ok(snapshot)
    }

    /// Brings the pending motion forward by what the registers say.
    async fn advance(&mut self, snapshot: Snapshot) -> Result<(), CallError> {
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        match pending.next(&snapshot, Instant::now()) {
            Step::Wait => Ok(()),
            Step::GiveUp => {
                self.give_up();
                Ok(())
            }
            Step::Answer(outcome) => self.finish(outcome, snapshot).await,
            Step::Write(words) => match self.line.command(words).await {
                Ok(()) => {
                    pending.written();
                    Ok(())
                }
                Err(CallError::Exception(exception)) => {
                    let outcome = MotionResult::Rejected {
                        detail: refusal(exception),
                    };
                    self.finish(outcome, snapshot).await
                }
                // Nothing was sent, or it is not known whether it was taken: the registers are read
                // before anything else happens.
                Err(error) => Err(error),
            },
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
            for id in &pending.waiting {
                answer(
                    &self.link,
                    pending.command(),
                    id,
                    outcome,
                    &seen,
                    slots.clone(),
                );
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
        self.queries.retain(|(query, until)| {
            let keep = now < *until;
            if !keep {
                link.forget(&query.command_id);
            }
            keep
        });
    }

    fn observe(&mut self, snapshot: &Snapshot) {
        let now = Instant::now();
        self.heard_at = Some(now);
        if !self.reachable {
            self.reachable = true;
            tracing::info!("the dispenser is heard again");
        }
        for name in reports::events(self.last.as_ref(), snapshot) {
            if let Err(error) = self.link.event(name, None, None) {
                tracing::error!(name, %error, "an event was not taken");
            }
        }
        let (status, code) = reports::status(snapshot);
        self.link.status(status, code);
        // Present after the status, so that whoever sees the birth finds the status right.
        self.link.present(true);
        let interval = Duration::from_millis(self.config.property_interval_ms);
        if self.properties_at.is_none_or(|at| now - at >= interval) {
            self.properties_at = Some(now);
            for (name, value) in reports::properties(snapshot) {
                self.link.property(name, f64::from(value), None);
            }
        }
        self.last = Some(snapshot.clone());
    }

    fn judge_reachability(&mut self) {
        let limit = Duration::from_millis(self.config.unreachable_after_ms);
        if self.reachable && self.heard_at.is_none_or(|at| at.elapsed() >= limit) {
            self.reachable = false;
            tracing::warn!(host = %self.config.host, port = self.config.port, "the dispenser is not reachable");
            self.link
                .status(DeviceStatus::HardwareError, reports::code("unreachable"));
            self.link.present(false);
        }
    }
}

/// The detail code of a write that the device refused with an exception: nothing moved.
fn refusal(exception: ExceptionCode) -> u16 {
    match exception {
        ExceptionCode::ServerDeviceBusy => detail::BUSY,
        ExceptionCode::IllegalDataValue => detail::SLOT_UNKNOWN,
        ExceptionCode::IllegalFunction
        | ExceptionCode::IllegalDataAddress
        | ExceptionCode::ServerDeviceFailure
        | ExceptionCode::Acknowledge
        | ExceptionCode::MemoryParityError
        | ExceptionCode::GatewayPathUnavailable
        | ExceptionCode::GatewayTargetDevice
        | ExceptionCode::Custom(_) => detail::EXCEPTION | u16::from(u8::from(exception)),
    }
}

fn answer(
    link: &LinkHandle,
    command: &MoveCommand,
    command_id: &CommandId,
    outcome: MotionResult,
    seen: &Snapshot,
    slots: Option<SlotMap>,
) {
    let message_id = new_message_id();
    let reply = MoveReply {
        message_id: message_id.clone(),
        command_id: command_id.clone(),
        sequence: command.sequence,
        outcome,
        evidence: seen.evidence(),
        slots,
    };
    if let Err(error) = link.reply(command_id, "move", message_id, &reply) {
        tracing::error!(command = %command_id, %error, "a reply was not taken");
    }
}

fn answer_query(link: &LinkHandle, query: &QueryCommand, seen: &Snapshot) {
    let message_id = new_message_id();
    let reply = QueryReply {
        message_id: message_id.clone(),
        command_id: query.command_id.clone(),
        last: seen.progress(),
        evidence: seen.evidence(),
    };
    if let Err(error) = link.reply(&query.command_id, "query", message_id, &reply) {
        tracing::error!(command = %query.command_id, %error, "a reply was not taken");
    }
}

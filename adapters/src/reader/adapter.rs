//! The adapter's loop: looks after the reader, reads cards when asked, reports what changes. One task, one
//! owner of the line, one command at a time, the newest.

use std::time::{Duration, Instant};

use schemas::message::command::{CommandId, ReadCommand};
use schemas::words::Completion;
use tokio::sync::watch;

use super::card::{Attempt, Failure, Lying, ReadCard, lies, read};
use super::counts::Counts;
use super::line::{AskError, Line};
use super::reply::SamResult;
use super::request::Request;
use super::said::{Holder, ReadReply};
use super::standing::Standing;
use super::{ReaderConfig, SamId, description};
use crate::drive::{self, drive};
use crate::link::{Command, LinkConfig, LinkHandle, new_message_id};

pub(super) async fn run(config: ReaderConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    drive(link, shutdown, |link| Adapter::new(config, link)).await;
}

/// A command under way.
#[derive(Debug)]
struct Asked {
    command: ReadCommand,
    /// After this nobody waits for a card any more.
    until: Instant,
    /// Attempts at a card that failed.
    attempts: u8,
    /// What to say if nothing better comes until then.
    otherwise: Completion,
}

#[derive(Debug)]
struct Adapter {
    config: ReaderConfig,
    link: LinkHandle,
    line: Line,
    asked: Option<Asked>,
    lying: Lying,
    standing: Standing,
    counts: Counts,
    /// The identity that was last published.
    named: Option<SamId>,
    /// Since when it has not answered.
    silent_since: Option<Instant>,
    status_at: Instant,
    next_at: Instant,
}

impl drive::Adapter for Adapter {
    fn take(&mut self, command: Command) {
        let Command::Read(command) = command else {
            tracing::warn!(command = %command.id(), "not a reader's command");
            return;
        };
        if let Some(old) = self.asked.take() {
            // Nobody waits for it any more; were it asked for again, it would be done anew.
            self.link.forget(&old.command.command_id);
        }
        let now = Instant::now();
        let ready = self.standing == Standing::Ready;
        self.asked = Some(Asked {
            until: now + Duration::from_secs(u64::from(command.timeout_s)),
            command,
            attempts: 0,
            otherwise: if ready {
                Completion::TimeOut
            } else {
                Completion::DeviceNotReady
            },
        });
        self.next_at = now;
    }

    fn next_at(&self) -> Instant {
        self.next_at
    }

    async fn step(&mut self) {
        let began = Instant::now();
        match self.exchange().await {
            Ok(()) => self.silent_since = None,
            // Nothing was tried, so there is nothing new to say.
            Err(AskError::BackingOff) => {}
            Err(AskError::Ill(result)) => {
                self.silent_since = None;
                self.stand(Standing::Ill(result.code()));
                self.spoil(Completion::DeviceNotReady);
            }
            Err(error) => {
                tracing::debug!(%error, address = ?self.config.address, "the reader was not heard");
                self.broken(&error, began);
            }
        }
        let now = Instant::now();
        let limit = Duration::from_millis(self.config.unreachable_after_ms);
        if self
            .silent_since
            .is_some_and(|at| now.duration_since(at) >= limit)
        {
            self.stand(Standing::Silent);
            self.spoil(Completion::DeviceNotReady);
        }
        if self.asked.as_ref().is_some_and(|asked| now >= asked.until) {
            let otherwise = self.asked.as_ref().map(|asked| asked.otherwise);
            self.answer(otherwise.unwrap_or(Completion::TimeOut), None);
        }
        let interval = Duration::from_millis(self.config.property_interval_ms);
        self.counts.publish(&self.link, interval, now);
        self.next_at = now + self.pause(now);
    }
}

impl Adapter {
    fn new(config: ReaderConfig, link: LinkHandle) -> Self {
        Standing::Starting.say(&link);
        let now = Instant::now();
        Self {
            line: Line::new(config.clone()),
            config,
            link,
            asked: None,
            lying: Lying::Unknown,
            standing: Standing::Starting,
            counts: Counts::default(),
            named: None,
            silent_since: Some(now),
            status_at: now,
            next_at: now,
        }
    }

    /// The line failed in a round that `began` then.
    fn broken(&mut self, error: &AskError, began: Instant) {
        self.lying = Lying::Unknown;
        let now = Instant::now();
        if self.line.heard_at().is_some_and(|at| at >= began) {
            // It answered before it failed: the silence begins now.
            self.silent_since = Some(now);
        }
        self.silent_since.get_or_insert(now);
        if matches!(error, AskError::Open(_)) {
            self.spoil(Completion::DeviceNotReady);
        } else {
            self.counts.failures = self.counts.failures.saturating_add(1);
            self.spoil(Completion::HardwareError);
        }
    }

    /// How long until the next round.
    fn pause(&self, now: Instant) -> Duration {
        let watching = self.asked.is_some() || self.lying != Lying::No;
        let well = self.standing == Standing::Ready;
        let ms = if watching || !well {
            self.config.poll_ms.min(self.config.heartbeat_ms)
        } else {
            self.config.heartbeat_ms
        };
        let pause = Duration::from_millis(ms.max(1));
        let left = self.asked.as_ref().map(|asked| asked.until);
        left.map_or(pause, |until| {
            pause.min(until.saturating_duration_since(now))
        })
    }

    async fn exchange(&mut self) -> Result<(), AskError> {
        let id = self.line.ready().await?;
        if !self.recognise(id) {
            return Ok(());
        }
        let due = Duration::from_millis(self.config.heartbeat_ms);
        if self.asked.is_none() && self.status_at.elapsed() >= due {
            let status = self.line.ask(Request::SamStatus).await?;
            self.status_at = Instant::now();
            if status.result != SamResult::Success {
                self.line.close();
                return Err(AskError::Ill(status.result));
            }
        }
        self.stand(Standing::Ready);
        if self.asked.is_some() {
            self.attempt().await?;
        } else if self.lying != Lying::No {
            // Whether its content was passed on does not change by its lying there.
            if !lies(&mut self.line).await? {
                self.lying = Lying::No;
            }
        }
        let present = f64::from(u8::from(self.lying != Lying::No));
        self.link.property("media-present", present, None);
        Ok(())
    }

    /// Whether it is the configured reader. Another one is not used, whatever it says.
    fn recognise(&mut self, id: SamId) -> bool {
        if self
            .config
            .sam_id
            .is_some_and(|configured| configured != id)
        {
            if self.standing != Standing::Stranger {
                tracing::error!(%id, "another reader answers than the configured one");
            }
            self.stand(Standing::Stranger);
            self.spoil(Completion::DeviceNotReady);
            self.line.close();
            return false;
        }
        if self.named != Some(id) {
            self.named = Some(id);
            self.link.describe(&description(Some(id)));
        }
        true
    }

    async fn attempt(&mut self) -> Result<(), AskError> {
        let began = Instant::now();
        match read(&mut self.line, &mut self.lying).await? {
            Attempt::NoMedia => {
                if let Some(asked) = &mut self.asked {
                    asked.attempts = 0;
                    asked.otherwise = Completion::TimeOut;
                }
            }
            Attempt::Failed(failure) => self.failed(failure),
            Attempt::Read(card) => {
                self.counts.reads = self.counts.reads.saturating_add(1);
                self.counts.read_time = Some(began.elapsed());
                match Holder::of(&card) {
                    Some(holder) => self.answer(Completion::Success, Some((&holder, &card))),
                    None => self.answer(Completion::SequenceError, None),
                }
            }
        }
        Ok(())
    }

    /// A card that could not be read is tried again, some times; a reader that is not well is not
    /// the card's fault.
    fn failed(&mut self, failure: Failure) {
        tracing::debug!(%failure, "a card was not read");
        self.counts.failures = self.counts.failures.saturating_add(1);
        let completion = match failure {
            Failure::Result(result) if result.is_of_the_device() => Completion::HardwareError,
            Failure::Result(_) | Failure::Content(_) | Failure::ManagementNumber => {
                Completion::SequenceError
            }
        };
        let attempts_max = self.config.attempts_max;
        self.spoil(completion);
        let over = self.asked.as_mut().is_some_and(|asked| {
            asked.attempts = asked.attempts.saturating_add(1);
            asked.attempts >= attempts_max
        });
        if over {
            self.answer(completion, None);
        }
    }

    /// What the command ends with if nothing better comes.
    fn spoil(&mut self, completion: Completion) {
        if let Some(asked) = &mut self.asked {
            asked.otherwise = completion;
        }
    }

    fn stand(&mut self, standing: Standing) {
        if self.standing != standing {
            tracing::info!(?standing, address = ?self.config.address, "the reader's standing has changed");
            self.standing = standing;
            standing.say(&self.link);
        }
    }

    fn answer(&mut self, completion: Completion, read: Option<(&Holder, &ReadCard)>) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let message_id = new_message_id();
        let id = asked.command.command_id;
        let reply = ReadReply {
            message_id: &message_id,
            command_id: &id,
            completion,
            card: read.map(|(holder, card)| holder.chip(card)),
        };
        match self.link.reply(&id, "read", message_id.clone(), &reply) {
            Ok(confirmed) if read.is_some() => {
                tokio::spawn(forget(self.link.clone(), id, confirmed));
            }
            Ok(_failure) => {}
            Err(error) => {
                tracing::error!(%error, "a reply was not taken");
                self.link.forget(&id);
            }
        }
    }
}

/// What a card says is not remembered for a repetition of the command once the gateway has it.
async fn forget(link: LinkHandle, id: CommandId, confirmed: crate::link::Confirmed) {
    if let Err(error) = confirmed.wait().await {
        tracing::debug!(%error, "a reply was not confirmed");
    }
    link.forget(&id);
}

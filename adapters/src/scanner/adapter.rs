//! The adapter's loop: looks after the sensor and the matcher, takes fingers when asked, reports what changes.
//! One task, one owner of the line, one command at a time, the newest.

use std::time::{Duration, Instant};

use schemas::words::Completion;
use tokio::sync::watch;

use super::acknowledgement::Confirmation;
use super::counts::{Counts, count};
use super::instruction::{Instruction, Light};
use super::line::{AskError, Line};
use super::standing::Standing;
use super::task::{Asked, Outcome, Task};
use super::{LightKind, ScannerConfig};
use crate::drive::{self, drive};
use crate::link::{Command, LinkConfig, LinkHandle};
use crate::matcher::{Matcher, MatcherFault};

pub(super) async fn run(config: ScannerConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    drive(link, shutdown, |link| Adapter::new(config, link)).await;
}

#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) config: ScannerConfig,
    pub(super) link: LinkHandle,
    pub(super) line: Line,
    pub(super) matcher: Option<Matcher>,
    pub(super) asked: Option<Asked>,
    /// Whether the finger of an earlier command still lies there: it does not count for another one.
    pub(super) is_used: bool,
    /// What the ring shows, as far as is known.
    light: Option<Light>,
    standing: Standing,
    pub(super) counts: Counts,
    /// Since when it has not answered.
    silent_since: Option<Instant>,
    status_at: Instant,
    /// What was last heard of the matcher, and when.
    pub(super) probed: Option<(Result<(), MatcherFault>, Instant)>,
    next_at: Instant,
}

impl drive::Adapter for Adapter {
    fn take(&mut self, command: Command) {
        let task = match command {
            Command::Match(command) => Task::Card(command),
            Command::MatchOnSensor(command) => Task::Library(command),
            Command::CaptureFinger(command) => Task::Image(command),
            Command::Move(_)
            | Command::Query(_)
            | Command::Read(_)
            | Command::Capture(_)
            | Command::CompareFaces(_) => {
                tracing::warn!(command = %command.id(), "not a scanner's command");
                return;
            }
        };
        if let Some(old) = self.asked.take() {
            // Nobody waits for it any more; were it asked for again, it would be done anew.
            self.link.forget(old.id());
        }
        if matches!(task, Task::Card(_)) && self.matcher.is_none() {
            let outcome = Outcome::Failed(Completion::UnsupportedCommand);
            return task.answer(&self.link, outcome, None);
        }
        let now = Instant::now();
        let otherwise = match self.standing {
            Standing::Ready | Standing::NoMatcher(_) => Completion::TimeOut,
            Standing::Starting | Standing::Busy | Standing::Silent | Standing::Locked => {
                Completion::DeviceNotReady
            }
        };
        self.asked = Some(Asked::new(task, otherwise, now));
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
            Err(AskError::WrongPassword) => {
                self.silent_since = None;
                self.stand(Standing::Locked);
                self.spoil(Completion::DeviceNotReady);
            }
            Err(error) => {
                tracing::debug!(%error, address = ?self.config.address, "the scanner was not heard");
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
        if let Some(asked) = self.asked.as_ref().filter(|asked| now >= asked.until) {
            self.answer(Outcome::Failed(asked.otherwise));
        }
        let interval = Duration::from_millis(self.config.property_interval_ms);
        self.counts.publish(&self.link, interval, now);
        self.next_at = now + self.pause(now);
    }
}

impl Adapter {
    fn new(config: ScannerConfig, link: LinkHandle) -> Self {
        Standing::Starting.say(&link);
        let now = Instant::now();
        Self {
            line: Line::new(config.clone()),
            matcher: config.matcher.clone().map(Matcher::new),
            config,
            link,
            asked: None,
            is_used: false,
            light: None,
            standing: Standing::Starting,
            counts: Counts::default(),
            silent_since: Some(now),
            status_at: now,
            probed: None,
            next_at: now,
        }
    }

    /// The line failed in a round that `began` then.
    fn broken(&mut self, error: &AskError, began: Instant) {
        let now = Instant::now();
        self.light = None;
        if self.line.heard_at().is_some_and(|at| at >= began) {
            // It answered before it failed: the silence begins now.
            self.silent_since = Some(now);
        }
        self.silent_since.get_or_insert(now);
        if !matches!(error, AskError::Open(_)) {
            count(&mut self.counts.failures);
            self.spoil(Completion::HardwareError);
        }
    }

    /// How long until the next round.
    fn pause(&self, now: Instant) -> Duration {
        let well = matches!(self.standing, Standing::Ready | Standing::NoMatcher(_));
        let lit = self.light.is_some_and(|light| light != Light::OFF);
        let ms = if self.asked.is_some() || lit || !well {
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
        if self.line.ready().await? {
            self.light = None;
            self.status_at = Instant::now();
            self.look_after().await?;
        }
        if let Some(asked) = &self.asked {
            let (hand, aim) = (asked.task.hand(), asked.task.aim());
            return self.attempt(hand, aim).await;
        }
        self.shine(Light::OFF).await?;
        let due = Duration::from_millis(self.config.heartbeat_ms);
        if self.status_at.elapsed() >= due {
            self.status_at = Instant::now();
            self.look_after().await?;
        }
        Ok(())
    }

    /// The heartbeat: how the module is, and now and then how the matcher is.
    async fn look_after(&mut self) -> Result<(), AskError> {
        let parameters = match self.line.parameters().await {
            // It has started anew and wants the password again.
            Err(error @ AskError::Refused(Confirmation::PasswordRequired)) => {
                self.line.close();
                return Err(error);
            }
            parameters => parameters?,
        };
        self.link
            .property("library-pages", f64::from(parameters.capacity), None);
        if parameters.is_busy() {
            self.stand(Standing::Busy);
            return Ok(());
        }
        self.probe().await;
        self.stand_well();
        Ok(())
    }

    async fn probe(&mut self) {
        let Some(matcher) = &self.matcher else {
            return;
        };
        let pause = matcher.probe_pause();
        // One that is not well is asked each time: its return is waited for.
        let fresh =
            |(said, at): &(Result<(), MatcherFault>, Instant)| said.is_ok() && at.elapsed() < pause;
        if !self.probed.as_ref().is_some_and(fresh) {
            self.probed = Some((matcher.probe().await, Instant::now()));
        }
    }

    /// Sets the ring, where there is one.
    pub(super) async fn shine(&mut self, light: Light) -> Result<(), AskError> {
        if self.config.light == LightKind::None || self.light == Some(light) {
            return Ok(());
        }
        let set = self.line.ask(Instruction::SetLight(light)).await?;
        // Busy, or it did not get it whole: it is told again in the next round, since citizens go by the ring.
        if set.confirmation == Confirmation::PacketError {
            return Ok(());
        }
        if set.confirmation != Confirmation::Done {
            tracing::debug!(said = ?set.confirmation, "the light was not set");
        }
        self.light = Some(light);
        Ok(())
    }

    /// What the command ends with if nothing better comes.
    pub(super) fn spoil(&mut self, completion: Completion) {
        if let Some(asked) = &mut self.asked {
            asked.otherwise = completion;
        }
    }

    /// The module answers: what else there is to say of the scanner is how the matcher is.
    pub(super) fn stand_well(&mut self) {
        if let Some(asked) = &mut self.asked
            && matches!(
                asked.otherwise,
                Completion::DeviceNotReady | Completion::HardwareError
            )
        {
            asked.otherwise = Completion::TimeOut;
        }
        match self.probed {
            Some((Err(fault), _)) => self.stand(Standing::NoMatcher(fault)),
            Some((Ok(()), _)) | None => self.stand(Standing::Ready),
        }
    }

    pub(super) fn stand(&mut self, standing: Standing) {
        if self.standing != standing {
            tracing::info!(?standing, address = ?self.config.address, "the scanner's standing has changed");
            self.standing = standing;
            standing.say(&self.link);
        }
    }

    pub(super) fn answer(&mut self, outcome: Outcome) {
        if let Some(asked) = self.asked.take() {
            asked.task.answer(&self.link, outcome, asked.quality);
        }
    }
}

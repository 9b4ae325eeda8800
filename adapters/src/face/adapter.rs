//! The adapter's loop: asks the service now and then whether it is ready, has faces compared when asked, reports what changes. One
//! comparison at a time, the others in the order they came in: each is of another kiosk.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use schemas::face_matcher::CompareRequest;
use schemas::message::command::CommandId;
use schemas::message::face::{CompareFacesCommand, CompareFacesReply};
use schemas::words::Completion;
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::FaceConfig;
use super::counts::Counts;
use super::question::{Outcome, compare};
use super::standing::Standing;
use crate::drive::{self, drive};
use crate::link::{Command, LinkConfig, LinkHandle, new_message_id};
use crate::matcher::{Matcher, MatcherFault};

pub(super) async fn run(config: FaceConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    drive(link, shutdown, |link| Adapter::new(config, link)).await;
}

/// A command under way, or waiting.
#[derive(Debug)]
struct Asked {
    command_id: CommandId,
    request: CompareRequest,
    /// After this nobody waits for the reply any more.
    until: Instant,
}

impl Asked {
    fn new(command: CompareFacesCommand, now: Instant) -> Self {
        Self {
            command_id: command.command_id,
            request: CompareRequest {
                reference: command.reference,
                probe: command.probe,
            },
            until: now + Duration::from_secs(u64::from(command.timeout_s)),
        }
    }
}

#[derive(Debug)]
struct Adapter {
    config: FaceConfig,
    link: LinkHandle,
    matcher: Matcher,
    waiting: VecDeque<Asked>,
    standing: Standing,
    counts: Counts,
    /// Since when it has not answered.
    silent_since: Option<Instant>,
    next_at: Instant,
}

impl drive::Adapter for Adapter {
    fn take(&mut self, command: Command) {
        let Command::CompareFaces(command) = command else {
            tracing::warn!(command = %command.id(), "not a face matcher's command");
            return;
        };
        let now = Instant::now();
        let asked = Asked::new(command, now);
        if self.waiting.len() < self.config.waiting_len_max {
            self.waiting.push_back(asked);
            self.next_at = now;
        } else {
            tracing::warn!("more comparisons are asked for than can wait");
            self.answer(
                &asked.command_id,
                Outcome::Failed(Completion::DeviceNotReady),
            );
        }
    }

    fn next_at(&self) -> Instant {
        self.next_at
    }

    async fn step(&mut self) {
        let heard = match self.waiting.pop_front() {
            Some(asked) => self.compare(asked).await,
            None => Some(self.matcher.probe().await),
        };
        let now = Instant::now();
        match heard {
            Some(Ok(())) => self.stand_well(),
            Some(Err(fault)) => self.stand_badly(fault, now),
            None => {}
        }
        let interval = Duration::from_millis(self.config.property_interval_ms);
        self.counts.publish(&self.link, interval, now);
        self.next_at = now + self.pause();
    }
}

impl Adapter {
    fn new(config: FaceConfig, link: LinkHandle) -> Self {
        Standing::Starting.say(&link);
        let now = Instant::now();
        Self {
            matcher: Matcher::new(config.matcher.clone()),
            config,
            link,
            waiting: VecDeque::new(),
            standing: Standing::Starting,
            counts: Counts::default(),
            silent_since: Some(now),
            next_at: now,
        }
    }

    /// Compares and replies. `None`: nobody waits for it any more, so the service was not asked.
    async fn compare(&mut self, asked: Asked) -> Option<Result<(), MatcherFault>> {
        let began = Instant::now();
        if began >= asked.until {
            self.answer(
                &asked.command_id,
                Outcome::Failed(Completion::DeviceNotReady),
            );
            return None;
        }
        let answered = timeout_at(asked.until.into(), compare(&self.matcher, &asked.request)).await;
        let answered = answered.unwrap_or(Err(MatcherFault::Slow));
        self.counts.compare_time = Some(began.elapsed());
        let outcome = Outcome::of(answered);
        self.count(outcome);
        if let Err(fault) = answered {
            // What was said before the reply explains it.
            tracing::warn!(%fault, "two faces were not compared");
            self.stand_badly(fault, Instant::now());
        }
        self.answer(&asked.command_id, outcome);
        Some(answered.map(drop))
    }

    fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Score(_) => &mut self.counts.comparisons,
            Outcome::Refusal(_) => &mut self.counts.refusals,
            Outcome::Failed(_) => &mut self.counts.failures,
        };
        *counter = counter.saturating_add(1);
    }

    /// How long until the next round. One that is not well is asked more often: its return is waited for.
    fn pause(&self) -> Duration {
        if !self.waiting.is_empty() {
            return Duration::ZERO;
        }
        let probe = self.matcher.probe_pause();
        if self.standing == Standing::Ready {
            probe
        } else {
            probe.min(Duration::from_millis(self.config.retry_ms.max(1)))
        }
    }

    fn stand_well(&mut self) {
        self.silent_since = None;
        self.stand(Standing::Ready);
    }

    fn stand_badly(&mut self, fault: MatcherFault, now: Instant) {
        if fault == MatcherFault::Answer {
            self.silent_since = None;
            return self.stand(Standing::Ill(fault));
        }
        let since = *self.silent_since.get_or_insert(now);
        let limit = Duration::from_millis(self.config.unreachable_after_ms);
        if now.duration_since(since) >= limit {
            self.stand(Standing::Silent(fault));
        } else if self.standing != Standing::Starting {
            self.stand(Standing::Ill(fault));
        }
    }

    fn stand(&mut self, standing: Standing) {
        if self.standing != standing {
            tracing::info!(?standing, "the face matcher's standing has changed");
            self.standing = standing;
            standing.say(&self.link);
        }
    }

    fn answer(&self, command_id: &CommandId, outcome: Outcome) {
        let message_id = new_message_id();
        let reply = CompareFacesReply {
            message_id: message_id.clone(),
            command_id: command_id.clone(),
            completion: outcome.completion(),
            score: outcome.score(),
            refusal: outcome.refusal().map(|refused| refused.refusal),
            which: outcome.refusal().and_then(|refused| refused.which),
        };
        let sent = self
            .link
            .reply(command_id, "compare-faces", message_id, &reply);
        if let Err(error) = sent {
            tracing::error!(%error, "a reply was not taken");
            self.link.forget(command_id);
        }
    }
}

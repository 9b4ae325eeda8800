//! The adapter's loop: looks after the camera, takes stills when asked, reports what changes. One task, one owner of the line,
//! one command at a time, the newest.

use std::time::{Duration, Instant};

use bytes::Bytes;
use oxvif::types::DeviceInfo;
use schemas::ids::{BlobId, DeviceSerial};
use schemas::message::command::{CaptureCommand, CaptureReply};
use schemas::message::device::Description;
use schemas::words::Completion;
use tokio::sync::watch;
use tokio::time::timeout_at;

use super::counts::Counts;
use super::line::{Introduced, Line, Still};
use super::standing::Standing;
use super::{CameraConfig, CameraFault, description};
use crate::drive::{self, drive};
use crate::link::{Command, LinkConfig, LinkHandle, new_message_id};

/// Longest text that a camera may say of itself, in characters.
const TEXT_LEN_MAX: usize = 64;

pub(super) async fn run(config: CameraConfig, link: LinkConfig, shutdown: watch::Receiver<bool>) {
    drive(link, shutdown, |link| Adapter::new(config, link)).await;
}

/// A command under way.
#[derive(Debug)]
struct Asked {
    command: CaptureCommand,
    /// After this nobody waits for a photo any more.
    until: Instant,
    /// Attempts that failed.
    attempts: u8,
    /// Why the last one did.
    fault: Option<CameraFault>,
}

impl Asked {
    /// What to say if nothing better has come.
    fn otherwise(&self) -> Completion {
        self.fault
            .map_or(Completion::DeviceNotReady, CameraFault::completion)
    }
}

#[derive(Debug)]
struct Adapter {
    config: CameraConfig,
    link: LinkHandle,
    line: Line,
    asked: Option<Asked>,
    standing: Standing,
    /// Whether a round has failed since the last picture: a heartbeat alone does not say that it gives pictures.
    is_doubtful: bool,
    counts: Counts,
    /// Since when it has not answered.
    silent_since: Option<Instant>,
    beat_at: Instant,
    next_at: Instant,
}

impl drive::Adapter for Adapter {
    fn take(&mut self, command: Command) {
        let Command::Capture(command) = command else {
            tracing::warn!(command = %command.id(), "not a camera's command");
            return;
        };
        if let Some(old) = self.asked.take() {
            // Nobody waits for it any more; were it asked for again, it would be done anew.
            self.link.forget(&old.command.command_id);
        }
        let now = Instant::now();
        self.asked = Some(Asked {
            until: now + Duration::from_secs(u64::from(command.timeout_s)),
            command,
            attempts: 0,
            fault: None,
        });
        self.next_at = now;
    }

    fn next_at(&self) -> Instant {
        self.next_at
    }

    async fn step(&mut self) {
        let until = self.asked.as_ref().map(|asked| asked.until);
        let round = self.exchange();
        let done = match until {
            Some(until) => timeout_at(until.into(), round).await,
            None => Ok(round.await),
        };
        // What went wrong before the time was over says more than that it is over.
        let before = self.asked.as_ref().and_then(|asked| asked.fault);
        if let Err(fault) = done.unwrap_or(Err(before.unwrap_or(CameraFault::Slow))) {
            self.failed(fault);
        }
        let now = Instant::now();
        if self.asked.as_ref().is_some_and(|asked| now >= asked.until) {
            self.give_up();
        }
        let interval = Duration::from_millis(self.config.property_interval_ms);
        self.counts.publish(&self.link, interval, now);
        self.next_at = now + self.pause(now);
    }
}

impl Adapter {
    fn new(config: CameraConfig, link: LinkHandle) -> Self {
        Standing::Starting.say(&link);
        let now = Instant::now();
        Self {
            line: Line::new(config.clone()),
            config,
            link,
            asked: None,
            standing: Standing::Starting,
            is_doubtful: true,
            counts: Counts::default(),
            silent_since: None,
            beat_at: now,
            next_at: now,
        }
    }

    async fn exchange(&mut self) -> Result<(), CameraFault> {
        // A command does not wait until the pause is over, unless an attempt would do harm.
        let early = self.line.opens_at().is_some_and(|at| Instant::now() < at);
        let harm = self.standing.lasting_fault();
        match (&mut self.asked, harm) {
            (Some(asked), Some(fault)) if early => {
                asked.fault = Some(fault);
                self.give_up();
                return Ok(());
            }
            (None, _) if early => return Ok(()),
            (Some(_) | None, _) => {}
        }
        if let Some(introduced) = self.line.ready().await? {
            self.introduce(introduced);
        }
        if self.asked.is_some() {
            return self.capture().await;
        }
        if self.is_doubtful {
            // A camera is well when it has given a picture. This one is looked at and wiped.
            self.line.still().await.map(drop)?;
        } else if self.beat_at.elapsed() >= Duration::from_millis(self.config.heartbeat_ms) {
            self.counts.clock_ahead_s = self.line.beat().await?;
        }
        self.beat_at = Instant::now();
        self.stand_well();
        Ok(())
    }

    /// What the camera says of itself goes into `desc`.
    fn introduce(&mut self, introduced: Introduced) {
        self.counts.clock_ahead_s = introduced.clock_ahead_s;
        if let Some(device) = introduced.device {
            self.link.describe(&named(&device));
        }
    }

    async fn capture(&mut self) -> Result<(), CameraFault> {
        let began = Instant::now();
        let still = self.line.still().await?;
        self.beat_at = Instant::now();
        self.stand_well();
        match self.publish(still).await {
            Some(blob) => {
                self.counts.captured(began.elapsed());
                self.answer(Completion::Success, Some(blob));
            }
            None => self.answer(Completion::HardwareError, None),
        }
        Ok(())
    }

    /// Publishes a still and waits until it is confirmed.
    async fn publish(&self, still: Still) -> Option<BlobId> {
        let asked = self.asked.as_ref()?;
        let (command, until) = (&asked.command.command_id, asked.until);
        let still = Bytes::from_owner(still);
        self.link.confirmed_image(command, still, until).await
    }

    /// A round failed.
    fn failed(&mut self, fault: CameraFault) {
        tracing::debug!(%fault, source = ?self.config.source, "the camera gave no picture");
        self.counts.failed(fault);
        self.is_doubtful = true;
        let Some(asked) = &mut self.asked else {
            return self.stand_badly(fault);
        };
        asked.fault = Some(fault);
        if fault == CameraFault::SamePicture {
            // A camera that makes a new picture once a second gives the same one until then.
            self.silent_since = None;
            return;
        }
        asked.attempts = asked.attempts.saturating_add(1);
        if fault.is_lasting() {
            asked.attempts = self.config.attempts_max;
        }
        self.stand_badly(fault);
        self.give_up_if_spent();
    }

    fn stand_badly(&mut self, fault: CameraFault) {
        if fault != CameraFault::SamePicture {
            self.line.close(fault);
        }
        if !fault.is_of_the_way() {
            self.silent_since = None;
            return self.stand(Standing::Ill(fault));
        }
        let now = Instant::now();
        let since = *self.silent_since.get_or_insert(now);
        let limit = Duration::from_millis(self.config.unreachable_after_ms);
        if now.duration_since(since) >= limit {
            self.stand(Standing::Silent(fault));
        }
    }

    fn give_up_if_spent(&mut self) {
        let attempts_max = self.config.attempts_max;
        if self
            .asked
            .as_ref()
            .is_some_and(|asked| asked.attempts >= attempts_max)
        {
            self.give_up();
        }
    }

    /// Answers that there is no photo.
    fn give_up(&mut self) {
        let Some(asked) = &self.asked else {
            return;
        };
        let otherwise = asked.otherwise();
        if asked.fault == Some(CameraFault::SamePicture) {
            self.stand(Standing::Ill(CameraFault::SamePicture));
        }
        self.answer(otherwise, None);
    }

    /// How long until the next round.
    fn pause(&self, now: Instant) -> Duration {
        if let Some(asked) = &self.asked {
            let retry = Duration::from_millis(self.config.retry_ms);
            return retry.min(asked.until.saturating_duration_since(now));
        }
        if let Some(opens_at) = self.line.opens_at() {
            return opens_at.saturating_duration_since(now);
        }
        let ms = if self.is_doubtful {
            self.config.retry_ms.max(self.config.backoff_ms_min)
        } else {
            self.config.heartbeat_ms
        };
        Duration::from_millis(ms.max(1))
    }

    /// It gives pictures: what else there is to say is how its clock is.
    fn stand_well(&mut self) {
        self.is_doubtful = false;
        self.silent_since = None;
        let ahead = self.counts.clock_ahead_s.unwrap_or(0);
        if ahead.unsigned_abs() > self.config.clock_apart_s {
            self.stand(Standing::ClockApart);
        } else {
            self.stand(Standing::Ready);
        }
    }

    fn stand(&mut self, standing: Standing) {
        if self.standing != standing {
            tracing::info!(?standing, "the camera's standing has changed");
            self.standing = standing;
            standing.say(&self.link);
        }
    }

    fn answer(&mut self, completion: Completion, blob: Option<BlobId>) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let message_id = new_message_id();
        let command_id = asked.command.command_id;
        let reply = CaptureReply {
            message_id: message_id.clone(),
            command_id: command_id.clone(),
            completion,
            blob,
        };
        if let Err(error) = self.link.reply(&command_id, "capture", message_id, &reply) {
            tracing::error!(%error, "a reply was not taken");
            self.link.forget(&command_id);
        }
    }
}

/// A description with the camera's own names, as far as they are short and printable.
fn named(device: &DeviceInfo) -> Description {
    let text = |said: &str, otherwise: String| {
        let kept: String = said
            .chars()
            .filter(|c| !c.is_control())
            .take(TEXT_LEN_MAX)
            .collect();
        if kept.trim().is_empty() {
            otherwise
        } else {
            kept
        }
    };
    let general = description();
    Description {
        vendor: text(&device.manufacturer, general.vendor),
        model: text(&device.model, general.model),
        firmware: text(&device.firmware_version, general.firmware),
        serial: DeviceSerial::new(device.serial_number.trim()).ok(),
        ..general
    }
}

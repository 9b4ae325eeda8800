//! What a scanner is asked to do, and its replies.

use std::time::{Duration, Instant};

use schemas::ids::{BlobId, MessageId};
use schemas::message::Template;
use schemas::message::command::{
    CommandId, EnrolledFinger, MatchCommand, MatchOnSensorCommand, MatchOnSensorReply, MatchReply,
};
use schemas::message::face::{CaptureFingerCommand, CaptureFingerReply};
use schemas::words::{Completion, Hand};
use serde::Serialize;

use super::acknowledgement::Found;
use super::instruction::Pages;
use crate::link::{LinkHandle, new_message_id};

/// What to do with a finger.
#[derive(Debug)]
pub(super) enum Task {
    /// Compare it with a card's templates.
    Card(MatchCommand),
    /// Compare it with what is enrolled on the sensor.
    Library(MatchOnSensorCommand),
    /// Publish its image.
    Image(CaptureFingerCommand),
}

/// What is done with a finger that can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// The matcher compares it.
    Card,
    /// The sensor compares it with these pages.
    Library(Pages),
    /// Its image is published.
    Image,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A similarity to a card's template, 0 to 100.
    Score(u8),
    /// What was found in the library, if anything.
    Found(Option<Found>),
    /// The image was published.
    Captured(Captured),
    /// None of these.
    Failed(Completion),
}

/// A published image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Captured {
    /// How good it is, 0 to 100.
    pub(super) quality: u8,
    /// Where it is.
    pub(super) blob: BlobId,
    /// Similarity to the card's templates, 0 to 100, where they were compared.
    pub(super) score: Option<u8>,
}

/// A command under way.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) task: Task,
    /// After this nobody waits for a finger any more.
    pub(super) until: Instant,
    /// Whether a finger was seen and reported.
    pub(super) seen: bool,
    /// Quality of the best image so far, where that is asked for.
    pub(super) quality: Option<u8>,
    /// What to say if nothing better comes until then.
    pub(super) otherwise: Completion,
}

impl Asked {
    pub(super) fn new(task: Task, otherwise: Completion, now: Instant) -> Self {
        let timeout_s = match &task {
            Task::Card(command) => command.timeout_s,
            Task::Library(command) => command.timeout_s,
            Task::Image(command) => command.timeout_s,
        };
        Self {
            until: now + Duration::from_secs(u64::from(timeout_s)),
            task,
            seen: false,
            quality: None,
            otherwise,
        }
    }

    pub(super) const fn id(&self) -> &CommandId {
        self.task.id()
    }
}

impl Task {
    pub(super) const fn id(&self) -> &CommandId {
        match self {
            Self::Card(command) => &command.command_id,
            Self::Library(command) => &command.command_id,
            Self::Image(command) => &command.command_id,
        }
    }

    /// The hand that the citizen was asked for; any for an enrolled finger.
    pub(super) const fn hand(&self) -> Option<Hand> {
        match self {
            Self::Card(command) => Some(command.hand),
            Self::Image(command) => Some(command.hand),
            Self::Library(_) => None,
        }
    }

    /// What it wants of a finger.
    pub(super) const fn aim(&self) -> Aim {
        match self {
            Self::Card(_) => Aim::Card,
            Self::Library(command) => Aim::Library(Pages {
                first: command.first_page,
                len: command.pages.get(),
            }),
            Self::Image(_) => Aim::Image,
        }
    }

    /// The card's templates.
    pub(super) fn templates(&self) -> Option<&[Template]> {
        match self {
            Self::Card(command) => Some(&command.templates),
            Self::Image(command) => Some(&command.templates),
            Self::Library(_) => None,
        }
    }

    /// The quality that an image needs.
    pub(super) const fn quality_min(&self) -> u16 {
        match self {
            Self::Image(command) => command.quality_min,
            Self::Card(_) | Self::Library(_) => 0,
        }
    }

    /// Replies. `quality` is that of the best image, where none was good enough.
    pub(super) fn answer(&self, link: &LinkHandle, outcome: Outcome, quality: Option<u8>) {
        let completion = match outcome {
            Outcome::Score(_) | Outcome::Found(_) | Outcome::Captured(_) => Completion::Success,
            Outcome::Failed(completion) => completion,
        };
        let message_id = new_message_id();
        let command_id = self.id().clone();
        match self {
            Self::Card(_) => {
                let reply = MatchReply {
                    message_id: message_id.clone(),
                    command_id,
                    completion,
                    score: match outcome {
                        Outcome::Score(score) => Some(score.into()),
                        Outcome::Found(_) | Outcome::Captured(_) | Outcome::Failed(_) => None,
                    },
                };
                self.send(link, "match", message_id, &reply);
            }
            Self::Library(_) => {
                let reply = MatchOnSensorReply {
                    message_id: message_id.clone(),
                    command_id,
                    completion,
                    found: match outcome {
                        Outcome::Found(found) => found.map(|found| EnrolledFinger {
                            page: found.page,
                            score: found.score,
                        }),
                        Outcome::Score(_) | Outcome::Captured(_) | Outcome::Failed(_) => None,
                    },
                };
                self.send(link, "match-on-sensor", message_id, &reply);
            }
            Self::Image(_) => {
                let captured = match outcome {
                    Outcome::Captured(captured) => Some(captured),
                    Outcome::Score(_) | Outcome::Found(_) | Outcome::Failed(_) => None,
                };
                let published = captured.as_ref().map(|captured| captured.quality);
                let reply = CaptureFingerReply {
                    message_id: message_id.clone(),
                    command_id,
                    completion,
                    quality: published.or(quality).map(u16::from),
                    score: captured.as_ref().and_then(|c| c.score).map(u16::from),
                    blob: captured.map(|captured| captured.blob),
                };
                self.send(link, "capture-finger", message_id, &reply);
            }
        }
    }

    fn send(&self, link: &LinkHandle, name: &str, message_id: MessageId, reply: &impl Serialize) {
        if let Err(error) = link.reply(self.id(), name, message_id, reply) {
            tracing::error!(%error, "a reply was not taken");
        }
    }
}

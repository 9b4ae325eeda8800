//! What a scanner is asked to do, and its replies.

use std::time::{Duration, Instant};

use schemas::message::Template;
use schemas::message::command::{
    CommandId, EnrolledFinger, MatchCommand, MatchOnSensorCommand, MatchOnSensorReply, MatchReply,
};
use schemas::words::{Completion, Hand};

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
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A similarity to a card's template, 0 to 100.
    Score(u8),
    /// What was found in the library, if anything.
    Found(Option<Found>),
    /// Neither.
    Failed(Completion),
}

/// A command under way.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) task: Task,
    /// After this nobody waits for a finger any more.
    pub(super) until: Instant,
    /// Whether a finger was seen and reported.
    pub(super) seen: bool,
    /// What to say if nothing better comes until then.
    pub(super) otherwise: Completion,
}

impl Asked {
    pub(super) fn new(task: Task, otherwise: Completion, now: Instant) -> Self {
        let timeout_s = match &task {
            Task::Card(command) => command.timeout_s,
            Task::Library(command) => command.timeout_s,
        };
        Self {
            until: now + Duration::from_secs(u64::from(timeout_s)),
            task,
            seen: false,
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
        }
    }

    /// The hand that the citizen was asked for; any for an enrolled finger.
    pub(super) const fn hand(&self) -> Option<Hand> {
        match self {
            Self::Card(command) => Some(command.hand),
            Self::Library(_) => None,
        }
    }

    /// The pages of the library to compare with; none for a card.
    pub(super) const fn pages(&self) -> Option<Pages> {
        match self {
            Self::Card(_) => None,
            Self::Library(command) => Some(Pages {
                first: command.first_page,
                len: command.pages.get(),
            }),
        }
    }

    /// The card's templates.
    pub(super) fn templates(&self) -> Option<&[Template]> {
        match self {
            Self::Card(command) => Some(&command.templates),
            Self::Library(_) => None,
        }
    }

    /// Replies.
    pub(super) fn answer(&self, link: &LinkHandle, outcome: Outcome) {
        let completion = match outcome {
            Outcome::Score(_) | Outcome::Found(_) => Completion::Success,
            Outcome::Failed(completion) => completion,
        };
        let message_id = new_message_id();
        let command_id = self.id().clone();
        let sent = match self {
            Self::Card(_) => {
                let reply = MatchReply {
                    message_id: message_id.clone(),
                    command_id,
                    completion,
                    score: match outcome {
                        Outcome::Score(score) => Some(score.into()),
                        Outcome::Found(_) | Outcome::Failed(_) => None,
                    },
                };
                link.reply(self.id(), "match", message_id, &reply)
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
                        Outcome::Score(_) | Outcome::Failed(_) => None,
                    },
                };
                link.reply(self.id(), "match-on-sensor", message_id, &reply)
            }
        };
        if let Err(error) = sent {
            tracing::error!(%error, "a reply was not taken");
        }
    }
}

//! Messages on their way out, in order, each kept until it is confirmed. Pure: time is an argument.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use schemas::ids::MessageId;
use tokio::sync::oneshot;

use super::{Confirmation, LinkError, LinkLimits};

/// A message to publish at QoS 1.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) retain: bool,
    /// The id in the payload, by which a receipt names it; none for blobs and retained messages.
    pub(super) message_id: Option<MessageId>,
    pub(super) done: Option<oneshot::Sender<Result<(), LinkError>>>,
}

/// What a PUBACK said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// Try again later (MQTT 5: quota exceeded, unspecified, implementation specific).
    Busy,
    Refused(String),
}

#[derive(Debug)]
enum Stage {
    /// To be handed to the client.
    Waiting,
    /// Handed to the client, packet id not known yet.
    Handed,
    /// On the wire.
    OnWire(u16),
    /// Not before this instant again: the broker was busy, or no receipt has come.
    Later(Instant),
}

#[derive(Debug)]
struct Entry {
    message: Outgoing,
    stage: Stage,
    /// Nobody wants it any more: it does not go out again.
    withdrawn: bool,
}

impl Entry {
    const fn new(message: Outgoing) -> Self {
        Self {
            message,
            stage: Stage::Waiting,
            withdrawn: false,
        }
    }
}

/// The outbox.
#[derive(Debug)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    len_max: usize,
    payload_bytes_max: usize,
    in_flight_max: usize,
    busy_again: Duration,
    confirmation: Confirmation,
}

impl Outbox {
    pub(super) fn new(limits: &LinkLimits, confirmation: Confirmation) -> Self {
        Self {
            entries: VecDeque::new(),
            len_max: limits.outbox_len_max,
            payload_bytes_max: limits.payload_bytes_max,
            in_flight_max: usize::from(limits.in_flight_max.max(1)),
            busy_again: Duration::from_millis(limits.busy_again_ms),
            confirmation,
        }
    }

    /// Takes a message. A retained one replaces one of its topic that has not gone out yet, so that
    /// these never fill the outbox.
    pub(super) fn push(&mut self, message: Outgoing) -> Result<(), LinkError> {
        let len = message.payload.len();
        if len > self.payload_bytes_max {
            let max = self.payload_bytes_max;
            return Err(LinkError::TooLarge { len, max });
        }
        if message.retain {
            let topic = &message.topic;
            self.entries.retain(|entry| {
                !(entry.message.retain
                    && matches!(entry.stage, Stage::Waiting | Stage::Later(_))
                    && entry.message.topic == *topic)
            });
        } else if self.entries.len() >= self.len_max {
            return Err(LinkError::OutboxFull);
        }
        self.entries.push_back(Entry::new(message));
        Ok(())
    }

    /// Puts `births` before all else, in order, and drops what waits for their topics.
    pub(super) fn begin_life(&mut self, births: Vec<Outgoing>) {
        self.entries.retain(|entry| {
            !births
                .iter()
                .any(|birth| entry.message.retain && birth.topic == entry.message.topic)
        });
        for message in births.into_iter().rev() {
            self.entries.push_front(Entry::new(message));
        }
    }

    /// The next message to hand to the client: topic, payload, retain. It counts as handed over.
    pub(super) fn hand_over(&mut self) -> Option<(String, Bytes, bool)> {
        let in_flight = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.stage, Stage::Handed | Stage::OnWire(_)))
            .count();
        if in_flight >= self.in_flight_max {
            return None;
        }
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| matches!(entry.stage, Stage::Waiting))?;
        entry.stage = Stage::Handed;
        let message = &entry.message;
        Some((
            message.topic.clone(),
            message.payload.clone(),
            message.retain,
        ))
    }

    /// The client has put the next message it was handed on the wire as `packet_id`.
    pub(super) fn on_wire(&mut self, packet_id: u16) {
        if let Some(entry) = self
            .entries
            .iter_mut()
            .find(|entry| matches!(entry.stage, Stage::Handed))
        {
            entry.stage = Stage::OnWire(packet_id);
        }
    }

    /// The broker has answered `packet_id`.
    pub(super) fn puback(&mut self, packet_id: u16, verdict: Verdict, now: Instant) {
        let Some(at) = self
            .entries
            .iter()
            .position(|entry| matches!(entry.stage, Stage::OnWire(id) if id == packet_id))
        else {
            return;
        };
        let outcome = match (verdict, self.confirmation) {
            (Verdict::Taken, Confirmation::Puback) => Ok(()),
            (Verdict::Taken, Confirmation::Receipt { again_ms }) => {
                let named = self
                    .entries
                    .get(at)
                    .is_some_and(|e| e.message.message_id.is_some());
                if named {
                    self.postpone(at, now + Duration::from_millis(again_ms));
                    return;
                }
                Ok(())
            }
            (Verdict::Busy, _) => {
                self.postpone(at, now + self.busy_again);
                return;
            }
            (Verdict::Refused(reason), _) => Err(LinkError::Refused(reason)),
        };
        self.finish(at, outcome);
    }

    /// A receipt for a message has come: whatever the broker said, the log has it.
    pub(super) fn receipt(&mut self, id: &MessageId) {
        // On the wire it is finished by its PUBACK, so that packet ids stay in step.
        let at = self.entries.iter().position(|entry| {
            entry.message.message_id.as_ref() == Some(id)
                && matches!(entry.stage, Stage::Waiting | Stage::Later(_))
        });
        if let Some(at) = at {
            self.finish(at, Ok(()));
        } else if let Some(entry) = self
            .entries
            .iter_mut()
            .find(|entry| entry.message.message_id.as_ref() == Some(id))
        {
            // Without an id, the PUBACK alone confirms it.
            entry.message.message_id = None;
        }
    }

    /// Takes back what was to be published on a topic of its own. On the wire it is finished by its PUBACK, so that packet ids stay
    /// in step.
    pub(super) fn withdraw(&mut self, topic: &str) {
        let at = |entry: &Entry| entry.message.topic == topic;
        if let Some(entry) = self.entries.iter_mut().find(|entry| at(entry)) {
            entry.withdrawn = true;
        }
        self.entries
            .retain(|entry| !at(entry) || matches!(entry.stage, Stage::Handed | Stage::OnWire(_)));
    }

    /// The connection is gone: all that was not confirmed goes out again, of the retained messages of a topic the newest. The
    /// broker may have had it already, and an older one after it would stand as the newest, or be a count that runs backwards.
    pub(super) fn disconnected(&mut self) {
        let mut newest = BTreeSet::new();
        for at in (0..self.entries.len()).rev() {
            let Some(entry) = self.entries.get_mut(at) else {
                continue;
            };
            if entry.withdrawn {
                self.entries.remove(at);
            } else if entry.message.retain && !newest.insert(entry.message.topic.clone()) {
                self.finish(at, Ok(()));
            } else {
                entry.stage = Stage::Waiting;
            }
        }
    }

    /// Lets what was postponed go, and says when the next one is due.
    pub(super) fn wake(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for entry in &mut self.entries {
            if let Stage::Later(at) = entry.stage {
                if at <= now {
                    entry.stage = Stage::Waiting;
                } else {
                    next = Some(next.map_or(at, |next: Instant| next.min(at)));
                }
            }
        }
        next
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a message with this id is still on its way.
    pub(super) fn holds(&self, id: &MessageId) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.message.message_id.as_ref() == Some(id))
    }

    /// Later, unless there is a newer message of its topic: after that one it would be taken for the newest.
    fn postpone(&mut self, at: usize, until: Instant) {
        let Some(entry) = self.entries.get(at) else {
            return;
        };
        if entry.withdrawn {
            self.entries.remove(at);
            return;
        }
        let newer =
            |other: &Entry| other.message.retain && other.message.topic == entry.message.topic;
        if entry.message.retain && self.entries.iter().skip(at + 1).any(newer) {
            self.finish(at, Ok(()));
        } else if let Some(entry) = self.entries.get_mut(at) {
            entry.stage = Stage::Later(until);
        }
    }

    fn finish(&mut self, at: usize, outcome: Result<(), LinkError>) {
        let Some(mut entry) = self.entries.remove(at) else {
            return;
        };
        if let Err(error) = &outcome {
            tracing::warn!(topic = %entry.message.topic, %error, "a message was dropped");
        }
        if let Some(done) = entry.message.done.take() {
            // Nobody need be waiting.
            done.send(outcome).ok();
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;

//! One command: known already? Else decide, seal, evolve. Nothing is evolved that could not be sealed.

use std::time::Instant;

use gateway_core::{Decision, Input, Outcome, Recorded, Request, decide};
use schemas::envelope::{Cause, CauseOutcome, EnvelopeError, Meta, Source, Unsigned};
use schemas::event::Event;
use schemas::event::station::Presence;
use schemas::ids::{DeviceId, SessionId};
use schemas::message::command::FingerTemplate;
use schemas::message::device::LastReceipt;
use schemas::time::Now;
use schemas::words::RefusalReason;

use super::group::Gathering;
use super::job::{Answer, CentreTold, Command, Content, Job, MessageKey, Operated};
use super::look_ups::{FirstCopy, not_taken};
use super::recent::Known;
use super::{Pipeline, PipelineError, Unrecordable};
use crate::effects::{Ack, Show, session_of};
use crate::operators::Verdict;
use crate::outlet::Outgoing;
use crate::receipts;

/// What was recorded of an input.
pub(super) struct Record {
    pub(super) outcome: Outcome,
    /// Index of the last event; none where nothing was recorded.
    index: Option<u64>,
    /// The session it belongs to, for the figures.
    session: Option<SessionId>,
}

impl Record {
    /// What is remembered only.
    const NOTHING: Self = Self {
        outcome: Outcome::Unchanged,
        index: None,
        session: None,
    };
}

impl Pipeline {
    /// Takes one job into the group.
    pub(super) fn take_in(&mut self, job: Job, group: &mut Gathering) -> Result<(), PipelineError> {
        match job {
            Job::ShowSession { device, id, done } => {
                group.show(Show { device, id, done });
                Ok(())
            }
            Job::Command(command) => self.take_command(command, group),
            Job::RotateKey { next, done } => self.rotate_key(next, done, group),
            Job::Own { input, rules, done } => self.take_asked(*input, rules, done, group),
            Job::Commission { asked, told, done } => {
                self.take_commission(*asked, told, done, group)
            }
            Job::Standing { machine, done } => {
                self.tell_standing(&machine, done);
                Ok(())
            }
            Job::Window { asked, told, done } => self.take_window(*asked, told, done, group),
            Job::Tickets { done } => {
                // Whoever asked may have gone.
                done.send(self.memory.state.window_tickets()).ok();
                Ok(())
            }
            Job::Centre { done } => {
                // The same.
                done.send(CentreTold::of(&self.memory.state)).ok();
                Ok(())
            }
            Job::Erase {
                session,
                has_keys,
                done,
            } => {
                self.look_ups.session(&self.log, session, has_keys, done);
                Ok(())
            }
            Job::PrunedBlobs { done } => {
                self.tell_pruned(done, group);
                Ok(())
            }
            Job::RotateLookup { done } => {
                group.rotate(done);
                Ok(())
            }
        }
    }

    /// Takes an input of the gateway's own into the group. It has no sender to be told that it cannot be recorded.
    pub(super) fn take_own(
        &mut self,
        input: &Input,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let received = Instant::now();
        let now = self.clock.now();
        let record = self.record(&Source::Gateway, None, input, &now, group);
        let record = record.map_err(PipelineError::Own)?;
        group.ack(Ack {
            session: record.session,
            ..Ack::own(received)
        });
        Ok(())
    }

    pub(super) fn take_command(
        &mut self,
        command: Box<Command>,
        group: &mut Gathering,
    ) -> Result<(), PipelineError> {
        let id = command.message.as_ref().map(|key| key.id.clone());
        let known = match id {
            None => None,
            Some(id) => match self.known(&command.device, &id)? {
                FirstCopy::Known(known) => Some(known),
                FirstCopy::Nowhere => None,
                FirstCopy::Closed(_) if self.look_ups.is_full() => {
                    not_taken(*command, group);
                    return Ok(());
                }
                FirstCopy::Closed(index) => {
                    self.look_ups.message(&self.log, command, id, index);
                    return Ok(());
                }
            },
        };
        self.take_known(*command, known, group);
        Ok(())
    }

    pub(super) fn take_known(
        &mut self,
        command: Command,
        known: Option<Known>,
        group: &mut Gathering,
    ) {
        let Command {
            device,
            message,
            content,
            received,
            done,
        } = command;
        let now = self.clock.now();
        // A device is told by the acknowledgement itself; its receipt only carries the index, for its next birth.
        let assured = content.is_request();
        let papers = self.papers_here(&device, &content);
        let ack = match (message, known) {
            (Some(key), Some(known)) if key.digests.contains(&known.digest) => {
                self.repeated(&device, key, known)
            }
            (Some(key), Some(_)) => self.id_reused(&device, key, &content, &now, group),
            (Some(key), None) if papers.is_some() => papers_again(device, key, papers),
            (message, _) => self.decided(&device, message, content, &now, group),
        };
        let receipt = ack.receipt.map(|receipt| Outgoing { assured, ..receipt });
        group.ack(Ack {
            receipt,
            done: Some(done),
            received,
            ..ack
        });
    }

    /// The session whose papers a kiosk asks for because they were gone, where they are here by now: they were made meanwhile, and what
    /// the rules would say of it no longer holds.
    fn papers_here(&self, kiosk: &DeviceId, content: &Content) -> Option<SessionId> {
        let Content::Input(Input::Request {
            request: Request::PapersGone { session },
            ..
        }) = content
        else {
            return None;
        };
        let here = self.effects.has_papers(kiosk, session);
        here.then(|| session.clone())
    }

    /// A message that was not seen before.
    fn decided(
        &mut self,
        device: &DeviceId,
        message: Option<MessageKey>,
        content: Content,
        now: &Now,
        group: &mut Gathering,
    ) -> Ack {
        let (mut input, fingers) = self.input(device, content, now);
        let source = Source::Device(device.clone());
        let first = group.next_index();
        let look = self
            .watch
            .look(&self.memory.state, &self.rules, &mut input, now);
        let record = if look.pass {
            self.record(&source, message.as_ref(), &input, now, group)
        } else {
            Ok(Record::NOTHING)
        };
        let record = match record {
            Ok(record) => record,
            Err(error) => return cannot_be_recorded(device, &error),
        };
        for more in look.more {
            if let Err(error) = self.record(&source, None, &more, now, group) {
                return cannot_be_recorded(device, &error);
            }
        }
        self.keep_templates(first, fingers, group);
        if let Input::Life {
            device,
            presence: Presence::Online { .. },
            ..
        } = &input
        {
            group.announced(device.clone());
        }
        let label = match &record.outcome {
            Outcome::Accepted(_) => "accepted",
            Outcome::Refused(_) => "refused",
            Outcome::Unchanged => "unchanged",
        };
        let receipt = message.map(|key| {
            let (refused, session) = match &record.outcome {
                Outcome::Refused(reason) => (Some(*reason), None),
                Outcome::Accepted(session) => (None, session.clone()),
                Outcome::Unchanged => (None, None),
            };
            receipts::recorded(device, key.id, refused, self.place(record.index), session)
        });
        Ack {
            label,
            receipt,
            session: record.session,
            ..Ack::own(Instant::now())
        }
    }

    /// The same id with other content. A request is refused on record, without taking the id's place in the record;
    /// anything else at the door.
    fn id_reused(
        &mut self,
        device: &DeviceId,
        key: MessageKey,
        content: &Content,
        now: &Now,
        group: &mut Gathering,
    ) -> Ack {
        let at_the_door = Ack {
            label: "id-reused",
            answer: Answer::IdReused,
            receipt: Some(receipts::id_reused(device, &key.id)),
            ..Ack::own(Instant::now())
        };
        if !content.is_request() {
            return at_the_door;
        }
        let (name, deadline_ms) = match content {
            Content::Operated(operated) => (operated.name.clone(), operated.deadline_ms),
            Content::Input(Input::Request {
                request,
                deadline_ms,
                ..
            }) => (request.name().to_owned(), *deadline_ms),
            Content::Input(_) | Content::ChipRead(..) => return at_the_door,
        };
        let reason = RefusalReason::MessageIdReused;
        let request = Request::Unserviceable { name, reason };
        let input = Input::Request {
            kiosk: device.clone(),
            deadline_ms,
            request,
        };
        match self.record(&Source::Device(device.clone()), None, &input, now, group) {
            Ok(Record { index, .. }) => Ack {
                label: "id-reused",
                receipt: Some(receipts::recorded(
                    device,
                    key.id,
                    Some(reason),
                    self.place(index),
                    None,
                )),
                ..Ack::own(Instant::now())
            },
            Err(error) => cannot_be_recorded(device, &error),
        }
    }

    /// A repetition: the receipt of the first copy.
    fn repeated(&self, device: &DeviceId, key: MessageKey, known: Known) -> Ack {
        let refused = match known.outcome {
            CauseOutcome::Accepted => None,
            CauseOutcome::Refused(reason) => Some(reason),
        };
        let place = self.place(Some(known.index));
        let receipt = receipts::recorded(device, key.id, refused, place, known.session);
        Ack {
            label: "duplicate",
            receipt: Some(receipt),
            ..Ack::own(Instant::now())
        }
    }

    /// An index of this log, as receipts name it.
    fn place(&self, index: Option<u64>) -> Option<LastReceipt> {
        let incarnation = self.memory.state.incarnation();
        index.map(|index| LastReceipt { incarnation, index })
    }

    /// What the rules are asked.
    fn input(
        &self,
        device: &DeviceId,
        content: Content,
        now: &Now,
    ) -> (Input, Vec<FingerTemplate>) {
        let operated = match content {
            Content::Input(input) => return (input, Vec::new()),
            Content::ChipRead(input, fingers) => return (input, fingers),
            Content::Operated(operated) => operated,
        };
        let Operated {
            check,
            deadline_ms,
            name,
            request,
        } = operated;
        let input = match self.memory.attempts.judge(&check, now) {
            Verdict::Admitted => Input::Request {
                kiosk: device.clone(),
                deadline_ms,
                request,
            },
            Verdict::Rejected {
                operator,
                attempts,
                locked,
            } => Input::OperatorRejected {
                device: device.clone(),
                request: name,
                operator,
                attempts,
                locked,
            },
        };
        (input, Vec::new())
    }

    /// Decides, seals, evolves. On an error nothing has changed.
    pub(super) fn record(
        &mut self,
        source: &Source,
        message: Option<&MessageKey>,
        input: &Input,
        now: &Now,
        group: &mut Gathering,
    ) -> Result<Record, Unrecordable> {
        let Decision { events, outcome } = decide(&self.memory.state, &self.rules, input, now);
        let cause = message.and_then(|key| cause(source, key, &outcome));
        let first = group.next_index();
        let sealed = self.seal_all(first, &events, source, cause.as_ref(), now)?;
        let bytes = sealed.iter().map(Unsigned::signed_len).sum();
        let bytes_max = self.group_bytes_max;
        if bytes > bytes_max {
            return Err(Unrecordable::TooLarge { bytes, bytes_max });
        }
        // From here on the state runs ahead of the log, so the log must have no reason to refuse the group.
        group.make_room(bytes, bytes_max, &self.memory.state, &self.rules);
        let mut session = None;
        let last = events.len().saturating_sub(1);
        for ((at, event), index) in events.iter().enumerate().zip(first..) {
            let cause = cause.as_ref().filter(|_| at == last);
            self.memory.apply(Recorded { index, now, event }, cause);
            if let Some(cause) = cause {
                self.recent.insert(index, cause);
            }
            if let Event::PickupEnding(schemas::event::pickup::PickupEnding { session, .. })
            | Event::PickupEnded(schemas::event::pickup::PickupEnded { session, .. })
            | Event::ApplicationEnded(schemas::event::application::ApplicationEnded {
                session,
                ..
            }) = event
            {
                self.vault.forget(session);
            }
            session = session.or_else(|| session_of(event).cloned());
        }
        let index = (!events.is_empty()).then(|| first + u64::try_from(last).unwrap_or(0));
        if !events.is_empty() {
            group.push(events, sealed);
        }
        Ok(Record {
            outcome,
            index,
            session,
        })
    }

    /// The events as they are stored, but for their signatures.
    pub(super) fn seal_all(
        &self,
        first: u64,
        events: &[Event],
        source: &Source,
        cause: Option<&Cause>,
        now: &Now,
    ) -> Result<Vec<Unsigned>, EnvelopeError> {
        let last = events.len().saturating_sub(1);
        let seal = |((at, event), index)| {
            let cause = cause.filter(|_| at == last).cloned();
            let meta = Meta {
                source: source.clone(),
                now: now.clone(),
                cause,
            };
            Unsigned::new(&self.origin, index, &meta, event, self.key_id)
        };
        events.iter().enumerate().zip(first..).map(seal).collect()
    }

    /// The templates are kept only if the rules took the card for the session's own.
    fn keep_templates(&mut self, first: u64, fingers: Vec<FingerTemplate>, group: &Gathering) {
        if fingers.is_empty() {
            return;
        }
        if let Some(session) = group.verified_since(first) {
            self.vault.put(session.clone(), fingers);
        }
    }
}

/// Papers that are here are given again without asking the rules.
fn papers_again(kiosk: DeviceId, key: MessageKey, session: Option<SessionId>) -> Ack {
    let receipt = receipts::recorded(&kiosk, key.id, None, None, session.clone());
    Ack {
        label: "unchanged",
        receipt: Some(receipt),
        papers: session.map(|session| (kiosk, session)),
        ..Ack::own(Instant::now())
    }
}

fn cause(source: &Source, key: &MessageKey, outcome: &Outcome) -> Option<Cause> {
    let Source::Device(sender) = source else {
        return None;
    };
    let (outcome, session) = match outcome {
        Outcome::Accepted(session) => (CauseOutcome::Accepted, session.clone()),
        Outcome::Refused(reason) => (CauseOutcome::Refused(*reason), None),
        Outcome::Unchanged => (CauseOutcome::Accepted, None),
    };
    Some(Cause {
        sender: sender.clone(),
        message_id: key.id.clone(),
        digest: key.digest(),
        outcome,
        session,
    })
}

/// The rules made events that the log cannot hold. Nothing was recorded or changed.
fn cannot_be_recorded(device: &DeviceId, error: &Unrecordable) -> Ack {
    tracing::error!(%device, %error, "a message cannot be recorded; it was refused");
    Ack {
        label: "failed",
        answer: Answer::Failed,
        ..Ack::own(Instant::now())
    }
}

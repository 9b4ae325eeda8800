//! From a published message to a command of the pipeline, or a refusal with its reason (architecture.md, steps 2 and 3).
//!
//! It takes out everything personal: numbers and vouchers become keyed tags, templates go to the vault, photos and the
//! holder that a chip names are sealed under the key of the session. It is bounded: what does not fit the queue is refused as busy. Slow looks (a PIN, a manifest, a photo) are
//! taken before the queue, yet messages of one sender enter it in the order they came. It must never decide anything
//! that the rules decide, and never acknowledge: it passes on what the pipeline, or a durable blob, says.

mod devices;
mod entry;
mod lanes;
mod parse;
mod peripherals;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]
mod personal_tests;
mod reply;
mod request;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use schemas::ids::{DeviceId, MessageId, SessionId};
use schemas::topic::FromDevice;
use tokio::sync::{mpsc, oneshot};

use crate::blobs::{BlobDesk, BlobRefusal};
use crate::centre::GrantDesk;
use crate::held::Held;
use crate::inbox::Inbox;
use crate::keys::LookupKeys;
use crate::metrics::Metrics;
use crate::operators::PinDesk;
use crate::outlet::Outlet;
use crate::papers::PaperDesk;
use crate::pipeline::{Answer, Command, Content, Job, MessageKey};
use crate::receipts;
use crate::sealing::{SealingDesk, Source};
use crate::wiped::wipe;
use lanes::{Lanes, Ticket};
use parse::Parsed;

/// Longest message of a device that is no blob, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// A message as it came, its sender known.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Who sent it. The broker has checked that the topic is theirs.
    pub device: DeviceId,
    /// What it is, by its topic.
    pub channel: FromDevice,
    /// The whole topic.
    pub topic: Arc<str>,
    /// The bytes.
    pub payload: Bytes,
    /// Its sender says that it was sent before: others that came after it the first time may be here already (MQTT 5,
    /// section 4.4).
    pub again: bool,
}

/// What became of a message. A value of `Taken` is the permission to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Durable, or not meant to be.
    Yes,
    /// Not readable as what its topic asks.
    Unreadable,
    /// The queue is full.
    Busy,
    /// The same id came before with other content.
    IdReused,
    /// A blob that no session asked for.
    NotKept,
    /// It could not be made durable or stored.
    Failed,
}

/// The way in. Cheap to clone.
#[derive(Clone)]
pub struct Ingress(Arc<Inner>);

/// What becomes of a message for which the queue has no place.
#[derive(Debug, Clone, Copy)]
enum IfFull {
    Refuse,
    Wait,
}

/// A message's place among its sender's, and whether it waits for one in the queue.
struct Place {
    ticket: Ticket,
    if_full: IfFull,
}

struct Inner {
    desks: Desks,
    queue: mpsc::Sender<Job>,
    lanes: Lanes,
}

/// What the way in looks things up with.
#[derive(Debug)]
pub struct Desks {
    /// Tags and digests.
    pub keys: LookupKeys,
    /// PINs.
    pub pins: PinDesk,
    /// Manifests.
    pub inbox: Inbox,
    /// Photos.
    pub blobs: BlobDesk,
    /// Keys of sessions.
    pub sealing: SealingDesk,
    /// What applications hold in memory.
    pub held: Held,
    /// The list of the centre's grant.
    pub grants: GrantDesk,
    /// Papers of sessions that ended.
    pub papers: PaperDesk,
    /// Where error receipts go out.
    pub outlet: Arc<dyn Outlet>,
    /// Figures.
    pub metrics: Metrics,
}

impl Ingress {
    /// The way into `queue`.
    pub fn new(desks: Desks, queue: mpsc::Sender<Job>) -> Self {
        Self(Arc::new(Inner {
            desks,
            queue,
            lanes: Lanes::default(),
        }))
    }

    /// Takes a message. Its place among the messages of its sender is fixed when this is called; the future resolves
    /// when it may be acknowledged, or is refused.
    pub fn take(&self, arrival: Arrival) -> BoxFuture<'static, Taken> {
        self.take_if(arrival, IfFull::Refuse)
    }

    /// The same, but a message that finds the queue full waits for its place, and those behind it of the same sender
    /// wait with it: for a way in whose sender would not hear that it was refused. Never [`Taken::Busy`].
    pub fn take_in_turn(&self, arrival: Arrival) -> BoxFuture<'static, Taken> {
        self.take_if(arrival, IfFull::Wait)
    }

    fn take_if(&self, arrival: Arrival, if_full: IfFull) -> BoxFuture<'static, Taken> {
        let received = Instant::now();
        let metrics = &self.0.desks.metrics;
        let parsed = match parse::parse(&arrival, &self.0.desks.keys) {
            Ok(parsed) => parsed,
            Err(unreadable) => {
                metrics.command("unreadable");
                wipe(arrival.payload);
                let id = unreadable.message_id.as_ref();
                self.0
                    .desks
                    .outlet
                    .send(receipts::unreadable(&arrival.device, id));
                return std::future::ready(Taken::Unreadable).boxed();
            }
        };
        if let Parsed::Volatile = parsed {
            metrics.command("volatile");
            return std::future::ready(Taken::Yes).boxed();
        }
        let ticket = self.0.lanes.ticket(&arrival.device);
        let way = Place { ticket, if_full };
        let inner = Arc::clone(&self.0);
        async move { inner.go_on(arrival, parsed, way, received).await }.boxed()
    }
}

impl std::fmt::Debug for Ingress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingress").finish_non_exhaustive()
    }
}

impl Inner {
    async fn go_on(
        &self,
        arrival: Arrival,
        parsed: Parsed,
        Place { ticket, if_full }: Place,
        received: Instant,
    ) -> Taken {
        let ticket = ticket.turn().await;
        let Arrival {
            device,
            topic,
            payload,
            ..
        } = arrival;
        let digests = self.desks.keys.digests(&topic, &payload);
        let digest = digests.first().copied().unwrap_or_default();
        let key = |id: MessageId| MessageKey { id, digests };
        if let Parsed::Blob(id, command) = &parsed {
            let blobs = &self.desks.blobs;
            let from = Source {
                device: &device,
                command: command.as_ref(),
            };
            let received = blobs.receive(from, id, digest, payload).await;
            drop(ticket);
            if let Err(BlobRefusal::NoSession) = received {
                say_not_kept(&device, command.is_some());
            }
            return self.blob_taken(&device, id, received.map(drop));
        }
        // What is personal in it has been taken out.
        wipe(payload);
        let (message, content) = match parsed {
            Parsed::Volatile | Parsed::Blob(..) => return Taken::Yes,
            Parsed::ShowSession(id) => {
                let (done, answer) = oneshot::channel();
                let job = Job::ShowSession { device, id, done };
                return self.enqueue(job, answer, ticket, if_full).await;
            }
            Parsed::ShowPapers(id, session, _) if self.desks.papers.has(&device, &session) => {
                self.papers_again(&device, id, &session);
                return Taken::Yes;
            }
            // They are not here: the rules know whether the citizen has got them, unless they come before the loop takes this.
            Parsed::ShowPapers(id, _, gone) => (Some(key(id)), Content::Input(gone)),
            Parsed::Plain(input) => (None, Content::Input(input)),
            Parsed::Message(id, input) => (Some(key(id)), Content::Input(input)),
            Parsed::ChipRead(id, read) => {
                match read.seal(&device, self.aids()).await {
                    Some((input, fingers)) => (Some(key(id)), Content::ChipRead(input, fingers)),
                    // Not acknowledged: the reader brings it again.
                    None => return Taken::Failed,
                }
            }
            Parsed::Captured(id, captured) => {
                let input = captured.resolve(&device, self.aids());
                (Some(key(id)), Content::Input(input))
            }
            Parsed::FingerCaptured(id, captured) => {
                let input = captured.resolve(&device, self.aids());
                (Some(key(id)), Content::Input(input))
            }
            Parsed::Entered(id, entered) => match entered.resolve(&device, self.aids()).await {
                Some(input) => (Some(key(id)), Content::Input(input)),
                // Not acknowledged: the kiosk brings it again.
                None => return Taken::Failed,
            },
            Parsed::Operated(id, operated) => {
                let operated = operated.look_up(&self.desks.pins, &self.desks.inbox).await;
                (Some(key(id)), Content::Operated(operated))
            }
        };
        let (done, answer) = oneshot::channel();
        let job = Job::Command(Box::new(Command {
            device,
            message,
            content,
            received,
            done,
        }));
        self.enqueue(job, answer, ticket, if_full).await
    }

    fn aids(&self) -> entry::Aids<'_> {
        let Desks {
            keys,
            blobs,
            sealing,
            held,
            grants,
            ..
        } = &self.desks;
        entry::Aids {
            keys,
            blobs,
            sealing,
            held,
            grants,
        }
    }

    /// The receipt first, then the papers.
    fn papers_again(&self, kiosk: &DeviceId, id: MessageId, session: &SessionId) {
        let receipt = receipts::recorded(kiosk, id, None, None, Some(session.clone()));
        self.desks.outlet.send(receipt);
        self.desks.papers.again(kiosk, session);
    }

    /// The ticket is given up when the job has its place in the queue.
    async fn enqueue(
        &self,
        job: Job,
        answer: oneshot::Receiver<Answer>,
        ticket: lanes::Turn,
        if_full: IfFull,
    ) -> Taken {
        use mpsc::error::TrySendError::{Closed, Full};
        let queued = match (self.queue.try_send(job), if_full) {
            (Err(Full(job)), IfFull::Wait) => self
                .queue
                .send(job)
                .await
                .map_err(|closed| Closed(closed.0)),
            (queued, _) => queued,
        };
        drop(ticket);
        let metrics = &self.desks.metrics;
        match queued {
            Err(Full(_)) => {
                metrics.command("busy");
                Taken::Busy
            }
            Err(Closed(_)) => Taken::Failed,
            Ok(()) => match answer.await {
                Ok(Answer::Done) => Taken::Yes,
                Ok(Answer::IdReused) => Taken::IdReused,
                // The pipeline dropped it: it has ended, and nothing of this is known to be durable.
                Ok(Answer::Failed | Answer::Refused(_)) | Err(_) => Taken::Failed,
            },
        }
    }

    fn blob_taken(
        &self,
        device: &DeviceId,
        id: &schemas::ids::BlobId,
        outcome: Result<(), BlobRefusal>,
    ) -> Taken {
        match outcome {
            Ok(()) => {
                self.desks.metrics.blobs.inc();
                self.desks.outlet.send(receipts::blob(device, id));
                Taken::Yes
            }
            Err(BlobRefusal::Length) => {
                self.desks.metrics.command("unreadable");
                let id = MessageId::new(id.as_str()).ok();
                let receipt = receipts::unreadable(device, id.as_ref());
                self.desks.outlet.send(receipt);
                Taken::Unreadable
            }
            Err(BlobRefusal::IdReused) => Taken::IdReused,
            Err(BlobRefusal::NoSession) => {
                self.desks.metrics.command("not-kept");
                self.desks.outlet.send(receipts::blob_not_kept(device, id));
                Taken::NotKept
            }
            Err(BlobRefusal::Failed) => Taken::Failed,
        }
    }
}

/// Why a blob was refused for good: whose program is to be looked at.
fn say_not_kept(device: &DeviceId, names_command: bool) {
    if names_command {
        tracing::warn!(%device, "an image was not kept: no session waits for its command");
    } else {
        tracing::warn!(
            %device,
            "a blob was not kept: no application of this device is under way. What a command asked for comes on \
             blob/{{id}}/{{command}}: a device or `adapters` program that leaves the command out is of an earlier version than this \
             gateway"
        );
    }
}

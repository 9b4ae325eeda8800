//! Step 8: acts on what is durable, and on nothing else. Acknowledgements, receipts, device commands, prompts, and the
//! clean-up of what an event makes superfluous.
//!
//! Everything here is a snapshot that travelled with its group ([`Outbox`]) and came back inside a `Durable`. Device
//! commands are level-triggered: the open ones are compared with those already sent, so each goes out once, and again
//! when its device comes back. It must never look at the live state, which runs ahead of the disk.

mod commands;
mod erasures;
mod papers;
mod prompts;
mod rotations;
mod shares;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use gateway_core::{Effect, FeeStanding, Input, Named, Registry, View};
use gateway_log::{Durable, Log};
use schemas::event::Event;
use schemas::ids::{BlobHash, DeviceId, MessageId, SessionId};
use schemas::key::LookupKeyId;
use schemas::message::command::CommandId;
use schemas::message::kiosk::Text;
use schemas::time::Now;
use serde::Serialize;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::blobs::BlobDesk;
use crate::centre::GrantDesk;
use crate::held::Held;
use crate::inbox::Inbox;
use crate::keys::{LookupKeys, NotRotated};
use crate::metrics::Metrics;
use crate::outlet::{Outgoing, Outlet};
use crate::papers::{PaperDesk, Printer};
use crate::pipeline::{Answer, Rotated};
use crate::receipts;
use crate::sealing::SealingDesk;
use crate::service::Service;
use crate::slips::Slips;
use crate::vault::Vault;

pub(crate) use commands::Issued;
use erasures::Erasures;
pub(crate) use erasures::index_of;
pub use erasures::{EraseAnswer, EraseAsked};
use papers::Papers;
pub(crate) use prompts::Prompts;
pub use prompts::prompt;
pub use rotations::RotateAnswer;
use rotations::Rotations;
use shares::Shares;
pub use shares::session_of;
pub(crate) use windows::{AskedFor, over as over_at_window};

/// What a group owes the world, once it is durable.
#[derive(Debug, Default)]
pub struct Outbox {
    /// To senders.
    pub acks: Vec<Ack>,
    /// The events, with their indexes.
    pub recorded: Vec<(u64, Event)>,
    /// The device commands that are open after this group.
    pub effects: Vec<Effect>,
    /// Devices that came online in this group.
    pub came: BTreeSet<DeviceId>,
    /// What each kiosk shows after this group.
    pub views: BTreeMap<DeviceId, View>,
    /// The applications that are under way after this group, and the kiosk of each.
    pub applications: BTreeMap<SessionId, DeviceId>,
    /// What each of them has named of that which is held in memory.
    pub named: BTreeMap<SessionId, Named>,
    /// The commands that sessions wait for after this group, with the device and the session of each.
    pub asked: BTreeMap<CommandId, (DeviceId, SessionId)>,
    /// The sessions whose papers are due after this group, and the fee of each, where there is one.
    pub papers: BTreeMap<SessionId, Option<FeeStanding>>,
    /// The applications that cannot come to the window any more, since this group.
    pub over_at_window: Vec<SessionId>,
    /// Window tickets that are open after this group.
    pub tickets: usize,
    /// How the devices stand after this group.
    pub registry: Registry,
    /// Kiosks that want their prompt again.
    pub shows: Vec<Show>,
    /// A change of the signing key.
    pub rotated: Option<Rotated>,
    /// Sessions that are to be erased after this group.
    pub erasures: BTreeSet<SessionId>,
    /// Requests to erase.
    pub erase_asked: Vec<EraseAsked>,
    /// Requests to change the lookup key.
    pub rotate_asked: Vec<oneshot::Sender<RotateAnswer>>,
    /// Who asked which blobs went with their events, and the answer.
    pub pruned_asked: Vec<(Vec<BlobHash>, oneshot::Sender<Vec<BlobHash>>)>,
    /// Lookup keys that may be destroyed.
    pub retirable: Vec<LookupKeyId>,
}

/// Work that takes its time outside the loop, and what the rules are told of it.
pub(crate) type Errand = BoxFuture<'static, Finding>;

/// What came of an errand.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The rules are told.
    Tell(Input),
    /// The keys of a session could not be destroyed.
    NotErased {
        /// The session.
        session: SessionId,
        /// What stands in the way.
        why: String,
    },
    /// No new lookup key could be made.
    NotRotated(NotRotated),
    /// Nothing.
    Nothing,
}

/// What is owed to the sender of one message.
#[derive(Debug)]
pub struct Ack {
    /// The answer.
    pub answer: Answer,
    /// The receipt, for messages with an id.
    pub receipt: Option<Outgoing>,
    /// The kiosk and session whose papers are given again, behind the receipt.
    pub papers: Option<(DeviceId, SessionId)>,
    /// For the figures.
    pub label: &'static str,
    /// The session that the message belongs to, for the figures.
    pub session: Option<SessionId>,
    /// When the message came.
    pub received: Instant,
    /// Who waits; nobody for the gateway's own inputs.
    pub done: Option<oneshot::Sender<Answer>>,
}

impl Ack {
    /// Of an input that nobody waits for.
    pub fn own(received: Instant) -> Self {
        Self {
            answer: Answer::Done,
            receipt: None,
            papers: None,
            label: "own",
            session: None,
            received,
            done: None,
        }
    }
}

/// A kiosk wants its prompt again.
#[derive(Debug)]
pub struct Show {
    /// The kiosk.
    pub device: DeviceId,
    /// Its request.
    pub id: MessageId,
    /// Who waits.
    pub done: oneshot::Sender<Answer>,
}

/// Acts on what is durable.
pub struct Effects {
    outlet: Arc<dyn Outlet>,
    inbox: Inbox,
    blobs: BlobDesk,
    sealing: SealingDesk,
    held: Held,
    grants: GrantDesk,
    metrics: Metrics,
    service: Service,
    slips: Slips,
    issued: Issued,
    prompts: Prompts,
    registry: Registry,
    shares: Shares,
    erasures: Erasures,
    papers: Papers,
    rotations: Rotations,
    /// Errands to be run.
    errands: Vec<Errand>,
}

/// What effects act upon.
#[derive(Debug)]
pub struct Reach {
    /// Messages to devices.
    pub outlet: Arc<dyn Outlet>,
    /// Manifests.
    pub inbox: Inbox,
    /// Sealed blobs.
    pub blobs: BlobDesk,
    /// Sealing keys of sessions.
    pub sealing: SealingDesk,
    /// What applications hold in memory.
    pub held: Held,
    /// The list of the centre's grant.
    pub grants: GrantDesk,
    /// Where the window is.
    pub window: Text,
    /// Lookup keys.
    pub lookup: LookupKeys,
    /// Figures.
    pub metrics: Metrics,
    /// Standing.
    pub service: Service,
    /// What kiosks print.
    pub slips: Slips,
    /// Where papers lie.
    pub papers: PaperDesk,
    /// Who sets them; none where nobody accepts applications.
    pub printer: Option<Arc<Printer>>,
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effects").finish_non_exhaustive()
    }
}

impl Effects {
    /// Nothing has been sent yet in this life.
    pub fn new(reach: Reach) -> Self {
        let Reach {
            outlet,
            inbox,
            blobs,
            sealing,
            held,
            grants,
            window,
            lookup,
            metrics,
            service,
            slips,
            papers,
            printer,
        } = reach;
        Self {
            outlet,
            inbox,
            blobs,
            erasures: Erasures::new(sealing.clone()),
            rotations: Rotations::new(lookup),
            papers: Papers::new(papers, printer, metrics.clone()),
            errands: Vec::new(),
            sealing,
            held,
            grants,
            metrics,
            service,
            slips,
            issued: Issued::default(),
            prompts: Prompts::new(window),
            registry: Registry::default(),
            shares: Shares::default(),
        }
    }

    /// In how many ms a kiosk is to be told less than it was.
    pub fn prompts_left_ms(&self, now: &Now) -> Option<u64> {
        self.prompts.left_ms(now)
    }

    /// Acts on a group. What is left to the caller is answered.
    pub fn act(
        &mut self,
        durable: Durable<Outbox>,
        log: &Log,
        vault: &Vault,
        now: &Now,
    ) -> Option<Rotated> {
        let Outbox {
            acks,
            recorded,
            effects,
            came,
            views,
            applications,
            named,
            asked,
            papers,
            over_at_window,
            tickets,
            registry,
            shows,
            rotated,
            erasures,
            erase_asked,
            rotate_asked,
            pruned_asked,
            retirable,
        } = durable.into_inner();
        for (_, event) in &recorded {
            self.follow(event);
        }
        let over = over_at_window.into_iter();
        let cleared = over.map(|session| windows::clear(self.sealing.clone(), session));
        self.errands.extend(cleared);
        self.metrics.window.waiting(tickets);
        // Before the commands go out: what a device sends for one finds its session.
        self.sealing.applications(&applications);
        self.sealing.asks(asked);
        self.errands.extend(clear(&self.blobs));
        // Commands first: what a citizen waits for is the device, not the receipt.
        let due = self.issued.due(effects, &came, vault, &self.held);
        for message in due.messages {
            self.outlet.send(message);
        }
        let answers = due.answers.into_iter().map(Finding::Tell);
        let told = answers.map(|answer| std::future::ready(answer).boxed());
        self.errands.extend(told);
        for (message, view) in self.prompts.changed(views, now) {
            self.show(message, &view);
        }
        if self.registry != registry {
            self.metrics.devices.follow(&self.registry, &registry);
            self.service.devices(&registry);
            self.registry = registry;
        }
        for ack in acks {
            self.answer(ack);
        }
        let due = self.papers.follow(&recorded, &papers, &self.held, log);
        self.errands.extend(due);
        // Whatever needed what an ended session held has its own share of it by now.
        self.held.only(named);
        for Show { device, id, done } in shows {
            self.outlet
                .send(receipts::recorded(&device, id, None, None, None));
            if let Some((message, view)) = self.prompts.again(&device, now) {
                self.show(message, &view);
            }
            // A sender that is gone needs no answer.
            done.send(Answer::Done).ok();
        }
        self.shares.ended(&recorded, &self.metrics);
        for asked in erase_asked {
            self.erasures.asked(asked);
        }
        self.errands.extend(self.erasures.begin(erasures, log));
        for (blobs, done) in pruned_asked {
            // Who asked may be gone.
            done.send(blobs).ok();
        }
        for done in rotate_asked {
            self.errands.extend(self.rotations.begin(done));
        }
        self.errands.extend(self.rotations.destroy(retirable));
        rotated
    }

    /// Whether papers of this session lie here for the kiosk.
    pub(crate) fn has_papers(&self, kiosk: &DeviceId, session: &SessionId) -> bool {
        self.papers.has(kiosk, session)
    }

    /// A prompt, and the slip that belongs to it.
    fn show(&self, message: Outgoing, view: &View) {
        let kiosk = message.device.clone();
        self.outlet.send(message);
        self.slips.shown(&kiosk, view);
    }

    /// The errands that followed from what was acted on.
    pub(crate) fn errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    /// What the rules are told of an errand.
    pub(crate) fn found(&mut self, finding: Finding, log: &Log) -> Option<Input> {
        match finding {
            Finding::Tell(input) => Some(input),
            Finding::NotErased { session, why } => {
                let again = self.erasures.failed(session, &why, log);
                self.errands.push(again);
                None
            }
            Finding::NotRotated(refused) => {
                self.rotations.failed(refused);
                None
            }
            Finding::Nothing => None,
        }
    }

    fn answer(&mut self, ack: Ack) {
        let Ack {
            answer,
            receipt,
            papers,
            label,
            session,
            received,
            done,
        } = ack;
        if let Some(receipt) = receipt {
            self.outlet.send(receipt);
        }
        // Before what this group issues, which goes out by itself.
        if let Some((kiosk, session)) = papers {
            self.papers.again(&kiosk, &session);
        }
        if let Some(done) = done {
            self.metrics.command(label);
            // A sender that is gone brings its message again, and gets this receipt again.
            done.send(answer).ok();
        }
        if let Some(session) = session {
            self.shares.add(session, received.elapsed());
        }
    }

    /// What an event makes superfluous, and what it says for the figures.
    fn follow(&mut self, event: &Event) {
        self.metrics.follow(event);
        let sealed = event.sealed();
        let blobs = sealed.iter().flat_map(|sealed| &sealed.blobs);
        blobs.for_each(|blob| self.blobs.named(blob));
        if let Event::PickupStarted(pickup) = event {
            // Before its first command goes out: what a device sends for it finds it.
            self.sealing.opened(&pickup.session);
        } else if let Event::CommissionStarted(commission) = event {
            self.sealing.opened(&commission.session);
        } else if let Event::ActEnded(act) = event {
            self.sealing.ended(&act.session);
        } else if let Event::PickupEnded(pickup) = event {
            self.sealing.ended(&pickup.session);
        } else if let Event::ErasureDone(done) = event {
            self.erasures.done(done);
        } else if let Event::LookupKeyChanged(changed) = event {
            self.rotations.changed(changed);
        } else if let Event::GrantReceived(grant) = event {
            self.grants.took(Some((grant.version, &grant.sha256)));
        } else if let Event::BatchAnnounced(batch) = event {
            self.inbox.remove(&batch.batch);
        } else if let Event::ServiceChanged(service) = event {
            self.service
                .serving(service.in_service, service.reasons.clone());
        }
    }
}

/// Removes blobs that came for sessions which are over and that no event names, beside the loop.
fn clear(blobs: &BlobDesk) -> Option<Errand> {
    let (blobs, orphans) = (blobs.clone(), blobs.orphans());
    let removing = |orphans| async move {
        blobs.remove(orphans).await;
        Finding::Nothing
    };
    let there = Some(orphans).filter(|orphans| !orphans.is_empty());
    there.map(|orphans| removing(orphans).boxed())
}

/// A message of the contract as JSON. All of them are plain data, so this cannot fail.
pub(crate) fn json(body: &impl Serialize) -> Bytes {
    let mut bytes = Vec::with_capacity(256);
    write_json(body, &mut bytes);
    bytes.into()
}

/// The same of a message with personal data in it, at most `len` bytes long: its bytes are wiped when the last holder lets
/// them go.
pub(crate) fn personal_json(body: &impl Serialize, len: usize) -> Bytes {
    // Long enough from the beginning: growing would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(len));
    write_json(body, &mut bytes);
    Bytes::from_owner(bytes)
}

fn write_json(body: &impl Serialize, bytes: &mut Vec<u8>) {
    if let Err(error) = serde_json::to_writer(bytes, body) {
        tracing::error!(%error, "a message of the contract could not be written");
    }
}

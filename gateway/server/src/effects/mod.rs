//! Step 8: acts on what is durable, and on nothing else. Acknowledgements, receipts, device commands, prompts, and the
//! clean-up of what an event makes superfluous.
//!
//! Everything here is a snapshot that travelled with its group ([`Outbox`]) and came back inside a `Durable`. Device
//! commands are level-triggered: the open ones are compared with those already sent, so each goes out once, and again
//! when its device comes back. It must never look at the live state, which runs ahead of the disk.

mod commands;
mod prompts;
mod shares;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use gateway_core::{Effect, View};
use gateway_log::Durable;
use schemas::event::Event;
use schemas::ids::{DeviceId, MessageId, SessionId};
use schemas::time::Now;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::blobs::BlobDesk;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::outlet::{Outgoing, Outlet};
use crate::pipeline::{Answer, Rotated};
use crate::receipts;
use crate::service::Service;
use crate::slips::Slips;
use crate::vault::Vault;

pub(crate) use commands::Issued;
pub(crate) use prompts::Prompts;
pub use prompts::prompt;
use shares::Shares;
pub use shares::session_of;

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
    /// Kiosks that want their prompt again.
    pub shows: Vec<Show>,
    /// A change of the signing key.
    pub rotated: Option<Rotated>,
}

/// What is owed to the sender of one message.
#[derive(Debug)]
pub struct Ack {
    /// The answer.
    pub answer: Answer,
    /// The receipt, for messages with an id.
    pub receipt: Option<Outgoing>,
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
#[derive(Debug)]
pub struct Effects {
    outlet: Arc<dyn Outlet>,
    inbox: Inbox,
    blobs: BlobDesk,
    metrics: Metrics,
    service: Service,
    slips: Slips,
    issued: Issued,
    prompts: Prompts,
    shares: Shares,
}

impl Effects {
    /// Nothing has been sent yet in this life.
    pub fn new(
        outlet: Arc<dyn Outlet>,
        inbox: Inbox,
        blobs: BlobDesk,
        metrics: Metrics,
        service: Service,
        slips: Slips,
    ) -> Self {
        Self {
            outlet,
            inbox,
            blobs,
            metrics,
            service,
            slips,
            issued: Issued::default(),
            prompts: Prompts::default(),
            shares: Shares::default(),
        }
    }

    /// Acts on a group. What is left to the caller is answered.
    pub fn act(&mut self, durable: Durable<Outbox>, vault: &Vault, now: &Now) -> Option<Rotated> {
        let Outbox {
            acks,
            recorded,
            effects,
            came,
            views,
            shows,
            rotated,
        } = durable.into_inner();
        for (_, event) in &recorded {
            self.follow(event);
        }
        // Commands first: what a citizen waits for is the device, not the receipt.
        for message in self.issued.due(effects, &came, vault) {
            self.outlet.send(message);
        }
        for (message, view) in self.prompts.changed(views, now) {
            self.show(message, &view);
        }
        for ack in acks {
            self.answer(ack);
        }
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
        rotated
    }

    /// A prompt, and the slip that belongs to it.
    fn show(&self, message: Outgoing, view: &View) {
        let kiosk = message.device.clone();
        self.outlet.send(message);
        self.slips.shown(&kiosk, view);
    }

    fn answer(&mut self, ack: Ack) {
        let Ack {
            answer,
            receipt,
            label,
            session,
            received,
            done,
        } = ack;
        if let Some(receipt) = receipt {
            self.outlet.send(receipt);
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
    fn follow(&self, event: &Event) {
        self.metrics.follow(event);
        if let Event::PhotoArchived(photo) = event {
            self.blobs.named(&photo.blob);
        } else if let Event::BatchAnnounced(batch) = event {
            self.inbox.remove(&batch.batch);
        } else if let Event::ServiceChanged(service) = event {
            self.service
                .serving(service.in_service, service.reasons.clone());
        }
    }
}

/// A message of the contract as JSON. All of them are plain data, so this cannot fail.
pub(crate) fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_else(|error| {
        tracing::error!(%error, "a message of the contract could not be written");
        Vec::new()
    })
}

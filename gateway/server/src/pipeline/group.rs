//! A group while it gathers: events of several commands, and what is owed when they are durable. They are signed together when
//! it is full.

use std::collections::BTreeMap;

use gateway_core::{FeeStanding, Named, Rules, State, asked, pending, registry, views};
use gateway_log::{Batch, Group};
use schemas::envelope::Unsigned;
use schemas::event::Event;
use schemas::ids::{BlobHash, DeviceId, SessionId};
use schemas::key::LookupKeyId;
use schemas::time::Now;
use tokio::sync::oneshot;

use super::Rotated;
use crate::effects::{Ack, EraseAsked, Outbox, RotateAnswer, Show, over_at_window};
use crate::keys::SigningKey;

/// A group of this size takes in nothing more, in bytes.
const GROUP_BYTES_FULL: usize = 96 * 1024;

/// A group that gathers.
#[derive(Debug)]
pub(super) struct Gathering {
    first_index: u64,
    next_index: u64,
    bytes: usize,
    taken: usize,
    /// One for each command.
    batches: Vec<Vec<Unsigned>>,
    /// Signs all of them: a change of the key ends its group.
    key: SigningKey,
    /// When it began.
    now: Now,
    outbox: Outbox,
    /// Parts that were closed because the next command's events would have gone over the log's limit.
    full: Vec<Group<Outbox>>,
    /// Bytes of those.
    full_bytes: usize,
    /// Nothing more may be taken in, and an own checkpoint follows.
    sealed: bool,
    /// An epoch begins with it.
    epoch: bool,
}

impl Gathering {
    pub(super) fn new(first_index: u64, key: SigningKey, now: Now) -> Self {
        Self {
            first_index,
            next_index: first_index,
            bytes: 0,
            taken: 0,
            batches: Vec::new(),
            key,
            now,
            outbox: Outbox::default(),
            full: Vec::new(),
            full_bytes: 0,
            sealed: false,
            epoch: false,
        }
    }

    /// The index of the next event.
    pub(super) fn next_index(&self) -> u64 {
        self.next_index
    }

    /// Jobs taken in.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Bytes of its signed events.
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.bytes + self.full_bytes).unwrap_or(u64::MAX)
    }

    /// Makes room for one command's events of so many bytes: what was gathered before is closed if both do not fit one
    /// append. Called before the command changes the state.
    pub(super) fn make_room(
        &mut self,
        bytes: usize,
        bytes_max: usize,
        state: &State,
        rules: &Rules,
    ) {
        if self.bytes == 0 || self.bytes + bytes <= bytes_max {
            return;
        }
        self.full_bytes += std::mem::take(&mut self.bytes);
        let part = self.part(state, rules);
        self.full.push(part);
        self.first_index = self.next_index;
    }

    /// A device announced itself: what is open for it is sent again, though the state may not have changed, because its
    /// session at the broker may be new.
    pub(super) fn announced(&mut self, device: DeviceId) {
        self.outbox.came.insert(device);
    }

    /// Takes in nothing more: it is large enough, or sealed.
    pub(super) fn is_closed(&self) -> bool {
        self.sealed || self.bytes + self.full_bytes >= GROUP_BYTES_FULL
    }

    /// Nothing comes behind this, and a checkpoint is signed over it alone.
    pub(super) fn seal(&mut self, rotated: Rotated) {
        self.sealed = true;
        self.outbox.rotated = Some(rotated);
    }

    /// It begins an epoch, and a checkpoint is signed over it alone.
    pub(super) fn begin_epoch(&mut self) {
        self.sealed = true;
        self.epoch = true;
    }

    /// The events of one command, as they are to be signed.
    pub(super) fn push(&mut self, events: Vec<Event>, sealed: Vec<Unsigned>) {
        self.bytes += sealed.iter().map(Unsigned::signed_len).sum::<usize>();
        self.batches.push(sealed);
        for event in events {
            self.outbox.recorded.push((self.next_index, event));
            self.next_index += 1;
        }
    }

    /// The session whose card was verified by an event from index `first` on.
    pub(super) fn verified_since(&self, first: u64) -> Option<&SessionId> {
        self.outbox
            .recorded
            .iter()
            .rev()
            .take_while(|(index, _)| *index >= first)
            .find_map(|(_, event)| {
                if let Event::CardVerified(body) = event {
                    Some(&body.session)
                } else if let Event::ApplicationCardRead(body) = event {
                    Some(&body.session)
                } else {
                    None
                }
            })
    }

    /// What is owed to the sender of one command.
    pub(super) fn ack(&mut self, ack: Ack) {
        self.taken += 1;
        self.outbox.acks.push(ack);
    }

    /// A prompt that is to be shown again.
    pub(super) fn show(&mut self, show: Show) {
        self.taken += 1;
        self.outbox.shows.push(show);
    }

    /// A request to erase a session.
    pub(super) fn erase(&mut self, asked: EraseAsked) {
        self.taken += 1;
        self.outbox.erase_asked.push(asked);
    }

    /// Who asked which blobs went with their events, and the answer.
    pub(super) fn pruned(&mut self, blobs: Vec<BlobHash>, done: oneshot::Sender<Vec<BlobHash>>) {
        self.taken += 1;
        self.outbox.pruned_asked.push((blobs, done));
    }

    /// A request to change the lookup key.
    pub(super) fn rotate(&mut self, done: oneshot::Sender<RotateAnswer>) {
        self.taken += 1;
        self.outbox.rotate_asked.push(done);
    }

    /// Lookup keys that may be destroyed once all that is recorded so far is durable.
    pub(super) fn retire(&mut self, keys: Vec<LookupKeyId>) {
        self.outbox.retirable = keys;
    }

    /// Closes the group with snapshots of the state it leads to, before any later group changes it. What did not fit one
    /// append is in parts, in order.
    pub(super) fn finish(mut self, state: &State, rules: &Rules) -> Vec<Group<Outbox>> {
        let last = self.part(state, rules);
        self.full.push(last);
        self.full
    }

    fn signed_batches(&mut self) -> Vec<Batch> {
        let batches = std::mem::take(&mut self.batches);
        let lens: Vec<usize> = batches.iter().map(Vec::len).collect();
        let unsigned = batches.into_iter().flatten().collect();
        let mut signed = self.key.sign_all(unsigned).into_iter();
        lens.into_iter()
            .map(|len| Batch(signed.by_ref().take(len).collect()))
            .collect()
    }

    fn part(&mut self, state: &State, rules: &Rules) -> Group<Outbox> {
        let mut outbox = std::mem::take(&mut self.outbox);
        // A group without events leads to nothing new, but the groups before it may still be under way, so what it
        // carries are the same snapshots again.
        outbox.effects = pending(state);
        outbox.views = views(state, rules);
        outbox.applications = applications(state);
        outbox.named = named(state);
        outbox.asked = asked(state);
        outbox.papers = papers_due(state);
        outbox.over_at_window = over_at_window(&outbox.recorded, state, &self.now);
        outbox.tickets = state.window_tickets_len();
        outbox.registry = registry(state, rules);
        outbox.erasures.clone_from(state.erasures());
        Group {
            first_index: self.first_index,
            batches: self.signed_batches(),
            seal: std::mem::take(&mut self.sealed),
            epoch: std::mem::take(&mut self.epoch),
            value: outbox,
        }
    }
}

/// The sessions whose papers are due, and the fee of each.
fn papers_due(state: &State) -> BTreeMap<SessionId, Option<FeeStanding>> {
    let due = state.papers_due();
    due.map(|(session, fee)| (session.clone(), fee)).collect()
}

/// The applications under way, and the kiosk of each.
fn applications(state: &State) -> BTreeMap<SessionId, DeviceId> {
    let open = state.applications();
    open.map(|(session, kiosk, _)| (session.clone(), kiosk.clone()))
        .collect()
}

/// The applications under way, and what each has named.
fn named(state: &State) -> BTreeMap<SessionId, Named> {
    let open = state.named();
    open.map(|(session, named)| (session.clone(), named))
        .collect()
}

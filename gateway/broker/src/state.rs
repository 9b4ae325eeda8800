//! Everything that connections share, behind one lock: sessions, subscriptions, retained messages.
//!
//! Functions here never wait. What must be stored is returned as operations, which the caller hands
//! to the writer while it still holds the lock, so that the order of writes is the order of changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::codec;
use crate::config::Limits;
use crate::counters::Counters;
use crate::handler::{Action, Event, Handler, Medium, Storage};
use crate::message::{Message, Qos};
use crate::outbox::Delivery;
use crate::retained::{Retained, RetainedTree};
use crate::session::Session;
use crate::storable;
use crate::topic;
use crate::trie::{Matches, Options, SessionKey, Subscriber, Trie};
use crate::writer::Op;

/// What decisions about state need from outside it.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) handler: &'a dyn Handler,
    pub(crate) counters: &'a Counters,
    pub(crate) now_ms: u64,
}

/// The shared state.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) sessions: HashMap<SessionKey, Session>,
    pub(crate) names: HashMap<Arc<str>, SessionKey>,
    pub(crate) trie: Trie,
    pub(crate) retained: RetainedTree,
    /// When something is due for a session: a delayed will or its expiry.
    pub(crate) timers: BTreeSet<(u64, SessionKey)>,
    next_key: SessionKey,
    turn: usize,
}

/// A delivery before it is bound to a session.
struct Routed<'a> {
    message: &'a Message,
    options: Options,
    retain: bool,
    subscription_ids: Vec<u32>,
    medium: Medium,
    expires_at_ms: Option<u64>,
}

impl State {
    /// Adds a session under a key never used before.
    pub(crate) fn add(&mut self, session: Session) -> SessionKey {
        self.next_key += 1;
        self.names
            .insert(Arc::clone(&session.identity.client_id), self.next_key);
        self.sessions.insert(self.next_key, session);
        self.next_key
    }

    /// Removes a session and its subscriptions.
    pub(crate) fn remove(&mut self, key: SessionKey, limits: &Limits) -> Option<Session> {
        let session = self.sessions.remove(&key)?;
        if self.names.get(&session.identity.client_id) == Some(&key) {
            self.names.remove(&session.identity.client_id);
        }
        for text in session.subscriptions.keys() {
            if let Some(filter) = topic::parse_filter(text, limits) {
                self.trie.remove(filter, key);
            }
        }
        Some(session)
    }

    /// Retains the message if asked, and puts it into the outbox of everyone who subscribed.
    pub(crate) fn route(
        &mut self,
        cx: Context<'_>,
        message: &Message,
        from: Option<SessionKey>,
        ops: &mut Vec<Op>,
    ) {
        let storage = if message.retain || self.trie.len() > 0 {
            cx.handler.storage(&message.topic)
        } else {
            Storage::DURABLE
        };
        let expires_at_ms = expiry(cx, message);
        let retained = message.retain && storage.retain_allowed;
        if retained {
            self.retain(cx, message, storage.medium, expires_at_ms, ops);
        }
        let Matches { direct, groups } = self.trie.matches(&message.topic);
        if direct.is_empty() && groups.is_empty() {
            return;
        }
        let mut receivers = merge(direct, from);
        for group in groups {
            receivers.extend(self.choose(&group).map(|s| (s, ids(s.options))));
        }
        for (subscriber, subscription_ids) in receivers {
            let routed = Routed {
                message,
                options: subscriber.options,
                retain: retained && subscriber.options.retain_as_published,
                subscription_ids,
                medium: storage.medium,
                expires_at_ms,
            };
            self.deliver(cx, subscriber.session, routed, ops);
        }
    }

    fn retain(
        &mut self,
        cx: Context<'_>,
        message: &Message,
        medium: Medium,
        expires_at_ms: Option<u64>,
        ops: &mut Vec<Op>,
    ) {
        let key = || codec::retained_key(&message.topic);
        if message.payload.is_empty() {
            if self.retained.remove(&message.topic).is_some() && medium == Medium::Durable {
                ops.push(Op::delete(key()));
            }
            return;
        }
        let value = Retained {
            message: message.clone(),
            expires_at_ms,
        };
        let stored = codec::retained_value(&value);
        let limits = cx.limits;
        let fits = medium == Medium::Memory || storable::message(limits, message, 0);
        if fits
            && self
                .retained
                .insert(value, limits.retained_count_max, limits.retained_bytes_max)
        {
            if medium == Medium::Durable {
                ops.push(Op::put(key(), stored));
            }
        } else {
            cx.counters.dropped();
        }
    }

    /// The member of a shared subscription whose turn it is, connected ones first.
    fn choose(&mut self, group: &[Subscriber]) -> Option<Subscriber> {
        self.turn = self.turn.wrapping_add(1);
        let start = self.turn.checked_rem(group.len())?;
        let mut in_turn = group.iter().cycle().skip(start).take(group.len());
        let is_online = |s: &&Subscriber| {
            self.sessions
                .get(&s.session)
                .is_some_and(|session| session.online.is_some())
        };
        in_turn
            .clone()
            .find(is_online)
            .or_else(|| in_turn.next())
            .copied()
    }

    /// Sends what is retained under a filter to a new subscriber.
    pub(crate) fn deliver_retained(
        &mut self,
        cx: Context<'_>,
        key: SessionKey,
        filter: &str,
        options: Options,
        ops: &mut Vec<Op>,
    ) {
        for retained in self.retained.matching(filter) {
            if retained.expires_at_ms.is_some_and(|at| at <= cx.now_ms) {
                continue;
            }
            let medium = cx.handler.storage(&retained.message.topic).medium;
            let routed = Routed {
                message: &retained.message,
                options,
                retain: true,
                subscription_ids: ids(options),
                medium,
                expires_at_ms: retained.expires_at_ms,
            };
            self.deliver(cx, key, routed, ops);
        }
    }

    fn deliver(&mut self, cx: Context<'_>, key: SessionKey, routed: Routed<'_>, ops: &mut Vec<Op>) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        let message = routed.message;
        let qos = message.qos.min(routed.options.qos);
        if session.online.is_none() && (qos == Qos::AtMostOnce || !session.is_persistent()) {
            return;
        }
        if cx.limits.authorise_receive
            && !cx
                .handler
                .authorise(&session.identity, Action::Receive, &message.topic)
        {
            return;
        }
        let bytes = session.outbox.bytes() + message.bytes();
        let stored =
            qos != Qos::AtMostOnce && session.is_persistent() && routed.medium == Medium::Durable;
        if session.outbox.len() >= cx.limits.queue_len_max
            || bytes > cx.limits.queue_bytes_max
            || (stored && !storable::message(cx.limits, message, routed.subscription_ids.len()))
        {
            cx.counters.dropped();
            let client_id = Arc::clone(&session.identity.client_id);
            cx.handler.observe(Event::QueueFull { client_id });
            return;
        }
        let seq = if qos == Qos::AtMostOnce {
            0
        } else {
            session.take_seq(ops)
        };
        let delivery = Delivery {
            seq,
            message: message.clone(),
            qos,
            retain: routed.retain,
            duplicate: false,
            subscription_ids: routed.subscription_ids,
            expires_at_ms: routed.expires_at_ms,
            stored,
        };
        if stored {
            let entry = codec::queue_key(&session.identity.client_id, seq);
            ops.push(Op::put_fresh(entry, codec::delivery_value(&delivery)));
        }
        session.outbox.push(delivery);
        if let Some(link) = &session.online {
            link.delivered();
        }
    }
}

/// When a message runs out, by its own wish and the cap.
fn expiry(cx: Context<'_>, message: &Message) -> Option<u64> {
    let cap = Some(cx.limits.message_expiry_s_max).filter(|cap| *cap > 0);
    let seconds = match (message.expiry_s, cap) {
        (Some(wish), Some(cap)) => Some(wish.min(cap)),
        (wish, cap) => wish.or(cap),
    };
    seconds.map(|s| cx.now_ms.saturating_add(u64::from(s) * 1_000))
}

fn ids(options: Options) -> Vec<u32> {
    options.id.into_iter().collect()
}

/// One delivery per session, with the highest QoS of its overlapping subscriptions and all their
/// identifiers (MQTT 5, section 3.3.4), less those that do not want their own messages back.
fn merge(direct: Vec<Subscriber>, from: Option<SessionKey>) -> Vec<(Subscriber, Vec<u32>)> {
    let mut merged: Vec<(Subscriber, Vec<u32>)> = Vec::with_capacity(direct.len());
    let mut at: HashMap<SessionKey, usize> = HashMap::new();
    for subscriber in direct {
        if subscriber.options.no_local && from == Some(subscriber.session) {
            continue;
        }
        let seen = at
            .get(&subscriber.session)
            .and_then(|at| merged.get_mut(*at));
        if let Some((first, found)) = seen {
            first.options.qos = first.options.qos.max(subscriber.options.qos);
            first.options.retain_as_published |= subscriber.options.retain_as_published;
            found.extend(subscriber.options.id);
        } else {
            at.insert(subscriber.session, merged.len());
            merged.push((subscriber, ids(subscriber.options)));
        }
    }
    merged
}

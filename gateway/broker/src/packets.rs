//! What each packet of a connected client does.

use std::sync::Arc;

use crate::codec;
use crate::connection::{Connection, Ended};
use crate::encode::{self, Ack, Granted};
use crate::handler::{Action, Legacy, PublishOutcome, PublishRefusal, Version};
use crate::message::{Message, Qos};
use crate::outbox::{Next, Settled};
use crate::pipeline::{Commit, Inbound, Reply};
use crate::state::{Context, State};
use crate::storable;
use crate::topic;
use crate::trie::{Options, Subscriber};
use crate::wire::{Entry, Packet, Publish, RetainHandling};
use crate::writer::Op;

impl Connection {
    pub(crate) fn handle(&mut self, packet: Packet) -> Result<(), Ended> {
        match packet {
            Packet::Publish(publish) => self.on_publish(*publish),
            Packet::Puback { id } => {
                self.settle_outbound(|outbox| outbox.puback(id));
                Ok(())
            }
            Packet::Pubrec { id, refused } => self.on_pubrec(id, refused),
            Packet::Pubrel { id } => self.on_pubrel(id),
            Packet::Pubcomp { id } => {
                self.settle_outbound(|outbox| outbox.pubcomp(id));
                Ok(())
            }
            Packet::Subscribe {
                id,
                subscription_id,
                entries,
            } => self.on_subscribe(id, subscription_id, entries),
            Packet::Unsubscribe { id, filters } => self.on_unsubscribe(id, &filters),
            Packet::Pingreq => {
                encode::pingresp(&mut self.out);
                Ok(())
            }
            Packet::Disconnect { code, expiry_s } => Err(self.on_disconnect(code, expiry_s)),
        }
    }

    fn on_publish(&mut self, publish: Publish) -> Result<(), Ended> {
        self.shared.counters.publish_received.add();
        let Publish {
            id,
            alias,
            mut message,
        } = publish;
        if let Some(alias) = alias {
            self.resolve_alias(alias, &mut message.topic)?;
        }
        if !topic::name_is_valid(&message.topic, &self.shared.limits) {
            return Err(Ended::TopicNameInvalid);
        }
        if message.qos == Qos::ExactlyOnce {
            if self.received.contains(&id) {
                return self.reply_when(
                    None,
                    Reply::Pubrec {
                        id,
                        code: encode::SUCCESS,
                    },
                );
            }
            if !self.committing.insert(id) {
                // The first copy is still being committed, and will be answered.
                return Ok(());
            }
        }
        if message.qos != Qos::AtMostOnce {
            self.window += 1;
            let max = usize::from(self.shared.limits.receive_max);
            if self.version == Version::V5 && self.window > max {
                return Err(Ended::ReceiveMaximumExceeded);
            }
        }
        let commit = self.commit(id, message);
        self.commits.push_back(commit);
        Ok(())
    }

    /// What decides a PUBLISH: the handler, unless it is refused at the door.
    fn commit(&self, id: u16, message: Message) -> Commit {
        let handler = &*self.shared.handler;
        let refusal = if !handler.authorise(&self.identity, Action::Publish, &message.topic) {
            Some(PublishRefusal::NotAuthorised)
        } else if !storable::publish(&self.shared.limits, handler, &message) {
            Some(PublishRefusal::QuotaExceeded)
        } else {
            None
        };
        if let Some(reason) = refusal {
            let legacy = Legacy::Close;
            let outcome = PublishOutcome::Refused { reason, legacy };
            return Commit::decided(outcome, Inbound { id, message });
        }
        let future = handler.publish(&self.identity, message.clone());
        Commit::running(future, Inbound { id, message })
    }

    fn resolve_alias(&mut self, alias: u16, topic: &mut Arc<str>) -> Result<(), Ended> {
        if alias == 0 || alias > self.shared.limits.topic_alias_max {
            return Err(Ended::TopicAliasInvalid);
        }
        if topic.is_empty() {
            *topic = Arc::clone(self.aliases.get(&alias).ok_or(Ended::ProtocolError)?);
        } else {
            self.aliases.insert(alias, Arc::clone(topic));
        }
        Ok(())
    }

    fn on_pubrel(&mut self, id: u16) -> Result<(), Ended> {
        if self.committing.contains(&id) {
            // A release of what was not yet received.
            return Err(Ended::ProtocolError);
        }
        let known = self.received.remove(&id);
        let code = if known {
            encode::SUCCESS
        } else {
            encode::ID_NOT_FOUND
        };
        let key = self.key;
        // The removal is durable before PUBCOMP: afterwards the client may use the id again.
        let ((), written) = self.shared.change(|state, _, ops| {
            if let Some(session) = state.sessions.get_mut(&key)
                && session.inbound.remove(&id)
                && session.is_persistent()
            {
                ops.push(Op::delete(codec::inbound_key(
                    &session.identity.client_id,
                    id,
                )));
            }
        });
        self.reply_when(written, Reply::Pubcomp { id, code })
    }

    fn on_pubrec(&mut self, id: u16, refused: bool) -> Result<(), Ended> {
        if refused {
            self.settle_outbound(|outbox| outbox.pubrec_refused(id));
            return Ok(());
        }
        let key = self.key;
        // That only the release remains is durable before PUBREL: afterwards the client forgets the id,
        // and a second PUBLISH would be a second message to it.
        let (known, written) = self.shared.change(|state, _, ops| {
            let session = state.sessions.get_mut(&key)?;
            let settled = session.outbox.pubrec(id)?;
            if settled.stored {
                let entry = codec::queue_key(&session.identity.client_id, settled.seq);
                ops.push(Op::put(entry, codec::released_value()));
            }
            Some(())
        });
        let code = if known.is_some() {
            encode::SUCCESS
        } else {
            encode::ID_NOT_FOUND
        };
        self.reply_when(written, Reply::Pubrel { id, code })
    }

    /// The client is done with a delivery.
    fn settle_outbound(
        &mut self,
        settle: impl FnOnce(&mut crate::outbox::Outbox) -> Option<Settled>,
    ) {
        let key = self.key;
        let (any, _written) = self.shared.change(|state, _, ops| {
            let session = state.sessions.get_mut(&key)?;
            let settled = settle(&mut session.outbox)?;
            if settled.stored {
                ops.push(Op::delete(codec::queue_key(
                    &session.identity.client_id,
                    settled.seq,
                )));
            }
            Some(())
        });
        self.fetch |= any.is_some();
    }

    /// Writes what waits in the outbox, as far as window and buffer allow.
    pub(crate) fn fetch_deliveries(&mut self) {
        self.fetch = false;
        let shared = Arc::clone(&self.shared);
        let ((), _written) = shared.change(|state, cx, ops| {
            let Some(session) = state.sessions.get_mut(&self.key) else {
                return;
            };
            let client = Arc::clone(&session.identity.client_id);
            let mut gone = Vec::new();
            while self.has_room() {
                match session.outbox.next(self.inflight_max, cx.now_ms, &mut gone) {
                    None => break,
                    Some(Next::Pubrel(id)) => {
                        encode::ack(
                            &mut self.out,
                            self.version,
                            Ack::Pubrel,
                            id,
                            encode::SUCCESS,
                        );
                    }
                    Some(Next::Publish(delivery)) => {
                        let to = encode::Receiver {
                            version: self.version,
                            packet_bytes_max: self.packet_bytes_max,
                            aliases: &mut self.given,
                        };
                        if encode::publish(&mut self.out, to, &delivery, cx.now_ms) {
                            cx.counters.publish_sent.add();
                        } else {
                            // Larger than the client takes: done with it (MQTT 5, section 3.1.2.11.4).
                            cx.counters.dropped();
                            session.outbox.discard(delivery.seq);
                            gone.push(delivery);
                        }
                    }
                }
            }
            self.fetch = !self.has_room();
            let stored = gone.iter().filter(|delivery| delivery.stored);
            ops.extend(stored.map(|d| Op::delete(codec::queue_key(&client, d.seq))));
        });
    }

    fn on_subscribe(
        &mut self,
        id: u16,
        subscription_id: Option<u32>,
        entries: Vec<Entry>,
    ) -> Result<(), Ended> {
        let shared = Arc::clone(&self.shared);
        // Asked before the lock is taken: the handler may take its time.
        let allowed: Vec<bool> = entries
            .iter()
            .map(|entry| {
                topic::parse_filter(&entry.filter, &shared.limits).is_some_and(|parsed| {
                    shared
                        .handler
                        .authorise(&self.identity, Action::Subscribe, parsed.filter)
                })
            })
            .collect();
        if entries
            .iter()
            .any(|e| e.no_local && e.filter.starts_with("$share/"))
        {
            return Err(Ended::ProtocolError);
        }
        let key = self.key;
        let (granted, written) = shared.change(|state, cx, ops| {
            let each = entries.iter().zip(&allowed);
            each.map(|(entry, allowed)| {
                subscribe(state, cx, key, entry, subscription_id, *allowed, ops)
            })
            .collect()
        });
        self.reply_when(written, Reply::Suback { id, granted })
    }

    fn on_unsubscribe(&mut self, id: u16, filters: &[String]) -> Result<(), Ended> {
        let key = self.key;
        let (removed, written) = self.shared.change(|state, cx, ops| {
            let each = filters.iter();
            each.map(|text| {
                let filter = topic::parse_filter(text, cx.limits)?;
                state.trie.remove(filter, key);
                let session = state.sessions.get_mut(&key)?;
                let had = session.subscriptions.remove(text.as_str()).is_some();
                if had && session.is_persistent() {
                    let entry = codec::subscription_key(&session.identity.client_id, text);
                    ops.push(Op::delete(entry));
                }
                Some(had)
            })
            .collect()
        });
        self.reply_when(written, Reply::Unsuback { id, removed })
    }

    fn on_disconnect(&mut self, code: u8, expiry_s: Option<u32>) -> Ended {
        if let Some(expiry_s) = expiry_s {
            if self.expiry_s == 0 && expiry_s > 0 {
                return Ended::ProtocolError;
            }
            self.expiry_s = expiry_s.min(self.shared.limits.session_expiry_s_max);
        }
        if code == 0 {
            Ended::ClientDisconnect
        } else {
            Ended::ClientDisconnectWithWill
        }
    }
}

fn subscribe(
    state: &mut State,
    cx: Context<'_>,
    key: u64,
    entry: &Entry,
    id: Option<u32>,
    allowed: bool,
    ops: &mut Vec<Op>,
) -> Granted {
    let Some(filter) = topic::parse_filter(&entry.filter, cx.limits) else {
        return Granted::FilterInvalid;
    };
    if !allowed {
        return Granted::NotAuthorised;
    }
    let Some(session) = state.sessions.get_mut(&key) else {
        return Granted::Unspecified;
    };
    let known = session.subscriptions.contains_key(entry.filter.as_str());
    let is_full = session.subscriptions.len() >= cx.limits.subscriptions_per_session_max;
    let client = &session.identity.client_id;
    if !known && (is_full || !storable::subscription(cx.limits, client, &entry.filter)) {
        return Granted::QuotaExceeded;
    }
    let options = Options {
        qos: entry.qos,
        no_local: entry.no_local,
        retain_as_published: entry.retain_as_published,
        id,
    };
    session
        .subscriptions
        .insert(entry.filter.as_str().into(), options);
    if session.is_persistent() {
        let stored = codec::subscription_key(&session.identity.client_id, &entry.filter);
        ops.push(Op::put(stored, codec::subscription_value(&options)));
    }
    let is_new = state.trie.insert(
        filter,
        Subscriber {
            session: key,
            options,
        },
    );
    let wants_retained = match entry.retain_handling {
        RetainHandling::Always => true,
        RetainHandling::IfNew => is_new,
        RetainHandling::Never => false,
    };
    if wants_retained && filter.share.is_none() {
        state.deliver_retained(cx, key, filter.filter, options, ops);
    }
    Granted::Qos(entry.qos)
}

//! The only place where a PUBLISH is acknowledged: after its commit, and after the store has what hangs
//! on it.

use mqtt_protocol_core::mqtt::result_code::MqttError;

use crate::codec;
use crate::connection::{Connection, Ended};
use crate::encode::{self, Ack, Granted};
use crate::handler::{Legacy, PublishOutcome, PublishRefusal, Version};
use crate::message::Qos;
use crate::pipeline::{Inbound, Reply, Writing};
use crate::state::State;
use crate::store::StoreError;
use crate::writer::{Op, Written};

impl Connection {
    /// A commit has its outcome: route, remember, acknowledge.
    pub(crate) fn settle(
        &mut self,
        (outcome, inbound): (PublishOutcome, Option<Inbound>),
    ) -> Result<(), Ended> {
        let Some(Inbound { id, message }) = inbound else {
            return Ok(());
        };
        if message.qos == Qos::ExactlyOnce {
            self.committing.remove(&id);
        }
        let (route, code) = match outcome {
            PublishOutcome::Accepted => (true, encode::SUCCESS),
            PublishOutcome::Consumed => (false, encode::SUCCESS),
            PublishOutcome::Refused { reason, .. } if message.qos == Qos::AtMostOnce => {
                self.shared.counters.publish_refused.add();
                tracing::debug!(?reason, "a message of QoS 0 was refused");
                return Ok(());
            }
            PublishOutcome::Refused { reason, legacy } => match (self.version, legacy) {
                (Version::V5, _) => (false, reason.code()),
                (Version::V311, Legacy::Acknowledge) => (false, encode::SUCCESS),
                (Version::V311, Legacy::Close) => {
                    self.shared.counters.publish_refused.add();
                    return Err(legacy_close(reason));
                }
            },
        };
        let remember = message.qos == Qos::ExactlyOnce && code == encode::SUCCESS;
        let key = self.key;
        let ((), written) = self.shared.change(|state, cx, ops| {
            if route {
                state.route(cx, &message, Some(key), ops);
            }
            if remember {
                remember_inbound(state, key, id, ops);
            }
        });
        if remember {
            self.received.insert(id);
        }
        self.reply_when(
            written,
            match message.qos {
                Qos::AtMostOnce => Reply::Nothing,
                Qos::AtLeastOnce => Reply::Puback { id, code },
                Qos::ExactlyOnce => Reply::Pubrec { id, code },
            },
        )
    }

    /// Answers, now or when the store has it. Answers keep their order.
    pub(crate) fn reply_when(
        &mut self,
        written: Option<Written>,
        reply: Reply,
    ) -> Result<(), Ended> {
        if written.is_none() && self.writes.is_empty() {
            return self.reply(Ok(()), reply);
        }
        self.writes.push_back(Writing::new(written, reply));
        Ok(())
    }

    pub(crate) fn reply(
        &mut self,
        result: Result<(), StoreError>,
        reply: Reply,
    ) -> Result<(), Ended> {
        let version = self.version;
        let failed = result.is_err();
        let out = &mut self.out;
        match reply {
            Reply::Nothing => {}
            Reply::Suback { id, mut granted } => {
                if failed {
                    granted.fill(Granted::Unspecified);
                }
                encode::suback(out, version, id, &granted).map_err(internal)?;
            }
            // What the store refused must not look done: the client finds out by coming again.
            _ if failed => return Err(Ended::Internal),
            Reply::Puback { id, code } => {
                self.window = self.window.saturating_sub(1);
                encode::ack(out, version, Ack::Puback, id, code);
                self.count_ack(code);
            }
            Reply::Pubrec { id, code } => {
                if code != encode::SUCCESS {
                    self.window = self.window.saturating_sub(1);
                }
                encode::ack(out, version, Ack::Pubrec, id, code);
                self.count_ack(code);
            }
            Reply::Pubrel { id, code } => encode::ack(out, version, Ack::Pubrel, id, code),
            Reply::Pubcomp { id, code } => {
                if code == encode::SUCCESS {
                    self.window = self.window.saturating_sub(1);
                }
                encode::ack(out, version, Ack::Pubcomp, id, code);
            }
            Reply::Unsuback { id, removed } => {
                encode::unsuback(out, version, id, &removed).map_err(internal)?;
            }
        }
        Ok(())
    }

    fn count_ack(&self, code: u8) {
        let counters = &self.shared.counters;
        if code == encode::SUCCESS {
            counters.publish_acknowledged.add();
        } else {
            counters.publish_refused.add();
        }
    }
}

fn internal(error: MqttError) -> Ended {
    tracing::error!(?error, "a packet of the broker's own could not be built");
    Ended::Internal
}

fn legacy_close(reason: PublishRefusal) -> Ended {
    match reason {
        PublishRefusal::QuotaExceeded => Ended::QuotaExceeded,
        PublishRefusal::Unspecified
        | PublishRefusal::ImplementationSpecific
        | PublishRefusal::NotAuthorised
        | PublishRefusal::TopicNameInvalid
        | PublishRefusal::PayloadFormatInvalid => Ended::NotAuthorised,
    }
}

fn remember_inbound(state: &mut State, key: u64, id: u16, ops: &mut Vec<Op>) {
    let Some(session) = state.sessions.get_mut(&key) else {
        return;
    };
    session.inbound.insert(id);
    if session.is_persistent() {
        let entry = codec::inbound_key(&session.identity.client_id, id);
        ops.push(Op::put(entry, codec::inbound_value()));
    }
}

//! How sessions, queues, retained messages and wills are written into the store.
//!
//! Every value begins with a version byte; every key with a letter for its kind. Lengths are
//! big-endian u32, so that keys and values can be read without this program. A value of an unknown
//! version is refused, never skipped.

mod read;
mod write;

use std::sync::Arc;

use crate::message::Message;
use crate::outbox::Delivery;
use crate::retained::Retained;
use crate::trie::Options;

pub(crate) use read::read;
pub(crate) use write::{
    delivery_value, inbound_value, released_value, retained_value, session_value,
    subscription_value, will_value,
};

const VERSION: u8 = 1;

/// A stored entry, by kind.
#[derive(Debug, PartialEq)]
pub(crate) enum Record {
    Session {
        client: String,
        session: StoredSession,
    },
    Subscription {
        client: String,
        filter: String,
        options: Options,
    },
    Queued {
        client: String,
        delivery: Delivery,
    },
    Released {
        client: String,
        seq: u64,
    },
    Inbound {
        client: String,
        id: u16,
    },
    Retained(Retained),
    Will {
        client: String,
        will: StoredWill,
    },
}

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSession {
    pub(crate) principal: Arc<str>,
    pub(crate) expiry_s: u32,
    /// Sequence numbers below this may have been used.
    pub(crate) seq_reserved: u64,
    /// Set while disconnected: wall clock, milliseconds since 1970.
    pub(crate) expires_at_ms: Option<u64>,
}

/// What is kept of a will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredWill {
    pub(crate) principal: Arc<str>,
    pub(crate) delay_s: u32,
    pub(crate) message: Message,
}

pub(crate) fn session_key(client: &str) -> Vec<u8> {
    key(b's', &[client.as_bytes()])
}

pub(crate) fn subscription_key(client: &str, filter: &str) -> Vec<u8> {
    key(b'u', &[client.as_bytes(), filter.as_bytes()])
}

pub(crate) fn queue_key(client: &str, seq: u64) -> Vec<u8> {
    key(b'q', &[client.as_bytes(), &seq.to_be_bytes()])
}

pub(crate) fn inbound_key(client: &str, id: u16) -> Vec<u8> {
    key(b'i', &[client.as_bytes(), &id.to_be_bytes()])
}

pub(crate) fn retained_key(topic: &str) -> Vec<u8> {
    key(b'r', &[topic.as_bytes()])
}

pub(crate) fn will_key(client: &str) -> Vec<u8> {
    key(b'w', &[client.as_bytes()])
}

/// Parts are separated by NUL, which no client id, topic or filter may contain.
fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            key.push(0);
        }
        key.extend_from_slice(part);
    }
    key
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use bytes::Bytes;

    use super::*;
    use crate::message::{Properties, Qos};

    fn message() -> Message {
        let properties = Properties {
            payload_is_utf8: Some(true),
            content_type: Some("text/plain".into()),
            response_topic: None,
            correlation_data: Some(Bytes::from_static(&[0, 1, 2])),
            user: vec![("k".into(), "v".into()), ("k".into(), String::new().into())],
        };
        Message::new("a/b", "payload")
            .qos(Qos::ExactlyOnce)
            .retain(true)
            .expiry_s(7)
            .properties(properties)
    }

    fn records() -> Vec<(Vec<u8>, Vec<u8>, Record)> {
        let delivery = Delivery {
            seq: 513,
            message: message(),
            qos: Qos::AtLeastOnce,
            retain: true,
            duplicate: true,
            subscription_ids: vec![1, 268_435_455],
            expires_at_ms: Some(9),
            stored: true,
        };
        let session = StoredSession {
            principal: "p".into(),
            expiry_s: 60,
            seq_reserved: 4_096,
            expires_at_ms: Some(1),
        };
        let options = Options {
            qos: Qos::ExactlyOnce,
            no_local: true,
            retain_as_published: false,
            id: Some(3),
        };
        let retained = Retained {
            message: message(),
            expires_at_ms: None,
        };
        let will = StoredWill {
            principal: "p".into(),
            delay_s: 5,
            message: message(),
        };
        let c = || "c".to_owned();
        vec![
            (
                session_key("c"),
                session_value(&session),
                Record::Session {
                    client: c(),
                    session,
                },
            ),
            (
                subscription_key("c", "a/#"),
                subscription_value(&options),
                Record::Subscription {
                    client: c(),
                    filter: "a/#".into(),
                    options,
                },
            ),
            (
                queue_key("c", 513),
                delivery_value(&delivery),
                Record::Queued {
                    client: c(),
                    delivery,
                },
            ),
            (
                queue_key("c", 0),
                released_value(),
                Record::Released {
                    client: c(),
                    seq: 0,
                },
            ),
            (
                inbound_key("c", 256),
                inbound_value(),
                Record::Inbound {
                    client: c(),
                    id: 256,
                },
            ),
            (
                retained_key("a/b"),
                retained_value(&retained),
                Record::Retained(retained),
            ),
            (
                will_key("c"),
                will_value(&will),
                Record::Will { client: c(), will },
            ),
        ]
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (key, value, record) in records() {
            assert_eq!(read(&key, &value).unwrap(), record);
        }
    }

    /// The bound that the door goes by holds for every kind of entry.
    #[test]
    fn a_message_takes_no_more_than_its_bound() {
        for (_, value, record) in records() {
            let (message, more) = match record {
                Record::Queued { delivery, .. } => {
                    let ids = delivery.subscription_ids.len() * 8;
                    (delivery.message, ids)
                }
                Record::Retained(retained) => (retained.message, 0),
                Record::Will { will, .. } => (will.message, will.principal.len()),
                Record::Session { .. }
                | Record::Subscription { .. }
                | Record::Released { .. }
                | Record::Inbound { .. } => continue,
            };
            assert!(value.len() <= message.stored_bytes_max() + more);
        }
    }

    #[test]
    fn a_cut_or_foreign_value_is_refused_and_never_panics() {
        for (key, value, _) in records() {
            for end in 0..value.len() {
                assert!(read(&key, value.get(..end).unwrap()).is_err());
            }
            let mut longer = value.clone();
            longer.push(0);
            assert!(read(&key, &longer).is_err());
            let mut newer = value;
            if let Some(version) = newer.first_mut() {
                *version = 2;
            }
            assert!(read(&key, &newer).is_err());
            let mut random = key.clone();
            random.truncate(1);
            assert!(read(&random, &newer).is_err());
        }
    }
}

//! How sessions, queues, retained messages and wills are written into the store.
//!
//! Every value begins with a version byte; every key with a letter for its kind. Lengths are
//! big-endian u32, so that keys and values can be read without this program. A value of an unknown
//! version is refused, never skipped.

use std::sync::Arc;

use bytes::Bytes;

use crate::message::{Message, Origin, Properties, Qos};
use crate::outbox::Delivery;
use crate::retained::Retained;
use crate::store::StoreError;
use crate::trie::Options;

const VERSION: u8 = 1;

/// A stored entry, by kind.
#[derive(Debug, PartialEq)]
pub(crate) enum Record {
    Session { client: String, session: StoredSession },
    Subscription { client: String, filter: String, options: Options },
    Queued { client: String, delivery: Delivery },
    Released { client: String, seq: u64 },
    Inbound { client: String, id: u16 },
    Retained(Retained),
    Will { client: String, will: StoredWill },
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

struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        Self(vec![VERSION])
    }

    fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    fn int(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn optional_int(self, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.byte(1).int(value),
            None => self.byte(0),
        }
    }

    fn bytes(mut self, value: &[u8]) -> Self {
        let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }

    fn optional_bytes(self, value: Option<&[u8]>) -> Self {
        match value {
            Some(value) => self.byte(1).bytes(value),
            None => self.byte(0),
        }
    }

    fn message(self, m: &Message) -> Self {
        let origin = match m.origin {
            Origin::Client => 0,
            Origin::Will => 1,
            Origin::Server => 2,
        };
        let mut w = self
            .bytes(m.topic.as_bytes())
            .bytes(&m.payload)
            .byte(m.qos.bits())
            .byte(u8::from(m.retain))
            .byte(origin)
            .optional_int(m.expiry_s.map(u64::from));
        let Some(p) = m.properties.as_deref() else { return w.byte(0) };
        w = w
            .byte(1)
            .optional_int(p.payload_is_utf8.map(u64::from))
            .optional_bytes(p.content_type.as_deref().map(str::as_bytes))
            .optional_bytes(p.response_topic.as_deref().map(str::as_bytes))
            .optional_bytes(p.correlation_data.as_deref())
            .int(u64::try_from(p.user.len()).unwrap_or(u64::MAX));
        for (name, value) in &p.user {
            w = w.bytes(name.as_bytes()).bytes(value.as_bytes());
        }
        w
    }
}

pub(crate) fn session_value(s: &StoredSession) -> Vec<u8> {
    Writer::new()
        .bytes(s.principal.as_bytes())
        .int(s.expiry_s.into())
        .int(s.seq_reserved)
        .optional_int(s.expires_at_ms)
        .0
}

pub(crate) fn subscription_value(o: &Options) -> Vec<u8> {
    let flags = u8::from(o.no_local) | (u8::from(o.retain_as_published) << 1);
    Writer::new().byte(o.qos.bits()).byte(flags).optional_int(o.id.map(u64::from)).0
}

pub(crate) fn delivery_value(d: &Delivery) -> Vec<u8> {
    let mut w = Writer::new()
        .byte(0)
        .byte(d.qos.bits())
        .byte(u8::from(d.retain))
        .optional_int(d.expires_at_ms)
        .int(u64::try_from(d.subscription_ids.len()).unwrap_or(u64::MAX));
    for id in &d.subscription_ids {
        w = w.int((*id).into());
    }
    w.message(&d.message).0
}

/// A QoS 2 delivery of which only the release remains.
pub(crate) fn released_value() -> Vec<u8> {
    Writer::new().byte(1).0
}

pub(crate) fn inbound_value() -> Vec<u8> {
    Writer::new().0
}

pub(crate) fn retained_value(r: &Retained) -> Vec<u8> {
    Writer::new().optional_int(r.expires_at_ms).message(&r.message).0
}

pub(crate) fn will_value(w: &StoredWill) -> Vec<u8> {
    Writer::new().bytes(w.principal.as_bytes()).int(w.delay_s.into()).message(&w.message).0
}

struct Reader<'a>(&'a [u8]);

const CORRUPT: StoreError = StoreError::Corrupt("value cut short or out of range");

impl<'a> Reader<'a> {
    fn new(value: &'a [u8]) -> Result<Self, StoreError> {
        match value.split_first() {
            Some((&VERSION, rest)) => Ok(Self(rest)),
            Some(_) => Err(StoreError::Corrupt("value of another version")),
            None => Err(CORRUPT),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], StoreError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(CORRUPT)?;
        self.0 = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, StoreError> {
        self.take(1)?.first().copied().ok_or(CORRUPT)
    }

    fn flag(&mut self) -> Result<bool, StoreError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CORRUPT),
        }
    }

    fn int(&mut self) -> Result<u64, StoreError> {
        let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_: std::array::TryFromSliceError| CORRUPT)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, StoreError> {
        T::try_from(self.int()?).ok().ok_or(CORRUPT)
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    fn bytes(&mut self) -> Result<&'a [u8], StoreError> {
        let len: [u8; 4] = self.take(4)?.try_into().map_err(|_: std::array::TryFromSliceError| CORRUPT)?;
        self.take(usize::try_from(u32::from_be_bytes(len)).ok().ok_or(CORRUPT)?)
    }

    fn text(&mut self) -> Result<&'a str, StoreError> {
        std::str::from_utf8(self.bytes()?).ok().ok_or(StoreError::Corrupt("text is not utf-8"))
    }

    fn qos(&mut self) -> Result<Qos, StoreError> {
        Qos::from_bits(self.byte()?).ok_or(CORRUPT)
    }

    fn message(&mut self) -> Result<Message, StoreError> {
        let topic = self.text()?.into();
        let payload = Bytes::copy_from_slice(self.bytes()?);
        let qos = self.qos()?;
        let retain = self.flag()?;
        let origin = match self.byte()? {
            0 => Origin::Client,
            1 => Origin::Will,
            2 => Origin::Server,
            _ => return Err(CORRUPT),
        };
        let expiry_s = self.optional(Self::narrow)?;
        let properties = self.optional(Self::properties)?.map(Arc::new);
        Ok(Message { topic, payload, qos, retain, duplicate: false, expiry_s, properties, origin })
    }

    fn properties(&mut self) -> Result<Properties, StoreError> {
        let mut properties = Properties {
            payload_is_utf8: self.optional(|r| Ok(r.int()? == 1))?,
            content_type: self.optional(|r| Ok(r.text()?.into()))?,
            response_topic: self.optional(|r| Ok(r.text()?.into()))?,
            correlation_data: self.optional(|r| Ok(Bytes::copy_from_slice(r.bytes()?)))?,
            user: Vec::new(),
        };
        for _ in 0..self.int()? {
            properties.user.push((self.text()?.into(), self.text()?.into()));
        }
        Ok(properties)
    }

    fn end<T>(self, value: T) -> Result<T, StoreError> {
        if self.0.is_empty() { Ok(value) } else { Err(StoreError::Corrupt("value too long")) }
    }
}

/// Reads a stored entry.
pub(crate) fn read(key: &[u8], value: &[u8]) -> Result<Record, StoreError> {
    let bad_key = StoreError::Corrupt("unknown key");
    let (kind, rest) = key.split_first().ok_or_else(|| bad_key.clone())?;
    let mut r = Reader::new(value)?;
    match kind {
        b's' => {
            let session = StoredSession {
                principal: r.text()?.into(),
                expiry_s: r.narrow()?,
                seq_reserved: r.int()?,
                expires_at_ms: r.optional(Reader::int)?,
            };
            r.end(Record::Session { client: text(rest)?, session })
        }
        b'u' => {
            let (client, filter) = split(rest)?;
            let qos = r.qos()?;
            let flags = r.byte()?;
            let options = Options {
                qos,
                no_local: flags & 1 != 0,
                retain_as_published: flags & 2 != 0,
                id: r.optional(Reader::narrow)?,
            };
            r.end(Record::Subscription { client, filter: text(filter)?, options })
        }
        b'q' => read_queued(rest, r),
        b'i' => {
            let (client, id) = split(rest)?;
            let id = <[u8; 2]>::try_from(id).map_err(|_: std::array::TryFromSliceError| bad_key)?;
            r.end(Record::Inbound { client, id: u16::from_be_bytes(id) })
        }
        b'r' => {
            let expires_at_ms = r.optional(Reader::int)?;
            let message = r.message()?;
            r.end(Record::Retained(Retained { message, expires_at_ms }))
        }
        b'w' => {
            let will = StoredWill {
                principal: r.text()?.into(),
                delay_s: r.narrow()?,
                message: r.message()?,
            };
            r.end(Record::Will { client: text(rest)?, will })
        }
        _ => Err(bad_key),
    }
}

fn read_queued(rest: &[u8], mut r: Reader<'_>) -> Result<Record, StoreError> {
    let (client, seq) = split(rest)?;
    let seq = <[u8; 8]>::try_from(seq)
        .map_err(|_: std::array::TryFromSliceError| StoreError::Corrupt("unknown key"))?;
    let seq = u64::from_be_bytes(seq);
    if r.flag()? {
        return r.end(Record::Released { client, seq });
    }
    let qos = r.qos()?;
    let retain = r.flag()?;
    let expires_at_ms = r.optional(Reader::int)?;
    let mut subscription_ids = Vec::new();
    for _ in 0..r.int()? {
        subscription_ids.push(r.narrow()?);
    }
    let message = r.message()?;
    // It may have been sent before the restart; nobody knows, so it says so.
    let delivery = Delivery {
        seq,
        message,
        qos,
        retain,
        duplicate: true,
        subscription_ids,
        expires_at_ms,
        stored: true,
    };
    r.end(Record::Queued { client, delivery })
}

fn text(bytes: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(bytes.to_vec()).ok().ok_or(StoreError::Corrupt("key is not utf-8"))
}

fn split(rest: &[u8]) -> Result<(String, &[u8]), StoreError> {
    let at = rest.iter().position(|b| *b == 0).ok_or(StoreError::Corrupt("unknown key"))?;
    let (client, tail) = rest.split_at(at);
    Ok((text(client)?, tail.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn message() -> Message {
        let properties = Properties {
            payload_is_utf8: Some(true),
            content_type: Some("text/plain".into()),
            response_topic: None,
            correlation_data: Some(Bytes::from_static(&[0, 1, 2])),
            user: vec![("k".into(), "v".into()), ("k".into(), String::new().into())],
        };
        Message::new("a/b", "payload").qos(Qos::ExactlyOnce).retain(true).expiry_s(7).properties(properties)
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
        let options =
            Options { qos: Qos::ExactlyOnce, no_local: true, retain_as_published: false, id: Some(3) };
        let retained = Retained { message: message(), expires_at_ms: None };
        let will = StoredWill { principal: "p".into(), delay_s: 5, message: message() };
        let c = || "c".to_owned();
        vec![
            (session_key("c"), session_value(&session), Record::Session { client: c(), session }),
            (
                subscription_key("c", "a/#"),
                subscription_value(&options),
                Record::Subscription { client: c(), filter: "a/#".into(), options },
            ),
            (queue_key("c", 513), delivery_value(&delivery), Record::Queued { client: c(), delivery }),
            (queue_key("c", 0), released_value(), Record::Released { client: c(), seq: 0 }),
            (inbound_key("c", 256), inbound_value(), Record::Inbound { client: c(), id: 256 }),
            (retained_key("a/b"), retained_value(&retained), Record::Retained(retained)),
            (will_key("c"), will_value(&will), Record::Will { client: c(), will }),
        ]
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (key, value, record) in records() {
            assert_eq!(read(&key, &value).unwrap(), record);
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

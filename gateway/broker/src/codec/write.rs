//! The values of the store's entries, written.

use super::{StoredSession, StoredWill, VERSION};
use crate::message::{Message, Origin};
use crate::outbox::Delivery;
use crate::retained::Retained;
use crate::trie::Options;

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
        let Some(p) = m.properties.as_deref() else {
            return w.byte(0);
        };
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
    Writer::new()
        .byte(o.qos.bits())
        .byte(flags)
        .optional_int(o.id.map(u64::from))
        .0
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
    Writer::new()
        .optional_int(r.expires_at_ms)
        .message(&r.message)
        .0
}

pub(crate) fn will_value(w: &StoredWill) -> Vec<u8> {
    Writer::new()
        .bytes(w.principal.as_bytes())
        .int(w.delay_s.into())
        .message(&w.message)
        .0
}

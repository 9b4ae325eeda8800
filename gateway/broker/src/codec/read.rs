//! The store's entries, read. Nothing is trusted: a disk can hold anything.

use std::sync::Arc;

use bytes::Bytes;

use super::{Record, StoredSession, StoredWill, VERSION};
use crate::message::{Message, Origin, Properties, Qos};
use crate::outbox::Delivery;
use crate::retained::Retained;
use crate::store::StoreError;
use crate::trie::Options;

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

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.take(N)?.first_chunk().copied().ok_or(CORRUPT)
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
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, StoreError> {
        T::try_from(self.int()?).ok().ok_or(CORRUPT)
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Ok(None)
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], StoreError> {
        let len = u32::from_be_bytes(self.array()?);
        self.take(usize::try_from(len).ok().ok_or(CORRUPT)?)
    }

    fn text(&mut self) -> Result<&'a str, StoreError> {
        std::str::from_utf8(self.bytes()?)
            .ok()
            .ok_or(StoreError::Corrupt("text is not utf-8"))
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
        Ok(Message {
            topic,
            payload,
            qos,
            retain,
            duplicate: false,
            expiry_s,
            properties,
            origin,
        })
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
            properties
                .user
                .push((self.text()?.into(), self.text()?.into()));
        }
        Ok(properties)
    }

    fn end<T>(self, value: T) -> Result<T, StoreError> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(StoreError::Corrupt("value too long"))
        }
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
            r.end(Record::Session {
                client: text(rest)?,
                session,
            })
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
            r.end(Record::Subscription {
                client,
                filter: text(filter)?,
                options,
            })
        }
        b'q' => read_queued(rest, r),
        b'i' => {
            let (client, id) = split(rest)?;
            let id = <[u8; 2]>::try_from(id).ok().ok_or(bad_key)?;
            r.end(Record::Inbound {
                client,
                id: u16::from_be_bytes(id),
            })
        }
        b'r' => {
            let expires_at_ms = r.optional(Reader::int)?;
            let message = r.message()?;
            r.end(Record::Retained(Retained {
                message,
                expires_at_ms,
            }))
        }
        b'w' => {
            let will = StoredWill {
                principal: r.text()?.into(),
                delay_s: r.narrow()?,
                message: r.message()?,
            };
            r.end(Record::Will {
                client: text(rest)?,
                will,
            })
        }
        _ => Err(bad_key),
    }
}

fn read_queued(rest: &[u8], mut r: Reader<'_>) -> Result<Record, StoreError> {
    let (client, seq) = split(rest)?;
    let seq = <[u8; 8]>::try_from(seq)
        .ok()
        .ok_or(StoreError::Corrupt("unknown key"))?;
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
    String::from_utf8(bytes.to_vec())
        .ok()
        .ok_or(StoreError::Corrupt("key is not utf-8"))
}

fn split(rest: &[u8]) -> Result<(String, &[u8]), StoreError> {
    let at = rest
        .iter()
        .position(|b| *b == 0)
        .ok_or(StoreError::Corrupt("unknown key"))?;
    let (client, tail) = rest.split_at(at);
    Ok((text(client)?, tail.get(1..).unwrap_or_default()))
}

//! A record: events that were appended to one stream at once. Several records make up a frame.
//!
//! ```text
//! record   u32 length of the rest, stream (u16 length), u64 revision of the first event, events
//! event    u32 length of the rest, 16 bytes id, u64 created, u8 is JSON, type (u16 length),
//!          u32 length and bytes of the metadata, data to the end
//! ```
//! `created` counts 100 ns from the Unix epoch. An event's position is where its length field stands in the
//! file.

use bytes::Bytes;
use uuid::Uuid;

use super::bytes::{Reader, put_text, with_length};

/// An event as a client proposes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEvent {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) is_json: bool,
    pub(crate) metadata: Bytes,
    pub(crate) data: Bytes,
}

/// An event as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventView<'a> {
    pub(crate) id: Uuid,
    /// 100 ns from the Unix epoch.
    pub(crate) created: u64,
    pub(crate) is_json: bool,
    pub(crate) kind: &'a str,
    pub(crate) metadata: &'a [u8],
    pub(crate) data: &'a [u8],
}

/// An event with its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    /// Offset in the file.
    pub(crate) position: u64,
    pub(crate) stream: &'a str,
    pub(crate) revision: u64,
    pub(crate) event: EventView<'a>,
}

/// Adds a record to a frame's content.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    stream: &str,
    first: u64,
    created: u64,
    events: &[NewEvent],
) {
    with_length(out, |out| {
        put_text(out, stream);
        out.extend_from_slice(&first.to_le_bytes());
        for event in events {
            with_length(out, |out| {
                out.extend_from_slice(event.id.as_bytes());
                out.extend_from_slice(&created.to_le_bytes());
                out.push(u8::from(event.is_json));
                put_text(out, &event.kind);
                with_length(out, |out| out.extend_from_slice(&event.metadata));
                out.extend_from_slice(&event.data);
            });
        }
    });
}

/// Events of a frame's content that begins at `base` in the file, in order. None: not of this format.
pub(crate) fn decode(content: &[u8], base: u64) -> Option<Vec<Placed<'_>>> {
    let mut placed = Vec::new();
    let mut frame = Reader(content);
    while !frame.0.is_empty() {
        let mut record = Reader(frame.block()?);
        // Where the record's end stands, counted from the frame's content.
        let end = content.len() - frame.0.len();
        let stream = record.text()?;
        let first = record.u64()?;
        let mut revision = first;
        while !record.0.is_empty() {
            let offset = u64::try_from(end - record.0.len()).ok()?;
            let event = decode_event(record.block()?)?;
            placed.push(Placed {
                position: base + offset,
                stream,
                revision,
                event,
            });
            revision = revision.saturating_add(1);
        }
    }
    Some(placed)
}

/// An event from its bytes, without their length.
pub(crate) fn decode_event(bytes: &[u8]) -> Option<EventView<'_>> {
    let mut reader = Reader(bytes);
    Some(EventView {
        id: Uuid::from_bytes(reader.id()?),
        created: reader.u64()?,
        is_json: reader.u8()? != 0,
        kind: reader.text()?,
        metadata: reader.block()?,
        data: reader.0,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn event(data: &'static [u8]) -> NewEvent {
        NewEvent {
            id: Uuid::new_v4(),
            kind: "made".to_owned(),
            is_json: true,
            metadata: Bytes::from_static(b"{}"),
            data: Bytes::from_static(data),
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_at_its_place() {
        let (first, second, third) = (event(b"1"), event(b""), event(b"3"));
        let mut frame = Vec::new();
        encode(&mut frame, "a", 7, 99, &[first.clone(), second.clone()]);
        encode(&mut frame, "b", 0, 99, std::slice::from_ref(&third));
        let placed = decode(&frame, 1_000).unwrap();
        let seen: Vec<_> = placed
            .iter()
            .map(|one| (one.stream, one.revision, one.event.id))
            .collect();
        assert_eq!(
            seen,
            [("a", 7, first.id), ("a", 8, second.id), ("b", 0, third.id)]
        );
        for one in placed {
            let at = usize::try_from(one.position - 1_000).unwrap();
            let bytes = Reader(frame.get(at..).unwrap()).block().unwrap();
            assert_eq!(decode_event(bytes), Some(one.event));
        }
    }

    #[test]
    fn a_frame_that_ends_too_early_is_refused() {
        let mut frame = Vec::new();
        encode(&mut frame, "a", 0, 0, &[event(b"data")]);
        for len in 1..frame.len() {
            assert!(decode(frame.get(..len).unwrap(), 0).is_none(), "{len}");
        }
    }
}

//! Between the protocol's types and the store's.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use prost_types::Timestamp;
use tonic::Status;
use uuid::Uuid;

use crate::journal::NewEvent;
use crate::protocol::shared::{StreamIdentifier, Uuid as WireUuid, uuid as wire_uuid};
use crate::protocol::streams::ReadResp;
use crate::protocol::streams::read_resp::read_event::{Position, RecordedEvent};
use crate::protocol::streams::read_resp::{Content, ReadEvent};
use crate::status;
use crate::store::Recorded;

const TYPE: &str = "type";
const CONTENT_TYPE: &str = "content-type";
const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";
/// Longest stream name or event type. The real server's limit is below it.
const NAME_LEN_MAX: usize = 1_024;

/// How a client wants to have ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdForm {
    Text,
    Structured,
}

pub(super) fn stream_name(identifier: Option<StreamIdentifier>) -> Result<String, Status> {
    let name = identifier.ok_or_else(|| status::required("streamIdentifier"))?;
    let name = String::from_utf8(name.stream_name.to_vec())
        .map_err(|_bytes| Status::invalid_argument("a stream name is not UTF-8"))?;
    if name.is_empty() || name.len() > NAME_LEN_MAX {
        return Err(Status::invalid_argument(
            "a stream name is empty or too long",
        ));
    }
    Ok(name)
}

pub(super) fn identifier(name: &str) -> StreamIdentifier {
    StreamIdentifier {
        stream_name: Bytes::copy_from_slice(name.as_bytes()),
    }
}

/// A missing id is the nil one, as the real server has it.
pub(super) fn id(id: Option<WireUuid>) -> Result<Uuid, Status> {
    match id.and_then(|id| id.value) {
        None => Ok(Uuid::nil()),
        Some(wire_uuid::Value::Structured(halves)) => {
            let (most, least) = (
                halves.most_significant_bits.cast_unsigned(),
                halves.least_significant_bits.cast_unsigned(),
            );
            Ok(Uuid::from_u64_pair(most, least))
        }
        Some(wire_uuid::Value::String(text)) => Uuid::parse_str(&text)
            .map_err(|_error| Status::invalid_argument(format!("'{text}' is not a valid UUID"))),
    }
}

pub(super) fn wire_id(id: Uuid, form: IdForm) -> WireUuid {
    let value = match form {
        IdForm::Text => wire_uuid::Value::String(id.to_string()),
        IdForm::Structured => {
            let (most, least) = id.as_u64_pair();
            wire_uuid::Value::Structured(wire_uuid::Structured {
                most_significant_bits: most.cast_signed(),
                least_significant_bits: least.cast_signed(),
            })
        }
    };
    WireUuid { value: Some(value) }
}

/// An event as a client proposes it, of either way to append.
pub(super) fn new_event(
    event_id: Option<WireUuid>,
    mut properties: HashMap<String, String>,
    metadata: Bytes,
    data: Bytes,
) -> Result<NewEvent, Status> {
    let mut take = |name| {
        properties
            .remove(name)
            .ok_or_else(|| status::metadata_missing(name))
    };
    let (kind, content_type) = (take(TYPE)?, take(CONTENT_TYPE)?);
    if kind.len() > NAME_LEN_MAX {
        return Err(Status::invalid_argument("an event type is too long"));
    }
    Ok(NewEvent {
        id: id(event_id)?,
        kind,
        is_json: content_type == JSON,
        metadata,
        data,
    })
}

/// What an event counts for the limit of an append, in bytes: as the real server counts it.
pub(super) fn counted_len(event: &NewEvent) -> usize {
    event.data.len() + event.metadata.len() + 2 * event.kind.len()
}

pub(super) fn read_event(event: Recorded, form: IdForm) -> ReadResp {
    let position = event.position;
    ReadResp {
        content: Some(Content::Event(ReadEvent {
            event: Some(recorded(event, form)),
            link: None,
            position: Some(Position::CommitPosition(position)),
        })),
    }
}

pub(super) fn properties(event: &Recorded) -> HashMap<String, String> {
    let content_type = if event.is_json { JSON } else { BYTES };
    HashMap::from([
        (TYPE.to_owned(), event.kind.clone()),
        (CONTENT_TYPE.to_owned(), content_type.to_owned()),
        ("created".to_owned(), event.created.to_string()),
    ])
}

fn recorded(event: Recorded, form: IdForm) -> RecordedEvent {
    RecordedEvent {
        id: Some(wire_id(event.id, form)),
        stream_identifier: Some(identifier(&event.stream)),
        stream_revision: event.revision,
        prepare_position: event.position,
        commit_position: event.position,
        metadata: properties(&event),
        custom_metadata: event.metadata,
        data: event.data,
    }
}

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or(0),
    }
}

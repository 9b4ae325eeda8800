//! How a station's log stands in the centre's event store (EventStoreDB, KurrentDB), and which streams go with it.
//!
//! The event's data is the CloudEvent, byte for byte, so that the store's own tools can read it. The rest of the signed event goes
//! into the metadata as COSE_Sign1 with a detached payload (RFC 9052, section 4.1: the payload is nil). Both together are the signed
//! bytes again, and no others: the form is deterministic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::envelope::{self, EnvelopeError, Signed};
use crate::event::Event;
use crate::ids::StationId;
use crate::proof::Hash;
use crate::words::DeviceStatus;

/// The stream that carries one log: event n of the log is revision n of the stream.
pub fn log_stream(station: &StationId, incarnation: u32) -> String {
    format!("station-{station}-{incarnation}")
}

/// The stream of marked copies: what the centre must know ahead of a backlog.
pub fn alert_stream(station: &StationId) -> String {
    format!("alerts-{station}")
}

/// The stream from the centre to the station.
pub fn downlink_stream(station: &StationId) -> String {
    format!("centre-{station}")
}

/// The id of an event in the store: the first 16 bytes of its leaf hash, marked as a UUID of version 8 (RFC 9562, section 5.8).
pub fn event_id(leaf: &Hash) -> [u8; 16] {
    let mut id = [0; 16];
    id.iter_mut().zip(leaf.0).for_each(|(to, from)| *to = from);
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut id;
    *version = (*version & 0x0f) | 0x80;
    *variant = (*variant & 0x3f) | 0x80;
    id
}

/// What stands beside an event in the store: JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Metadata {
    /// The event's place in the log, from 0. In its own stream this is the revision.
    pub index: u64,
    /// COSE_Sign1 with a detached payload, in base64 (RFC 4648, section 4, padded).
    pub cose: String,
    /// The newest signed checkpoint of the log when this was sent: a C2SP signed note. It may cover events that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// A signed event as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// See [`event_id`].
    pub id: [u8; 16],
    /// The CloudEvents `type`.
    pub event_type: String,
    /// The CloudEvent.
    pub data: Vec<u8>,
    /// [`Metadata`], as JSON.
    pub metadata: Vec<u8>,
}

/// The CloudEvents `type` alone.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    event_type: &'a str,
}

impl Record {
    /// Of a signed event, with a checkpoint to go beside it.
    pub fn of(signed: &[u8], checkpoint: Option<&str>) -> Result<Self, EnvelopeError> {
        Self::up_to(signed, checkpoint, envelope::SIGNED_LEN_MAX)
    }

    /// The same with another limit on the signed bytes.
    pub(crate) fn up_to(
        signed: &[u8],
        checkpoint: Option<&str>,
        len_max: usize,
    ) -> Result<Self, EnvelopeError> {
        let event = Signed::read_up_to(signed, len_max)?;
        let data = event.payload().to_vec();
        let typed: Typed<'_> = serde_json::from_slice(&data).map_err(EnvelopeError::CloudEvent)?;
        let metadata = Metadata {
            index: event.index(),
            cose: STANDARD.encode(event.detached()),
            checkpoint: checkpoint.map(str::to_owned),
        };
        Ok(Self {
            id: event_id(&Hash::leaf(signed)),
            event_type: typed.event_type.to_owned(),
            metadata: serde_json::to_vec(&metadata).map_err(EnvelopeError::CloudEvent)?,
            data,
        })
    }

    /// Bytes that it takes in an append, as the server counts them: data, metadata, and twice the type.
    pub fn append_len(&self) -> usize {
        self.data.len() + self.metadata.len() + 2 * self.event_type.len()
    }
}

/// Why what stands in the store is no signed event.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The metadata is not as this contract says.
    #[error("the metadata is not as the contract says")]
    Metadata(#[source] serde_json::Error),
    /// Data and detached signature do not make a signed event.
    #[error("data and metadata do not make a signed event")]
    Event(#[source] EnvelopeError),
}

/// The signed bytes again, from data and metadata of an event in the store, and the metadata.
pub fn signed_bytes(data: &[u8], metadata: &[u8]) -> Result<(Vec<u8>, Metadata), RecordError> {
    let metadata: Metadata = serde_json::from_slice(metadata).map_err(RecordError::Metadata)?;
    let form = || RecordError::Event(EnvelopeError::Cose("detached"));
    let detached = STANDARD
        .decode(&metadata.cose)
        .map_err(|_not_base64| form())?;
    let signed = envelope::attach(&detached, data).ok_or_else(form)?;
    Ok((signed, metadata))
}

/// Whether a copy of this event goes ahead of a backlog: somebody may be at the machine with a screwdriver, or the log is doubted.
pub fn is_alert(event: &Event) -> bool {
    if let Event::StatusChanged(body) = event {
        return body.status == DeviceStatus::FraudAttempt;
    }
    if let Event::DeviceReported(body) = event {
        return ["tamper", "fire", "break-in"].contains(&body.report.as_str());
    }
    matches!(
        event,
        Event::WitnessAhead(_)
            | Event::CentreContradicted(_)
            | Event::CardMismatched(_)
            | Event::DeviceContradicted(_)
            | Event::MaintenanceOverdue(_)
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::envelope::{KeyId, Origin, Unsigned};

    fn signed(index: u64) -> Vec<u8> {
        let origin = Origin::new("gateway.test/station/s1/1").unwrap();
        let payload = br#"{"specversion":"1.0","type":"station.test.v1","data":{}}"#;
        let unsigned = Unsigned::of_payload(&origin, index, payload, KeyId([7; 8]));
        unsigned.unwrap().signed(|_| [9; 64])
    }

    /// G4: data and metadata in the store are the signed bytes again, and the id is the event's own.
    #[test]
    fn a_record_is_the_signed_event() {
        for index in [0, 23, 24, 1_000_000] {
            let event = signed(index);
            let record = Record::of(&event, Some("a note")).unwrap();
            let (again, metadata) = signed_bytes(&record.data, &record.metadata).unwrap();
            assert_eq!((&again, metadata.index), (&event, index));
            assert_eq!(metadata.checkpoint.as_deref(), Some("a note"));
            assert_eq!(record.event_type, "station.test.v1");
            let leaf = Hash::leaf(&event);
            assert_eq!(record.id.first(), leaf.0.first());
            assert_eq!(record.id.get(6).map(|byte| byte >> 4), Some(8));
            assert_eq!(record.id.get(8).map(|byte| byte >> 6), Some(2));
        }
    }

    /// G3: no other metadata makes a signed event of the same data.
    #[test]
    fn damaged_metadata_makes_no_event_or_another_one() {
        let event = signed(5);
        let record = Record::of(&event, None).unwrap();
        let metadata: Metadata = serde_json::from_slice(&record.metadata).unwrap();
        let detached = STANDARD.decode(&metadata.cose).unwrap();
        for at in 0..detached.len() {
            let mut damaged = detached.clone();
            if let Some(byte) = damaged.get_mut(at) {
                *byte ^= 1;
            }
            assert_ne!(
                envelope::attach(&damaged, &record.data),
                Some(event.clone())
            );
            let cut = damaged.get(..at).unwrap_or_default();
            assert_eq!(envelope::attach(cut, &record.data), None);
        }
    }
}

//! Receipts: what became of a message, on `receipt/{message id}` of its sender.

use schemas::ids::{BlobId, DeviceId, MessageId, SessionId};
use schemas::message::device::LastReceipt;
use schemas::message::kiosk::{Receipt, ReceiptOutcome};
use schemas::words::RefusalReason;
use serde::Serialize;

use crate::outlet::Outgoing;

/// The level in place of a message id where none could be read.
const UNREADABLE: &str = "unreadable";

/// The receipt of a message that the pipeline dealt with. Its caller holds the `Durable` that permits it.
pub(crate) fn recorded(
    device: &DeviceId,
    message_id: MessageId,
    refused: Option<RefusalReason>,
    place: Option<LastReceipt>,
    session: Option<SessionId>,
) -> Outgoing {
    let channel = format!("receipt/{message_id}");
    let receipt = Receipt {
        message_id: Some(message_id),
        outcome: outcome(refused),
        incarnation: place.map(|place| place.incarnation),
        index: place.map(|place| place.index),
        session,
    };
    outgoing(device, channel, &receipt)
}

/// A blob is sealed and durable. Its receipt names the blob's id, which is a UUID too.
pub(crate) fn blob(device: &DeviceId, id: &BlobId) -> Outgoing {
    let body = unrecorded(MessageId::new(id.as_str()).ok(), None);
    outgoing(device, format!("receipt/{id}"), &body)
}

/// A blob was not kept: no session asked for it.
pub(crate) fn blob_not_kept(device: &DeviceId, id: &BlobId) -> Outgoing {
    let id_of_blob = MessageId::new(id.as_str()).ok();
    let body = unrecorded(id_of_blob, Some(RefusalReason::NotServing));
    outgoing(device, format!("receipt/{id}"), &body)
}

/// Nothing was recorded: the message could not be read. With its id, if that much could be read. An MQTT 3.1.1 client
/// learns it only from this.
pub(crate) fn unreadable(device: &DeviceId, message_id: Option<&MessageId>) -> Outgoing {
    let level = message_id.map_or(UNREADABLE, MessageId::as_str);
    let body = unrecorded(message_id.cloned(), Some(RefusalReason::Unreadable));
    outgoing(device, format!("receipt/{level}"), &body)
}

/// Nothing was recorded: the same id came before with other content.
pub(crate) fn id_reused(device: &DeviceId, message_id: &MessageId) -> Outgoing {
    let reused = Some(RefusalReason::MessageIdReused);
    let body = unrecorded(Some(message_id.clone()), reused);
    outgoing(device, format!("receipt/{message_id}"), &body)
}

/// Of what stands in no event.
fn unrecorded(message_id: Option<MessageId>, refused: Option<RefusalReason>) -> Receipt {
    Receipt {
        message_id,
        outcome: outcome(refused),
        incarnation: None,
        index: None,
        session: None,
    }
}

fn outcome(refused: Option<RefusalReason>) -> ReceiptOutcome {
    refused.map_or(ReceiptOutcome::Accepted, |reason| ReceiptOutcome::Refused {
        reason,
        text: texts::refusal(reason),
    })
}

fn outgoing(device: &DeviceId, channel: String, body: &impl Serialize) -> Outgoing {
    Outgoing {
        device: device.clone(),
        channel,
        payload: crate::effects::json(body),
        assured: true,
        expiry_s: None,
    }
}

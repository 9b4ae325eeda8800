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
        message_id,
        outcome: outcome(refused),
        incarnation: place.map(|place| place.incarnation),
        index: place.map(|place| place.index),
        session,
    };
    outgoing(device, channel, &receipt)
}

/// A blob is sealed and durable. Its receipt names the blob's id, which is a UUID too.
pub(crate) fn blob(device: &DeviceId, id: &BlobId) -> Outgoing {
    let body = ErrorReceipt {
        message_id: MessageId::new(id.as_str()).ok(),
        outcome: ReceiptOutcome::Accepted,
    };
    outgoing(device, format!("receipt/{id}"), &body)
}

/// A blob was not kept: no session asked for it.
pub(crate) fn blob_not_kept(device: &DeviceId, id: &BlobId) -> Outgoing {
    let body = ErrorReceipt {
        message_id: MessageId::new(id.as_str()).ok(),
        outcome: outcome(Some(RefusalReason::NotServing)),
    };
    outgoing(device, format!("receipt/{id}"), &body)
}

/// Nothing was recorded: the message could not be read. With its id, if that much could be read. An MQTT 3.1.1 client
/// learns it only from this.
pub(crate) fn unreadable(device: &DeviceId, message_id: Option<&MessageId>) -> Outgoing {
    let level = message_id.map_or(UNREADABLE, MessageId::as_str);
    let body = ErrorReceipt {
        message_id: message_id.cloned(),
        outcome: outcome(Some(RefusalReason::Unreadable)),
    };
    outgoing(device, format!("receipt/{level}"), &body)
}

/// Nothing was recorded: the same id came before with other content.
pub(crate) fn id_reused(device: &DeviceId, message_id: &MessageId) -> Outgoing {
    let body = ErrorReceipt {
        message_id: Some(message_id.clone()),
        outcome: outcome(Some(RefusalReason::MessageIdReused)),
    };
    outgoing(device, format!("receipt/{message_id}"), &body)
}

/// A receipt whose message id may be unknown, otherwise of the same shape.
#[derive(Serialize)]
struct ErrorReceipt {
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<MessageId>,
    #[serde(flatten)]
    outcome: ReceiptOutcome,
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

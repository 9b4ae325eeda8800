//! What the store can hold: asked at the door, so that nobody depends on an entry that cannot be written, and no
//! client's entry spoils the writes of others.

use crate::codec;
use crate::config::Limits;
use crate::handler::{Handler, Medium};
use crate::message::{Message, Qos};

/// Bytes of one subscription identifier in an entry.
const SUBSCRIPTION_ID_BYTES: usize = 8;

/// Whether every key of this client's session fits, its subscriptions' apart.
pub(crate) fn client_id(limits: &Limits, client: &str) -> bool {
    // The longest of them is that of a queued message.
    codec::queue_key(client, u64::MAX).len() <= limits.store_key_bytes_max
}

/// Whether a subscription fits.
pub(crate) fn subscription(limits: &Limits, client: &str, filter: &str) -> bool {
    codec::subscription_key(client, filter).len() <= limits.store_key_bytes_max
}

/// Whether a message fits, retained and queued for a receiver with so many subscription identifiers for it.
pub(crate) fn message(limits: &Limits, message: &Message, subscription_ids: usize) -> bool {
    let value = message.stored_bytes_max() + subscription_ids * SUBSCRIPTION_ID_BYTES;
    value <= limits.store_value_bytes_max
        && (!message.retain
            || codec::retained_key(&message.topic).len() <= limits.store_key_bytes_max)
}

/// Whether a client's message can be kept as it asks: what is never stored always can.
pub(crate) fn publish(limits: &Limits, handler: &dyn Handler, sent: &Message) -> bool {
    let is_kept = sent.retain || sent.qos != Qos::AtMostOnce;
    !is_kept || message(limits, sent, 0) || handler.storage(&sent.topic).medium == Medium::Memory
}

/// Whether a last will can be kept until it is due, and then be published.
pub(crate) fn will(
    limits: &Limits,
    handler: &dyn Handler,
    principal: &str,
    will: &Message,
) -> bool {
    let fits = will.stored_bytes_max() + principal.len() <= limits.store_value_bytes_max;
    (fits && message(limits, will, 0)) || handler.storage(&will.topic).medium == Medium::Memory
}

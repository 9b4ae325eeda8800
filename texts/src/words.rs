//! The names of the contract's words, for screens and paper.

use schemas::application::ApplicationReason;
use schemas::message::kiosk::Text;
use schemas::message::peripheral::PaymentMethod;
use serde::Serialize;

use crate::catalogue::both;

/// What an application is for, as its paper names it.
pub fn reason(reason: ApplicationReason) -> Text {
    both(&key("reason", reason), &[])
}

/// What a way to pay is called.
pub fn payment_method(method: PaymentMethod) -> Text {
    both(&key("payment-method", method), &[])
}

/// The key of a word: the name of its family, and the word as the wire has it.
pub(crate) fn key(family: &str, word: impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(word)) => format!("{family}-{word}"),
        // A word of the contract is a string on the wire; whatever else has no text.
        Ok(_) | Err(_) => family.to_owned(),
    }
}

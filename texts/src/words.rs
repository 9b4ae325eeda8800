//! The names of the contract's words, for screens and paper.

use schemas::application::ApplicationReason;
use schemas::message::kiosk::Text;
use schemas::message::peripheral::PaymentMethod;
use schemas::words::application::ProvisionalCause;
use serde::Serialize;

use crate::catalogue::{both, text};
use crate::message::Message;

/// What an application is for, as its paper names it.
pub fn reason(reason: ApplicationReason) -> Text {
    both(&key("reason", reason), &[])
}

/// What a way to pay is called.
pub fn payment_method(method: PaymentMethod) -> Text {
    both(&key("payment-method", method), &[])
}

/// That an acceptance is provisional, and what is still to be checked (A17). None: nothing is.
pub fn provisional(causes: &[ProvisionalCause]) -> Option<Text> {
    let open = causes
        .iter()
        .map(|cause| both(&key("provisional", cause), &[]));
    let open = open.reduce(|first, second| Text {
        zh: format!("{}、{}", first.zh, second.zh),
        en: format!("{}; {}", first.en, second.en),
    })?;
    let said = |causes: &str| text(&Message::DocProvisional { causes });
    Some(Text {
        zh: said(&open.zh).zh,
        en: said(&open.en).en,
    })
}

/// The key of a word: the name of its family, and the word as the wire has it.
pub(crate) fn key(family: &str, word: impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(word)) => format!("{family}-{word}"),
        // A word of the contract is a string on the wire; whatever else has no text.
        Ok(_) | Err(_) => family.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A17: a paper names what is still to be checked, and says that the centre could not be asked where that is so and nowhere else.
    #[test]
    fn a17_what_makes_an_acceptance_provisional_is_named() {
        use ProvisionalCause as C;
        assert_eq!(provisional(&[]), None);
        for (cause, zh, en) in [
            (C::Eligibility, "未能联网", "the centre could not be asked"),
            (C::Comparison, "未比对", "comparisons not made here"),
            (C::Clock, "受理时间", "the time"),
            (C::Portrait, "相片调取", "the photo"),
            (C::Phone, "手机号码", "the phone number"),
        ] {
            let said = provisional(&[cause]).unwrap();
            assert!(said.zh.contains(zh) && said.en.contains(en), "{said:?}");
            let offline = said.zh.contains("联网") || said.en.contains("centre");
            assert_eq!(offline, cause == C::Eligibility, "{said:?}");
        }
        let said = provisional(C::ALL).unwrap();
        assert_eq!(said.zh.matches('、').count(), C::ALL.len() - 1);
        assert_eq!(said.en.matches("; ").count(), C::ALL.len());
    }
}

//! The words that citizens read, on screens and on paper: Chinese (zh-CN) first, English second. They stand in the catalogues of
//! `texts/locales`, in the language of Project Fluent, never in code.
//!
//! Pure: the catalogues are part of the program. Each text has a typed key, [`Message`], or follows from a word of the contract. The
//! tests hold the keys against both catalogues, so that a text that is missing, or one that lacks an argument, never gets to a citizen.
//! Nothing personal is in a catalogue; what is personal comes masked, as an argument.

mod application;
mod catalogue;
mod kiosk;
mod message;
mod words;

pub use crate::application::{application, finger_of_card, window_reason};
pub use crate::catalogue::text;
pub use crate::kiosk::{prompt, refusal, slip};
pub use crate::message::Message;
pub use crate::words::{payment_method, provisional, reason};

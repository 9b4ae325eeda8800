//! The papers that a citizen takes away (A11 to A13, A15): from what is held of a session to a file that its kiosk prints.
//!
//! A paper exists in memory only. It goes to its own kiosk, once the log says what was made of it, and again while the kiosk may ask
//! for it, because a printer that jams is no rarity. It must never be written to disk, printed to a log, or sent to anybody else.

mod desk;
mod facts;
mod printer;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]
mod tests;

pub use desk::PaperDesk;
pub(crate) use facts::{Facts, of_acceptance, of_ticket};
pub(crate) use printer::Occasion;
pub use printer::{CardDays, Printer};

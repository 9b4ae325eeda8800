//! Session keys: what is personal in a session is sealed under a key of that session, so that deleting the key erases it.
//!
//! It owns the folder `session-keys` of the data folder, and the keys of open sessions in memory. A key is drawn when the
//! first thing of a session is to be sealed, and its file is durable before anything sealed under it can be committed. In
//! the file the key is sealed to the centre, and to whoever else is configured (HPKE): nobody at the station can open it
//! again. In memory it is wiped when the session ends; a session that is still open after a restart gets a second key. An application's
//! key lies here a second time, for officers at the window, who open it with a key of their own (A15).
//!
//! It must never write a session key in the clear, print one, or make one for a session that has ended.

mod desk;
pub(crate) mod field;
mod file;
mod key;
mod leaving;
mod private;
mod recipient;
mod source;
mod store;
mod sweep;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod vector_tests;
mod window;

#[cfg(test)]
pub(crate) use desk::tests as desk_tests;
pub use desk::{NotSealed, SealingDesk};
pub use field::HOLDER;
pub(crate) use key::random;
#[cfg(test)]
pub(crate) use key::tests::key as test_key;
pub use key::{SealError, SessionKey};
pub use private::{InvalidPrivateKey, NotOpened, PrivateKey};
pub use recipient::{InvalidRecipient, Recipient};
pub use source::Source;
pub use store::{Erased, KeyStore};
pub use sweep::Sweep;
pub use window::WindowForm;

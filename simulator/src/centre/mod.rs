//! What the centre does with what a station has sealed: it opens it with its private key.
//!
//! Written from the formats alone, as another house would write it; it shares no code with the station. It shows that the
//! centre can read everything, and that nobody can once a key was destroyed. It must never be part of a station.

mod house;
mod opener;

pub use house::House;
pub use opener::{Centre, OpenError, SessionKey};

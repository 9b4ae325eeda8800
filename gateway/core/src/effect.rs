//! What the world still owes us.

use schemas::ids::{DeviceId, SessionId};
use schemas::message::command::CommandId;
use schemas::time::Deadline;
use schemas::words::{Hand, Motion, PhotoView};

use crate::state::State;

/// A command that a device has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Index of the event that caused it, and an ordinal: the same effect has the same id for ever.
    pub id: CommandId,
    /// The device.
    pub device: DeviceId,
    /// What it shall do.
    pub order: Order,
    /// How long the device may take, in s.
    pub timeout_s: u16,
}

/// What a device shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Move a card.
    Move {
        /// The command sequence.
        sequence: u16,
        /// The motion.
        motion: Motion,
    },
    /// Say what was done last; move nothing.
    Query,
    /// Read a card.
    Read,
    /// Compare a finger with the templates held in memory for this session.
    Match {
        /// The session whose templates are meant.
        session: SessionId,
        /// Which hand.
        hand: Hand,
    },
    /// Take a photo.
    Capture {
        /// Which.
        view: PhotoView,
    },
}

/// The commands that are open now, for devices that are online. Level-triggered: asked again, it says
/// the same until an event answers it.
pub fn pending(_state: &State) -> Vec<Effect> {
    Vec::new()
}

/// When the state next wants a [`crate::Input::Tick`].
pub fn next_deadline(_state: &State) -> Option<Deadline> {
    None
}

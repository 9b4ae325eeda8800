//! The readers: the inner one reads the chip of the card that the machine holds in it, the other one what
//! the citizen lays on the intake. They speak the protocol of the SAM_V module as real ones do; where a
//! station shall have readers that speak MQTT themselves, they do that.

mod chip;
mod faults;
pub(crate) mod mqtt;
mod sam;
mod server;
mod start;

pub use faults::{ReaderFault, ReaderFaults};
pub use server::{ReaderOptions, SamReader};
pub use start::ReaderProtocol;
pub(crate) use start::start;

use schemas::ids::CardSerial;
use serde::Deserialize;

use crate::world::World;

/// Which reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    Inner,
    Intake,
}

impl Place {
    /// The card that lies there.
    pub(crate) fn card(self, world: &World) -> Option<CardSerial> {
        match self {
            Self::Inner => world.card_in_reader(),
            Self::Intake => world.dispenser.look(|machine| machine.on_intake().cloned()),
        }
    }

    pub(crate) const fn faults(self, world: &World) -> &ReaderFaults {
        match self {
            Self::Inner => &world.reader,
            Self::Intake => &world.intake,
        }
    }
}

//! The profile of a card dispenser: its register map as a described, versioned file. Where a value lies and what a code means
//! stands there and nowhere else; a machine with another map has another file. The meaning of the values is in
//! `ops/docs/dispenser-register-map.md`.

mod codes;
mod errors;
mod read;
mod registers;

use core::fmt;
use std::path::Path;

pub use codes::{AckResult, Codes, MachineState, Operation};
pub use errors::{ErrorCode, Refusals};
pub use registers::{Group, Holdings, Inputs, SensorBits};
use schemas::words::CarriagePosition;

use crate::{ConfigErrors, reader};

/// The shipped profile.
pub const DEFAULT_DISPENSER_PROFILE: &str = include_str!("../../profiles/dispenser-1.toml");
/// How problems name the shipped profile.
pub const DEFAULT_DISPENSER_PROFILE_NAME: &str = "edge-config/profiles/dispenser-1.toml";
/// Registers that one Modbus request may read (MODBUS Application Protocol 1.1b3, 6.4).
pub const READ_WORDS_MAX: u16 = 125;

/// A register map, every value checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispenserProfile {
    /// Its name: 1 to 32 letters, digits or hyphens.
    pub name: String,
    /// Its version; another version may mean anything.
    pub version: u16,
    /// Of two-word values.
    pub word_order: WordOrder,
    /// What a machine may have.
    pub limits: Limits,
    /// Values that never change.
    pub constants: Constants,
    /// Input registers.
    pub inputs: Inputs,
    /// Holding registers.
    pub holdings: Holdings,
    /// Bits of the input `sensors`.
    pub sensors: SensorBits,
    /// The holding `command`.
    pub commands: Codes<Operation>,
    /// The input `state`.
    pub states: Codes<MachineState>,
    /// The input `ack_result`.
    pub results: Codes<AckResult>,
    /// The input `position`.
    pub positions: Codes<CarriagePosition>,
    /// The input `hopper`: 0 empty, 1 low, 2 enough.
    pub hopper: Codes<u16>,
    /// Codes of what the adapter itself rejects.
    pub refusals: Refusals,
    /// The inputs `last_error` and `ack_detail`; no two overlap.
    pub errors: Vec<ErrorCode>,
}

/// Which word of a two-word value has the lower address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordOrder {
    /// The high one, as Modbus has its bytes.
    HighFirst,
    /// The low one.
    LowFirst,
}

impl WordOrder {
    /// The value of the words at an address and the next one.
    pub fn join(self, first: u16, second: u16) -> u32 {
        let (high, low) = match self {
            Self::HighFirst => (first, second),
            Self::LowFirst => (second, first),
        };
        u32::from(high) << 16 | u32::from(low)
    }

    /// The words of a value, in the order of their addresses.
    pub fn split(self, value: u32) -> [u16; 2] {
        let [a, b, c, d] = value.to_be_bytes();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        match self {
            Self::HighFirst => [high, low],
            Self::LowFirst => [low, high],
        }
    }
}

/// What a machine may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Columns, 1 to 32.
    pub columns: u16,
    /// Slots per column, 1 to 500.
    pub slots_per_column: u16,
    /// Slots in all: one read of the bitmap has 2,000.
    pub slots: u16,
    /// How far ahead of the acknowledged sequence the next command's may be: as many commands in a row may have been refused
    /// before the device took them.
    pub sequence_ahead: u16,
}

/// Values that never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constants {
    /// What the input `map_version` holds.
    pub map_version: u16,
    /// What the input `kind` holds.
    pub kind: u16,
    /// What stands for "no slot".
    pub no_slot: u16,
}

impl DispenserProfile {
    /// Reads and checks a profile. `None` stands for the shipped one, which is part of the program.
    ///
    /// # Errors
    /// All problems of the file; a file that cannot be read is a problem too.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigErrors> {
        let (text, name) = crate::source(
            path,
            DEFAULT_DISPENSER_PROFILE,
            DEFAULT_DISPENSER_PROFILE_NAME,
        )?;
        Self::parse(&text, &name)
    }

    /// Reads the text of a profile; `file` is how problems name it.
    ///
    /// # Errors
    /// All problems of the text.
    pub fn parse(text: &str, file: &str) -> Result<Self, ConfigErrors> {
        reader::read(text, file, read::profile)
    }

    /// The status block: one read has all of it, so all of it is of one instant.
    pub fn status(&self) -> Group {
        self.inputs.status()
    }

    /// The command block: one write has all of it.
    pub fn command_block(&self) -> Group {
        self.holdings.command_block()
    }

    /// The host's heartbeat and timeout: one write has both.
    pub fn host_block(&self) -> Group {
        self.holdings.host_block()
    }

    /// What is said of a code.
    pub fn error(&self, code: u16) -> Option<&ErrorCode> {
        self.errors.iter().find(|error| error.has(code))
    }

    /// A code with its name, `E509-slotEmpty`, or `1234-unknown`: a [`schemas::message::device::Code`].
    pub fn label(&self, code: u16) -> String {
        let name = self.error(code).map_or("unknown", |error| &error.name);
        format!("{code:04X}-{name}")
    }
}

/// Name and version.
impl fmt::Display for DispenserProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

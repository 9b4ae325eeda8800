//! Registers to typed values and back. Pure.

use schemas::message::command::{Progress, SlotMap};
use schemas::slot::{COLUMNS_MAX, SLOTS_PER_COLUMN_MAX, SlotAddress};
use schemas::words::{CarriagePosition, Evidence, Motion, MotionResult};
use thiserror::Error;

use super::map::{self, command, discrete, input};

/// Registers that do not follow the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("input {address} is {value}: {rule}")]
pub struct MapError {
    /// The register.
    pub address: u16,
    /// What it holds.
    pub value: u16,
    /// What the map asks for.
    pub rule: &'static str,
}

/// What the machine is doing (input 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineState {
    /// Starting.
    Boot,
    /// Finding its zero.
    Homing,
    /// Ready.
    Idle,
    /// Moving.
    Busy,
    /// Stopped by an error.
    Error,
    /// In maintenance.
    Maintenance,
    /// The door is open.
    DoorOpen,
}

/// The last command the device took (inputs 6 to 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Its sequence; 0 when there was none.
    pub sequence: u16,
    /// Its code.
    pub command: u16,
    /// How it stands.
    pub result: AckResult,
    /// The device's code for a failure or a rejection.
    pub detail: u16,
}

/// How a command stands (input 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckResult {
    /// There was none.
    None,
    /// Under way.
    Accepted,
    /// Done.
    Done,
    /// Failed; something may have moved.
    Failed,
    /// Rejected; nothing moved.
    Rejected,
}

/// The discrete inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sensors {
    /// A card is at the outlet.
    pub outlet_present: bool,
    /// The door is open.
    pub door_open: bool,
    /// Somebody tampers with the machine.
    pub tamper: bool,
    /// The hopper is empty.
    pub hopper_empty: bool,
    /// The reject bin is full.
    pub reject_full: bool,
    /// The recycle bin is full.
    pub recycle_full: bool,
    /// A card is jammed.
    pub jam: bool,
}

/// The status block: inputs 0 to 26, all of one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Firmware, `major << 8 | minor`.
    pub firmware: u16,
    /// Heartbeat; changes at least once a second.
    pub heartbeat: u16,
    /// State.
    pub state: MachineState,
    /// Last error, 0 for none.
    pub last_error: u16,
    /// The last command.
    pub ack: Ack,
    /// The slot that command named.
    pub ack_slot: Option<SlotAddress>,
    /// Whether that slot is occupied.
    pub ack_slot_occupied: Option<bool>,
    /// Columns.
    pub columns: u16,
    /// Slots per column.
    pub slots_per_column: u16,
    /// Free slots.
    pub free: u16,
    /// Occupied slots.
    pub occupied: u16,
    /// Hopper level: 0 empty, 1 low, 2 enough.
    pub hopper: u16,
    /// Cards in the reject bin.
    pub reject_count: u16,
    /// Old cards taken in.
    pub recycle_count: u16,
    /// Where the transport holds a card.
    pub position: CarriagePosition,
    /// Cards dispensed.
    pub dispensed_total: u32,
    /// Cards retracted.
    pub retracted_total: u32,
    /// The discrete inputs.
    pub sensors: Sensors,
}

impl Snapshot {
    /// Reads the status block; `words` begin at input 0.
    pub fn decode(words: &[u16]) -> Result<Self, MapError> {
        let block = Block(words);
        block.expect(input::MAP_VERSION, map::VERSION, "the map has version 1")?;
        block.expect(input::KIND, map::KIND_DISPENSER, "1 is a card dispenser")?;
        let columns = block.at_most(input::COLUMNS, COLUMNS_MAX)?;
        let slots_per_column = block.at_most(input::SLOTS_PER_COLUMN, SLOTS_PER_COLUMN_MAX)?;
        Ok(Self {
            firmware: block.word(input::FIRMWARE)?,
            heartbeat: block.word(input::HEARTBEAT)?,
            state: block.state()?,
            last_error: block.word(input::LAST_ERROR)?,
            ack: block.ack()?,
            ack_slot: block.ack_slot()?,
            ack_slot_occupied: block.ack_slot_occupied()?,
            columns,
            slots_per_column,
            free: block.word(input::FREE)?,
            occupied: block.word(input::OCCUPIED)?,
            hopper: block.at_most(input::HOPPER, 2)?,
            reject_count: block.word(input::REJECT_COUNT)?,
            recycle_count: block.word(input::RECYCLE_COUNT)?,
            position: block.position()?,
            dispensed_total: block.double(input::DISPENSED_TOTAL)?,
            retracted_total: block.double(input::RETRACTED_TOTAL)?,
            sensors: Sensors::from_bits(block.word(input::SENSORS)?),
        })
    }

    /// What the sensors say, as the contract words it. `slot_occupied` is of the slot that the last command
    /// named.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            position: self.position,
            outlet_present: self.sensors.outlet_present,
            slot_occupied: self.ack_slot_occupied,
            recycle_count: self.recycle_count,
        }
    }

    /// What the sensors say after a command. The registers know the slot of the acknowledged command
    /// only: for a command that the device never took, `slot_occupied` is none.
    pub fn evidence_of(&self, sequence: u16, motion: &Motion) -> Evidence {
        let slot_occupied = if self.acknowledges(sequence, motion) {
            self.ack_slot_occupied
        } else {
            None
        };
        Evidence {
            slot_occupied,
            ..self.evidence()
        }
    }

    /// Whether the acknowledged command is this motion under this sequence.
    pub fn acknowledges(&self, sequence: u16, motion: &Motion) -> bool {
        let slot = command_slot(motion);
        sequence != 0
            && self.ack.sequence == sequence
            && self.ack.command == command_code(motion)
            && (slot.is_none() || self.ack_slot == slot)
    }

    /// How the last command stands, as the contract words it.
    pub fn progress(&self) -> Progress {
        let sequence = self.ack.sequence;
        match self.ack.outcome() {
            _ if self.ack.result == AckResult::None => Progress::None,
            None => Progress::Moving { sequence },
            Some(outcome) => Progress::Over { sequence, outcome },
        }
    }
}

impl Ack {
    /// What came of the command; none while it is under way, or when there was none.
    pub fn outcome(&self) -> Option<MotionResult> {
        let detail = self.detail;
        match self.result {
            AckResult::None | AckResult::Accepted => None,
            AckResult::Done => Some(MotionResult::Done),
            AckResult::Failed => Some(MotionResult::Failed { detail }),
            AckResult::Rejected => Some(MotionResult::Rejected { detail }),
        }
    }
}

impl Sensors {
    /// Reads the bits of input 26.
    pub fn from_bits(bits: u16) -> Self {
        let bit = |at: u16| bits >> at & 1 == 1;
        Self {
            outlet_present: bit(discrete::OUTLET_PRESENT),
            door_open: bit(discrete::DOOR_OPEN),
            tamper: bit(discrete::TAMPER),
            hopper_empty: bit(discrete::HOPPER_EMPTY),
            reject_full: bit(discrete::REJECT_FULL),
            recycle_full: bit(discrete::RECYCLE_FULL),
            jam: bit(discrete::JAM),
        }
    }
}

/// The code of a motion (holding 1).
pub const fn command_code(motion: &Motion) -> u16 {
    match motion {
        Motion::Load { .. } => command::LOAD,
        Motion::Dispense { .. } => command::DISPENSE,
        Motion::ToReader { .. } => command::SLOT_TO_READER,
        Motion::Present { .. } => command::READER_TO_OUTLET,
        Motion::Retract => command::OUTLET_TO_READER,
        Motion::ToSlot { .. } => command::READER_TO_SLOT,
        Motion::Reject => command::REJECT,
        Motion::TakeOldCard => command::ACCEPT_OLD_CARD,
        Motion::Inventory => command::INVENTORY,
    }
}

/// The slot a motion names.
pub const fn command_slot(motion: &Motion) -> Option<SlotAddress> {
    match motion {
        Motion::Load { slot }
        | Motion::Dispense { slot, .. }
        | Motion::ToReader { slot }
        | Motion::ToSlot { slot } => Some(*slot),
        Motion::Present { .. }
        | Motion::Retract
        | Motion::Reject
        | Motion::TakeOldCard
        | Motion::Inventory => None,
    }
}

/// The command block, holdings 0 to 5: sequence, command, column, slot, hold in s, flags.
pub fn encode_command(sequence: u16, motion: &Motion) -> [u16; 6] {
    let (column, slot) = command_slot(motion).map_or((0, 0), |slot| (slot.column(), slot.slot()));
    let hold_s = match motion {
        Motion::Dispense { hold_s, .. } | Motion::Present { hold_s } => *hold_s,
        Motion::Load { .. }
        | Motion::ToReader { .. }
        | Motion::Retract
        | Motion::ToSlot { .. }
        | Motion::Reject
        | Motion::TakeOldCard
        | Motion::Inventory => 0,
    };
    [sequence, command_code(motion), column, slot, hold_s, 0]
}

/// Words of the slot bitmap of a machine.
pub fn bitmap_words(columns: u16, slots_per_column: u16) -> u16 {
    let slots = u32::from(columns) * u32::from(slots_per_column);
    // 32 columns of 500 slots, the most there is, are 1,000 words.
    u16::try_from(slots.div_ceil(16)).unwrap_or(u16::MAX)
}

/// The reads that fetch the slot bitmap: address and length of each, at most 125 words.
pub fn bitmap_pages(columns: u16, slots_per_column: u16) -> Vec<(u16, u16)> {
    let words = bitmap_words(columns, slots_per_column);
    (0..words)
        .step_by(usize::from(map::READ_WORDS_MAX))
        .map(|at| (input::BITMAP + at, map::READ_WORDS_MAX.min(words - at)))
        .collect()
}

/// The slots that the bitmap says are occupied. `words` begin at input 32; slot `s` of column `c` is bit
/// `c * slots_per_column + s`, lowest bit of the first word first.
pub fn slot_map(columns: u16, slots_per_column: u16, words: &[u16]) -> SlotMap {
    let per_column = usize::from(slots_per_column).max(1);
    let count = usize::from(columns) * usize::from(slots_per_column);
    let occupied = (0..count).filter_map(|at| {
        let word = words.get(at / 16)?;
        if word >> (at % 16) & 1 == 0 {
            return None;
        }
        let column = u16::try_from(at / per_column).ok()?;
        SlotAddress::new(column, u16::try_from(at % per_column).ok()?).ok()
    });
    SlotMap::new(columns, slots_per_column, occupied)
}

/// Words that begin at input 0.
struct Block<'a>(&'a [u16]);

impl Block<'_> {
    fn word(&self, address: u16) -> Result<u16, MapError> {
        self.0.get(usize::from(address)).copied().ok_or(MapError {
            address,
            value: 0,
            rule: "the status block has 27 words",
        })
    }

    fn double(&self, address: u16) -> Result<u32, MapError> {
        Ok(u32::from(self.word(address)?) << 16 | u32::from(self.word(address + 1)?))
    }

    fn expect(&self, address: u16, wanted: u16, rule: &'static str) -> Result<(), MapError> {
        let value = self.word(address)?;
        if value == wanted {
            Ok(())
        } else {
            Err(MapError {
                address,
                value,
                rule,
            })
        }
    }

    fn at_most(&self, address: u16, max: u16) -> Result<u16, MapError> {
        let value = self.word(address)?;
        if value <= max {
            Ok(value)
        } else {
            let rule = "larger than any machine has";
            Err(MapError {
                address,
                value,
                rule,
            })
        }
    }

    fn coded<T: Copy>(&self, address: u16, codes: &[T]) -> Result<T, MapError> {
        let value = self.word(address)?;
        codes.get(usize::from(value)).copied().ok_or(MapError {
            address,
            value,
            rule: "not a code of the map",
        })
    }

    fn state(&self) -> Result<MachineState, MapError> {
        use MachineState::{Boot, Busy, DoorOpen, Error, Homing, Idle, Maintenance};
        let codes = [Boot, Homing, Idle, Busy, Error, Maintenance, DoorOpen];
        self.coded(input::STATE, &codes)
    }

    fn position(&self) -> Result<CarriagePosition, MapError> {
        use CarriagePosition::{Car, InReader, None, OutReader, Outlet};
        self.coded(input::POSITION, &[None, InReader, Car, OutReader, Outlet])
    }

    fn ack(&self) -> Result<Ack, MapError> {
        use AckResult::{Accepted, Done, Failed, None, Rejected};
        let sequence = self.word(input::ACK_SEQUENCE)?;
        let result = self.coded(input::ACK_RESULT, &[None, Accepted, Done, Failed, Rejected])?;
        if (sequence == 0) != (result == None) {
            // Otherwise a device that has moved could pass for one that never has.
            return Err(MapError {
                address: input::ACK_SEQUENCE,
                value: sequence,
                rule: "0 when, and only when, input 8 is 0",
            });
        }
        Ok(Ack {
            sequence,
            command: self.word(input::ACK_COMMAND)?,
            result,
            detail: self.word(input::ACK_DETAIL)?,
        })
    }

    fn ack_slot(&self) -> Result<Option<SlotAddress>, MapError> {
        let (column, slot) = (self.word(input::ACK_COLUMN)?, self.word(input::ACK_SLOT)?);
        if column == map::NO_SLOT {
            return Ok(None);
        }
        SlotAddress::new(column, slot)
            .map(Some)
            .map_err(|invalid| MapError {
                address: input::ACK_COLUMN,
                value: column,
                rule: invalid.rule,
            })
    }

    fn ack_slot_occupied(&self) -> Result<Option<bool>, MapError> {
        match self.word(input::ACK_SLOT_OCCUPIED)? {
            map::NO_SLOT => Ok(None),
            _ => self
                .coded(input::ACK_SLOT_OCCUPIED, &[false, true])
                .map(Some),
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;

//! Registers to typed values and back, by the profile. Pure.

use edge_config::profile::{
    AckResult, DispenserProfile, MachineState, Operation, READ_WORDS_MAX, SensorBits,
};
use schemas::message::command::{Progress, SlotMap};
use schemas::slot::SlotAddress;
use schemas::words::{CarriagePosition, Evidence, Motion, MotionResult};
use thiserror::Error;

/// Registers that do not follow the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("input {address} is {value}: {rule}")]
pub struct MapError {
    /// The register.
    pub address: u16,
    /// What it holds.
    pub value: u16,
    /// What the profile asks for.
    pub rule: &'static str,
}

/// The last command the device took (inputs `ack_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Its sequence; 0 when there was none.
    pub sequence: u16,
    /// What it was; none where the profile does not know it.
    pub command: Option<Operation>,
    /// How it stands.
    pub result: AckResult,
    /// The device's code for a failure or a rejection.
    pub detail: u16,
}

/// The sensors.
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

/// The status block, all of one instant.
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
    /// The sensors.
    pub sensors: Sensors,
}

impl Snapshot {
    /// Reads the status block; `words` are those of [`DispenserProfile::status`].
    pub fn decode(profile: &DispenserProfile, words: &[u16]) -> Result<Self, MapError> {
        let (inputs, limits) = (&profile.inputs, &profile.limits);
        let block = Block {
            profile,
            first: profile.status().first,
            words,
        };
        block.expect(inputs.map_version, profile.constants.map_version)?;
        block.expect(inputs.kind, profile.constants.kind)?;
        let columns = block.at_most(inputs.columns, limits.columns)?;
        let slots_per_column = block.at_most(inputs.slots_per_column, limits.slots_per_column)?;
        if u32::from(columns) * u32::from(slots_per_column) > u32::from(limits.slots) {
            let (address, value) = (inputs.columns, columns);
            let rule = "with the slots per column, more slots than the profile's limits.slots";
            return Err(MapError {
                address,
                value,
                rule,
            });
        }
        Ok(Self {
            firmware: block.word(inputs.firmware)?,
            heartbeat: block.word(inputs.heartbeat)?,
            state: block.coded(inputs.state, |code| profile.states.meaning(code))?,
            last_error: block.word(inputs.last_error)?,
            ack: block.ack()?,
            ack_slot: block.ack_slot()?,
            ack_slot_occupied: block.ack_slot_occupied()?,
            columns,
            slots_per_column,
            free: block.word(inputs.free)?,
            occupied: block.word(inputs.occupied)?,
            hopper: block.coded(inputs.hopper, |code| profile.hopper.meaning(code))?,
            reject_count: block.word(inputs.reject_count)?,
            recycle_count: block.word(inputs.recycle_count)?,
            position: block.coded(inputs.position, |code| profile.positions.meaning(code))?,
            dispensed_total: block.double(inputs.dispensed_total)?,
            retracted_total: block.double(inputs.retracted_total)?,
            sensors: Sensors::from_bits(&profile.sensors, block.word(inputs.sensors)?),
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
            && self.ack.command == Some(operation(motion))
            && (slot.is_none() || self.ack_slot == slot)
    }

    /// Whether nothing moves, and nothing has moved that was not brought to its end: what the bitmap says is so.
    pub fn is_at_rest(&self) -> bool {
        self.ack.result != AckResult::Accepted
            && !matches!(
                self.state,
                MachineState::Boot | MachineState::Homing | MachineState::Busy
            )
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
    /// Reads the bits of the input `sensors`.
    pub fn from_bits(profile: &SensorBits, bits: u16) -> Self {
        let bit = |at: u16| bits >> at & 1 == 1;
        Self {
            outlet_present: bit(profile.outlet_present),
            door_open: bit(profile.door_open),
            tamper: bit(profile.tamper),
            hopper_empty: bit(profile.hopper_empty),
            reject_full: bit(profile.reject_full),
            recycle_full: bit(profile.recycle_full),
            jam: bit(profile.jam),
        }
    }
}

/// What the machine is told to do for a motion.
pub const fn operation(motion: &Motion) -> Operation {
    match motion {
        Motion::Load { .. } => Operation::Load,
        Motion::Dispense { .. } => Operation::Dispense,
        Motion::ToReader { .. } => Operation::SlotToReader,
        Motion::Present { .. } => Operation::ReaderToOutlet,
        Motion::Retract => Operation::OutletToReader,
        Motion::ToSlot { .. } => Operation::ReaderToSlot,
        Motion::Reject => Operation::Reject,
        Motion::TakeOldCard => Operation::AcceptOldCard,
        Motion::Inventory => Operation::Inventory,
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

/// The command block, the words of [`DispenserProfile::command_block`]; column and slot 0 where none is named.
pub fn encode_command(profile: &DispenserProfile, sequence: u16, motion: &Motion) -> [u16; 6] {
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
    let (holdings, block) = (&profile.holdings, profile.command_block());
    let mut words = [0; 6];
    for (address, value) in [
        (holdings.sequence, sequence),
        (holdings.command, profile.commands.code(operation(motion))),
        (holdings.column, column),
        (holdings.slot, slot),
        (holdings.hold_s, hold_s),
    ] {
        if let Some(word) = block.offset(address).and_then(|at| words.get_mut(at)) {
            *word = value;
        }
    }
    words
}

/// Words of the slot bitmap of a machine.
pub fn bitmap_words(columns: u16, slots_per_column: u16) -> u16 {
    let slots = u32::from(columns) * u32::from(slots_per_column);
    u16::try_from(slots.div_ceil(16)).unwrap_or(u16::MAX)
}

/// The reads that fetch the slot bitmap: address and length of each, at most 125 words.
pub fn bitmap_pages(
    profile: &DispenserProfile,
    columns: u16,
    slots_per_column: u16,
) -> Vec<(u16, u16)> {
    let words = bitmap_words(columns, slots_per_column);
    (0..words)
        .step_by(usize::from(READ_WORDS_MAX))
        .map(|at| {
            let address = profile.inputs.bitmap.saturating_add(at);
            (address, READ_WORDS_MAX.min(words - at))
        })
        .collect()
}

/// The slots that the bitmap says are occupied. `words` begin at the input `bitmap`; slot `s` of column `c` is bit
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

/// Words of the status block.
struct Block<'a> {
    profile: &'a DispenserProfile,
    /// The address of the first word.
    first: u16,
    words: &'a [u16],
}

impl Block<'_> {
    fn word(&self, address: u16) -> Result<u16, MapError> {
        let at = address.checked_sub(self.first).map(usize::from);
        let word = at.and_then(|at| self.words.get(at));
        word.copied().ok_or(MapError {
            address,
            value: 0,
            rule: "the status block ends before it",
        })
    }

    fn double(&self, address: u16) -> Result<u32, MapError> {
        let second = self.word(address.saturating_add(1))?;
        Ok(self.profile.word_order.join(self.word(address)?, second))
    }

    fn expect(&self, address: u16, wanted: u16) -> Result<(), MapError> {
        let known = |value| (value == wanted).then_some(());
        self.ruled(address, known, "not what the profile's constants say")
    }

    fn at_most(&self, address: u16, max: u16) -> Result<u16, MapError> {
        let known = |value| (value <= max).then_some(value);
        self.ruled(address, known, "more than the profile's limits say")
    }

    fn coded<T>(
        &self,
        address: u16,
        meaning: impl FnOnce(u16) -> Option<T>,
    ) -> Result<T, MapError> {
        self.ruled(address, meaning, "no code of the profile")
    }

    fn ruled<T>(
        &self,
        address: u16,
        read: impl FnOnce(u16) -> Option<T>,
        rule: &'static str,
    ) -> Result<T, MapError> {
        let value = self.word(address)?;
        read(value).ok_or(MapError {
            address,
            value,
            rule,
        })
    }

    fn ack(&self) -> Result<Ack, MapError> {
        let inputs = &self.profile.inputs;
        let sequence = self.word(inputs.ack_sequence)?;
        let result = self.coded(inputs.ack_result, |code| self.profile.results.meaning(code))?;
        if (sequence == 0) != (result == AckResult::None) {
            // Otherwise a device that has moved could pass for one that never has.
            return Err(MapError {
                address: inputs.ack_sequence,
                value: sequence,
                rule: "0 when, and only when, ack_result is none",
            });
        }
        Ok(Ack {
            sequence,
            command: self
                .profile
                .commands
                .meaning(self.word(inputs.ack_command)?),
            result,
            detail: self.word(inputs.ack_detail)?,
        })
    }

    fn ack_slot(&self) -> Result<Option<SlotAddress>, MapError> {
        let inputs = &self.profile.inputs;
        let column = self.word(inputs.ack_column)?;
        let slot = self.word(inputs.ack_slot)?;
        if column == self.profile.constants.no_slot {
            return Ok(None);
        }
        SlotAddress::new(column, slot)
            .map(Some)
            .map_err(|invalid| MapError {
                address: inputs.ack_column,
                value: column,
                rule: invalid.rule,
            })
    }

    fn ack_slot_occupied(&self) -> Result<Option<bool>, MapError> {
        let none = self.profile.constants.no_slot;
        self.coded(self.profile.inputs.ack_slot_occupied, |word| match word {
            0 => Some(Some(false)),
            1 => Some(Some(true)),
            _ if word == none => Some(None),
            _ => None,
        })
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;

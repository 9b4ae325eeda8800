//! The register map, version 1: addresses and codes as in `ops/docs/dispenser-register-map.md`.
//! Zero-based; words are big-endian; of two-word values the high word comes first.

/// Version of this map (input 0).
pub const VERSION: u16 = 1;
/// Device kind of a card dispenser (input 1).
pub const KIND_DISPENSER: u16 = 1;
/// Registers that one request may read (Modbus Application Protocol 1.1b3, 6.4).
pub const READ_WORDS_MAX: u16 = 125;
/// Words of the status block: inputs 0 to 26, read in one request, hence consistent.
pub const STATUS_WORDS: u16 = 27;
/// How far ahead of the acknowledged sequence the next command's may be: as many commands in a row may
/// have been refused before the device took them.
pub const SEQUENCE_AHEAD_MAX: u16 = 8;
/// No slot (inputs 23 to 25).
pub const NO_SLOT: u16 = 0xFFFF;

/// Input registers (FC04).
pub mod input {
    /// Map version.
    pub const MAP_VERSION: u16 = 0;
    /// Device kind.
    pub const KIND: u16 = 1;
    /// Firmware, `major << 8 | minor`.
    pub const FIRMWARE: u16 = 2;
    /// Heartbeat.
    pub const HEARTBEAT: u16 = 3;
    /// State.
    pub const STATE: u16 = 4;
    /// Last error.
    pub const LAST_ERROR: u16 = 5;
    /// Acknowledged sequence.
    pub const ACK_SEQUENCE: u16 = 6;
    /// Acknowledged command.
    pub const ACK_COMMAND: u16 = 7;
    /// Acknowledgement result.
    pub const ACK_RESULT: u16 = 8;
    /// Acknowledgement detail.
    pub const ACK_DETAIL: u16 = 9;
    /// Columns.
    pub const COLUMNS: u16 = 10;
    /// Slots per column.
    pub const SLOTS_PER_COLUMN: u16 = 11;
    /// Free slots.
    pub const FREE: u16 = 12;
    /// Occupied slots.
    pub const OCCUPIED: u16 = 13;
    /// Hopper level.
    pub const HOPPER: u16 = 14;
    /// Cards in the reject bin.
    pub const REJECT_COUNT: u16 = 15;
    /// Capacity of the reject bin.
    pub const REJECT_CAPACITY: u16 = 16;
    /// Old cards taken in.
    pub const RECYCLE_COUNT: u16 = 17;
    /// Position of the card in the transport.
    pub const POSITION: u16 = 18;
    /// Cards dispensed, two words.
    pub const DISPENSED_TOTAL: u16 = 19;
    /// Cards retracted, two words.
    pub const RETRACTED_TOTAL: u16 = 21;
    /// Column that the acknowledged command named.
    pub const ACK_COLUMN: u16 = 23;
    /// Slot that the acknowledged command named.
    pub const ACK_SLOT: u16 = 24;
    /// Whether that slot is occupied.
    pub const ACK_SLOT_OCCUPIED: u16 = 25;
    /// The discrete inputs as bits, lowest first.
    pub const SENSORS: u16 = 26;
    /// First word of the slot bitmap.
    pub const BITMAP: u16 = 32;
}

/// Holding registers (FC03, FC06, FC10).
pub mod holding {
    /// Command sequence: first word of the command block.
    pub const SEQUENCE: u16 = 0;
    /// Words of the command block: sequence, command, column, slot, hold, flags.
    pub const COMMAND_WORDS: u16 = 6;
    /// Host heartbeat.
    pub const HEARTBEAT: u16 = 6;
    /// Host timeout, s.
    pub const TIMEOUT_S: u16 = 7;
    /// Words in all.
    pub const WORDS: u16 = 8;
}

/// Discrete inputs (FC02), and the bits of input 26.
pub mod discrete {
    /// A card is at the outlet.
    pub const OUTLET_PRESENT: u16 = 0;
    /// The door is open.
    pub const DOOR_OPEN: u16 = 1;
    /// Somebody tampers with the machine.
    pub const TAMPER: u16 = 2;
    /// The hopper is empty.
    pub const HOPPER_EMPTY: u16 = 3;
    /// The reject bin is full.
    pub const REJECT_FULL: u16 = 4;
    /// The recycle bin is full.
    pub const RECYCLE_FULL: u16 = 5;
    /// A card is jammed.
    pub const JAM: u16 = 6;
    /// Bits in all.
    pub const BITS: u16 = 7;
}

/// Commands (holding 1).
pub mod command {
    /// Home the mechanism.
    pub const HOME: u16 = 1;
    /// Hopper to slot.
    pub const LOAD: u16 = 2;
    /// Slot to outlet.
    pub const DISPENSE: u16 = 3;
    /// Outlet to the slot named.
    pub const RETRACT_TO_SLOT: u16 = 4;
    /// Slot to inner reader.
    pub const SLOT_TO_READER: u16 = 5;
    /// Transport to reject bin.
    pub const REJECT: u16 = 6;
    /// Take in the old card at the intake.
    pub const ACCEPT_OLD_CARD: u16 = 7;
    /// Count the slots.
    pub const INVENTORY: u16 = 8;
    /// Reminder light.
    pub const LIGHT: u16 = 9;
    /// Outlet to reject bin.
    pub const RETRACT_TO_REJECT: u16 = 10;
    /// Inner reader to outlet.
    pub const READER_TO_OUTLET: u16 = 11;
    /// Inner reader to slot.
    pub const READER_TO_SLOT: u16 = 12;
    /// Outlet to inner reader.
    pub const OUTLET_TO_READER: u16 = 13;
    /// Clear an error.
    pub const CLEAR_ERROR: u16 = 15;
}

/// Codes of inputs 5 and 9. Those up to `0xF5xx` are the E and F codes of the machines' own controllers.
pub mod detail {
    /// A motion was cut by a loss of power.
    pub const POWER_CUT: u16 = 0xE001;
    /// The hopper is empty.
    pub const HOPPER_EMPTY: u16 = 0xE501;
    /// The inner reader holds no card.
    pub const READER_EMPTY: u16 = 0xE503;
    /// The transport holds a card already.
    pub const TRANSPORT_OCCUPIED: u16 = 0xE504;
    /// The outlet holds no card.
    pub const OUTLET_EMPTY: u16 = 0xE507;
    /// The slot is empty.
    pub const SLOT_EMPTY: u16 = 0xE509;
    /// There is no such slot.
    pub const SLOT_UNKNOWN: u16 = 0xE50A;
    /// Another motion is under way.
    pub const BUSY: u16 = 0xE510;
    /// The slot is occupied.
    pub const SLOT_OCCUPIED: u16 = 0xE520;
    /// The door is open.
    pub const DOOR_OPEN: u16 = 0xE521;
    /// The host's heartbeat has stopped.
    pub const HOST_LOST: u16 = 0xE522;
    /// The sequence was used before for another command.
    pub const SEQUENCE_REUSED: u16 = 0xE523;
    /// No old card at the intake.
    pub const INTAKE_EMPTY: u16 = 0xE524;
    /// The machine is in error; it must be cleared first.
    pub const IN_ERROR: u16 = 0xE525;
    /// The bin is full.
    pub const BIN_FULL: u16 = 0xE526;
    /// The machine is in maintenance.
    pub const MAINTENANCE: u16 = 0xE527;
    /// The device does not know the command.
    pub const COMMAND_UNKNOWN: u16 = 0xE528;
    /// The sequence is neither the acknowledged one nor one that may follow it.
    pub const SEQUENCE_OUT_OF_TURN: u16 = 0xE529;
    /// The device refused the write with another Modbus exception; its code is the low byte.
    pub const EXCEPTION: u16 = 0xE600;
    /// A card is jammed between slot and transport.
    pub const JAM: u16 = 0xF100;
}

//! Codes of registers and what each stands for.

use schemas::words::CarriagePosition;

use crate::reader::Section;

/// A motion or act that the machine can be told to do (holding `command`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Home the mechanism.
    Home,
    /// Hopper to slot.
    Load,
    /// Slot to outlet.
    Dispense,
    /// Outlet to the slot named.
    RetractToSlot,
    /// Slot to inner reader.
    SlotToReader,
    /// Transport to reject bin.
    Reject,
    /// Take in the old card at the intake.
    AcceptOldCard,
    /// Count the slots.
    Inventory,
    /// Reminder light.
    Light,
    /// Outlet to reject bin.
    RetractToReject,
    /// Inner reader to outlet.
    ReaderToOutlet,
    /// Inner reader to slot.
    ReaderToSlot,
    /// Outlet to inner reader.
    OutletToReader,
    /// Clear an error.
    ClearError,
}

impl Operation {
    /// Whether the command names a slot.
    pub const fn names_slot(self) -> bool {
        matches!(
            self,
            Self::Load
                | Self::Dispense
                | Self::RetractToSlot
                | Self::SlotToReader
                | Self::ReaderToSlot
        )
    }
}

/// What the machine is doing (input `state`).
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

/// How a command stands (input `ack_result`).
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

/// Keys of a table of codes and what each stands for.
type Words<T> = &'static [(&'static str, T)];

pub(super) const OPERATIONS: Words<Operation> = &[
    ("home", Operation::Home),
    ("load", Operation::Load),
    ("dispense", Operation::Dispense),
    ("retract_to_slot", Operation::RetractToSlot),
    ("slot_to_reader", Operation::SlotToReader),
    ("reject", Operation::Reject),
    ("accept_old_card", Operation::AcceptOldCard),
    ("inventory", Operation::Inventory),
    ("light", Operation::Light),
    ("retract_to_reject", Operation::RetractToReject),
    ("reader_to_outlet", Operation::ReaderToOutlet),
    ("reader_to_slot", Operation::ReaderToSlot),
    ("outlet_to_reader", Operation::OutletToReader),
    ("clear_error", Operation::ClearError),
];

pub(super) const STATES: Words<MachineState> = &[
    ("boot", MachineState::Boot),
    ("homing", MachineState::Homing),
    ("idle", MachineState::Idle),
    ("busy", MachineState::Busy),
    ("error", MachineState::Error),
    ("maintenance", MachineState::Maintenance),
    ("door_open", MachineState::DoorOpen),
];

pub(super) const RESULTS: Words<AckResult> = &[
    ("none", AckResult::None),
    ("accepted", AckResult::Accepted),
    ("done", AckResult::Done),
    ("failed", AckResult::Failed),
    ("rejected", AckResult::Rejected),
];

pub(super) const POSITIONS: Words<CarriagePosition> = &[
    ("none", CarriagePosition::None),
    ("in_reader", CarriagePosition::InReader),
    ("car", CarriagePosition::Car),
    ("out_reader", CarriagePosition::OutReader),
    ("outlet", CarriagePosition::Outlet),
];

pub(super) const HOPPER: Words<u16> = &[("empty", 0), ("low", 1), ("enough", 2)];

/// What each code of a register stands for: one code for each meaning, no code twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes<T>(Vec<(u16, T)>);

impl<T: Copy + PartialEq> Codes<T> {
    /// What `code` stands for.
    pub fn meaning(&self, code: u16) -> Option<T> {
        let known = self.0.iter().find(|(known, _)| *known == code);
        known.map(|(_, meaning)| *meaning)
    }

    /// The code of a meaning. A profile that was read has one for each.
    pub fn code(&self, meaning: T) -> u16 {
        let known = self.0.iter().find(|(_, known)| *known == meaning);
        known.map_or(u16::MAX, |(code, _)| *code)
    }
}

/// Reads a table of codes: every key, and no code twice.
pub(super) fn codes<T: Copy>(s: &mut Section<'_>, words: Words<T>) -> Option<Codes<T>> {
    let mut taken: Vec<(&str, u16, T)> = Vec::new();
    let mut is_whole = true;
    for (key, meaning) in words {
        let Some(code) = s.required_number(key, 0..=i64::from(u16::MAX)) else {
            is_whole = false;
            continue;
        };
        if let Some((other, ..)) = taken.iter().find(|(_, known, _)| *known == code) {
            s.refuse(
                key,
                format!("{code} is the code of {other} already; write another code"),
            );
        }
        taken.push((key, code, *meaning));
    }
    let codes = taken.into_iter().map(|(_, code, meaning)| (code, meaning));
    is_whole.then(|| Codes(codes.collect()))
}

//! Events of commissioning (现场调试, V2): every device of a machine is exercised before a point opens.
//!
//! Nothing of a chip, a finger or a photo is in them: only that a card was read, a finger seen, a photo taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pickup::MachineDevices;
use super::station::bodies;
use crate::ids::{CardSerial, DeviceId, MachineId, OperatorId, SessionId};
use crate::slot::SlotAddress;
use crate::words::{CommissionReason, CommissionResult, CommissionStepName, Completion};

/// Steps of one commissioning at the most.
pub const STEPS_MAX: usize = 64;

/// What a device is asked to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "exercise", deny_unknown_fields)]
pub enum Exercise {
    /// The dispenser counts its slots; no card moves.
    Inventory,
    /// The dispenser carries a card from its slot to the reader inside the machine and back.
    Carry {
        /// The slot.
        slot: SlotAddress,
    },
    /// A reader reads the card that lies on it.
    ReadCard,
    /// The scanner sees a finger.
    TouchSensor,
    /// The camera takes a still. It is not kept.
    TakePhoto,
}

/// What a dispenser counted, against the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Occupied slots.
    pub occupied: u32,
    /// Slots with a card on record.
    pub recorded: u32,
    /// Slots that are occupied and have a card on record.
    pub matching: u32,
}

bodies! {
    /// An operator began to commission a machine; it takes no other session until this one ends.
    CommissionStarted {
        /// The session, which an act opened.
        session: SessionId,
        /// The machine.
        machine: MachineId,
        /// Its devices.
        devices: MachineDevices,
        /// Who.
        operator: OperatorId,
    }
    /// A device shall be exercised. Written before the device hears of it.
    ExerciseAsked {
        /// The session of the commissioning.
        session: SessionId,
        /// The device.
        device: DeviceId,
        /// What it shall show.
        exercise: Exercise,
        /// The card that moves, where one does.
        card: Option<CardSerial>,
        /// How long the device may take, in s.
        timeout_s: u16,
    }
    /// What came of an exercise.
    ExerciseEnded {
        /// The session of the commissioning.
        session: SessionId,
        /// Index of the event that asked.
        asked: u64,
        /// How it ended.
        completion: Completion,
        /// What was counted, after an inventory.
        inventory: Option<Inventory>,
        /// Whether the chip that was read is that of the card on record, where a card was carried.
        card_fits: Option<bool>,
    }
    /// One step of a commissioning and its result.
    CommissionStep {
        /// Which.
        step: CommissionStepName,
        /// The device, where it is about one.
        device: Option<DeviceId>,
        /// How it ended.
        result: CommissionResult,
        /// Why it was not passed; none where it was.
        reason: Option<CommissionReason>,
        /// How long it took, in ms, waiting for a person included.
        took_ms: u32,
    }
    /// A machine was commissioned (V2): what was exercised, and how it went. Not all of it need have passed.
    Commissioned {
        /// The session of the commissioning.
        session: SessionId,
        /// The machine.
        machine: MachineId,
        /// Who.
        operator: OperatorId,
        /// The steps in order, 1 to 64.
        steps: Vec<CommissionStep>,
        /// Version of the program.
        software: String,
        /// SHA-256 of station.toml and policy.toml, one after the other, as the program read them at start.
        configuration_sha256: String,
    }
}

//! Events of the station itself: its program, its devices, its motions, its refusals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{BootId, CardSerial, DeviceId, MachineId, OperatorId, SessionId};
use crate::message::device::LastReceipt;
use crate::words::{
    BlockReason, Completion, DeviceStatus, Evidence, Motion, MotionResult, Place, RefusalReason,
    ServiceReason,
};

/// Declares event bodies: strict on reading, comparable, with a JSON Schema.
macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $ty),* }
    )+};
}
pub(crate) use bodies;

/// Whether a device is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "presence", deny_unknown_fields)]
pub enum Presence {
    /// It announced itself.
    Online {
        /// The life of the device.
        boot: BootId,
        /// The version of the contract it speaks.
        protocol: u16,
    },
    /// It said goodbye.
    Offline,
    /// Its connection broke, and its last will said so.
    Lost,
}

bodies! {
    /// The gateway began a new life. Every session and motion that was under way is looked at again.
    GatewayStarted {
        /// Version of the program.
        software: String,
        /// This life of the program.
        instance: BootId,
    }
    /// The station takes new sessions, or not.
    ServiceChanged {
        /// Whether new sessions are taken.
        in_service: bool,
        /// Why not; empty when in service.
        reasons: Vec<ServiceReason>,
    }
    /// A device holds the receipt of an event that this log does not have: disk lost or rolled back.
    WitnessAhead {
        /// The device.
        device: DeviceId,
        /// Its last receipt.
        receipt: LastReceipt,
        /// The number of this log.
        incarnation: u32,
        /// Events in this log when it said so.
        size: u64,
    }
    /// Two operators found that a device which holds a receipt ahead of this log is wrong, not the log: it came from elsewhere, or
    /// lies. The station serves again.
    WitnessDismissed {
        /// The two who found so.
        approvers: [OperatorId; 2],
    }
    /// A device came or went (G1).
    PresenceChanged {
        /// The device.
        device: DeviceId,
        /// What it is now.
        presence: Presence,
    }
    /// A device's status changed.
    StatusChanged {
        /// The device.
        device: DeviceId,
        /// The new status.
        status: DeviceStatus,
        /// The device's own code for it, if it gave one.
        detail: Option<String>,
    }
    /// A device reported something that no rule waits for: a door, a jam, tampering.
    DeviceReported {
        /// The device.
        device: DeviceId,
        /// The name of the report: the level after `event/`.
        report: String,
        /// The device's own code for it, if it gave one.
        detail: Option<String>,
    }
    /// A device replied to a command that nothing waits for any more.
    DeviceReplied {
        /// The device.
        device: DeviceId,
        /// The command's id as it stood in the reply.
        command: String,
        /// How the command ended.
        completion: Completion,
    }
    /// A request was refused by the rules.
    RequestRefused {
        /// Who asked.
        device: DeviceId,
        /// What for: the level after `request/`.
        request: String,
        /// Why not.
        reason: RefusalReason,
    }
    /// Somebody gave an operator's name or PIN that does not fit.
    OperatorRejected {
        /// Where.
        device: DeviceId,
        /// The operator named, if there is such an operator.
        operator: Option<OperatorId>,
        /// Wrong attempts in a row for that operator.
        attempts: u32,
        /// Whether the operator is locked out now.
        locked: bool,
        /// What was asked for: the level after `request/`.
        request: String,
    }
    /// A machine takes no new session until an operator has resolved it.
    MachineBlocked {
        /// The machine.
        machine: MachineId,
        /// Why.
        reason: BlockReason,
        /// The card in question, if there is one.
        card: Option<CardSerial>,
    }
    /// A machine's block is gone.
    MachineResolved {
        /// The machine.
        machine: MachineId,
        /// The operator who said so; none where the device itself cleared it.
        operator: Option<OperatorId>,
        /// Where the operator put the card in question, if there was one.
        card_now: Option<Place>,
    }
    /// The dispenser shall move. Its command sequence is allotted here: the same sequence never moves
    /// twice.
    MotionIntended {
        /// The dispenser.
        dispenser: DeviceId,
        /// The machine it belongs to.
        machine: MachineId,
        /// For whom.
        session: SessionId,
        /// The device's command sequence, 1 to 65535, around.
        sequence: u16,
        /// What to do.
        motion: Motion,
        /// How long the device may stay silent before it is asked, in s (`policy`).
        timeout_s: u16,
    }
    /// The dispenser kept silent, went away, or the gateway was restarted: it is asked.
    MotionUnconfirmed {
        /// The dispenser.
        dispenser: DeviceId,
        /// The machine it belongs to.
        machine: MachineId,
        /// The motion in question; none where only the sensors are asked.
        sequence: Option<u16>,
        /// How often it has been asked about this in a row, from 1.
        attempt: u16,
        /// How long the device may take to answer, in s (`policy`).
        timeout_s: u16,
    }
    /// The dispenser says that it is at work on the motion: it is waited for.
    MotionAccepted {
        /// The dispenser.
        dispenser: DeviceId,
        /// The machine it belongs to.
        machine: MachineId,
        /// The motion in question.
        sequence: u16,
    }
    /// The dispenser, asked while nothing was under way, named the last sequence it took.
    SequenceLearned {
        /// The dispenser.
        dispenser: DeviceId,
        /// The machine it belongs to.
        machine: MachineId,
        /// The last sequence it took; 0 where it has taken none.
        sequence: u16,
        /// What the sensors say.
        evidence: Evidence,
    }
    /// The dispenser provably never accepted the motion: the same sequence is sent again.
    MotionCleared {
        /// The dispenser.
        dispenser: DeviceId,
        /// The machine it belongs to.
        machine: MachineId,
        /// The motion in question.
        sequence: u16,
    }
    /// The outcome of a motion, with the sensors' evidence.
    MotionCompleted {
        /// The dispenser.
        dispenser: DeviceId,
        /// The machine it belongs to.
        machine: MachineId,
        /// The motion.
        sequence: u16,
        /// What came of it.
        outcome: MotionResult,
        /// What the sensors say.
        evidence: Evidence,
    }
}

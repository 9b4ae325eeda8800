//! Events of the device registry: who the devices are, whether they can be relied on, what operators say of them, and what a
//! kiosk's peripherals report.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::station::{Presence, bodies};
use crate::ids::{DeviceId, DeviceSerial, JobId, OperatorId, OrderId};
use crate::message::kiosk::MaintenanceTarget;
use crate::message::peripheral::{
    Fen, Paper, PaymentMethod, PaymentState, PrintOutcome, SignatureFailure,
};
use crate::words::DeviceKind;

/// Who a device says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its serial number.
    pub serial: DeviceSerial,
    /// Version of its program.
    pub firmware: String,
}

/// What a device says that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    tag = "contradiction",
    deny_unknown_fields
)]
pub enum DeviceContradiction {
    /// It is of another kind than its place in the configuration.
    Kind {
        /// As configured.
        expected: DeviceKind,
        /// As it says.
        said: DeviceKind,
    },
    /// It has another serial number than configured, or than it had before.
    Serial {
        /// As configured, or as before.
        expected: DeviceSerial,
        /// As it says.
        said: DeviceSerial,
    },
    /// Its program is not of a version that the configuration allows.
    Firmware {
        /// The pattern of the configuration.
        expected: String,
        /// As it says.
        said: String,
    },
    /// A total is less than it was.
    TotalFell {
        /// The level after `prop/`.
        total: String,
        /// As it was.
        last: u64,
        /// As it says.
        said: u64,
    },
    /// A total has risen by more than can have happened between two messages.
    TotalJumped {
        /// The level after `prop/`.
        total: String,
        /// As it was.
        last: u64,
        /// As it says.
        said: u64,
    },
}

/// What came of the taking of a signature, without its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "result", deny_unknown_fields)]
pub enum Signing {
    /// Signed.
    Signed,
    /// There is none.
    Failed {
        /// Why.
        reason: SignatureFailure,
    },
}

bodies! {
    /// A device comes and goes too often: it counts as down until it has been quiet. What it does until then is counted, not recorded, unless
    /// a session needs it.
    DeviceFlapping {
        /// The device.
        device: DeviceId,
        /// How often it went within the time.
        flaps: u16,
        /// The time, in s (`policy`).
        within_s: u32,
        /// How long it has to be quiet, in s (`policy`).
        quiet_s: u32,
    }
    /// A device that was flapping has been quiet.
    DeviceSteady {
        /// The device.
        device: DeviceId,
        /// What it is now.
        presence: Presence,
        /// How often it came or went since, without being recorded.
        changes: u32,
    }
    /// A device named itself: for the first time, or with another version of its program.
    DeviceIdentified {
        /// The device.
        device: DeviceId,
        /// Who it is.
        identity: Identity,
    }
    /// What a device says cannot be: it is out of service until an operator confirms it.
    DeviceContradicted {
        /// The device.
        device: DeviceId,
        /// What it says.
        contradiction: DeviceContradiction,
    }
    /// An operator confirmed a device as it is: it was exchanged, or its counts were reset. What it counted before is forgotten.
    DeviceAccepted {
        /// The device.
        device: DeviceId,
        /// Who confirmed it.
        operator: OperatorId,
        /// Who it is now, if it says so.
        identity: Option<Identity>,
    }
    /// The totals of a device, as it last said them. Recorded when it goes, and now and then while it counts.
    DeviceCounted {
        /// The device.
        device: DeviceId,
        /// By the level after `prop/`.
        totals: BTreeMap<String, u64>,
    }
    /// A machine or a device was taken out of service by an operator, or back into it.
    MaintenanceChanged {
        /// The machine or device.
        target: MaintenanceTarget,
        /// Out of service.
        on: bool,
        /// Who said so.
        operator: OperatorId,
        /// After how long it counts as forgotten, in s (`policy`); none with `on: false`.
        overdue_after_s: Option<u32>,
    }
    /// A machine or a device has been out of service for so long that it counts as forgotten.
    MaintenanceOverdue {
        /// The machine or device.
        target: MaintenanceTarget,
        /// Who took it out of service.
        operator: OperatorId,
    }
    /// A printer said how its paper is.
    PaperReported {
        /// The printer.
        device: DeviceId,
        /// How it is.
        paper: Paper,
    }
    /// A print ended.
    PrintReported {
        /// The printer.
        device: DeviceId,
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: PrintOutcome,
    }
    /// The taking of a signature ended.
    SignatureReported {
        /// The pad.
        device: DeviceId,
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: Signing,
    }
    /// A payment terminal said how a payment stands there. What follows for an application is an event of its own.
    PaymentReported {
        /// The terminal.
        device: DeviceId,
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Fen,
        /// How.
        method: PaymentMethod,
        /// How it stands.
        state: PaymentState,
    }
}

//! What concerns the device registry: who devices say they are, what they count, what operators say of them; and the reports of
//! kiosks' peripherals.

use std::collections::BTreeMap;

use schemas::event::device::{DeviceContradiction, Identity};
use schemas::event::station::Presence;
use schemas::ids::{DeviceId, DeviceSerial, JobId, OperatorId, OrderId};
use schemas::message::peripheral::{
    Fen, Paper, PaymentMethod, PaymentState, PrintOutcome, SignatureOutcome,
};
use schemas::words::DeviceKind;

/// What concerns the device registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryInput {
    /// A device's `desc`.
    Described {
        /// The device.
        device: DeviceId,
        /// Who it says it is.
        said: Described,
    },
    /// A device's `prop/{name}` that counts up. [`crate::Watch`] looks at it; the rules are not asked about it.
    Counted {
        /// The device.
        device: DeviceId,
        /// The level after `prop/`.
        total: String,
        /// The count.
        count: u64,
    },
    /// The totals of a device's whole life, worth recording.
    Totals {
        /// The device.
        device: DeviceId,
        /// By the level after `prop/`.
        totals: BTreeMap<String, u64>,
    },
    /// A device's count is not what it can be.
    Miscounted {
        /// The device.
        device: DeviceId,
        /// What is wrong with it.
        contradiction: DeviceContradiction,
    },
    /// A device that was flapping has been quiet for long enough.
    Quiet {
        /// The device.
        device: DeviceId,
        /// What it did last; none where nothing was heard of it in this life of the gateway.
        presence: Option<Presence>,
        /// How often it came or went, unrecorded.
        changes: u32,
    },
    /// An operator confirms a device as it is; the PIN has been compared.
    AcceptDevice {
        /// The device.
        device: DeviceId,
        /// Who.
        operator: OperatorId,
        /// Who it says it is; filled in by [`crate::Watch`].
        says: Option<Described>,
    },
    /// An operator takes a machine or a device out of service, or back into it; the PIN has been compared.
    Maintain {
        /// Who.
        operator: OperatorId,
        /// The id of the machine or device.
        name: String,
        /// Out of service.
        on: bool,
    },
}

/// Who a device says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What it is.
    pub kind: DeviceKind,
    /// Version of its program.
    pub firmware: String,
    /// Its serial number, if it tells.
    pub serial: Option<DeviceSerial>,
    /// Its properties that count over its whole life.
    pub totals: Vec<String>,
}

impl Described {
    /// Who it is, if it tells.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let serial = self.serial.clone()?;
        let firmware = self.firmware.clone();
        Some(Identity { serial, firmware })
    }
}

/// What a kiosk's peripheral reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeripheralReport {
    /// How a printer's paper is.
    Paper(Paper),
    /// A print ended.
    Print {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: PrintOutcome,
    },
    /// The taking of a signature ended.
    Signature {
        /// The job.
        job: JobId,
        /// What came of it.
        outcome: SignatureOutcome,
    },
    /// How a payment stands at a terminal.
    Payment {
        /// The order.
        order: OrderId,
        /// How much.
        amount_fen: Fen,
        /// How.
        method: PaymentMethod,
        /// How it stands.
        state: PaymentState,
    },
}

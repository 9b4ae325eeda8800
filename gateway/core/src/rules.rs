//! What the configuration says, as the rules need it. Policy values that a session runs under are
//! copied into the event that opens it, so that replay does not depend on the configuration.

use std::collections::{BTreeMap, BTreeSet};

use schemas::event::pickup::{MachineDevices, PickupPolicy};
use schemas::ids::{DeviceId, MachineId};
use schemas::words::{Residence, ResidenceGround};

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The kiosks and what each may use.
    pub kiosks: BTreeMap<DeviceId, KioskRules>,
    /// The machines and their devices.
    pub machines: BTreeMap<MachineId, MachineRules>,
    /// Policy of the pickup.
    pub pickup: PickupPolicy,
    /// Who may collect here (P8).
    pub eligibility: Eligibility,
    /// How long a device may stay silent about a motion before it is asked, in s.
    pub motion_timeout_s: u16,
    /// How often a silent dispenser is asked before the machine is blocked.
    pub query_attempts_max: u16,
    /// How long message ids are remembered at the least, in days.
    pub dedupe_days: u16,
}

/// A kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KioskRules {
    /// The machine its pickups use. Several kiosks may share one.
    pub machine: MachineId,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRules {
    /// Its devices.
    pub devices: MachineDevices,
    /// Columns of its store.
    pub columns: u16,
    /// Slots per column.
    pub slots_per_column: u16,
}

/// Who may collect here (P8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eligibility {
    /// Residences that need no ground; by default the local one.
    pub residences: BTreeSet<Residence>,
    /// Grounds that open the station to others.
    pub grounds: BTreeSet<ResidenceGround>,
}

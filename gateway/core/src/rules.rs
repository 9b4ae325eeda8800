//! What the configuration says, as the rules need it. Policy values that a session runs under are
//! copied into the event that opens it, so that replay does not depend on the configuration.

use std::collections::{BTreeMap, BTreeSet};

use schemas::acceptance::AcceptanceSite;
use schemas::event::application::{ApplicationDevices, ApplicationPolicy, PaymentTerm};
use schemas::event::pickup::{MachineDevices, PickupPolicy};
use schemas::ids::{DeviceId, DeviceSerial, MachineId, RecorderReference};
use schemas::words::{DeviceKind, Residence, ResidenceGround};

/// The rules in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The kiosks and what each may use.
    pub kiosks: BTreeMap<DeviceId, KioskRules>,
    /// The machines and their devices.
    pub machines: BTreeMap<MachineId, MachineRules>,
    /// Every device that is installed, those of machines and the kiosks included.
    pub devices: BTreeMap<DeviceId, DeviceRules>,
    /// Policy of the device registry.
    pub registry: RegistryPolicy,
    /// Policy of the pickup.
    pub pickup: PickupPolicy,
    /// Who may collect here (P8).
    pub eligibility: Eligibility,
    /// Applications (A1 to A17); none: the station takes none.
    pub application: Option<ApplicationRules>,
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
    /// The devices of its applications; none: it takes none.
    pub application: Option<ApplicationDevices>,
}

/// Applications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRules {
    /// Who accepts: the head of every acceptance number.
    pub site: AcceptanceSite,
    /// The policy that new sessions run under.
    pub policy: ApplicationPolicy,
    /// How long a window ticket is held, in hours (A15).
    pub ticket_held_h: u16,
    /// Within what time an acceptance has to be paid (A12).
    pub term: PaymentTerm,
    /// What the recorder calls the footage of each camera (A14).
    pub recorders: BTreeMap<DeviceId, RecorderReference>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRules {
    /// Its devices.
    pub devices: MachineDevices,
    /// What the recorder calls the footage of its camera (A14).
    pub recorder: Option<RecorderReference>,
    /// Columns of its store.
    pub columns: u16,
    /// Slots per column.
    pub slots_per_column: u16,
}

/// A device that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRules {
    /// What it is.
    pub kind: DeviceKind,
    /// Its serial number, where that is written down.
    pub serial: Option<DeviceSerial>,
    /// Versions of its program that may run on it; none: any.
    pub firmware: Option<FirmwarePattern>,
    /// Where it stands, in words.
    pub place: Option<String>,
    /// The kiosk that a peripheral belongs to.
    pub owner: Option<DeviceId>,
}

/// Versions of a program: a text with at most one `*`, which stands for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwarePattern(String);

impl FirmwarePattern {
    /// Takes a pattern.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a version is meant by it.
    pub fn fits(&self, version: &str) -> bool {
        match self.0.split_once('*') {
            None => version == self.0,
            Some((before, after)) => version
                .strip_prefix(before)
                .is_some_and(|rest| rest.ends_with(after)),
        }
    }
}

/// Policy of the device registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryPolicy {
    /// How often a device may go within [`Self::flap_window_s`].
    pub flaps_max: u16,
    /// The time, in s.
    pub flap_window_s: u32,
    /// How long a device that went more often has to be quiet, in s.
    pub quiet_s: u32,
    /// After how long a maintenance counts as forgotten, in s.
    pub maintenance_s_max: u32,
    /// By how much a total may rise between two messages.
    pub total_step_max: u32,
    /// How often the totals of a device that counts are recorded, in s.
    pub totals_record_s: u32,
}

impl Default for RegistryPolicy {
    fn default() -> Self {
        Self {
            flaps_max: 5,
            flap_window_s: 300,
            quiet_s: 120,
            maintenance_s_max: 28_800,
            total_step_max: 1_000,
            totals_record_s: 3_600,
        }
    }
}

/// Who may collect here (P8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eligibility {
    /// Residences that need no ground; by default the local one.
    pub residences: BTreeSet<Residence>,
    /// Grounds that open the station to others.
    pub grounds: BTreeSet<ResidenceGround>,
}

//! `policy.toml`: the figures that requirements mark `policy`. Every key has a shipped value; a file
//! writes only what differs.

mod application;
mod payment;

use std::collections::BTreeSet;

use schemas::event::pickup::PickupPolicy;
use schemas::words::{Residence, ResidenceGround};

use crate::reader::Section;

pub use application::Application;
pub use payment::Payment;

/// The rules of a station that the authority may set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Of a pickup.
    pub pickup: Pickup,
    /// Who may collect here (P8).
    pub eligibility: Eligibility,
    /// Of operators and their PINs.
    pub operator: OperatorPolicy,
    /// Of cards that lie here.
    pub custody: Custody,
    /// Of the devices that are installed.
    pub devices: DevicePolicy,
    /// Of an application.
    pub application: Application,
    /// Of fees that are not paid at once.
    pub payment: Payment,
}

/// Of the devices that are installed (G1, G6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevicePolicy {
    /// How often a device may go within [`Self::flap_window_s`]; one that goes more often counts as down.
    pub flaps_max: u16,
    /// The time, in s.
    pub flap_window_s: u32,
    /// How long such a device has to be quiet until it counts as up again, in s.
    pub quiet_s: u32,
    /// After how long a maintenance counts as forgotten, in hours.
    pub maintenance_hours_max: u16,
    /// By how much a total of a device may rise between two messages.
    pub total_step_max: u32,
    /// How often the totals of a device that counts are recorded, in s.
    pub totals_record_s: u32,
}

impl Default for DevicePolicy {
    fn default() -> Self {
        Self {
            flaps_max: 5,
            flap_window_s: 300,
            quiet_s: 120,
            maintenance_hours_max: 8,
            total_step_max: 1_000,
            totals_record_s: 3_600,
        }
    }
}

/// Of a pickup (P4, P6, P7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pickup {
    /// The values that a session runs under, as the event that opens it records them.
    pub session: PickupPolicy,
    /// How long a device may stay silent about a motion before it is asked, in s.
    pub motion_timeout_s: u16,
    /// How often a silent dispenser is asked before the machine is blocked.
    pub query_attempts_max: u16,
}

impl Default for Pickup {
    fn default() -> Self {
        Self {
            session: PickupPolicy {
                hold_s: 30,
                finger_attempts_max: 3,
                finger_score_min: 60,
                old_card_attempts_max: 3,
                step_timeout_s: 60,
                command_timeout_s: 20,
            },
            motion_timeout_s: 20,
            query_attempts_max: 5,
        }
    }
}

/// Who may collect here (P8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eligibility {
    /// Residences that need no ground; `local` by default.
    pub residences: BTreeSet<Residence>,
    /// Grounds that open the station to others; none by default.
    pub grounds: BTreeSet<ResidenceGround>,
}

impl Default for Eligibility {
    fn default() -> Self {
        Self {
            residences: BTreeSet::from([Residence::Local]),
            grounds: BTreeSet::new(),
        }
    }
}

/// Of operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorPolicy {
    /// Wrong PINs in a row until the operator is locked out.
    pub pin_attempts_max: u32,
    /// For how long, in s.
    pub lockout_s: u32,
}

impl Default for OperatorPolicy {
    fn default() -> Self {
        Self {
            pin_attempts_max: 5,
            lockout_s: 300,
        }
    }
}

/// Of cards that lie here, and of messages about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// After how long a card that nobody collects is listed for return, in days (C4).
    pub holding_days: u16,
    /// How long message ids are remembered, in days; never fewer than 7.
    pub dedupe_days: u16,
}

impl Default for Custody {
    fn default() -> Self {
        Self {
            holding_days: 90,
            dedupe_days: 7,
        }
    }
}

pub(crate) fn read(root: &mut Section<'_>) -> Policy {
    let shipped = Policy::default();
    Policy {
        pickup: root
            .section("pickup", |s| pickup(s, &shipped.pickup))
            .unwrap_or(shipped.pickup),
        eligibility: root
            .section("eligibility", |s| eligibility(s, &shipped.eligibility))
            .unwrap_or(shipped.eligibility),
        operator: root
            .section("operator", |s| operator(s, &shipped.operator))
            .unwrap_or(shipped.operator),
        custody: root
            .section("custody", |s| custody(s, &shipped.custody))
            .unwrap_or(shipped.custody),
        devices: root
            .section("devices", |s| devices(s, &shipped.devices))
            .unwrap_or(shipped.devices),
        application: root
            .section("application", |s| {
                application::read(s, &shipped.application)
            })
            .unwrap_or(shipped.application),
        payment: root
            .section("payment", |s| payment::read(s, shipped.payment))
            .unwrap_or(shipped.payment),
    }
}

fn devices(s: &mut Section<'_>, shipped: &DevicePolicy) -> DevicePolicy {
    DevicePolicy {
        // The core remembers 32 goings of a device.
        flaps_max: s.number("flaps_max", 1..=31, shipped.flaps_max),
        flap_window_s: s.number("flap_window_s", 10..=86_400, shipped.flap_window_s),
        quiet_s: s.number("quiet_s", 1..=86_400, shipped.quiet_s),
        maintenance_hours_max: s.number(
            "maintenance_hours_max",
            1..=720,
            shipped.maintenance_hours_max,
        ),
        total_step_max: s.number("total_step_max", 1..=1_000_000, shipped.total_step_max),
        totals_record_s: s.number("totals_record_s", 60..=86_400, shipped.totals_record_s),
    }
}

fn pickup(s: &mut Section<'_>, shipped: &Pickup) -> Pickup {
    let session = shipped.session;
    Pickup {
        session: PickupPolicy {
            hold_s: s.number("hold_s", 5..=300, session.hold_s),
            finger_attempts_max: s.number(
                "finger_attempts_max",
                1..=10,
                session.finger_attempts_max,
            ),
            finger_score_min: s.number("finger_score_min", 1..=100, session.finger_score_min),
            old_card_attempts_max: s.number(
                "old_card_attempts_max",
                1..=10,
                session.old_card_attempts_max,
            ),
            step_timeout_s: s.number("step_timeout_s", 5..=600, session.step_timeout_s),
            command_timeout_s: s.number("command_timeout_s", 2..=120, session.command_timeout_s),
        },
        motion_timeout_s: s.number("motion_timeout_s", 2..=120, shipped.motion_timeout_s),
        query_attempts_max: s.number("query_attempts_max", 1..=100, shipped.query_attempts_max),
    }
}

fn eligibility(s: &mut Section<'_>, shipped: &Eligibility) -> Eligibility {
    Eligibility {
        residences: s.words("residences", RESIDENCES).map_or_else(
            || shipped.residences.clone(),
            |words| words.into_iter().collect(),
        ),
        grounds: s.words("grounds", GROUNDS).map_or_else(
            || shipped.grounds.clone(),
            |words| words.into_iter().collect(),
        ),
    }
}

const RESIDENCES: &[(&str, Residence)] = &[
    ("local", Residence::Local),
    ("province", Residence::Province),
    ("other-province", Residence::OtherProvince),
];

const GROUNDS: &[(&str, ResidenceGround)] = &[
    ("work", ResidenceGround::Work),
    ("study", ResidenceGround::Study),
    ("residence-permit", ResidenceGround::ResidencePermit),
];

fn operator(s: &mut Section<'_>, shipped: &OperatorPolicy) -> OperatorPolicy {
    OperatorPolicy {
        pin_attempts_max: s.number("pin_attempts_max", 1..=20, shipped.pin_attempts_max),
        lockout_s: s.number("lockout_s", 30..=86_400, shipped.lockout_s),
    }
}

fn custody(s: &mut Section<'_>, shipped: &Custody) -> Custody {
    Custody {
        holding_days: s.number("holding_days", 1..=3_650, shipped.holding_days),
        dedupe_days: s.number("dedupe_days", 7..=365, shipped.dedupe_days),
    }
}

//! What the log says of each device: whether it is there, who it is, what an operator has to confirm.

use std::collections::BTreeMap;

use schemas::event::device::{DeviceContradiction, Identity};
use schemas::event::station::Presence;
use schemas::ids::BootId;
use schemas::ids::OperatorId;
use schemas::time::{ClockTrust, Now};
use schemas::words::DeviceStatus;
use serde::{Deserialize, Serialize};

/// Goings that are remembered of a device; no policy asks for more.
pub(crate) const GONE_KEPT: usize = 32;

/// A device as the log knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    /// Not known until it announces itself in this life of the gateway.
    pub(crate) presence: Option<Presence>,
    /// Its status and its own code for it.
    pub(crate) status: Option<(DeviceStatus, Option<String>)>,
    /// When the log last said something new of whether it is up.
    #[serde(default)]
    pub(crate) since: Option<Moment>,
    /// When it last went, the newest last; empty again once it was quiet.
    #[serde(default)]
    pub(crate) gone: Vec<Moment>,
    /// It counts as down until it has been quiet.
    #[serde(default)]
    pub(crate) flapping: bool,
    /// Who it last said it was.
    #[serde(default)]
    pub(crate) identity: Option<Identity>,
    /// What it says that cannot be, until an operator confirms it.
    #[serde(default)]
    pub(crate) contradiction: Option<DeviceContradiction>,
    /// Its totals, as they were last recorded, and when.
    #[serde(default)]
    pub(crate) totals: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) counted: Option<Moment>,
}

impl Device {
    pub(crate) const fn is_online(&self) -> bool {
        matches!(self.presence, Some(Presence::Online { .. }))
    }

    /// Whether its status is one in which it takes commands.
    pub(crate) const fn is_ready(&self) -> bool {
        matches!(
            self.status,
            None | Some((DeviceStatus::Online | DeviceStatus::DeviceBusy, _))
        )
    }

    /// Online, steady, believed, and not reporting a status in which it takes no commands.
    pub(crate) const fn is_usable(&self) -> bool {
        self.is_online() && self.is_ready() && !self.flapping && self.contradiction.is_none()
    }
}

/// An instant in the past, from which time is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub(crate) boot: BootId,
    pub(crate) mono_ms: u64,
    pub(crate) wall_ms: u64,
    pub(crate) trusted: bool,
}

impl Moment {
    pub(crate) fn of(now: &Now) -> Self {
        Self {
            boot: now.boot.clone(),
            mono_ms: now.mono_ms,
            wall_ms: now.wall_ms,
            trusted: now.trust == ClockTrust::Synchronised,
        }
    }

    /// How long ago it was, in ms, by the monotonic clock. After a reboot of the machine by the wall clock, where both times are
    /// believed; else at the least as long as the machine has been up.
    pub(crate) fn elapsed_ms(&self, now: &Now) -> u64 {
        if self.boot == now.boot {
            now.mono_ms.saturating_sub(self.mono_ms)
        } else if self.trusted && now.trust == ClockTrust::Synchronised {
            now.wall_ms.saturating_sub(self.wall_ms)
        } else {
            now.mono_ms
        }
    }
}

/// A machine or device that an operator took out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Maintenance {
    pub(crate) operator: OperatorId,
    pub(crate) since: Moment,
    pub(crate) overdue_after_s: u32,
    /// It is recorded that it counts as forgotten.
    pub(crate) overdue: bool,
}

impl Maintenance {
    /// How long until it counts as forgotten, in ms; none where that is recorded.
    pub(crate) fn left_ms(&self, now: &Now) -> Option<u64> {
        let after_ms = u64::from(self.overdue_after_s) * 1_000;
        (!self.overdue).then(|| after_ms.saturating_sub(self.since.elapsed_ms(now)))
    }
}

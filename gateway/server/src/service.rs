//! Whether the station is ready, and if not why: what `/readyz` and the log lines say. Set by whoever knows, read by
//! the HTTP pages.

use std::sync::{Arc, Mutex, PoisonError};

use gateway_core::Registry;
use schemas::message::kiosk::MaintenanceTarget;
use schemas::words::{DeviceKind, DownReason, ServiceReason};
use serde::Serialize;

/// The standing of the program. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Service(Arc<Mutex<Standing>>);

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Whether the log is open and the loop runs.
    pub log: LogStanding,
    /// Whether new sessions are taken.
    pub in_service: bool,
    /// Why not.
    pub reasons: Vec<ServiceReason>,
    /// Messages of devices cannot be heard: the external broker is away, or refuses the subscriptions.
    pub deaf: bool,
    /// The devices that are installed.
    pub devices: Vec<DeviceLine>,
    /// What is taken out of service by operators. Who they are is in the log.
    pub maintenance: Vec<MaintenanceLine>,
}

/// A device, as `/readyz` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceLine {
    /// Its id.
    pub device: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Whether it is up.
    pub up: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DownReason>,
    /// Since when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How often it went, as far as that is remembered.
    pub flaps: usize,
}

/// A maintenance, as `/readyz` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaintenanceLine {
    /// The machine or device.
    #[serde(flatten)]
    pub target: MaintenanceTarget,
    /// Since when, RFC 3339.
    pub since: String,
    /// It counts as forgotten.
    pub overdue: bool,
}

/// The log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogStanding {
    /// Being opened and replayed.
    #[default]
    Opening,
    /// Closed until there is room on the disk.
    NoRoom,
    /// Open; events are taken.
    Open,
    /// The program is ending.
    Closing,
}

impl Service {
    /// What is known now.
    pub fn standing(&self) -> Standing {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The log's standing changed.
    pub fn log(&self, log: LogStanding) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).log = log;
    }

    /// Whether messages of devices can be heard.
    pub fn hears(&self, hears: bool) {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.deaf = !hears;
    }

    /// The devices' standing changed.
    pub fn devices(&self, registry: &Registry) {
        let devices = registry.devices.iter().map(|device| DeviceLine {
            device: device.device.to_string(),
            kind: device.kind,
            place: device.place.clone(),
            up: device.down.is_none(),
            reason: device.down,
            since: device.since.clone(),
            flaps: device.flaps,
        });
        let maintenance = registry.maintenance.iter().map(|m| MaintenanceLine {
            target: m.target.clone(),
            since: m.since.clone(),
            overdue: m.overdue,
        });
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.devices = devices.collect();
        standing.maintenance = maintenance.collect();
    }

    /// The rules' standing changed.
    pub fn serving(&self, in_service: bool, reasons: Vec<ServiceReason>) {
        let mut standing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        standing.in_service = in_service;
        standing.reasons = reasons;
    }
}

impl Standing {
    /// Whether requests can be served.
    pub fn is_ready(&self) -> bool {
        self.log == LogStanding::Open && self.in_service && !self.deaf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G6: a station that hears no device is not ready, and is again once it does.
    #[test]
    fn a_deaf_station_is_not_ready() {
        let service = Service::default();
        service.log(LogStanding::Open);
        service.serving(true, Vec::new());
        let ready = [true, false, true].map(|hears| {
            service.hears(hears);
            service.standing().is_ready()
        });
        assert_eq!(ready, [true, false, true]);
    }
}

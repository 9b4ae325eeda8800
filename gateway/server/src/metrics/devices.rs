//! Figures of the device registry.

use gateway_core::Registry;
use prometheus::{Error, IntCounterVec, IntGaugeVec};
use schemas::message::kiosk::MaintenanceTarget;

use super::Maker;

/// How the devices stand.
#[derive(Clone, Debug)]
pub struct DeviceMetrics {
    /// 1 while a device is up: there, steady, believed, in service.
    pub up: IntGaugeVec,
    /// 1 while a device comes and goes too often.
    pub flapping: IntGaugeVec,
    /// 1 while what a device says cannot be.
    pub contradicted: IntGaugeVec,
    /// 1 while a machine or device is in maintenance.
    pub maintenance: IntGaugeVec,
    /// 1 while such a maintenance counts as forgotten.
    pub overdue: IntGaugeVec,
    /// How often a device went, as far as it was recorded.
    pub gone: IntCounterVec,
}

impl DeviceMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, Error> {
        let of_device = |name, help| make.gauges(name, help, "device");
        let of_target = |name, help| make.gauges(name, help, "target");
        Ok(Self {
            up: of_device(
                "station_device_up",
                "1 while the device is up: there, steady, believed, in service",
            )?,
            flapping: of_device(
                "station_device_flapping",
                "1 while the device comes and goes too often, and has not been quiet since",
            )?,
            contradicted: of_device(
                "station_device_contradicted",
                "1 while what the device says of itself cannot be, and no operator has confirmed it",
            )?,
            maintenance: of_target(
                "station_maintenance",
                "1 while the machine or device is taken out of service by an operator",
            )?,
            overdue: of_target(
                "station_maintenance_overdue",
                "1 while the machine or device has been out of service for longer than the policy allows",
            )?,
            gone: make.counters(
                "station_device_gone_total",
                "How often the device went, as far as it was recorded",
                "device",
            )?,
        })
    }

    /// From one standing to the next. What has left maintenance leaves the figures.
    pub(crate) fn follow(&self, before: &Registry, now: &Registry) {
        for device in &now.devices {
            let label = [device.device.as_str()];
            let set = |figure: &IntGaugeVec, holds| {
                figure.with_label_values(&label).set(i64::from(holds));
            };
            set(&self.up, device.down.is_none());
            set(&self.flapping, device.flapping);
            set(&self.contradicted, device.contradicted);
        }
        for standing in &now.maintenance {
            let label = [standing.target.as_str()];
            self.maintenance.with_label_values(&label).set(1);
            let overdue = i64::from(standing.overdue);
            self.overdue.with_label_values(&label).set(overdue);
        }
        let is_on =
            |target: &MaintenanceTarget| now.maintenance.iter().any(|m| m.target == *target);
        for standing in before.maintenance.iter().filter(|m| !is_on(&m.target)) {
            let label = [standing.target.as_str()];
            for figure in [&self.maintenance, &self.overdue] {
                // It was set when the maintenance began.
                figure.remove_label_values(&label).ok();
            }
        }
    }
}

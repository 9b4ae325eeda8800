//! What the adapter says of what it saw: status, life, events and measurements.

use std::time::{Duration, Instant};

use schemas::message::device::Code;
use schemas::words::DeviceStatus;

use super::super::codec::Snapshot;
use super::super::reports;
use super::super::vitals::Life;
use super::Adapter;

impl Adapter {
    pub(super) fn observe(&mut self, snapshot: &Snapshot, now: Instant) {
        if self.life != Life::Well {
            self.life = Life::Well;
            tracing::info!("the dispenser is there again");
        }
        for name in reports::events(self.last.as_ref(), snapshot) {
            if let Err(error) = self.link.event(name, None, None) {
                tracing::error!(name, %error, "an event was not taken");
            }
        }
        let (status, code) = reports::status(&self.config.profile, snapshot);
        self.say(status, code);
        // Present after the status, so that whoever sees the birth finds the status right.
        self.link.present(true);
        let interval = Duration::from_millis(self.config.property_interval_ms);
        if self.properties_at.is_none_or(|at| now - at >= interval) {
            self.properties_at = Some(now);
            for (name, value) in reports::properties(snapshot) {
                self.link.property(name, f64::from(value), None);
            }
        }
        self.last = Some(snapshot.clone());
        self.known_at = Some(now);
    }

    /// Says that the device is gone, once. That it is back is said when it is observed.
    pub(super) fn judge_life(&mut self) {
        let life = self.vitals.life(Instant::now());
        let (why, is_of_profile) = self.failed.clone().unwrap_or_default();
        let code = match life {
            _ if life == self.life => return,
            Life::Well => return,
            Life::Silent if is_of_profile => "profile",
            Life::Silent => "unreachable",
            Life::Frozen => "heartbeat",
        };
        self.life = life;
        let (address, profile) = (&self.config.address, &self.config.profile);
        tracing::warn!(%address, %profile, code, why, "the dispenser is gone");
        self.say(DeviceStatus::HardwareError, reports::code(code));
        self.link.present(false);
    }

    /// Says a status, where it is another one than before.
    fn say(&mut self, status: DeviceStatus, code: Option<Code>) {
        let said = Some((status, code.clone()));
        if said != self.said {
            self.said = said;
            self.link.status(status, code);
        }
    }
}

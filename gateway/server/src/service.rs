//! Whether the station is ready, and if not why: what `/readyz` and the log lines say. Set by whoever knows, read by
//! the HTTP pages.

use std::sync::{Arc, Mutex, PoisonError};

use schemas::words::ServiceReason;
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

//! Figures of what goes to the centre's blob store.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

use super::Maker;

/// The blob store's figures.
#[derive(Clone, Debug)]
pub struct UploadMetrics {
    /// Sealed blobs and session keys that wait to go up, as far as the log was looked through: 4096 or more mean that there are more.
    pub to_send: IntGauge,
    /// Events from the first one on whose blobs and keys are not all up.
    pub events_behind: IntGauge,
    /// Those that went up in this life, by kind: blob, key, key-copy (of a session that asked the centre something).
    pub sent: IntCounterVec,
    /// 1 for how the store stands.
    pub standing: IntGaugeVec,
}

impl UploadMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, prometheus::Error> {
        Ok(Self {
            to_send: make.gauge(
                "station_blobs_to_send",
                "Sealed blobs and session keys that wait to go up; 4096 or more: there are more in the log",
            )?,
            events_behind: make.gauge(
                "station_blobs_events_behind",
                "Events from the first one on whose blobs and keys are not all up",
            )?,
            sent: make.counters(
                "station_blobs_sent_total",
                "Sealed blobs and session keys that went up to the centre",
                "kind",
            )?,
            standing: make.gauges(
                "station_blob_store_standing",
                "1 for how the centre's blob store stands",
                "standing",
            )?,
        })
    }
}

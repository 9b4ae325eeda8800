//! Figures of the link to the centre.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::Maker;

/// The link's figures.
#[derive(Clone, Debug)]
pub struct LinkMetrics {
    /// 1 for how it stands.
    pub standing: IntGaugeVec,
    /// Events that the centre's stream is known to have.
    pub sent: IntGauge,
    /// Durable events that it does not have yet.
    pub backlog: IntGauge,
    /// Times that a fault of its own code ended it.
    pub panics: IntCounter,
    /// Connections in this life.
    pub connections: IntGauge,
    /// Bytes handed over in this life.
    pub bytes: IntGauge,
    /// Events that the centre acknowledged.
    pub acknowledged: IntGauge,
    /// Instructions of the centre: followed, refused.
    pub instructions: IntCounterVec,
}

impl LinkMetrics {
    pub(super) fn new(make: &Maker) -> Result<Self, prometheus::Error> {
        Ok(Self {
            standing: make.gauges(
                "station_link_standing",
                "1 for how the link to the centre stands",
                "standing",
            )?,
            sent: make.gauge("station_link_sent", "Events that the centre's stream has")?,
            backlog: make.gauge(
                "station_link_backlog",
                "Durable events that the centre's stream does not have yet",
            )?,
            panics: make.counter(
                "station_link_panics_total",
                "Times that a fault of its own code ended the link, which was then begun anew",
            )?,
            connections: make.gauge(
                "station_link_connections",
                "Connections to the centre in this life",
            )?,
            bytes: make.gauge(
                "station_link_bytes",
                "Bytes handed to the centre in this life",
            )?,
            acknowledged: make.gauge(
                "station_link_acknowledged",
                "Events that the centre acknowledged",
            )?,
            instructions: make.counters(
                "station_instructions_total",
                "Instructions of the centre by what became of them",
                "outcome",
            )?,
        })
    }
}

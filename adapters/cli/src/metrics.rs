//! The figures of the links as Prometheus reads them. Labels name devices and properties, nothing personal.

use std::collections::BTreeMap;

use adapters::link::{Counted, Figures};
use prometheus::{Encoder as _, GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};
use schemas::ids::DeviceId;

/// What kind of figure, and how it is taken from a link's.
type Gauge = (&'static str, &'static str, fn(&Counted) -> i64);
type Counter = (&'static str, &'static str, fn(&Counted) -> u64);

const GAUGES: [Gauge; 3] = [
    (
        "station_adapter_connected",
        "Whether the adapter's connection to the broker stands.",
        |now| i64::from(now.is_connected),
    ),
    (
        "station_adapter_device_present",
        "Whether the device behind the adapter is there.",
        |now| i64::from(now.is_present),
    ),
    (
        "station_adapter_outbox_messages",
        "Messages that wait for their confirmation.",
        |now| i64::try_from(now.outbox_len).unwrap_or(i64::MAX),
    ),
];

const COUNTERS: [Counter; 3] = [
    (
        "station_adapter_connections_total",
        "Connections that the broker accepted.",
        |now| now.connections,
    ),
    (
        "station_adapter_commands_total",
        "Commands that came for the first time.",
        |now| now.commands,
    ),
    (
        "station_adapter_repeated_commands_total",
        "Commands that came again; not acted on again.",
        |now| now.repeated_commands,
    ),
];

/// The text of `/metrics`.
pub(crate) fn text(links: &BTreeMap<DeviceId, Figures>) -> Result<String, prometheus::Error> {
    let read = |(device, figures): (&DeviceId, &Figures)| (device.to_string(), figures.read());
    let now: BTreeMap<String, Counted> = links.iter().map(read).collect();
    let registry = Registry::new();
    for (name, help, of) in GAUGES {
        let gauge = IntGaugeVec::new(Opts::new(name, help), &["device"])?;
        for (device, counted) in &now {
            gauge.with_label_values(&[device]).set(of(counted));
        }
        registry.register(Box::new(gauge))?;
    }
    for (name, help, of) in COUNTERS {
        let counter = IntCounterVec::new(Opts::new(name, help), &["device"])?;
        for (device, counted) in &now {
            counter.with_label_values(&[device]).inc_by(of(counted));
        }
        registry.register(Box::new(counter))?;
    }
    registry.register(Box::new(properties(&now)?))?;
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What the devices measure and count themselves.
fn properties(now: &BTreeMap<String, Counted>) -> Result<GaugeVec, prometheus::Error> {
    let opts = Opts::new(
        "station_adapter_property",
        "The newest value of each property that the adapter publishes.",
    );
    let gauge = GaugeVec::new(opts, &["device", "property"])?;
    for (device, counted) in now {
        for (property, value) in &counted.properties {
            gauge.with_label_values(&[device, property]).set(*value);
        }
    }
    Ok(gauge)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G6: each device has its figures, also before its first connection.
    #[test]
    fn g6_every_device_is_in_the_metrics() {
        let links = BTreeMap::from([(DeviceId::new("reader-1").unwrap(), Figures::default())]);
        let text = text(&links).unwrap();
        for (name, ..) in GAUGES {
            assert!(
                text.contains(&format!("{name}{{device=\"reader-1\"}} 0")),
                "{text}"
            );
        }
        for (name, ..) in COUNTERS {
            assert!(
                text.contains(&format!("{name}{{device=\"reader-1\"}} 0")),
                "{text}"
            );
        }
    }
}

//! Figures for Prometheus, made anew for each scrape from what is shown: they are all read from the logs.

use prometheus::{Encoder as _, GaugeVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use super::view::{LogView, View};

pub(super) fn text(view: &View) -> Result<String, prometheus::Error> {
    let figures = Figures::new()?;
    figures.store_up.set(i64::from(view.trouble.is_none()));
    figures.unknown.set(count(view.unknown.len()));
    if let Some(office) = &view.applications {
        figures.notices.set(whole(office.notices));
        figures.notices_waiting.set(count(office.notices_waiting));
        for (station, fen) in &office.differences_fen {
            let differs = figures
                .payments_differ
                .with_label_values(&[station.as_str()]);
            differs.set(*fen);
        }
    }
    for (stream, log) in &view.logs {
        figures.show(stream, log);
    }
    for (station, alerts) in &view.alerts {
        let genuine = alerts.iter().filter(|alert| alert.genuine).count();
        figures
            .alerts
            .with_label_values(&[station])
            .set(count(genuine));
    }
    let mut bytes = Vec::new();
    TextEncoder::new().encode(&figures.registry.gather(), &mut bytes)?;
    String::from_utf8(bytes).map_err(|error| prometheus::Error::Msg(error.to_string()))
}

struct Figures {
    registry: Registry,
    store_up: IntGauge,
    unknown: IntGauge,
    notices: IntGauge,
    notices_waiting: IntGauge,
    payments_differ: IntGaugeVec,
    alerts: IntGaugeVec,
    verified: IntGaugeVec,
    acknowledged: IntGaugeVec,
    lag: IntGaugeVec,
    faulty: IntGaugeVec,
    in_service: IntGaugeVec,
    blobs_missing: IntGaugeVec,
    cards: IntGaugeVec,
    pickups: IntGaugeVec,
    refused: IntGaugeVec,
    last_event: GaugeVec,
}

impl Figures {
    fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::with_opts(Opts::new(name, help))?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let last_event = GaugeVec::new(
            Opts::new(
                "centre_last_event_timestamp_seconds",
                "Time of the newest verified event by the station's clock",
            ),
            &["stream"],
        )?;
        registry.register(Box::new(last_event.clone()))?;
        Ok(Self {
            store_up: gauge("centre_store_up", "1 while the event store answers")?,
            unknown: gauge(
                "centre_unknown_streams",
                "Streams of logs that are not registered",
            )?,
            notices: gauge(
                "centre_notices_sent",
                "Notices of decisions that were sent to phones",
            )?,
            notices_waiting: gauge(
                "centre_notices_waiting",
                "Notices of decisions whose phone number cannot be opened yet",
            )?,
            payments_differ: gauges(
                "centre_payments_difference_fen",
                "What the centre has more than the station of the payments of its closed days",
                &["station"],
            )?,
            alerts: gauges(
                "centre_alerts",
                "Newest alerts that are kept, of a station",
                &["station"],
            )?,
            verified: gauges("centre_verified_events", "Events verified", &["stream"])?,
            acknowledged: gauges(
                "centre_acknowledged_events",
                "Events acknowledged",
                &["stream"],
            )?,
            lag: gauges(
                "centre_lag_events",
                "Events that the station has signed and the centre has not verified",
                &["stream"],
            )?,
            faulty: gauges("centre_log_faulty", "1 for a log with a fault", &["stream"])?,
            in_service: gauges(
                "centre_in_service",
                "1 while the station takes sessions",
                &["stream"],
            )?,
            blobs_missing: gauges(
                "centre_blobs_missing",
                "Photos whose file has not come",
                &["stream"],
            )?,
            cards: gauges(
                "centre_cards",
                "Cards by where they are",
                &["stream", "place"],
            )?,
            pickups: gauges(
                "centre_pickups",
                "Pickups that ended, by how",
                &["stream", "outcome"],
            )?,
            refused: gauges(
                "centre_pickups_refused",
                "Pickups that did not begin, by why",
                &["stream", "reason"],
            )?,
            last_event,
            registry,
        })
    }

    fn show(&self, stream: &str, log: &LogView) {
        let own = |gauges: &IntGaugeVec, value: i64| gauges.with_label_values(&[stream]).set(value);
        own(&self.verified, whole(log.size));
        own(&self.acknowledged, whole(log.acknowledged));
        own(&self.lag, whole(log.lag));
        own(&self.faulty, i64::from(log.fault.is_some()));
        own(&self.blobs_missing, count(log.blobs_missing));
        if let Some(in_service) = log.in_service {
            own(&self.in_service, i64::from(in_service));
        }
        if let Some(ms) = log.last_event_ms {
            let seconds = std::time::Duration::from_millis(ms).as_secs_f64();
            self.last_event.with_label_values(&[stream]).set(seconds);
        }
        let by = |gauges: &IntGaugeVec, word: &str, value: u64| {
            gauges.with_label_values(&[stream, word]).set(whole(value));
        };
        log.custody
            .iter()
            .for_each(|(place, n)| by(&self.cards, &word(place), *n));
        log.pickups
            .iter()
            .for_each(|(outcome, n)| by(&self.pickups, &word(outcome), *n));
        log.refused
            .iter()
            .for_each(|(reason, n)| by(&self.refused, &word(reason), *n));
    }
}

/// A word of the contract as it is written.
pub(super) fn word(word: &impl serde::Serialize) -> String {
    let written = serde_json::to_value(word).ok();
    let text = written.as_ref().and_then(serde_json::Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

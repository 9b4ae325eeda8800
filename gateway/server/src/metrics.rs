//! Figures for Prometheus. Names, labels and values hold nothing personal: labels are device and machine ids of the
//! configuration and words of the contract. Gauges of the domain are rebuilt from the log at start; counters begin at 0
//! with each life of the program.

mod devices;
mod link;
mod upload;
mod window;

use std::time::Duration;

use prometheus::{
    Encoder as _, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};
use schemas::event::Event;
use schemas::event::station::Presence;
use schemas::ids::DeviceId;
use schemas::words::PickupOutcome;

use crate::process;

pub use devices::DeviceMetrics;
pub use link::LinkMetrics;
pub use upload::UploadMetrics;
pub use window::WindowMetrics;

/// All figures of the gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Events appended in this life.
    pub events: IntCounter,
    /// Durable events in the log.
    pub log_size: IntGauge,
    /// Closed epochs that were opened to be read in this life; each is copied whole for that.
    pub closed_epochs_opened: IntCounter,
    /// From handing a group to the log until it is durable.
    pub append_seconds: Histogram,
    /// Commands by outcome: accepted, refused, unchanged, duplicate, unreadable, busy, volatile.
    pub commands: IntCounterVec,
    /// Commands waiting for the loop.
    pub queue_length: IntGauge,
    /// Room left for the log.
    pub room_bytes: IntGauge,
    /// Hours until the room is below the watermark, at the rate of the last hours.
    pub hours_until_refusal: Gauge,
    /// 1 below the watermark.
    pub room_low: IntGauge,
    /// 1 while a device is online.
    pub device_online: IntGaugeVec,
    /// The device registry.
    pub devices: DeviceMetrics,
    /// 1 while a machine takes no session.
    pub machine_blocked: IntGaugeVec,
    /// Slots that differ from their records.
    pub slots_differing: IntGaugeVec,
    /// Sessions of pickup that ended, by outcome.
    pub sessions: IntCounterVec,
    /// The gateway's own share of a pickup, summed over its messages.
    pub pickup_seconds: Histogram,
    /// The gateway's own share of an application, summed over its messages (A16).
    pub application_seconds: Histogram,
    /// Papers, by kind and by what became of them: issued, again, or why one was left out.
    pub papers: IntCounterVec,
    /// How long the papers of a session took to set.
    pub papers_seconds: Histogram,
    /// 1 while the station takes new sessions.
    pub in_service: IntGauge,
    /// Cards that were not the card of the record.
    pub card_mismatch: IntCounter,
    /// Operators that were not admitted.
    pub operator_rejected: IntCounter,
    /// Clients connected to the broker.
    pub broker_connections: IntGauge,
    /// Connections the broker refused, by reason.
    pub broker_refused: IntCounterVec,
    /// Requests of those who pull the log, by result: served, not-found, not-allowed, refused, failed.
    pub pull_requests: IntCounterVec,
    /// Connections of those who pull that were turned away: busy, tls, timeout.
    pub pull_refused: IntCounterVec,
    /// 1 while the wall clock is believed.
    pub clock_trusted: IntGauge,
    /// Steps of the wall clock in this life.
    pub clock_steps: IntCounter,
    /// Blobs sealed and stored in this life.
    pub blobs: IntCounter,
    /// The link to the centre.
    pub link: LinkMetrics,
    /// The way of blobs to the centre.
    pub upload: UploadMetrics,
    /// Window tickets.
    pub window: WindowMetrics,
}

fn closed_epochs_opened(make: &Maker) -> Result<IntCounter, prometheus::Error> {
    make.counter(
        "station_closed_epochs_opened_total",
        "Closed epochs that were opened to be read; each is copied whole for that",
    )
}

fn commands(make: &Maker) -> Result<IntCounterVec, prometheus::Error> {
    make.counters(
        "station_commands_total",
        "Messages by what became of them",
        "outcome",
    )
}

fn application_seconds(make: &Maker) -> Result<Histogram, prometheus::Error> {
    make.histogram(
        "station_application_seconds",
        "The gateway's own share of an application, in s",
        &[0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0],
    )
}

fn papers(make: &Maker) -> Result<IntCounterVec, prometheus::Error> {
    let papers = Opts::new(
        "station_papers_total",
        "Papers of applications by what became of them: issued, again, or why one was left out",
    );
    make.add(IntCounterVec::new(papers, &["kind", "result"]))
}

fn papers_seconds(make: &Maker) -> Result<Histogram, prometheus::Error> {
    make.histogram(
        "station_papers_seconds",
        "Time to set the papers of a session, in s",
        &[0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0],
    )
}

impl Metrics {
    /// All at their beginning.
    pub fn new() -> Result<Self, prometheus::Error> {
        let make = Maker(Registry::new());
        Ok(Self {
            events: make.counter("station_events_total", "Events appended to the log")?,
            log_size: make.gauge("station_log_size", "Durable events in the log")?,
            closed_epochs_opened: closed_epochs_opened(&make)?,
            append_seconds: make.histogram(
                "station_append_seconds",
                "Time from handing a group to the log until it is durable",
                &[
                    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
                    0.25, 1.0,
                ],
            )?,
            commands: commands(&make)?,
            queue_length: make.gauge("station_queue_length", "Commands waiting for the loop")?,
            room_bytes: make.gauge("station_room_bytes", "Room left for the log, in bytes")?,
            hours_until_refusal: make.float(
                "station_log_hours_until_refusal",
                "Hours until new sessions are refused for want of room, at the rate of the last hours; infinite while room does not fall",
            )?,
            room_low: make.gauge("station_room_low", "1 while room is below the watermark")?,
            device_online: make.gauges(
                "station_device_online",
                "1 while the device is online",
                "device",
            )?,
            devices: DeviceMetrics::new(&make)?,
            machine_blocked: make.gauges(
                "station_machine_blocked",
                "1 while the machine takes no session until an operator has seen to it",
                "machine",
            )?,
            slots_differing: make.gauges(
                "station_slots_differing",
                "Slots of the machine that were found otherwise than their records say",
                "machine",
            )?,
            sessions: make.counters(
                "station_sessions_total",
                "Pickups that ended, by outcome",
                "outcome",
            )?,
            pickup_seconds: make.histogram(
                "station_pickup_seconds",
                "The gateway's own share of a pickup, in s",
                &[
                    0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0,
                ],
            )?,
            application_seconds: application_seconds(&make)?,
            papers: papers(&make)?,
            papers_seconds: papers_seconds(&make)?,
            in_service: make.gauge(
                "station_in_service",
                "1 while the station takes new sessions",
            )?,
            card_mismatch: make.counter(
                "station_card_mismatch_total",
                "Cards that were not the card of their record",
            )?,
            operator_rejected: make.counter(
                "station_operator_rejected_total",
                "Operators whose name or PIN did not fit",
            )?,
            broker_connections: make.gauge(
                "station_broker_connections",
                "Clients connected to the broker",
            )?,
            broker_refused: make.counters(
                "station_broker_refused_total",
                "Connections that the broker refused",
                "reason",
            )?,
            pull_requests: make.counters(
                "station_pull_requests_total",
                "Requests of those who pull the log",
                "result",
            )?,
            pull_refused: make.counters(
                "station_pull_refused_total",
                "Connections of those who pull the log that were turned away",
                "reason",
            )?,
            clock_trusted: make.gauge(
                "station_clock_trusted",
                "1 while the wall clock is believed",
            )?,
            clock_steps: make.counter(
                "station_clock_steps_total",
                "How often the wall clock jumped, forward or back",
            )?,
            blobs: make.counter("station_blobs_total", "Blobs sealed and stored")?,
            link: LinkMetrics::new(&make)?,
            upload: UploadMetrics::new(&make)?,
            window: WindowMetrics::new(&make)?,
            registry: make.0,
        })
    }

    /// What the log says at start, for the gauges.
    pub fn begin(&self, state: &gateway_core::State) {
        self.in_service
            .set(i64::from(state.service_reasons().is_empty()));
        // Who is there is not known before they announce themselves in this life: the log only says who was.
        for (device, _was_online) in state.devices() {
            self.device_online
                .with_label_values(&[device.as_str()])
                .set(0);
        }
        self.window.waiting(state.window_tickets_len());
        for (machine, blocked) in state.machines() {
            self.machine_blocked
                .with_label_values(&[machine.as_str()])
                .set(i64::from(blocked));
        }
        for (machine, differing) in state.slots_differing() {
            self.slots_differing
                .with_label_values(&[machine.as_str()])
                .set(i64::try_from(differing).unwrap_or(i64::MAX));
        }
    }

    /// The centre has so many events.
    pub fn acknowledged(&self, size: u64) {
        self.link
            .acknowledged
            .set(i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// What a new, durable event says.
    pub fn follow(&self, event: &Event) {
        self.events.inc();
        self.window.follow(event);
        self.link.follow(event);
        if let Event::ServiceChanged(body) = event {
            self.in_service.set(i64::from(body.in_service));
        } else if let Event::PresenceChanged(body) = event {
            let online = matches!(body.presence, Presence::Online { .. });
            self.online(&body.device, online);
            if !online {
                let label = [body.device.as_str()];
                self.devices.gone.with_label_values(&label).inc();
            }
        } else if let Event::DeviceFlapping(body) = event {
            self.online(&body.device, false);
        } else if let Event::DeviceSteady(body) = event {
            let online = matches!(body.presence, Presence::Online { .. });
            self.online(&body.device, online);
        } else if let Event::MachineBlocked(body) = event {
            self.machine_blocked
                .with_label_values(&[body.machine.as_str()])
                .set(1);
        } else if let Event::StockTaken(body) = event {
            // After an incarnation citizens wait for it; it is not taken at a machine that is blocked otherwise.
            self.machine_blocked
                .with_label_values(&[body.machine.as_str()])
                .set(0);
        } else if let Event::SlotFound(body) = event {
            self.slots_differing
                .with_label_values(&[body.machine.as_str()])
                .set(i64::from(body.differing));
        } else if let Event::MachineResolved(body) = event {
            self.machine_blocked
                .with_label_values(&[body.machine.as_str()])
                .set(0);
        } else if let Event::PickupEnded(body) = event {
            self.sessions
                .with_label_values(&[outcome_word(body.outcome)])
                .inc();
        } else if let Event::CardMismatched(_) = event {
            self.card_mismatch.inc();
        } else if let Event::OperatorRejected(_) = event {
            self.operator_rejected.inc();
        }
    }

    fn online(&self, device: &DeviceId, online: bool) {
        self.device_online
            .with_label_values(&[device.as_str()])
            .set(i64::from(online));
    }

    /// A message was dealt with in this way.
    pub fn command(&self, outcome: &str) {
        self.commands.with_label_values(&[outcome]).inc();
    }

    /// A group took so long to become durable.
    pub fn appended(&self, took: Duration) {
        self.append_seconds.observe(took.as_secs_f64());
    }

    /// The text exposition format, process figures included.
    pub fn text(&self) -> String {
        let mut out = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut out) {
            tracing::error!(%error, "metrics could not be encoded");
        }
        let mut text = String::from_utf8_lossy(&out).into_owned();
        text.push_str(&process::figures());
        text
    }
}

/// The word of an outcome as it stands in the contract.
fn outcome_word(outcome: PickupOutcome) -> &'static str {
    use PickupOutcome as O;
    match outcome {
        O::Collected => "collected",
        O::NotTaken => "not-taken",
        O::Cancelled => "cancelled",
        O::TimedOut => "timed-out",
        O::IdentityFailed => "identity-failed",
        O::CardMismatch => "card-mismatch",
        O::CardUnreadable => "card-unreadable",
        O::NoFingerprints => "no-fingerprints",
        O::CardMissing => "card-missing",
        O::OldCardMissing => "old-card-missing",
        O::NoPhoto => "no-photo",
        O::DeviceFailed => "device-failed",
        O::Interrupted => "interrupted",
    }
}

/// Makes figures and registers them.
struct Maker(Registry);

impl Maker {
    fn add<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        figure: Result<C, prometheus::Error>,
    ) -> Result<C, prometheus::Error> {
        let figure = figure?;
        self.0.register(Box::new(figure.clone()))?;
        Ok(figure)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::new(name, help))
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::new(name, help))
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        label: &str,
    ) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name, help), &[label]))
    }

    fn float(&self, name: &str, help: &str) -> Result<Gauge, prometheus::Error> {
        let gauge: Gauge = self.add(Gauge::with_opts(Opts::new(name, help)))?;
        gauge.set(f64::INFINITY);
        Ok(gauge)
    }

    fn gauges(
        &self,
        name: &str,
        help: &str,
        label: &str,
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name, help), &[label]))
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
    ) -> Result<Histogram, prometheus::Error> {
        self.add(Histogram::with_opts(
            HistogramOpts::new(name, help).buckets(buckets.to_vec()),
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// G6: the words of the metrics are those of the contract, so that alerts can be written from it.
    #[test]
    fn outcome_words_are_the_contract_s() {
        for outcome in PickupOutcome::ALL {
            let word = serde_json::to_value(outcome).unwrap();
            assert_eq!(word.as_str(), Some(outcome_word(*outcome)));
        }
    }

    /// G6: the log says who was there before the program ended, which is nothing about now: 0 until a device announces
    /// itself.
    #[test]
    fn devices_are_not_online_before_they_say_so() {
        let id = |n| format!("0190b7a2-1f00-7000-8000-{n:012x}");
        let event = Event::PresenceChanged(schemas::event::station::PresenceChanged {
            device: DeviceId::new("reader-1").unwrap(),
            presence: Presence::Online {
                boot: schemas::ids::BootId::new(id(1)).unwrap(),
                protocol: 1,
            },
        });
        let now = crate::clock::Clock::new(edge_config::ClockTrustRule::Never)
            .unwrap()
            .now();
        let mut state = gateway_core::State::default();
        gateway_core::evolve(
            &mut state,
            gateway_core::Recorded {
                index: 0,
                now: &now,
                event: &event,
            },
        );
        let metrics = Metrics::new().unwrap();
        metrics.begin(&state);
        let figure = metrics.device_online.with_label_values(&["reader-1"]);
        assert_eq!(figure.get(), 0);
        metrics.follow(&event);
        assert_eq!(figure.get(), 1);
    }

    #[test]
    fn the_exposition_names_every_figure() {
        let metrics = Metrics::new().unwrap();
        metrics.command("accepted");
        let text = metrics.text();
        for name in [
            "station_events_total",
            "station_commands_total{outcome=\"accepted\"} 1",
            "process_resident_memory_bytes",
        ] {
            assert!(text.contains(name), "{name}\n{text}");
        }
    }
}

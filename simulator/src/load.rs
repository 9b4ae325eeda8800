//! A load generator: many clients that publish device events at QoS 1 and measure how long each
//! acknowledgement takes, against any broker.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use adapters::link::new_message_id;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};
use schemas::ids::{DeviceId, StationId};
use schemas::message::device::DeviceEvent;
use schemas::topic::{FromDevice, Topics};
use serde::Serialize;
use thiserror::Error;
use tokio::task::JoinSet;

/// What to do.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// Host of the broker.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The station of the topics.
    pub station: StationId,
    /// Devices are `{device_prefix}-{n}`, n from 1; also the client ids.
    pub device_prefix: String,
    /// How many clients.
    pub clients: u16,
    /// Messages of a client on the wire at once.
    pub in_flight: u16,
    /// How long, in s.
    pub seconds: u64,
    /// Messages a second of all clients together; none: as fast as it goes.
    pub rate: Option<f64>,
}

/// What was measured. Latencies from handing the message to the client to its PUBACK, in µs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// Clients.
    pub clients: u16,
    /// Messages of a client on the wire at once.
    pub in_flight: u16,
    /// From the first message to the last acknowledgement, in s.
    pub seconds: f64,
    /// Messages acknowledged as taken.
    pub acknowledged: usize,
    /// Messages refused with a reason code.
    pub refused: usize,
    /// Acknowledged a second.
    pub rate: f64,
    /// Half are faster.
    pub p50_us: u64,
    /// 99 of 100 are faster.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
}

/// Why nothing was measured.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A device id that is none.
    #[error(transparent)]
    Name(#[from] schemas::text::Invalid),
    /// A connection failed.
    #[error("client {client}: {error}")]
    Connection {
        /// Which.
        client: DeviceId,
        /// Why.
        error: Box<ConnectionError>,
    },
    /// A client's task ended by itself.
    #[error("a client stopped: {0}")]
    Task(#[from] panics::Unfinished),
    /// The client took no message.
    #[error("the client takes no message: {0}")]
    Client(#[from] rumqttc::v5::ClientError),
    /// A message cannot be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

#[derive(Default)]
struct Measured {
    latencies_us: Vec<u64>,
    refused: usize,
}

/// Runs the load and measures.
pub async fn run(config: LoadConfig) -> Result<LoadReport, LoadError> {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for number in 1..=config.clients {
        let device = DeviceId::new(format!("{}-{number}", config.device_prefix))?;
        tasks.spawn(client(config.clone(), device));
    }
    let mut all = Measured::default();
    while let Some(done) = tasks.join_next().await {
        let measured = done.map_err(panics::Unfinished::from)??;
        all.latencies_us.extend(measured.latencies_us);
        all.refused += measured.refused;
    }
    Ok(report(&config, began.elapsed(), all))
}

fn report(config: &LoadConfig, elapsed: Duration, mut all: Measured) -> LoadReport {
    all.latencies_us.sort_unstable();
    let len = all.latencies_us.len();
    let at = |per_mille: usize| {
        let index = (len * per_mille / 1_000).min(len.saturating_sub(1));
        all.latencies_us.get(index).copied().unwrap_or(0)
    };
    let seconds = elapsed.as_secs_f64();
    LoadReport {
        clients: config.clients,
        in_flight: config.in_flight,
        seconds,
        acknowledged: len,
        refused: all.refused,
        rate: f64::from(u32::try_from(len).unwrap_or(u32::MAX)) / seconds,
        p50_us: at(500),
        p99_us: at(990),
        max_us: at(1_000),
    }
}

async fn client(config: LoadConfig, device: DeviceId) -> Result<Measured, LoadError> {
    let mut options = MqttOptions::new(device.as_str(), config.host.clone(), config.port);
    options.set_keep_alive(Duration::from_secs(30));
    options.set_outgoing_inflight_upper_limit(config.in_flight.max(1));
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    let room = usize::from(config.in_flight) + 4;
    let (client, mut events) = AsyncClient::new(options, room);
    let topic = Topics::new(config.station.clone())
        .from_device(&device, &FromDevice::Event("load".to_owned()));
    let mut pace = Pace::new(&config);
    let mut handed: VecDeque<Instant> = VecDeque::new();
    let mut on_wire: HashMap<u16, Instant> = HashMap::new();
    let mut measured = Measured::default();
    let mut ends = None;
    loop {
        let now = Instant::now();
        let over = ends.is_some_and(|ends| now >= ends);
        if over && handed.is_empty() && on_wire.is_empty() {
            return Ok(measured);
        }
        let room = usize::from(config.in_flight.max(1)) - handed.len() - on_wire.len();
        if ends.is_some() && !over {
            for _ in 0..pace.due(now, room) {
                let event = DeviceEvent {
                    message_id: new_message_id(),
                    command_id: None,
                    detail: None,
                };
                handed.push_back(Instant::now());
                let payload = serde_json::to_vec(&event)?;
                client.try_publish(topic.clone(), QoS::AtLeastOnce, false, payload)?;
            }
        }
        // With a rate, silence on the wire must not keep the next message back; cutting a poll short is
        // safe only while it waits for the socket, which a message in flight does not guarantee.
        if pace.waits() && handed.is_empty() && on_wire.is_empty() && ends.is_some() && !over {
            tokio::time::sleep_until(pace.next.into()).await;
            continue;
        }
        let event = events.poll().await.map_err(|error| LoadError::Connection {
            client: device.clone(),
            error: Box::new(error),
        })?;
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                let from = Instant::now();
                pace.next = from + pace.interval.unwrap_or_default().mul_f64(fastrand::f64());
                ends = Some(from + Duration::from_secs(config.seconds));
            }
            Event::Outgoing(Outgoing::Publish(id)) => {
                if let Some(at) = handed.pop_front() {
                    on_wire.insert(id, at);
                }
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                let Some(at) = on_wire.remove(&ack.pkid) else {
                    continue;
                };
                if matches!(
                    ack.reason,
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers
                ) {
                    let us = u64::try_from(at.elapsed().as_micros()).unwrap_or(u64::MAX);
                    measured.latencies_us.push(us);
                } else {
                    measured.refused += 1;
                }
            }
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
}

/// When the next message is due.
struct Pace {
    interval: Option<Duration>,
    next: Instant,
}

impl Pace {
    fn new(config: &LoadConfig) -> Self {
        let interval = config
            .rate
            .filter(|rate| *rate > 0.0)
            .map(|rate| Duration::from_secs_f64(f64::from(config.clients) / rate));
        Self {
            interval,
            next: Instant::now(),
        }
    }

    /// How many messages are due, at most `room`.
    fn due(&mut self, now: Instant, room: usize) -> usize {
        let Some(interval) = self.interval else {
            return room;
        };
        let mut due = 0;
        while due < room && self.next <= now {
            self.next += interval;
            due += 1;
        }
        due
    }

    const fn waits(&self) -> bool {
        self.interval.is_some()
    }
}

//! The same flow over another program's broker, as its MQTT 5 client with manual acknowledgement.
//!
//! Each message is acknowledged to that broker only when it is durable here. Since that broker has acknowledged it to the
//! device long before, the promise to the device is the receipt: a device behind an external broker keeps a message until
//! its receipt comes. Who may publish what is the operator's duty there (an access list by client identity, for
//! `station/v1/{station}/{device}/…`), as is keeping personal topics off that broker's disk.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use edge_config::ExternalBroker;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish, PublishProperties};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use schemas::topic::{ROOT, Topics};
use tokio::sync::{mpsc, watch};

use crate::ingress::{Arrival, Ingress, Taken};
use crate::outlet::{Outgoing, Outlet};

/// Messages of devices under way at once: the Receive Maximum of the connection.
const RECEIVE_MAX: u16 = 256;
/// Requests to the client's own queue.
const REQUESTS_MAX: usize = 512;
/// How long the session at the broker outlives a connection, in s.
const SESSION_EXPIRY_S: u32 = 7 * 86_400;
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
/// A message that the queue had no place for is tried again after this.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Messages to devices, through the external broker.
#[derive(Debug, Clone)]
pub struct ExternalOutlet(mpsc::UnboundedSender<Outgoing>);

impl ExternalOutlet {
    /// The outlet and what it fills. Unbounded, yet limited by what the loop acts on: a few messages for each of a
    /// device's, which are limited themselves.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl Outlet for ExternalOutlet {
    fn send(&self, message: Outgoing) {
        // The connection has ended with the program.
        self.0.send(message).ok();
    }
}

/// Serves the station through an external broker until `stop` says true or its sender is gone. `subscribed` is told when
/// messages of devices are heard: what they publish before, that broker keeps for nobody.
pub async fn run(
    broker: &ExternalBroker,
    topics: Topics,
    ingress: Ingress,
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
    subscribed: watch::Sender<bool>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let options = options(broker)?;
    let (client, events) = AsyncClient::new(options, REQUESTS_MAX);
    let (arrived, arrivals) = mpsc::channel(usize::from(RECEIVE_MAX));
    let reading = read(
        events,
        client.clone(),
        topics.clone(),
        arrived,
        subscribed,
        stop,
    );
    let taking = take_all(client.clone(), topics.clone(), ingress, arrivals);
    let sending = send_all(client, topics, outgoing);
    // Reading ends at the stop, and what was read is then still taken in; sending ends with the program.
    let work = async { tokio::join!(reading, taking) };
    tokio::select! {
        ((), ()) = work => {}
        () = sending => {}
    }
    Ok(())
}

fn options(broker: &ExternalBroker) -> anyhow::Result<MqttOptions> {
    anyhow::ensure!(
        !broker.url.tls && broker.ca.is_none() && broker.identity.is_none(),
        "mqtts:// to an external broker is not part of this build; use mqtt:// over a trusted link or a local broker that \
         bridges with TLS"
    );
    let mut options = MqttOptions::new(
        broker.client_id.as_str(),
        broker.url.host.clone(),
        broker.url.port,
    );
    options.set_keep_alive(Duration::from_secs(30));
    options.set_manual_acks(true);
    options.set_clean_start(false);
    options.set_session_expiry_interval(Some(SESSION_EXPIRY_S));
    options.set_receive_maximum(Some(RECEIVE_MAX));
    options.set_max_packet_size(Some(2 << 20));
    if let Some(user) = &broker.user {
        options.set_credentials(user.clone(), password(broker.password_file.as_deref())?);
    }
    Ok(options)
}

fn password(file: Option<&Path>) -> anyhow::Result<String> {
    let Some(file) = file else {
        return Ok(String::new());
    };
    let text = std::fs::read_to_string(file);
    let text =
        text.with_context(|| format!("cannot read the broker's password from {}", file.display()))?;
    Ok(text.trim_end().to_owned())
}

/// What devices publish; not what the gateway publishes itself, nor measurements, which nobody here waits for.
fn filters(topics: &Topics) -> Vec<Filter> {
    [
        "$state",
        "state",
        "event/+",
        "cmd/+/reply",
        "request/+",
        "blob/+",
    ]
    .map(|channel| {
        Filter::new(
            format!("{ROOT}/{}/+/{channel}", topics.station()),
            QoS::AtLeastOnce,
        )
    })
    .into()
}

/// Drives the connection. The client reconnects by being polled again.
async fn read(
    mut events: EventLoop,
    client: AsyncClient,
    topics: Topics,
    arrived: mpsc::Sender<Publish>,
    subscribed: watch::Sender<bool>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let event = tokio::select! {
            event = events.poll() => Some(event),
            _ = stop.wait_for(|stop| *stop) => None,
        };
        let Some(event) = event else {
            // A goodbye that cannot be queued is a connection that breaks.
            client.try_disconnect().ok();
            tokio::time::timeout(RECONNECT_PAUSE, events.poll())
                .await
                .ok();
            return;
        };
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                tracing::info!("connected to the external broker");
                if let Err(error) = client.try_subscribe_many(filters(&topics)) {
                    tracing::error!(%error, "cannot subscribe at the external broker");
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                if arrived.send(publish).await.is_err() {
                    return;
                }
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                subscribed.send_replace(true);
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(error) => {
                tracing::warn!(%error, "the external broker cannot be reached; trying again");
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
        }
    }
}

/// Takes messages in as they came, and acknowledges each when it is durable, in order.
async fn take_all(
    client: AsyncClient,
    topics: Topics,
    ingress: Ingress,
    mut arrivals: mpsc::Receiver<Publish>,
) {
    let mut under_way = FuturesOrdered::new();
    let mut open = true;
    while open || !under_way.is_empty() {
        tokio::select! {
            Some(durable) = under_way.next(), if !under_way.is_empty() => {
                // What is not acknowledged is brought again with the next connection, and then recognised.
                let durable: Option<Publish> = durable;
                let Some(publish) = durable else { continue };
                if let Err(error) = client.ack(&publish).await {
                    // At the stop, or when the connection broke. It is brought again.
                    tracing::debug!(%error, "a message could not be acknowledged to the external broker");
                }
            }
            arrival = arrivals.recv(), if open && under_way.len() < usize::from(RECEIVE_MAX) => match arrival {
                Some(publish) => under_way.push_back(take(&topics, &ingress, publish)),
                None => open = false,
            },
        }
    }
}

/// The sender is whoever the topic names. A refusal is told by the error receipt, and acknowledged, or it would come
/// back. None: not to be acknowledged.
fn take(
    topics: &Topics,
    ingress: &Ingress,
    publish: Publish,
) -> impl Future<Output = Option<Publish>> + use<> {
    let topic = std::str::from_utf8(&publish.topic).ok();
    let parsed = topic.and_then(|topic| Some((topic.to_owned(), topics.parse(topic)?)));
    let arrival = parsed.map(|(topic, (device, channel))| Arrival {
        device,
        channel,
        topic: topic.into(),
        payload: publish.payload.clone(),
    });
    // Its place among its sender's messages is fixed now.
    let first = arrival
        .as_ref()
        .map(|arrival| ingress.take(arrival.clone()));
    let ingress = ingress.clone();
    async move {
        let (Some(arrival), Some(first)) = (arrival, first) else {
            return Some(publish);
        };
        let mut taken = first.await;
        while taken == Taken::Busy {
            tokio::time::sleep(BUSY_PAUSE).await;
            taken = ingress.take(arrival.clone()).await;
        }
        (taken != Taken::Failed).then_some(publish)
    }
}

async fn send_all(
    client: AsyncClient,
    topics: Topics,
    mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
) {
    while let Some(message) = outgoing.recv().await {
        let topic = format!("{}/{}", topics.device(&message.device), message.channel);
        let assured = message.assured || message.channel.starts_with("receipt/");
        let qos = if assured {
            QoS::AtLeastOnce
        } else {
            QoS::AtMostOnce
        };
        let properties = PublishProperties {
            message_expiry_interval: message.expiry_s,
            ..PublishProperties::default()
        };
        let sent = client
            .publish_with_properties(topic, qos, false, message.payload, properties)
            .await;
        if let Err(error) = sent {
            tracing::warn!(%error, "a message to a device could not be handed to the external broker");
        }
    }
}

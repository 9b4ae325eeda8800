//! The same flow over another program's broker, as its MQTT 5 client with manual acknowledgement.
//!
//! Each message is acknowledged to that broker only when it is durable here. Since that broker has acknowledged it to the
//! device long before, the promise to the device is the receipt: a device behind an external broker keeps a message until
//! its receipt comes. Who may publish what is the operator's duty there (an access list by client identity, for
//! `station/v1/{station}/{device}/…`), as is keeping personal topics off that broker's disk.
//!
//! Three loops: one reads and never waits for the others ([`reading`]), one takes in ([`taking`]), one sends.

mod line;
mod reading;
mod taking;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use edge_config::ExternalBroker;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, PublishProperties};
use rumqttc::v5::{AsyncClient, MqttOptions};
use schemas::topic::{ROOT, Topics};
use tokio::sync::{mpsc, watch};

use crate::ingress::{Arrival, Ingress, Taken};
use crate::outlet::{Outgoing, Outlet};
use line::Line;
use reading::Reading;

/// Messages of devices under way at once: the Receive Maximum of the connection.
const RECEIVE_MAX: u16 = 256;
/// Requests to the client's own queue.
const REQUESTS_MAX: usize = 512;
/// How long the session at the broker outlives a connection, in s.
const SESSION_EXPIRY_S: u32 = 7 * 86_400;

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
    let take = move |arrival: Arrival| ingress.take_in_turn(arrival);
    serve(options, topics, take, outgoing, subscribed, stop).await;
    Ok(())
}

async fn serve<T, F>(
    options: MqttOptions,
    topics: Topics,
    take: T,
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
    subscribed: watch::Sender<bool>,
    stop: watch::Receiver<bool>,
) where
    T: Fn(Arrival) -> F + Send + Sync,
    F: Future<Output = Taken> + Send,
{
    let (client, events) = AsyncClient::new(options, REQUESTS_MAX);
    let (arrived, arrivals) = mpsc::channel(2 * usize::from(RECEIVE_MAX));
    let line = Line::default();
    let reading = Reading::new(events, client.clone(), filters(&topics), &line, subscribed);
    let taking = taking::take_all(&client, &topics, &line, take, arrivals);
    let sending = send_all(client.clone(), topics.clone(), outgoing);
    // Reading ends at the stop, and what was read is then still taken in; sending ends with the program.
    let work = async { tokio::join!(reading.read(arrived, stop), taking) };
    tokio::select! {
        ((), ()) = work => {}
        () = sending => {}
    }
}

fn options(broker: &ExternalBroker) -> anyhow::Result<MqttOptions> {
    anyhow::ensure!(
        !broker.url.tls,
        "mqtts:// to an external broker is not part of this build"
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

/// What devices publish; not what the gateway publishes itself, nor what barcodes say, which only kiosks wait for. Of measurements
/// only totals are looked at, but a filter cannot say so.
fn filters(topics: &Topics) -> Vec<Filter> {
    [
        "$state",
        "desc",
        "state",
        "prop/+",
        "event/+",
        "cmd/+/reply",
        "request/+",
        "blob/#",
    ]
    .map(|channel| {
        Filter::new(
            format!("{ROOT}/{}/+/{channel}", topics.station()),
            QoS::AtLeastOnce,
        )
    })
    .into()
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

//! One connection after the other, until the link is closed. A fresh client for each, so that what goes
//! out again is decided by the outbox alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rumqttc::Outgoing as Sent;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, LastWill, Packet, PubAckReason, Publish};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use schemas::words::DeviceKind;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::inbound::{Inbound, parse};
use super::memory::Seen;
use super::outbox::{Outgoing, Verdict};
use super::shared::Shared;

/// Bytes around a payload: topic, properties, header.
const PACKET_OVERHEAD_BYTES: usize = 1024;
/// Room in the client's own queue beside the messages in flight: subscriptions and the disconnect.
const REQUESTS_BESIDE: usize = 16;

enum End {
    Closed,
    Lost,
}

/// Keeps the link up until it is closed or the task is aborted.
pub(super) async fn run(shared: Arc<Shared>, inbound: mpsc::Sender<Inbound>) {
    let limits = shared.config.limits.clone();
    let mut closing = shared.closing();
    let mut first = true;
    let mut pause_ms = limits.backoff_ms_min;
    loop {
        let began = Instant::now();
        let end = connect_once(&shared, &inbound, first).await;
        let stood = shared.lock().connected;
        shared.disconnected();
        if matches!(end, End::Closed) || *closing.borrow() {
            return;
        }
        if stood {
            first = false;
        }
        if stood && began.elapsed() > Duration::from_secs(1) {
            pause_ms = limits.backoff_ms_min;
        }
        // Jitter keeps a hall of devices from coming back in the same instant.
        let jittered = pause_ms / 2 + fastrand::u64(0..=pause_ms / 2);
        tokio::select! {
            () = sleep(Duration::from_millis(jittered)) => {}
            _ = closing.changed() => return,
        }
        pause_ms = (pause_ms * 2).min(limits.backoff_ms_max);
    }
}

async fn connect_once(shared: &Shared, inbound: &mpsc::Sender<Inbound>, first: bool) -> End {
    let requests = usize::from(shared.config.limits.in_flight_max) + REQUESTS_BESIDE;
    let (client, events) = AsyncClient::new(options(shared, first), requests);
    // Polling is not cancel-safe, so it has a task of its own; the set aborts it when this ends.
    let (sender, mut receiver) = mpsc::channel(64);
    let mut poller = JoinSet::new();
    poller.spawn(poll(events, sender));
    let end = serve(shared, inbound, &client, &mut receiver).await;
    if matches!(end, End::Closed) && client.try_disconnect().is_ok() {
        let left = async { while receiver.recv().await.is_some() {} };
        timeout(Duration::from_millis(500), left).await.ok();
    }
    end
}

fn options(shared: &Shared, first: bool) -> MqttOptions {
    let config = &shared.config;
    let limits = &config.limits;
    let mut options = MqttOptions::new(
        config.device.as_str(),
        config.broker.host.clone(),
        config.broker.port,
    );
    let packet = limits.payload_bytes_max + PACKET_OVERHEAD_BYTES;
    options.set_keep_alive(Duration::from_secs(u64::from(limits.keep_alive_s)));
    // The first connection of a life starts clean: commands to an earlier life are not for this one.
    options.set_clean_start(first);
    options.set_session_expiry_interval(Some(limits.session_expiry_s));
    options.set_max_packet_size(u32::try_from(packet).ok());
    options.set_outgoing_inflight_upper_limit(limits.in_flight_max.max(1));
    options.set_connection_timeout(5);
    let (topic, payload) = shared.will();
    options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true, None));
    let mut network = options.network_options();
    network.set_tcp_nodelay(true);
    options.set_network_options(network);
    #[cfg(feature = "tls")]
    if let Some(tls) = &config.tls {
        let tls = rumqttc::TlsConfiguration::Rustls(Arc::clone(tls));
        options.set_transport(rumqttc::Transport::tls_with_config(tls));
    }
    options
}

async fn poll(mut events: EventLoop, sender: mpsc::Sender<Result<Event, ConnectionError>>) {
    loop {
        let event = events.poll().await;
        let failed = event.is_err();
        if sender.send(event).await.is_err() || failed {
            return;
        }
    }
}

async fn serve(
    shared: &Shared,
    inbound: &mpsc::Sender<Inbound>,
    client: &AsyncClient,
    events: &mut mpsc::Receiver<Result<Event, ConnectionError>>,
) -> End {
    let mut closing = shared.closing();
    let goodbye = Duration::from_millis(shared.config.limits.goodbye_ms_max);
    let mut give_up = None;
    loop {
        let due = hand_over(shared, client);
        if *closing.borrow() {
            let give_up = *give_up.get_or_insert_with(|| Instant::now() + goodbye);
            if shared.lock().outbox.is_empty() || give_up <= Instant::now() {
                return End::Closed;
            }
        }
        let until = [due, give_up].into_iter().flatten().min();
        let timer = async {
            match until {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            event = events.recv() => match event {
                Some(Ok(event)) => on_event(shared, inbound, client, event),
                Some(Err(error)) => {
                    // One line for each loss; attempts that fail after it are for the debug level.
                    if shared.lock().connected {
                        tracing::warn!(device = %shared.device(), %error, "connection lost");
                    } else {
                        tracing::debug!(device = %shared.device(), %error, "no connection");
                    }
                    return End::Lost;
                }
                None => return End::Lost,
            },
            () = shared.wake.notified() => {}
            () = timer => {}
            _ = closing.changed(), if !*closing.borrow() => {}
        }
    }
}

/// Hands what waits to the client, as far as the limits go. Says when something postponed is due.
fn hand_over(shared: &Shared, client: &AsyncClient) -> Option<Instant> {
    let mut state = shared.lock();
    let waiting = state.outbox.len();
    shared.config.figures.note(|now| now.outbox_len = waiting);
    if !state.connected {
        return None;
    }
    let due = state.outbox.wake(Instant::now());
    while let Some((topic, payload, retain)) = state.outbox.hand_over() {
        if let Err(error) = client.try_publish(topic, QoS::AtLeastOnce, retain, payload) {
            // The client's queue has room for all that may be in flight, so this is its end; the
            // poller reports that, and the message goes out again.
            tracing::debug!(%error, "the client takes no message");
            break;
        }
    }
    due
}

fn on_event(shared: &Shared, inbound: &mpsc::Sender<Inbound>, client: &AsyncClient, event: Event) {
    match event {
        Event::Outgoing(Sent::Publish(packet_id)) => shared.lock().outbox.on_wire(packet_id),
        Event::Incoming(Packet::ConnAck(_)) => {
            subscribe(shared, client);
            shared.connected();
            if inbound.try_send(Inbound::Connected).is_err() {
                tracing::debug!("the device does not take its messages");
            }
        }
        Event::Incoming(Packet::PubAck(ack)) => {
            let verdict = verdict(ack.reason);
            let now = Instant::now();
            shared.lock().outbox.puback(ack.pkid, verdict, now);
        }
        Event::Incoming(Packet::Publish(publish)) => on_publish(shared, inbound, &publish),
        Event::Incoming(_) | Event::Outgoing(_) => {}
    }
}

fn subscribe(shared: &Shared, client: &AsyncClient) {
    let base = shared.base();
    let mut filters = vec![format!("{base}cmd/+"), format!("{base}receipt/+")];
    if shared.config.description.kind == DeviceKind::Kiosk {
        filters.push(format!("{base}session"));
    }
    let filters = filters
        .into_iter()
        .map(|path| Filter::new(path, QoS::AtLeastOnce));
    if let Err(error) = client.try_subscribe_many(filters) {
        tracing::error!(%error, "not subscribed");
    }
}

fn verdict(reason: PubAckReason) -> Verdict {
    match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Verdict::Taken,
        PubAckReason::QuotaExceeded
        | PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::PacketIdentifierInUse => Verdict::Busy,
        PubAckReason::NotAuthorized
        | PubAckReason::TopicNameInvalid
        | PubAckReason::PayloadFormatInvalid => Verdict::Refused(format!("{reason:?}")),
    }
}

fn on_publish(shared: &Shared, inbound: &mpsc::Sender<Inbound>, publish: &Publish) {
    let Ok(topic) = core::str::from_utf8(&publish.topic) else {
        return;
    };
    let Some(channel) = topic.strip_prefix(shared.base().as_str()) else {
        return;
    };
    let message = match parse(channel, &publish.payload) {
        Ok(message) => message,
        Err(error) => {
            tracing::warn!(topic, error, "a message was not understood");
            return;
        }
    };
    let mut state = shared.lock();
    match &message {
        Inbound::Receipt(receipt) => {
            state.last_receipt = state.last_receipt.max(receipt.place());
            if let Some(id) = &receipt.message_id {
                state.outbox.receipt(id);
            }
        }
        Inbound::Command(command) => match state.memory.look_up(command.id()) {
            Seen::New => shared.config.figures.note(|now| now.commands += 1),
            Seen::Working => {
                shared.config.figures.note(|now| now.repeated_commands += 1);
                return;
            }
            Seen::Answered(reply) => {
                shared.config.figures.note(|now| now.repeated_commands += 1);
                // A reply that is still on its way will arrive; a second copy adds nothing.
                if !state.outbox.holds(&reply.message_id) {
                    let again = Outgoing {
                        topic: reply.topic,
                        payload: reply.payload,
                        retain: false,
                        message_id: Some(reply.message_id),
                        done: None,
                    };
                    if let Err(error) = state.outbox.push(again) {
                        tracing::error!(%error, "a reply was not repeated");
                    }
                }
                return;
            }
        },
        Inbound::Prompt(_) | Inbound::Connected => {}
    }
    drop(state);
    if let Err(refused) = inbound.try_send(message) {
        // The gateway asks again; only then is it a new command.
        if let Inbound::Command(command) = refused.into_inner() {
            tracing::error!(
                topic,
                "a command was dropped: the device does not take them"
            );
            shared.lock().memory.forget(command.id());
        }
    }
}

//! Drives the connection to the external broker: reads, subscribes, and connects again. It must never wait for the other
//! loops: what they hand to the client is sent only by reading on.

use std::time::{Duration, Instant};

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish, SubAck, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop};
use tokio::sync::{mpsc, watch};

use super::line::Line;
use super::taking::Arrived;

/// Before the next attempt to reach a broker that is not there.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
/// Before the next connection, where this one was given up from here; doubled up to the longest with each that does not
/// last.
const AGAIN_PAUSE: Duration = Duration::from_secs(1);
const AGAIN_PAUSE_MAX: Duration = Duration::from_secs(30);

pub(super) struct Reading<'a> {
    events: EventLoop,
    client: AsyncClient,
    filters: Vec<Filter>,
    line: &'a Line,
    subscribed: watch::Sender<bool>,
    /// Subscriptions that the client's queue had no place for yet.
    owes_subscriptions: bool,
    connected: Instant,
    again_pause: Duration,
}

/// What woke the loop.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it does not leave the loop"
)]
enum Wake {
    Stop,
    Again,
    Event(Result<Event, ConnectionError>),
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        events: EventLoop,
        client: AsyncClient,
        filters: Vec<Filter>,
        line: &'a Line,
        subscribed: watch::Sender<bool>,
    ) -> Self {
        Self {
            events,
            client,
            filters,
            line,
            subscribed,
            owes_subscriptions: false,
            connected: Instant::now(),
            again_pause: AGAIN_PAUSE,
        }
    }

    /// Reads until `stop`.
    pub(super) async fn read(
        mut self,
        arrived: mpsc::Sender<Arrived>,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            self.subscribe();
            let wake = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => Wake::Stop,
                () = self.line.asked_again() => Wake::Again,
                event = self.events.poll() => Wake::Event(event),
            };
            let pause = match wake {
                Wake::Stop => return self.goodbye().await,
                Wake::Again => Some(self.give_up()),
                Wake::Event(Ok(event)) => self.on_event(event, &arrived),
                Wake::Event(Err(error)) => {
                    tracing::warn!(%error, "the external broker cannot be reached; trying again");
                    self.lost();
                    Some(RECONNECT_PAUSE)
                }
            };
            if let Some(pause) = pause {
                let stops = stop.wait_for(|stop| *stop);
                let stopped = tokio::time::timeout(pause, stops).await.is_ok();
                if stopped {
                    return self.goodbye().await;
                }
            }
        }
    }

    /// How long to wait before the next connection, if this one is over.
    fn on_event(&mut self, event: Event, arrived: &mpsc::Sender<Arrived>) -> Option<Duration> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                tracing::info!("connected to the external broker");
                self.line.next();
                self.connected = Instant::now();
                self.owes_subscriptions = true;
                None
            }
            Event::Incoming(Packet::Publish(publish)) => self.on_publish(publish, arrived),
            Event::Incoming(Packet::SubAck(answer)) => self.on_suback(&answer),
            Event::Incoming(_) | Event::Outgoing(_) => None,
        }
    }

    /// More than fits cannot be under way within the Receive Maximum, unless what came by earlier connections still waits.
    /// Then the broker keeps it.
    fn on_publish(
        &mut self,
        publish: Publish,
        arrived: &mpsc::Sender<Arrived>,
    ) -> Option<Duration> {
        let is_assured = publish.qos != QoS::AtMostOnce;
        let line = self.line.number();
        match arrived.try_send(Arrived { publish, line }) {
            Err(mpsc::error::TrySendError::Full(_)) if is_assured => Some(self.give_up()),
            Ok(()) | Err(_) => None,
        }
    }

    fn on_suback(&mut self, answer: &SubAck) -> Option<Duration> {
        let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
        if answer.return_codes.iter().all(granted) {
            self.subscribed.send_replace(true);
            return None;
        }
        tracing::error!(codes = ?answer.return_codes, "the external broker refused a subscription; trying again");
        Some(self.give_up())
    }

    /// Asks for the subscriptions, again and again until the client takes them: its queue moves with every event.
    fn subscribe(&mut self) {
        if self.owes_subscriptions {
            let asked = self.client.try_subscribe_many(self.filters.clone());
            self.owes_subscriptions = asked.is_err();
        }
    }

    /// Drops the connection; the session at the broker goes on, and what was not acknowledged comes again.
    fn give_up(&mut self) -> Duration {
        self.events.clean();
        self.lost();
        if self.connected.elapsed() > AGAIN_PAUSE_MAX {
            self.again_pause = AGAIN_PAUSE;
        }
        let pause = self.again_pause;
        self.again_pause = (pause * 2).min(AGAIN_PAUSE_MAX);
        tracing::warn!(
            pause_s = pause.as_secs(),
            "connecting to the external broker again"
        );
        pause
    }

    fn lost(&mut self) {
        self.line.next();
        self.owes_subscriptions = false;
        self.subscribed.send_replace(false);
    }

    async fn goodbye(mut self) {
        // A goodbye that cannot be queued is a connection that breaks.
        self.client.try_disconnect().ok();
        tokio::time::timeout(RECONNECT_PAUSE, self.events.poll())
            .await
            .ok();
    }
}

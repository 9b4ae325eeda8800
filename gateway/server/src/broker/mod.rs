//! The embedded broker's door: who is connecting, what they may do, and when a message may be acknowledged.
//!
//! The broker knows no station; this module tells it. It must never let a sender publish under another device's id, and
//! denies whatever it does not know.

mod acl;
mod identity;
mod outlet;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use edge_config::{BrokerLimits, EmbeddedBroker, Station};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use gateway_broker::{
    Action, Config, ConnectRefusal, Event, Handler, Hello, Identity, Legacy, Limits, Listener,
    Message, PublishOutcome, PublishRefusal, Storage, Transport,
};
use schemas::topic::{FromDevice, Topics};

use crate::ingress::{Arrival, Ingress, Taken};
use crate::metrics::Metrics;
use crate::tls::TlsFiles;
pub use acl::Acl;
pub use outlet::BrokerOutlet;
pub use store::LogStore;

/// Names of the listeners, as the handler is told them.
pub(crate) const PLAIN: &str = "mqtt";
const PLAIN_WEBSOCKET: &str = "websocket";
const TLS: &str = "mqtts";
const TLS_WEBSOCKET: &str = "websocket-tls";

/// The handler of the embedded broker.
#[derive(Debug)]
pub struct Gate {
    topics: Topics,
    acl: Acl,
    metrics: Metrics,
    way: Way,
}

/// Where messages go.
#[derive(Debug)]
pub enum Way {
    /// To the pipeline.
    Open(Ingress),
    /// Nowhere: the log is closed, and every message is refused until there is room.
    Closed,
}

impl Gate {
    /// The door of this station.
    pub fn new(station: &Station, metrics: Metrics, way: Way) -> Self {
        let topics = Topics::new(station.id.clone());
        Self {
            acl: Acl::new(station, topics.clone()),
            topics,
            metrics,
            way,
        }
    }

    fn take(&self, message: &Message) -> Option<(BoxFuture<'static, Taken>, bool)> {
        let (device, channel) = self.topics.parse(&message.topic)?;
        let routed = is_routed(&channel);
        let Way::Open(ingress) = &self.way else {
            return None;
        };
        let payload = Bytes::clone(&message.payload);
        let arrival = Arrival {
            device,
            channel,
            topic: Arc::clone(&message.topic),
            payload,
            again: message.duplicate,
        };
        Some((ingress.take(arrival), routed))
    }
}

impl Handler for Gate {
    fn connect(&self, hello: &Hello<'_>) -> Result<Identity, ConnectRefusal> {
        identity::identify(hello, &self.acl)
    }

    fn authorise(&self, identity: &Identity, action: Action, topic: &str) -> bool {
        self.acl.allows(&identity.principal, action, topic)
    }

    fn publish(
        &self,
        _identity: &Identity,
        message: Message,
    ) -> BoxFuture<'static, PublishOutcome> {
        match (self.take(&message), &self.way) {
            (Some((taken, routed)), _) => async move { outcome(taken.await, routed) }.boxed(),
            (None, Way::Open(_)) => {
                std::future::ready(refused(PublishRefusal::TopicNameInvalid)).boxed()
            }
            (None, Way::Closed) => {
                // Valid, and not wanted now. Closing makes a 3.1.1 client keep its message.
                let reason = PublishRefusal::ImplementationSpecific;
                let outcome = PublishOutcome::Refused {
                    reason,
                    legacy: Legacy::Close,
                };
                std::future::ready(outcome).boxed()
            }
        }
    }

    fn storage(&self, topic: &str) -> Storage {
        if self.acl.is_personal(topic) || self.acl.is_command(topic) {
            Storage::MEMORY
        } else {
            Storage::DURABLE
        }
    }

    fn observe(&self, event: Event) {
        match event {
            Event::Connected { identity, .. } => {
                self.metrics.broker_connections.inc();
                tracing::debug!(client = %identity.client_id, "connected");
            }
            Event::Disconnected { identity, reason } => {
                self.metrics.broker_connections.dec();
                tracing::debug!(client = %identity.client_id, ?reason, "disconnected");
            }
            Event::Refused { reason, .. } => {
                self.metrics
                    .broker_refused
                    .with_label_values(&[identity::refusal_word(reason)])
                    .inc();
            }
            Event::Rejected { .. } => {
                self.metrics
                    .broker_refused
                    .with_label_values(&["before-connect"])
                    .inc();
            }
            Event::QueueFull { client_id } => {
                tracing::warn!(client = %client_id, "a message was dropped, the client's queue is full");
            }
            Event::StoreFailed => tracing::error!("the broker's store failed"),
            Event::PanicCaught => tracing::error!("a panic in packet parsing was caught"),
            Event::SessionExpired { .. } => {}
            other => tracing::debug!(?other, "the broker tells what this version does not know"),
        }
    }
}

/// Requests, blobs and replies that carry personal data end here; the rest is passed on to whoever may see it.
fn is_routed(channel: &FromDevice) -> bool {
    match channel {
        FromDevice::Request(_) | FromDevice::Blob(_) | FromDevice::Image(..) => false,
        FromDevice::Reply(name) => name != "read" && name != "match",
        FromDevice::State
        | FromDevice::Description
        | FromDevice::Status
        | FromDevice::Property(_)
        | FromDevice::Scan
        | FromDevice::Event(_) => true,
    }
}

/// architecture.md, "What is acknowledged how". What was not taken for good is acknowledged to a 3.1.1 client, which
/// would bring it back for ever otherwise; what may be taken another time closes its connection.
fn outcome(taken: Taken, routed: bool) -> PublishOutcome {
    match taken {
        Taken::Yes if routed => PublishOutcome::Accepted,
        Taken::Yes => PublishOutcome::Consumed,
        Taken::Unreadable | Taken::IdReused => refused(PublishRefusal::PayloadFormatInvalid),
        // Nobody asked for it, and nobody will: what a session asks for has a command of its own.
        Taken::NotKept => refused(PublishRefusal::NotAuthorised),
        Taken::Busy => PublishOutcome::Refused {
            reason: PublishRefusal::QuotaExceeded,
            legacy: Legacy::Close,
        },
        Taken::Failed => PublishOutcome::Refused {
            reason: PublishRefusal::Unspecified,
            legacy: Legacy::Close,
        },
    }
}

fn refused(reason: PublishRefusal) -> PublishOutcome {
    PublishOutcome::Refused {
        reason,
        legacy: Legacy::Acknowledge,
    }
}

/// The broker's configuration; reads the TLS files.
pub fn config(embedded: &EmbeddedBroker) -> anyhow::Result<Config> {
    let mut listeners = Vec::new();
    if let Some(address) = embedded.tcp {
        listeners.push(Listener::tcp(PLAIN, address));
    }
    if let Some(address) = embedded.websocket {
        let transport = Transport::WebSocket;
        listeners.push(Listener {
            name: PLAIN_WEBSOCKET.to_owned(),
            address,
            transport,
        });
    }
    if let Some(tls) = &embedded.tls {
        let files = TlsFiles {
            certificate: &tls.certificate,
            key: &tls.key,
            client_ca: &tls.client_ca,
            crl: tls.crl.as_deref(),
        };
        let config = files.read()?;
        let transport = Transport::Tls(config.clone());
        listeners.push(Listener {
            name: TLS.to_owned(),
            address: tls.listen,
            transport,
        });
        if let Some(address) = tls.websocket {
            let transport = Transport::WebSocketTls(config);
            listeners.push(Listener {
                name: TLS_WEBSOCKET.to_owned(),
                address,
                transport,
            });
        }
    }
    Ok(Config {
        listeners,
        limits: limits(&embedded.limits),
    })
}

fn limits(configured: &BrokerLimits) -> Limits {
    Limits {
        connections_max: configured.connections_max,
        connect_timeout_ms: configured.connect_timeout_ms,
        packet_bytes_max: configured.packet_bytes_max,
        receive_max: configured.receive_max,
        outbound_inflight_max: configured.outbound_inflight_max,
        queue_len_max: configured.queue_len_max,
        queue_bytes_max: configured.queue_bytes_max,
        topic_levels_max: configured.topic_levels_max,
        topic_bytes_max: configured.topic_bytes_max,
        subscriptions_per_session_max: configured.subscriptions_per_session_max,
        retained_count_max: configured.retained_count_max,
        retained_bytes_max: configured.retained_bytes_max,
        sessions_max: configured.sessions_max,
        session_expiry_s_max: configured.session_expiry_s_max,
        keep_alive_s_max: configured.keep_alive_s_max,
        store_key_bytes_max: gateway_log::Limits::KV_KEY_BYTES_CEILING,
        store_value_bytes_max: gateway_log::Limits::KV_VALUE_BYTES_CEILING,
        // An observer may subscribe widely; what it is sent is decided message by message.
        authorise_receive: true,
        ..Limits::default()
    }
}

/// The broker once it runs, for an outlet that is needed before.
pub(crate) type Running = Arc<OnceLock<gateway_broker::Broker>>;

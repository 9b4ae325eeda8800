//! The broker that the devices use, whichever it is: started before the loop, stopped before it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use edge_config::Broker;
use gateway_log::Log;
use schemas::topic::Topics;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::prepare::Prepared;
use crate::broker::{self, BrokerOutlet, Gate, LogStore, Way};
use crate::external::{self, ExternalOutlet};
use crate::ingress::Ingress;
use crate::outlet::{Outgoing, Outlet};
use crate::service::Service;

/// How long the start waits for the external broker.
const SUBSCRIBED_MAX: Duration = Duration::from_secs(5);
/// How long the external broker's connection may take to end.
const GOODBYE_MAX: Duration = Duration::from_secs(5);

/// The broker of the devices.
#[derive(Debug)]
pub(super) enum DevicesBroker {
    Embedded {
        outlet: BrokerOutlet,
        broker: Option<gateway_broker::Broker>,
    },
    External {
        outlet: ExternalOutlet,
        outgoing: Option<mpsc::UnboundedReceiver<Outgoing>>,
        running: Option<(watch::Sender<bool>, JoinHandle<anyhow::Result<()>>)>,
    },
}

impl DevicesBroker {
    pub(super) fn choose(prepared: &Prepared) -> Self {
        match &prepared.station.broker {
            Broker::Embedded(_) => {
                let outlet = BrokerOutlet::new(Topics::new(prepared.station.id.clone()));
                Self::Embedded {
                    outlet,
                    broker: None,
                }
            }
            Broker::External(_) => {
                let (outlet, outgoing) = ExternalOutlet::new();
                Self::External {
                    outlet,
                    outgoing: Some(outgoing),
                    running: None,
                }
            }
        }
    }

    /// Where messages to devices go out.
    pub(super) fn outlet(&self) -> Arc<dyn Outlet> {
        match self {
            Self::Embedded { outlet, .. } => Arc::new(outlet.clone()),
            Self::External { outlet, .. } => Arc::new(outlet.clone()),
        }
    }

    pub(super) async fn start(
        &mut self,
        prepared: &Prepared,
        ingress: Ingress,
        log: &Log,
    ) -> anyhow::Result<()> {
        match (self, &prepared.station.broker) {
            (Self::Embedded { outlet, broker }, Broker::Embedded(embedded)) => {
                let gate = Gate::new(
                    &prepared.station,
                    prepared.metrics.clone(),
                    Way::Open(ingress),
                );
                let store = Arc::new(LogStore::new(log.clone()));
                let started =
                    gateway_broker::Broker::start(broker::config(embedded)?, Arc::new(gate), store)
                        .await;
                let started = started.context("the broker cannot start")?;
                outlet.connect(started.clone());
                *broker = Some(started);
            }
            (
                Self::External {
                    outgoing, running, ..
                },
                Broker::External(configured),
            ) => {
                let outgoing = outgoing
                    .take()
                    .context("the external broker is started once")?;
                let (stop, stopping) = watch::channel(false);
                let (subscribed, mut heard) = watch::channel(false);
                let (configured, topics) =
                    (configured.clone(), Topics::new(prepared.station.id.clone()));
                let task = tokio::spawn(async move {
                    external::run(&configured, topics, ingress, outgoing, subscribed, stopping)
                        .await
                });
                *running = Some((stop, task));
                prepared.service.hears(false);
                tokio::spawn(follow(prepared.service.clone(), heard.clone()));
                // Not longer: without that broker the station still keeps its deadlines.
                let waited =
                    tokio::time::timeout(SUBSCRIBED_MAX, heard.wait_for(|heard| *heard)).await;
                if !matches!(waited, Ok(Ok(_))) {
                    tracing::warn!("the external broker is not there yet");
                }
            }
            (Self::Embedded { .. } | Self::External { .. }, _) => {}
        }
        Ok(())
    }

    /// Where devices of this program itself reach the broker, and whether its acknowledgement is the promise. None:
    /// only over TLS.
    pub(super) fn address(&self, configured: &Broker) -> Option<(String, u16, bool)> {
        match (self, configured) {
            (Self::Embedded { .. }, Broker::Embedded(_)) => {
                let tcp = self.plain_tcp()?;
                Some((tcp.ip().to_string(), tcp.port(), true))
            }
            (_, Broker::External(external)) if !external.url.tls => {
                Some((external.url.host.clone(), external.url.port, false))
            }
            _ => None,
        }
    }

    /// The bound address of the plain listener.
    pub(super) fn plain_tcp(&self) -> Option<SocketAddr> {
        let Self::Embedded {
            broker: Some(broker),
            ..
        } = self
        else {
            return None;
        };
        broker
            .local_addrs()
            .iter()
            .find(|(name, _)| name == broker::PLAIN)
            .map(|(_, address)| *address)
    }

    /// What is committed is acknowledged, and clients hear goodbye.
    pub(super) async fn stop(&mut self) {
        match self {
            Self::Embedded { broker, .. } => {
                if let Some(broker) = broker.take() {
                    broker.shutdown().await;
                }
            }
            Self::External { running, .. } => {
                let Some((stop, task)) = running.take() else {
                    return;
                };
                stop.send_replace(true);
                match tokio::time::timeout(GOODBYE_MAX, task).await {
                    Ok(Ok(Ok(()))) => {}
                    Ok(Ok(Err(error))) => {
                        tracing::error!(error = format!("{error:#}"), "external broker");
                    }
                    Ok(Err(ended)) => {
                        let error = panics::Unfinished::from(ended);
                        tracing::error!(%error, "the external broker's task");
                    }
                    Err(_elapsed) => tracing::warn!("the external broker did not let go in time"),
                }
            }
        }
    }
}

/// Keeps the standing up to date until the broker's connection has ended.
async fn follow(service: Service, mut heard: watch::Receiver<bool>) {
    loop {
        service.hears(*heard.borrow_and_update());
        if heard.changed().await.is_err() {
            return;
        }
    }
}

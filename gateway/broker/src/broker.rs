//! The broker as its owner sees it: start, speak, look, stop.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use crate::config::{Config, ConfigError};
use crate::handler::{DisconnectReason, Event, Handler, Identity};
use crate::lifecycle;
use crate::listener::{self, Speaks};
use crate::message::Message;
use crate::restore::restore;
use crate::shared::{Clock, Shared};
use crate::store::{Store, StoreError};
use crate::tls::{TlsConfig, TlsError};
use crate::topic;
use crate::writer::{Writer, settled};

/// How often retained messages that ran out are looked for.
const SWEEP: Duration = Duration::from_mins(1);

/// A running broker. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Broker {
    shared: Arc<Shared>,
    addrs: Arc<[(String, SocketAddr)]>,
    speaks: Arc<HashMap<String, Arc<Speaks>>>,
    /// The listeners' tasks; taken by the first that shuts the broker down.
    accepting: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker")
            .field("addrs", &self.addrs)
            .finish_non_exhaustive()
    }
}

/// Why a broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS material that cannot be used.
    #[error("listener {listener}: {source}")]
    Tls {
        /// Which listener.
        listener: String,
        /// What is wrong.
        source: TlsError,
    },
    /// An address that cannot be bound.
    #[error("listener {listener}: cannot listen on {address}: {source}")]
    Bind {
        /// Which listener.
        listener: String,
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a message of the server's own was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// Not a topic name (empty, with wildcards, too long or too deep).
    #[error("not a valid topic name")]
    TopicInvalid,
    /// It was routed, but what had to be stored for absent subscribers is not durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counters and gauges, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Clients connected now.
    pub connections: usize,
    /// Sessions now, connected or not.
    pub sessions: usize,
    /// Subscriptions now.
    pub subscriptions: usize,
    /// Messages queued for sessions now, in flight included.
    pub queued: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// Retained messages now.
    pub retained: usize,
    /// Their bytes.
    pub retained_bytes: usize,
    /// CONNECTs accepted since start.
    pub connects: u64,
    /// CONNECTs refused, and sockets given up before CONNECT, since start.
    pub refused: u64,
    /// PUBLISH packets received since start.
    pub publish_received: u64,
    /// PUBACK and PUBREC with success sent since start.
    pub publish_acknowledged: u64,
    /// PUBLISH packets refused since start.
    pub publish_refused: u64,
    /// PUBLISH packets sent since start.
    pub publish_sent: u64,
    /// Messages dropped since start because a queue or the retained store was full.
    pub dropped: u64,
    /// Panics caught in packet parsing since start.
    pub panics: u64,
}

impl Broker {
    /// Loads the store, binds every listener, and serves until [`shutdown`](Self::shutdown).
    /// Must be called within a tokio runtime.
    pub async fn start(
        config: Config,
        handler: Arc<dyn Handler>,
        store: Arc<dyn Store>,
    ) -> Result<Self, StartError> {
        config.limits.check()?;
        if config.listeners.is_empty() {
            return Err(ConfigError::NoListener.into());
        }
        let clock = Clock::start();
        let (state, tidy) = restore(store.load()?, &config.limits, clock.now_ms())?;
        let mut bound = Vec::new();
        for listener in &config.listeners {
            let name = || listener.name.clone();
            let speaks =
                listener::speaks(&listener.transport).map_err(|source| StartError::Tls {
                    listener: name(),
                    source,
                })?;
            bound.push(
                listener::bind(listener, speaks).map_err(|source| StartError::Bind {
                    listener: name(),
                    address: listener.address,
                    source,
                })?,
            );
        }
        let observer = Arc::clone(&handler);
        let writer = Writer::start(store, move || observer.observe(Event::StoreFailed));
        settled(writer.write(tidy)).await?;
        let shared = Arc::new(Shared::new(config.limits, handler, writer, clock, state));
        let addrs = bound
            .iter()
            .map(|b| (b.name.to_string(), b.address))
            .collect();
        let speaks = bound
            .iter()
            .map(|b| (b.name.to_string(), Arc::clone(&b.speaks)))
            .collect();
        let accept = |listener| tokio::spawn(listener::accept_all(Arc::clone(&shared), listener));
        let accepting = bound.into_iter().map(accept).collect();
        tokio::spawn(tend_always(Arc::clone(&shared)));
        Ok(Self {
            shared,
            addrs,
            speaks: Arc::new(speaks),
            accepting: Arc::new(Mutex::new(accepting)),
        })
    }

    /// Name and bound address of each listener, in the order of the configuration.
    pub fn local_addrs(&self) -> &[(String, SocketAddr)] {
        &self.addrs
    }

    /// Publishes a message of the server's own: routed (and retained) before this returns, in call
    /// order. The future resolves when what had to be stored is durable; it need not be awaited.
    pub fn publish(&self, message: Message) -> BoxFuture<'static, Result<(), PublishError>> {
        if !topic::name_is_valid(&message.topic, &self.shared.limits) {
            return std::future::ready(Err(PublishError::TopicInvalid)).boxed();
        }
        let ((), written) = self
            .shared
            .change(|state, cx, ops| state.route(cx, &message, None, ops));
        async move { Ok(settled(written).await?) }.boxed()
    }

    /// Ends a client's connection (MQTT 5 reason 0x98). False when it is not connected.
    pub fn disconnect(&self, client_id: &str) -> bool {
        self.disconnect_where(|identity| &*identity.client_id == client_id) > 0
    }

    /// Ends every connection whose identity matches, for example after a revocation. Returns how many.
    pub fn disconnect_where(&self, matches: impl Fn(&Identity) -> bool) -> usize {
        self.close_where(DisconnectReason::Administrative, matches)
    }

    fn close_where(&self, reason: DisconnectReason, matches: impl Fn(&Identity) -> bool) -> usize {
        let state = self.shared.state();
        let online = state
            .sessions
            .values()
            .filter_map(|s| Some((&s.identity, s.online.as_ref()?)));
        online
            .filter(|(identity, _)| matches(identity))
            .map(|(_, link)| link.close(reason))
            .count()
    }

    /// Who is connected now.
    pub fn clients(&self) -> Vec<Identity> {
        let state = self.shared.state();
        let online = state.sessions.values().filter(|s| s.online.is_some());
        online.map(|s| s.identity.clone()).collect()
    }

    /// Gives a TLS listener new certificates, roots or revocation lists, for connections to come.
    /// Connections that stand are not touched: see [`disconnect_where`](Self::disconnect_where).
    /// False when there is no TLS listener of that name.
    pub fn replace_tls(&self, listener: &str, tls: &TlsConfig) -> Result<bool, TlsError> {
        let Some(slot) = self
            .speaks
            .get(listener)
            .and_then(|speaks| speaks.tls.as_ref())
        else {
            return Ok(false);
        };
        *slot.write().unwrap_or_else(PoisonError::into_inner) = tls.server_config()?;
        Ok(true)
    }

    /// Figures of this moment.
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        let mut stats = Stats {
            connects: counters.connects.get(),
            refused: counters.refused.get(),
            publish_received: counters.publish_received.get(),
            publish_acknowledged: counters.publish_acknowledged.get(),
            publish_refused: counters.publish_refused.get(),
            publish_sent: counters.publish_sent.get(),
            dropped: counters.dropped.get(),
            panics: counters.panics.get(),
            ..Stats::default()
        };
        let state = self.shared.state();
        stats.sessions = state.sessions.len();
        stats.subscriptions = state.trie.len();
        stats.retained = state.retained.len();
        stats.retained_bytes = state.retained.bytes();
        for session in state.sessions.values() {
            stats.connections += usize::from(session.online.is_some());
            stats.queued += session.outbox.len();
            stats.queued_bytes += session.outbox.bytes();
        }
        stats
    }

    /// Stops: no new connections, what is committed is acknowledged, clients get DISCONNECT with
    /// "server shutting down", the store is flushed. Wills stay stored and are published after the
    /// next start unless their client is back by then.
    pub async fn shutdown(&self) {
        self.shared.stopping.send_replace(true);
        // The listeners first: their addresses are free when this returns, and nobody comes in any more.
        let accepting = {
            let mut accepting = self
                .accepting
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *accepting)
        };
        for listener in accepting {
            // One that panicked has let go of its address as well.
            listener.await.ok();
        }
        self.close_where(DisconnectReason::ServerShuttingDown, |_| true);
        let all = u32::try_from(self.shared.limits.connections_max).unwrap_or(u32::MAX);
        // Each connection gives its place back when it is closed; drain and linger are limited.
        drop(self.shared.places.acquire_many(all).await);
        // The writer has reported a failure already.
        drop(self.shared.flush().await);
    }
}

/// Fires delayed wills, ends sessions and retained messages that ran out. Sleeps otherwise.
async fn tend_always(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.subscribe();
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = lifecycle::tend(&shared).map(|at_ms| shared.clock.instant(at_ms));
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = shared.timers_changed.notified() => {}
            _ = sweep.tick() => lifecycle::sweep_retained(&shared),
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

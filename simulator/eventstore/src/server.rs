//! A server: one store, its nodes, and what ends them.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server as Grpc;

use crate::control;
use crate::faults::{Cut, Faults};
use crate::journal::OpenError;
use crate::net::{self, TlsError};
use crate::node::{Cluster, Node, basic};
use crate::protocol::gossip::gossip_server::GossipServer;
use crate::protocol::persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptionsServer;
use crate::protocol::server_features::server_features_server::ServerFeaturesServer;
use crate::protocol::streams::streams_server::StreamsServer;
use crate::service::groups::Groups;
use crate::service::{ClusterService, PersistentService, StreamsService};
use crate::store::Store;

/// Largest message of a client, in bytes: as the real server's.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Connections that were accepted and wait for gRPC.
const CONNECTIONS_LEN: usize = 64;

/// Configuration of a server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Folder of the store; made if missing.
    pub folder: PathBuf,
    /// Where the nodes listen, one address for each; port 0 for any free one. The first node leads.
    pub nodes: Vec<SocketAddr>,
    /// Where faults can be commanded over HTTP, if at all. Loopback.
    pub control: Option<SocketAddr>,
    /// User and password that clients must give; none: everyone is let in.
    pub credentials: Option<(String, String)>,
    /// PEM files of the certificate chain and its key; none: no TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Largest append, in bytes: data, metadata and twice the type of its events.
    pub append_bytes_max: usize,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The certificate or its key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The control address is not loopback: whoever reaches it can do harm.
    #[error("the control address {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// There must be a node.
    #[error("no address to listen on")]
    NoNode,
}

/// A node: a listener of the store, with faults of its own.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    address: SocketAddr,
    faults: Faults,
}

/// A running server. Dropped, it ends as a killed process does.
#[derive(Debug)]
pub struct Server {
    store: Arc<Store>,
    cluster: Arc<Cluster>,
    nodes: Vec<NodeHandle>,
    control: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl ServerConfig {
    /// One node at any free port of 127.0.0.1, without control address, credentials or TLS.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            nodes: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            control: None,
            credentials: None,
            tls: None,
            append_bytes_max: 1 << 20,
        }
    }
}

impl NodeHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl Server {
    /// Opens the store and listens. Everything runs on the current runtime.
    ///
    /// # Errors
    /// The store cannot be opened, TLS material cannot be used, or an address is taken.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let folder = config.folder.clone();
        let opened = tokio::task::spawn_blocking(move || Store::open(&folder)).await;
        let store =
            Arc::new(opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?);
        let files = config.tls.as_ref();
        let tls = files
            .map(|(chain, key)| net::acceptor(chain, key))
            .transpose()?;
        let listeners = bind_all(&config.nodes)?;
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
        let cluster = Arc::new(Cluster::new(addresses));
        let mut server = Self {
            store: Arc::clone(&store),
            cluster: Arc::clone(&cluster),
            nodes: Vec::new(),
            control: None,
            tasks: Vec::new(),
        };
        let authorization = config.credentials.as_ref();
        let authorization = authorization.map(|(user, password)| basic(user, password));
        let groups = Arc::new(Groups::default());
        for (number, (listener, address)) in listeners.into_iter().enumerate() {
            let faults = Faults::default();
            let node = Node {
                store: Arc::clone(&store),
                groups: Arc::clone(&groups),
                cluster: Arc::clone(&cluster),
                number,
                faults: faults.clone(),
                authorization: authorization.clone(),
                append_bytes_max: config.append_bytes_max,
            };
            server.nodes.push(NodeHandle {
                address,
                faults: faults.clone(),
            });
            let (connections, accepted) = mpsc::channel(CONNECTIONS_LEN);
            let listening = net::listen(listener, address, faults, tls.clone(), connections);
            server.tasks.push(tokio::spawn(listening));
            server.tasks.push(tokio::spawn(serve(node, accepted)));
        }
        if let Some(address) = config.control {
            server.listen_to_control(address)?;
        }
        Ok(server)
    }

    fn listen_to_control(&mut self, address: SocketAddr) -> Result<(), StartError> {
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        let listen = |source| StartError::Listen { address, source };
        let listener = net::bind(address).map_err(listen)?;
        self.control = Some(listener.local_addr().map_err(listen)?);
        let router = control::router(self.nodes.clone(), Arc::clone(&self.cluster));
        self.tasks
            .push(tokio::spawn(control::serve(listener, router)));
        Ok(())
    }

    /// Where the first node listens.
    pub fn address(&self) -> SocketAddr {
        self.cluster
            .addresses()
            .first()
            .copied()
            .unwrap_or_else(|| SocketAddr::from(([0; 4], 0)))
    }

    /// All nodes.
    pub fn nodes(&self) -> &[NodeHandle] {
        &self.nodes
    }

    /// Where faults can be commanded over HTTP.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Makes another node the leader. False: there is no such node.
    pub fn set_leader(&self, node: usize) -> bool {
        self.cluster.set_leader(node)
    }

    /// Ends all connections and closes the store. What was answered for is there at the next start.
    pub async fn shutdown(mut self) {
        self.end();
        for task in self.tasks.drain(..) {
            // It was aborted, or has ended by itself.
            drop(task.await);
        }
        let store = Arc::clone(&self.store);
        if tokio::task::spawn_blocking(move || store.close())
            .await
            .is_err()
        {
            tracing::error!("closing the store panicked");
        }
    }

    fn end(&self) {
        for task in &self.tasks {
            task.abort();
        }
        for node in &self.nodes {
            node.faults.cut(Cut::Close);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn bind_all(
    addresses: &[SocketAddr],
) -> Result<Vec<(tokio::net::TcpListener, SocketAddr)>, StartError> {
    if addresses.is_empty() {
        return Err(StartError::NoNode);
    }
    let bind = |address: &SocketAddr| {
        let bound = net::bind(*address).and_then(|listener| {
            let bound = listener.local_addr()?;
            Ok((listener, bound))
        });
        let address = *address;
        bound.map_err(|source| StartError::Listen { address, source })
    };
    addresses.iter().map(bind).collect()
}

/// Serves a node's connections until it is aborted.
async fn serve(node: Node, connections: mpsc::Receiver<io::Result<net::Connection>>) {
    let streams = StreamsServer::new(StreamsService(node.clone()))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let cluster = ClusterService(node.clone());
    let served = Grpc::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .add_service(streams)
        .add_service(PersistentSubscriptionsServer::new(PersistentService(node)))
        .add_service(GossipServer::new(cluster.clone()))
        .add_service(ServerFeaturesServer::new(cluster))
        .serve_with_incoming(ReceiverStream::new(connections))
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "a node stopped");
    }
}

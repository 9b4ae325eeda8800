//! Accepting sockets: plain, TLS, WebSocket; within the limit of connections.

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;

use crate::config::{Listener, Transport};
use crate::connection::{Connection, Established, Socket};
use crate::handler::{DisconnectReason, Event};
use crate::handshake::{Fresh, establish};
use crate::lifecycle;
use crate::shared::Shared;
use crate::tls::TlsError;
use crate::websocket;

const BACKLOG: u32 = 1_024;
/// Pause after `accept` failed, which mostly means that the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound listener.
pub(crate) struct Bound {
    pub(crate) name: Arc<str>,
    pub(crate) address: SocketAddr,
    socket: TcpListener,
    pub(crate) speaks: Arc<Speaks>,
}

/// What is spoken on a listener.
pub(crate) struct Speaks {
    websocket: bool,
    /// Replaced as a whole when certificates or revocation lists change.
    pub(crate) tls: Option<RwLock<Arc<ServerConfig>>>,
}

/// Prepares what a listener speaks.
pub(crate) fn speaks(transport: &Transport) -> Result<Speaks, TlsError> {
    let (websocket, tls) = match transport {
        Transport::Tcp => (false, None),
        Transport::WebSocket => (true, None),
        Transport::Tls(tls) => (false, Some(tls)),
        Transport::WebSocketTls(tls) => (true, Some(tls)),
    };
    let tls = tls
        .map(crate::tls::TlsConfig::server_config)
        .transpose()?
        .map(RwLock::new);
    Ok(Speaks { websocket, tls })
}

/// Binds a listener.
pub(crate) fn bind(listener: &Listener, speaks: Speaks) -> io::Result<Bound> {
    let socket = match listener.address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Or a restart would wait for old connections to time out.
    socket.set_reuseaddr(true)?;
    socket.bind(listener.address)?;
    let socket = socket.listen(BACKLOG)?;
    let address = socket.local_addr()?;
    Ok(Bound {
        name: listener.name.as_str().into(),
        address,
        socket,
        speaks: Arc::new(speaks),
    })
}

/// Accepts until the broker stops.
pub(crate) async fn accept_all(shared: Arc<Shared>, bound: Bound) {
    let mut stopping = shared.stopping.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = bound.socket.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => admit(&shared, &bound, stream, peer),
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(shared: &Arc<Shared>, bound: &Bound, stream: TcpStream, peer: SocketAddr) {
    let place = Arc::clone(&shared.places).try_acquire_owned();
    let (permit, busy) = match place {
        Ok(permit) => (permit, false),
        Err(_full) => match Arc::clone(&shared.refusals).try_acquire_owned() {
            Ok(permit) => (permit, true),
            Err(_full) => {
                shared.counters.refused.add();
                return;
            }
        },
    };
    if let Err(error) = stream.set_nodelay(true) {
        // The peer has gone already.
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let arrival = Arrival {
        shared: Arc::clone(shared),
        name: Arc::clone(&bound.name),
        speaks: Arc::clone(&bound.speaks),
        peer,
        busy,
    };
    tokio::spawn(arrival.serve(stream, permit));
}

struct Arrival {
    shared: Arc<Shared>,
    name: Arc<str>,
    speaks: Arc<Speaks>,
    peer: SocketAddr,
    busy: bool,
}

impl Arrival {
    async fn serve(self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        let shared = Arc::clone(&self.shared);
        let mut stopping = shared.stopping.subscribe();
        let established = {
            // Boxed: an established connection must not carry the handshake's buffers.
            let handshake = Box::pin(self.establish(stream));
            tokio::select! {
                established = handshake => established,
                _ = stopping.wait_for(|stop| *stop) => None,
            }
        };
        drop(stopping);
        if let Some(established) = established {
            serve(shared, established).await;
        }
        drop(permit);
    }

    async fn establish(self, stream: TcpStream) -> Option<Established> {
        let shared = Arc::clone(&self.shared);
        let limit = Duration::from_millis(shared.limits.connect_timeout_ms);
        let peer = self.peer;
        if let Ok(Ok(fresh)) = tokio::time::timeout(limit, self.open(stream)).await {
            establish(&shared, fresh).await
        } else {
            shared.counters.refused.add();
            let reason = DisconnectReason::ConnectionLost;
            shared.handler.observe(Event::Rejected { peer, reason });
            None
        }
    }

    /// TLS and WebSocket handshakes.
    async fn open(self, stream: TcpStream) -> io::Result<Fresh> {
        let tls = self.speaks.tls.as_ref();
        let tls =
            tls.map(|config| Arc::clone(&config.read().unwrap_or_else(PoisonError::into_inner)));
        let packet_max = self.shared.limits.packet_bytes_max;
        let mut certificates = Vec::new();
        let socket: Box<dyn Socket> = match tls {
            None if self.speaks.websocket => {
                let socket = websocket::accept(stream, packet_max).await;
                Box::new(socket.map_err(io::Error::other)?)
            }
            None => Box::new(stream),
            Some(config) => {
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                let (_, session) = stream.get_ref();
                certificates = session.peer_certificates().map_or_else(Vec::new, owned);
                if self.speaks.websocket {
                    let socket = websocket::accept(stream, packet_max).await;
                    Box::new(socket.map_err(io::Error::other)?)
                } else {
                    Box::new(stream)
                }
            }
        };
        Ok(Fresh {
            socket,
            peer: self.peer,
            listener: self.name,
            certificates,
            busy: self.busy,
        })
    }
}

fn owned(chain: &[CertificateDer<'_>]) -> Vec<CertificateDer<'static>> {
    chain
        .iter()
        .map(|certificate| certificate.clone().into_owned())
        .collect()
}

/// Serves a connected client to its end. Whatever happens, the session is let go.
async fn serve(shared: Arc<Shared>, established: Established) {
    let (key, identity) = (established.key, established.identity.clone());
    let mut expiry_s = established.expiry_s;
    shared.counters.connects.add();
    shared.handler.observe(Event::Connected {
        identity: identity.clone(),
        version: established.version,
        peer: established.peer,
        session_present: established.session_present,
    });
    if *shared.stopping.borrow() {
        // It slipped in while the broker was telling everyone.
        established.link.close(DisconnectReason::ServerShuttingDown);
    }
    let mut connection = Box::new(Connection::new(Arc::clone(&shared), established));
    let served = AssertUnwindSafe(async {
        let ended = connection.serve().await;
        connection.drain(ended).await;
        ended
    });
    let ended = served.catch_unwind().await.unwrap_or_else(|_panic| {
        shared.counters.panics.add();
        shared.handler.observe(Event::PanicCaught);
        DisconnectReason::Internal
    });
    if ended != DisconnectReason::Internal {
        expiry_s = connection.expiry_s;
    }
    lifecycle::release(&shared, key, ended, expiry_s);
    shared.handler.observe(Event::Disconnected {
        identity,
        reason: ended,
    });
    connection.farewell(ended).await;
}

//! Accepting connections, as long as the node does not refuse them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::pump;
use super::socket::{Connection, Wire};
use crate::faults::{Faults, Listening};

const BACKLOG: u32 = 1_024;
/// Bytes between socket and gRPC in each direction.
const PIPE_LEN: usize = 64 << 10;
/// Pause after `accept` failed, which mostly means that the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds an address, also when connections of the last listener still linger.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until nobody takes connections any more.
pub(crate) async fn listen(
    listener: TcpListener,
    address: SocketAddr,
    faults: Faults,
    tls: Option<TlsAcceptor>,
    connections: mpsc::Sender<io::Result<Connection>>,
) {
    let mut refusing = faults.refusing();
    let mut listener = Some(listener);
    loop {
        let refuses = *refusing.borrow_and_update();
        if refuses {
            listener = None;
            faults.listener_is(Listening::Refusing);
        } else if listener.is_none() {
            match bind(address) {
                Ok(bound) => listener = Some(bound),
                Err(error) => faults.listener_is(Listening::Failed(format!("{address}: {error}"))),
            }
        }
        if listener.is_some() {
            faults.listener_is(Listening::Bound);
        }
        tokio::select! {
            () = accept_all(listener.as_ref(), &faults, tls.as_ref(), &connections) => return,
            changed = refusing.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

async fn accept_all(
    listener: Option<&TcpListener>,
    faults: &Faults,
    tls: Option<&TlsAcceptor>,
    connections: &mpsc::Sender<io::Result<Connection>>,
) {
    let Some(listener) = listener else {
        return connections.closed().await;
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = connections.closed() => return,
        };
        match accepted {
            Ok((socket, _peer)) => admit(socket, faults, tls.cloned(), connections.clone()),
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn admit(
    socket: TcpStream,
    faults: &Faults,
    tls: Option<TlsAcceptor>,
    connections: mpsc::Sender<io::Result<Connection>>,
) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let wire = Wire::default();
    let (near, far) = tokio::io::duplex(PIPE_LEN);
    tokio::spawn(pump::run(socket, far, faults, wire.resets()));
    tokio::spawn(async move {
        let socket: Box<dyn super::socket::Socket> = match tls {
            None => Box::new(near),
            Some(tls) => match tls.accept(near).await {
                Ok(stream) => Box::new(stream),
                Err(error) => {
                    tracing::debug!(%error, "a TLS handshake failed");
                    return;
                }
            },
        };
        let connection = Connection { socket, wire };
        if connections.send(Ok(connection)).await.is_err() {
            tracing::debug!("a connection came while the node was ending");
        }
    });
}

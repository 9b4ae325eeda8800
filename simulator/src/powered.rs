//! What listens as long as it has power, and at its address again each time the power is back.

use std::future::Future;
use std::io;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::device::Power;

/// Runs `serve` on `listener`, and on its address again after each time without power, until the power is [`Power::Closed`] or its
/// sender is gone. Without power `serve` is dropped where it stands. `what` is named where the address cannot be had again.
pub(crate) async fn listening<W: Future<Output = ()>>(
    what: &str,
    listener: TcpListener,
    mut power: watch::Receiver<Power>,
    serve: impl Fn(TcpListener) -> W,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let mut listener = Some(listener);
    loop {
        let on = power
            .wait_for(|power| *power != Power::Off)
            .await
            .map_or(Power::Closed, |power| *power);
        if on == Power::Closed {
            return;
        }
        let bound = match listener.take() {
            Some(first) => Ok(first),
            None => TcpListener::bind(address).await,
        };
        match bound {
            Ok(listener) => tokio::select! {
                () = serve(listener) => {}
                _ = power.wait_for(|power| matches!(power, Power::Off | Power::Closed)) => {}
            },
            Err(error) => return tracing::error!(%error, %address, what, "it cannot listen"),
        }
    }
}

/// Never returns while the power is [`Power::Silent`].
pub(crate) async fn hush(mut power: watch::Receiver<Power>) {
    if power
        .wait_for(|power| *power != Power::Silent)
        .await
        .is_err()
    {
        core::future::pending::<()>().await;
    }
}

/// Speaks with each host that connects. Dropping this breaks all connections.
pub(crate) async fn with_each<W>(listener: TcpListener, speak: impl Fn(TcpStream) -> W)
where
    W: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut hosts = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted.and_then(at_once) {
                Ok(stream) => { hosts.spawn(speak(stream)); }
                Err(error) => tracing::debug!(%error, "a host was not accepted"),
            },
            Some(ended) = hosts.join_next() => {
                if let Ok(Err(error)) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
            }
        }
    }
}

/// What is written is sent at once, as on a serial line.
fn at_once((stream, _): (TcpStream, std::net::SocketAddr)) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

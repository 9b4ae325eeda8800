//! Who comes in to pull the log, how many at once, and for how long.
//!
//! Beyond loopback only TLS 1.3 with a client certificate under the configured authority that names somebody on the list. A connection
//! is bounded in number, in silence, and in age, so nobody can hold up the others for good.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use edge_config::{Pull, PullLimits, PullTls};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::refusing;
use crate::metrics::Metrics;
use crate::tls::{TlsFiles, names};

/// The head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// What a connection that has grown too old is given to end the answer it is at.
const LAST_ANSWER: Duration = Duration::from_mins(1);
/// Pause after `accept` failed, which mostly means that the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listener for those who pull.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    rules: Arc<Rules>,
}

/// What holds for every connection.
struct Rules {
    tls: Option<(TlsAcceptor, Vec<String>)>,
    request_timeout: Duration,
    age_max: Duration,
    metrics: Metrics,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules")
            .field("tls", &self.tls.is_some())
            .field("request_timeout", &self.request_timeout)
            .field("age_max", &self.age_max)
            .finish_non_exhaustive()
    }
}

impl Door {
    /// Listens; reads the TLS files.
    pub async fn open(pull: &Pull, metrics: Metrics) -> anyhow::Result<Self> {
        let PullLimits {
            connections_max,
            request_timeout_ms,
            connection_s_max,
        } = pull.limits;
        let tls = pull.tls.as_ref().map(tls).transpose()?;
        let listener = TcpListener::bind(pull.listen).await.with_context(|| {
            format!(
                "cannot listen on {} for those who pull the log",
                pull.listen
            )
        })?;
        Ok(Self {
            listener,
            places: Arc::new(Semaphore::new(connections_max)),
            rules: Arc::new(Rules {
                tls,
                request_timeout: Duration::from_millis(request_timeout_ms),
                age_max: Duration::from_secs(connection_s_max),
                metrics,
            }),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until it is dropped, and every connection with it.
    pub async fn serve(self, pages: Router) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                            let visit = visit(Arc::clone(&self.rules), stream, pages.clone(), place);
                            connections.spawn(visit);
                        } else {
                            self.rules.turned_away("busy");
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "could not accept a connection of who pulls the log");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended.map_err(panics::Unfinished::from) {
                        tracing::error!(%error, "a connection of who pulls the log");
                    }
                }
            }
        }
    }
}

impl Rules {
    fn turned_away(&self, reason: &str) {
        self.metrics.pull_refused.with_label_values(&[reason]).inc();
    }
}

fn tls(tls: &PullTls) -> anyhow::Result<(TlsAcceptor, Vec<String>)> {
    let files = TlsFiles {
        certificate: &tls.certificate,
        key: &tls.key,
        client_ca: &tls.client_ca,
        crl: tls.crl.as_deref(),
    };
    let config = files.read()?.server_config();
    let config = config.context("the certificates of [pull.tls] cannot be used")?;
    Ok((TlsAcceptor::from(config), tls.clients.clone()))
}

/// One connection, from its first byte to its last.
async fn visit(rules: Arc<Rules>, stream: TcpStream, pages: Router, _place: OwnedSemaphorePermit) {
    let Some((acceptor, clients)) = &rules.tls else {
        return answer(&rules, stream, pages, true).await;
    };
    match timeout(rules.request_timeout, acceptor.accept(stream)).await {
        Err(_elapsed) => rules.turned_away("timeout"),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a connection of who pulls the log was refused");
            rules.turned_away("tls");
        }
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let shown = session.peer_certificates().and_then(<[_]>::first);
            let named = shown.is_some_and(|certificate| {
                names(certificate).iter().any(|name| clients.contains(name))
            });
            let pages = if named {
                pages
            } else {
                refusing(rules.metrics.clone())
            };
            answer(&rules, stream, pages, named).await;
        }
    }
}

/// Answers requests, one after the other if it is `lasting`, until the client goes, is silent, or was here long enough.
async fn answer<S>(rules: &Rules, stream: S, pages: Router, lasting: bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .keep_alive(lasting)
        .header_read_timeout(rules.request_timeout)
        .max_buf_size(HEAD_BYTES_MAX);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(pages));
    let mut connection = pin!(connection);
    let ended = match timeout(rules.age_max, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_elapsed) => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of who pulls the log broke");
    }
}

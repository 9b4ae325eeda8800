//! From the configuration to running adapters, and to their goodbye.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use adapters::camera::CameraLogins;
use adapters::configured;
use anyhow::Context as _;
use edge_config::Adapters;
use panics::Unfinished;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::links::Links;
use crate::pages;

/// Runs the adapters until Ctrl-C or SIGTERM. One that panics is begun anew and never ends by itself; should one do so all the same, all
/// say goodbye, so that whoever supervises the process begins it anew.
pub(crate) async fn run(adapters: &Adapters) -> anyhow::Result<()> {
    let links = Links::prepare(adapters)?;
    let logins = CameraLogins::read(&adapters.onvif_cameras)?;
    let pages = pages::open(adapters.http.listen, links.figures()).await?;
    let pages = tokio::spawn(pages);
    let mut terminate = signal(SignalKind::terminate()).context("no SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("no Ctrl-C")?;
    let (shutdown, ending) = watch::channel(false);
    let link = |device: &_, description| links.of(device, description);
    let mut tasks = configured::start(
        adapters.adapted(),
        &logins,
        adapters.blob_kib_max,
        link,
        &ending,
    )?;
    let (len, broker) = (tasks.len(), &adapters.broker.url);
    tracing::info!(station = %adapters.station, %broker, http = %adapters.http.listen, "{len} adapters run");
    let failed = tokio::select! {
        () = asked(&mut terminate, &mut interrupt) => None,
        error = first_end(&mut tasks) => Some(error),
    };
    tracing::info!("stopping");
    // Whoever listens is still there: they are joined below.
    shutdown.send_replace(true);
    for task in tasks.into_iter().filter(|task| !task.is_finished()) {
        if let Err(error) = task.await.map_err(Unfinished::from) {
            tracing::error!(%error, "an adapter did not end by itself");
        }
    }
    pages.abort();
    match failed {
        None => Ok(()),
        Some(None) => anyhow::bail!("an adapter ended by itself"),
        Some(Some(error)) => Err(error).context("an adapter"),
    }
}

async fn asked(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Resolves when one of them has ended; with its panic, if it was one.
async fn first_end(tasks: &mut [JoinHandle<()>]) -> Option<Unfinished> {
    poll_fn(|context| {
        for task in &mut *tasks {
            if let Poll::Ready(ended) = Pin::new(task).poll(context) {
                return Poll::Ready(ended.err().map(Unfinished::from));
            }
        }
        Poll::Pending
    })
    .await
}

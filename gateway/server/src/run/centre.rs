//! The link to the centre, while the station runs. Nothing of it touches pickup: it reads the log and speaks to the loop like anybody.

use std::sync::Arc;

use anyhow::Context as _;
use gateway_log::Log;
use gateway_sync::{AlertIndex, LinkFigures};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::anew;
use super::prepare::Prepared;
use crate::centre::{self, BlobPlace, LinkParts};
use crate::pipeline::{Acts, CentreTold};
use crate::snapshot::Beginnings;

/// The running link.
#[derive(Debug, Default)]
pub(super) struct Link {
    figures: Option<watch::Receiver<LinkFigures>>,
    task: Option<JoinHandle<()>>,
}

/// Where the centre is, and by which key its instructions are known.
#[derive(Debug, Clone)]
pub(super) struct Reachable {
    pub(super) connection: String,
    pub(super) verify_key: Option<[u8; 32]>,
    pub(super) blob_store: Option<BlobPlace>,
}

/// The demonstration's own centre, where one is wanted and the configuration names no other.
#[cfg(feature = "demo")]
#[derive(Debug)]
pub(super) struct OwnCentre(Option<crate::demo::DemoCentre>);

#[cfg(feature = "demo")]
impl OwnCentre {
    pub(super) async fn start(prepared: &Prepared, log: &Log) -> anyhow::Result<Self> {
        let station = &prepared.station;
        if !station.demo.simulated_devices || station.centre.store.is_some() {
            return Ok(Self(None));
        }
        let first = log.key().public_key();
        let centre = crate::demo::DemoCentre::start(station, &prepared.origin, first).await?;
        Ok(Self(Some(centre)))
    }

    pub(super) fn reachable(&self, station: &edge_config::Station) -> Option<Reachable> {
        self.0.as_ref().map(|centre| Reachable {
            connection: centre.connection(),
            verify_key: Some(centre.verify_key()),
            blob_store: Some(centre.blob_store(&station.id)),
        })
    }

    pub(super) async fn stop(self) {
        if let Some(centre) = self.0 {
            centre.stop().await;
        }
    }
}

/// What the configuration says.
pub(super) fn configured(prepared: &Prepared) -> anyhow::Result<Option<Reachable>> {
    let Some(connection) = centre::connection(&prepared.station)? else {
        return Ok(None);
    };
    let verify_key = centre::verify_key(&prepared.station)?;
    if verify_key.is_none() {
        tracing::warn!("centre.verify_key is not set: no instruction of the centre is followed");
    }
    if prepared.station.centre.send_again {
        tracing::warn!(
            "centre.send_again: the log goes up from wherever the centre's stream ends; take the line out when it is current"
        );
    }
    Ok(Some(Reachable {
        connection,
        verify_key,
        blob_store: BlobPlace::configured(&prepared.station.centre, &prepared.station.id)?,
    }))
}

/// Starts the link, where there is somebody to link to. `told`: what the centre told before.
pub(super) async fn start(
    prepared: &Prepared,
    reachable: Option<Reachable>,
    log: &Log,
    acts: &Acts,
    told: CentreTold,
    alerts: AlertIndex,
) -> anyhow::Result<Link> {
    let Some(reachable) = reachable else {
        return Ok(Link::default());
    };
    let reading = log.clone();
    let read = panics::off_runtime(move || centre::acknowledgement(&reading)).await?;
    if let Some(acknowledged) = read.context("what the centre acknowledged")? {
        prepared.metrics.acknowledged(acknowledged.size);
    }
    let parts = LinkParts {
        station: prepared.station.clone(),
        incarnation: prepared.keys.incarnation,
        log: log.clone(),
        acts: acts.clone(),
        told: told.told,
        forked: told.forked,
        alerts,
        inbox: prepared.inbox.clone(),
        beginnings: Beginnings::default(),
        clock: Arc::clone(&prepared.clock),
        metrics: prepared.metrics.clone(),
        verify_key: reachable.verify_key,
        blob_store: reachable.blob_store,
        blobs: prepared.blob_store.clone(),
        sealing: prepared.sealing.clone(),
    };
    let beginning = anew::Beginning::new(parts, reachable.connection);
    let figures = beginning.figures();
    let first = Box::pin(beginning.first()).await?;
    Ok(Link {
        figures: Some(figures),
        task: Some(tokio::spawn(beginning.keep(first))),
    })
}

impl Link {
    /// How it stands.
    pub(super) fn figures(&self) -> Option<watch::Receiver<LinkFigures>> {
        self.figures.clone()
    }

    /// Ends it. What was being sent is in the centre's stream or not; the stream says so at the next start.
    pub(super) async fn stop(self) {
        if let Some(task) = self.task {
            task.abort();
            // Cancelled, or it ended before.
            task.await.ok();
        }
    }
}

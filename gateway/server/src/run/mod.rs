//! Starts and stops the station. The only module that spawns tasks.
//!
//! Order of start: clock, keys, blobs, pages, log (replay), loop, broker, adapters, simulated devices. Order of stop: the
//! reverse, so that goodbyes are recorded, what is committed is acknowledged, and the log is closed last. It must never
//! make a second log or other keys because the first cannot be read: that is quarantine, and the program ends with the
//! name of the page that says what to do.

mod adapters;
mod anew;
mod announce;
mod centre;
mod closed;
mod devices_broker;
mod log;
mod prepare;
mod pull;
mod socket;

use std::sync::Arc;

use anyhow::Context as _;
use edge_config::Station;
use gateway_core::{CentreLink, Rules};
use gateway_log::{AppendError, LogFailed};
use panics::Unfinished;
use schemas::ids::BootId;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::admin::Admin;
use crate::centre::policy_in_force;
use crate::ingress::{Desks, Ingress};
use crate::operators::PinDesk;
use crate::outlet::Outlet;
use crate::papers::PaperDesk;
use crate::pipeline::{Acts, CentreTold, Parts, Pipeline, PipelineError};
use crate::service::LogStanding;
use crate::slips::Slips;
use prepare::Prepared;
use pull::PullDoor;
use socket::Socket;

pub use announce::front_page;
pub use prepare::{rules, without_demo};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Asked,
    /// The station's records or keys must be looked at by its staff first.
    Quarantined,
}

/// Whether the station ended because the disk had no room left for what had to be recorded: it may begin again, and then
/// waits with its log closed.
pub fn is_out_of_room(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(PipelineError::Append(AppendError::Failed(
            LogFailed::NoRoom { .. }
        )))
    )
}

/// Runs the station until it is asked to stop (Ctrl-C or SIGTERM), or fails. `configuration_sha256` is of the texts that `station` was read
/// from, for the record of a commissioning.
pub async fn run(station: Station, configuration_sha256: String) -> anyhow::Result<Ended> {
    let (stop, stopping) = watch::channel(false);
    let signals = tokio::spawn(async move {
        asked_to_stop().await;
        stop.send_replace(true);
        tracing::info!("stopping");
    });
    let ended = serve(station, configuration_sha256, stopping).await;
    signals.abort();
    ended
}

async fn serve(
    station: Station,
    configuration_sha256: String,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<Ended> {
    let prepared = match prepare::prepare(station) {
        Ok(prepared) => prepared,
        Err(prepare::Refusal::Quarantine(error)) => {
            tracing::error!(error = format!("{error:#}"), "the station does not start");
            return Ok(Ended::Quarantined);
        }
        Err(prepare::Refusal::Failed(error)) => return Err(error),
    };
    let pages = tokio::spawn(prepare::pages(&prepared).await?);
    let opened = match log::open(&prepared, &mut stopping).await? {
        log::Opening::Open(opened) => opened,
        log::Opening::Quarantined(error) => {
            tracing::error!(error = format!("{error:#}"), "the station does not start");
            return Ok(Ended::Quarantined);
        }
        log::Opening::Stopped => return Ok(Ended::Asked),
    };
    let ended = operate(&prepared, configuration_sha256, *opened, stopping).await;
    prepared.service.log(LogStanding::Closing);
    pages.abort();
    ended.map(|()| Ended::Asked)
}

/// From an open log to a closed one.
async fn operate(
    prepared: &Prepared,
    configuration_sha256: String,
    opened: log::Opened,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let log::Opened {
        log,
        memory,
        ring,
        signing,
    } = opened;
    #[cfg(feature = "demo")]
    let stock = crate::demo::Stock::of(&memory.state);
    let station = &prepared.station;
    let told = CentreTold::of(&memory.state);
    let alerts = memory.alerts.clone();
    let reachable = centre::configured(prepared)?;
    #[cfg(feature = "demo")]
    let own_centre = centre::OwnCentre::start(prepared, &log).await?;
    #[cfg(feature = "demo")]
    let reachable = reachable.or_else(|| own_centre.reachable(&prepared.station));
    let (jobs, queue) = tokio::sync::mpsc::channel(station.pipeline.queue_len_max);
    let mut devices_broker = devices_broker::DevicesBroker::choose(prepared);
    let outlet = devices_broker.outlet();
    let papers = prepared.papers(&outlet);
    let ingress = Ingress::new(desks(prepared, &outlet, &papers), jobs.clone());
    // The broker first: what the loop sends in its first moments finds it running. Messages wait in the queue.
    devices_broker.start(prepared, ingress, &log).await?;
    let socket_ring = ring.clone();
    let (slips, making) = Slips::new(log.clone(), Arc::clone(&outlet));
    let slips_made = tokio::spawn(making);
    let pipeline = Pipeline::new(Parts {
        log: log.clone(),
        memory,
        rules: rules_in_force(station, &told.told)?,
        origin: prepared.origin.clone(),
        ring,
        signing,
        clock: Arc::clone(&prepared.clock),
        effects: prepared.effects(outlet, slips, papers),
        lookup: prepared.keys.lookup.clone(),
        snapshots: prepared.snapshots(),
        metrics: prepared.metrics.clone(),
        group_len_max: station.pipeline.group_len_max,
        group_bytes_max: gateway_log::Limits::default().group_bytes_max,
        room_low_bytes: station.storage.room_low_mib << 20,
    });
    let acts = Acts::new(jobs);
    let link = centre::start(prepared, reachable, &log, &acts, told, alerts).await?;
    let admin = Admin {
        log: log.clone(),
        ring: socket_ring,
        incarnation: prepared.keys.incarnation,
        acts,
        link: link.figures(),
        pins: pins(station),
        blobs: prepared.blob_store.clone(),
        session_keys: prepared.sealing.store().clone(),
        configuration_sha256: configuration_sha256.into(),
    };
    let socket = Socket::open(station, admin);
    let pull_door = PullDoor::open(prepared, &log).await?;
    // Ready is said when every door is open.
    prepared.service.log(LogStanding::Open);
    let (end_loop, loop_ends) = oneshot::channel();
    let mut pipeline: JoinHandle<Result<(), PipelineError>> =
        tokio::spawn(pipeline.run(instance()?, queue, loop_ends));
    let devices = adapters::start(
        prepared,
        &devices_broker,
        #[cfg(feature = "demo")]
        stock,
    )
    .await?;
    announce::started(prepared, &devices_broker, &log);

    let early = tokio::select! {
        ended = &mut pipeline => Some(ended),
        // A station where nothing happens appends nothing, and would go on for days without a checkpoint.
        failed = log.failed() => return Err(PipelineError::Checkpoints(failed).into()),
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    if let Some(ended) = early {
        // The log failed: nothing more can be acknowledged, so nothing is said any more.
        let ended = ended.map_err(Unfinished::from).context("the loop")?;
        return Err(ended.err().map_or_else(
            || anyhow::anyhow!("the loop ended by itself"),
            anyhow::Error::from,
        ));
    }
    link.stop().await;
    #[cfg(feature = "demo")]
    own_centre.stop().await;
    socket.close();
    pull_door.close().await;
    devices.stop().await;
    devices_broker.stop().await;
    drop(end_loop);
    pipeline
        .await
        .map_err(Unfinished::from)
        .context("the loop")??;
    slips_made.abort();
    panics::off_runtime(move || log.close())
        .await
        .context("closing the log")??;
    tracing::info!("stopped; everything acknowledged is in the log");
    Ok(())
}

fn pins(station: &Station) -> PinDesk {
    let in_flight_max = station.pipeline.pin_checks_in_flight_max;
    PinDesk::new(&station.operators, in_flight_max)
}

/// What messages are looked at with.
fn desks(prepared: &Prepared, outlet: &Arc<dyn Outlet>, papers: &PaperDesk) -> Desks {
    let station = &prepared.station;
    Desks {
        keys: prepared.keys.lookup.clone(),
        pins: pins(station),
        inbox: prepared.inbox.clone(),
        blobs: prepared.blobs.clone(),
        sealing: prepared.sealing.clone(),
        held: prepared.held.clone(),
        grants: prepared.grants.clone(),
        papers: papers.clone(),
        outlet: Arc::clone(outlet),
        metrics: prepared.metrics.clone(),
    }
}

/// The rules of the configuration, or of the policy that the centre issued last.
fn rules_in_force(station: &Station, told: &CentreLink) -> anyhow::Result<Rules> {
    let issued = policy_in_force(&station.storage.data_folder, told)?;
    Ok(issued.map_or_else(
        || rules(station),
        |policy| {
            rules(&Station {
                policy,
                ..station.clone()
            })
        },
    ))
}

/// This life of the program: drawn at start.
fn instance() -> anyhow::Result<BootId> {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| anyhow::anyhow!("no random bytes"))?;
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    Ok(BootId::new(id.to_string())?)
}

async fn asked_to_stop() {
    let mut terminate =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(error) => {
                tracing::error!(%error, "SIGTERM cannot be listened for");
                return std::future::pending().await;
            }
        };
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => {
            if let Err(error) = interrupt {
                tracing::error!(%error, "Ctrl-C cannot be listened for");
                terminate.recv().await;
            }
        }
        _ = terminate.recv() => {}
    }
}

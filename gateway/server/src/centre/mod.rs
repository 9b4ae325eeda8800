//! The link to the centre: the log up, alerts ahead of it, instructions down. What each of them does is in `gateway-sync`; here is
//! what the centre's words do to this station.

mod acknowledged;
mod blobs;
mod figures;
mod follower;
mod grant;
mod policy;
mod pruning;
mod verifying;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use edge_config::{CentreStore, Station};
use gateway_core::{CentreLink, Contradicted, Input};
use gateway_log::Log;
use gateway_sync::{
    AlertIndex, Alerts, ChunkLimits, Downlink, Fork, Kurrent, LinkFigures, Pace, Uplink,
    UplinkOptions,
};
use schemas::uplink::{alert_stream, downlink_stream, log_stream};

use tokio::sync::{oneshot, watch};

use crate::blobs::BlobStore;
use crate::clock::Clock;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::pipeline::Acts;
use crate::sealing::SealingDesk;
use crate::snapshot::{Beginnings, SnapshotStore};

pub use acknowledged::{Acknowledgement, acknowledgement};
pub use blobs::Place as BlobPlace;
pub use figures::show;
pub use grant::{GrantDesk, GrantList, grant_list};
pub use policy::{issued_policy, keep_policy, policy_in_force};
pub use verifying::verify_key;

/// How often the link is looked at while nothing is to be sent.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How often the centre is asked for instructions.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What the link is made of.
#[derive(Debug, Clone)]
pub struct LinkParts {
    /// The station's configuration.
    pub station: Station,
    /// The number of the log.
    pub incarnation: u32,
    /// The log.
    pub log: Log,
    /// The way into the loop.
    pub acts: Acts,
    /// What the centre told before.
    pub told: CentreLink,
    /// The centre's copy contradicted this log before: nothing of it goes up any more.
    pub forked: bool,
    /// Where in the log the alerts are.
    pub alerts: AlertIndex,
    /// Manifests go there.
    pub inbox: Inbox,
    /// When epochs began, as far as that was asked for.
    pub beginnings: Beginnings,
    /// Reads clocks.
    pub clock: Arc<Clock>,
    /// Figures.
    pub metrics: Metrics,
    /// The public key that instructions are signed by; none: none is followed.
    pub verify_key: Option<[u8; 32]>,
    /// Where sealed blobs and session keys go; none: nowhere.
    pub blob_store: Option<BlobPlace>,
    /// Sealed blobs.
    pub blobs: BlobStore,
    /// Sealed session keys.
    pub sealing: SealingDesk,
}

/// The link: how it stands, and what carries it until it is dropped (the log up, alerts, blobs, instructions down, figures).
/// Reads the disk.
pub fn link(
    parts: LinkParts,
    connection: &str,
) -> anyhow::Result<(
    watch::Receiver<LinkFigures>,
    impl Future<Output = ()> + use<>,
)> {
    let stores = Arc::new(Kurrent::new(connection)?);
    let id = &parts.station.id;
    let pace = pace(&parts.station);
    let again = blobs::Again::open(parts.log.clone(), parts.blobs.clone())?;
    let (say, told) = oneshot::channel();
    let follower = follower::Follower::new(parts.clone(), again.clone(), say)?;
    let uplink = Uplink::new(
        parts.log.clone(),
        Arc::clone(&stores),
        UplinkOptions {
            stream: log_stream(id, parts.incarnation),
            limits: ChunkLimits::default(),
            pace,
            rest_ms: rest(&parts),
            acknowledged: sent_for_good(&parts.station, &follower),
            look_every: LOOK_EVERY,
            chance,
        },
    );
    let alerts = Alerts {
        log: parts.log.clone(),
        index: parts.alerts.clone(),
        stores: Arc::clone(&stores),
        stream: alert_stream(id),
        pace,
        chance,
    };
    // From 0 on, so that the first one is seen as an increase.
    for word in ["followed", "refused"] {
        parts.metrics.link.instructions.with_label_values(&[word]);
    }
    let seen = acknowledged::seen(&parts.log)?;
    let recorded = parts.told.revision;
    let downlink = Downlink {
        stores,
        stream: downlink_stream(id),
        from: recorded.max(seen).map_or(0, |revision| revision + 1),
        every: ASK_EVERY,
        chance,
    };
    let stands = uplink.figures();
    let figures = figures::keep(stands.clone(), parts.log.clone(), parts.metrics.clone());
    let pruning = pruning::Pruning {
        log: parts.log.clone(),
        snapshots: SnapshotStore::of(&parts.station.storage.data_folder),
        beginnings: parts.beginnings.clone(),
        audit_days: parts.station.log.audit_days,
        clock: Arc::clone(&parts.clock),
        blobs_go_up: parts.blob_store.is_some(),
    };
    let (acts, forked) = (parts.acts.clone(), parts.forked);
    let clearing = clearing(&parts, &again);
    let carrier = carrier(parts, again, stands.clone(), follower.acknowledged());
    let carrying = async move {
        tokio::join!(
            async move {
                if forked {
                    return uplink.halt();
                }
                let fork = uplink.run(or_never(told)).await;
                contradicted(&acts, fork).await;
            },
            alerts.run(),
            downlink.run(follower),
            pruning.run(clearing),
            async move {
                if let Some(carrier) = carrier {
                    carrier.run().await;
                }
            },
            figures,
        );
    };
    Ok((stands, carrying))
}

/// What the centre's stream must have: what it acknowledged, unless it lost some of that for good and wants it again.
fn sent_for_good(station: &Station, follower: &follower::Follower) -> watch::Receiver<u64> {
    if station.centre.send_again {
        watch::Sender::new(0).subscribe()
    } else {
        follower.acknowledged()
    }
}

/// A follower that is gone contradicts nothing.
async fn or_never(told: oneshot::Receiver<Fork>) -> Fork {
    match told.await {
        Ok(fork) => fork,
        Err(_gone) => std::future::pending().await,
    }
}

/// What removes blobs whose events were pruned, where there is a store that has them.
fn clearing(parts: &LinkParts, again: &blobs::Again) -> Option<blobs::Clearing> {
    Some(blobs::Clearing::new(blobs::ClearingParts {
        acts: parts.acts.clone(),
        blobs: parts.blobs.clone(),
        again: again.clone(),
        place: parts.blob_store.clone()?,
        pace: pace(&parts.station),
        rest_ms: rest(parts),
    }))
}

/// What carries blobs and keys, where there is a store for them.
fn carrier(
    parts: LinkParts,
    again: blobs::Again,
    uplink: watch::Receiver<LinkFigures>,
    acknowledged: watch::Receiver<u64>,
) -> Option<blobs::Carrier> {
    Some(blobs::Carrier::new(blobs::CarrierParts {
        again,
        pace: pace(&parts.station),
        rest_ms: rest(&parts),
        uplink,
        acknowledged,
        log: parts.log,
        blobs: parts.blobs,
        sealing: parts.sealing,
        place: parts.blob_store?,
        metrics: parts.metrics,
        chance,
    }))
}

/// The station goes out of service; what was appended since is still sent as alerts.
async fn contradicted(acts: &Acts, fork: Fork) {
    tracing::error!(%fork, "see ops/docs/runbook/fork.md");
    let input = Input::Contradicted(Contradicted {
        contradiction: fork.contradiction,
        at: fork.at,
        centre: fork.centre,
        own: fork.own,
    });
    // The loop's end is the program's.
    acts.record(input, None).await.ok();
}

/// The connection string of the configuration, if it names a store.
pub fn connection(station: &Station) -> anyhow::Result<Option<String>> {
    match &station.centre.store {
        None => Ok(None),
        Some(CentreStore::Address(address)) => Ok(Some(address.clone())),
        Some(CentreStore::File(path)) => {
            let text = std::fs::read_to_string(path);
            let text =
                text.with_context(|| format!("centre.store_file: cannot read {}", path.display()))?;
            Ok(Some(text.trim().to_owned()))
        }
    }
}

fn pace(station: &Station) -> Pace {
    Pace {
        bytes_per_s: station
            .centre
            .uplink_kib_per_s
            .map(|kib| u64::from(kib) * 1_024),
    }
}

fn rest(parts: &LinkParts) -> gateway_sync::RestMs {
    let (hours, clock) = (parts.station.centre.uplink_hours, Arc::clone(&parts.clock));
    Arc::new(move || hours.and_then(|hours| hours.wait_ms(clock.now().wall_ms)))
}

/// So that stations do not try again in step; nothing else depends on it.
fn chance() -> u32 {
    let mut bytes = [0; 4];
    // Without random bytes all wait alike.
    aws_lc_rs::rand::fill(&mut bytes).ok();
    u32::from_ne_bytes(bytes)
}

//! Opens the log and rebuilds the memory from it. Without room on the disk it waits, with the broker up and every message
//! refused, and goes on by itself when there is some.

use std::time::Duration;

use anyhow::Context as _;
use gateway_log::{Limits, Log, OpenError, OpenOptions, RoomOptions};
use schemas::envelope;
use schemas::words::ServiceReason;
use tokio::sync::watch;

use super::closed::ClosedDoor;
use super::prepare::Prepared;
use crate::keys;
use crate::pipeline::{Memory, Replay, ReplayError};
use crate::service::LogStanding;

/// How often room is looked for.
const RETRY_PAUSE: Duration = Duration::from_secs(3);
/// Room under which the log fails before sled does, beside the reserve, in bytes.
const FLOOR_BYTES: u64 = 8 << 20;

/// A log and what it says.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) memory: Memory,
}

/// How the opening ended.
#[derive(Debug)]
pub(super) enum Opening {
    Open(Box<Opened>),
    /// The station's staff must look at it.
    Quarantined(anyhow::Error),
    /// The program was asked to stop meanwhile.
    Stopped,
}

pub(super) async fn open(
    prepared: &Prepared,
    stopping: &mut watch::Receiver<bool>,
) -> anyhow::Result<Opening> {
    let mut door: Option<ClosedDoor> = None;
    loop {
        match attempt(prepared).await? {
            Attempt::Opened(opened) => {
                if let Some(door) = door {
                    door.close(prepared).await;
                }
                return Ok(Opening::Open(opened));
            }
            Attempt::Quarantined(error) => return Ok(Opening::Quarantined(error)),
            Attempt::NoRoom(error) => {
                prepared.service.log(LogStanding::NoRoom);
                prepared
                    .service
                    .serving(false, vec![ServiceReason::StorageLow]);
                if door.is_none() {
                    tracing::error!(%error, "out of service until there is room on the disk");
                    door = Some(ClosedDoor::open(prepared).await?);
                }
                if let Some(door) = &door {
                    door.tell(prepared);
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY_PAUSE) => {}
            _ = stopping.wait_for(|stop| *stop) => {
                if let Some(door) = door {
                    door.close(prepared).await;
                }
                return Ok(Opening::Stopped);
            }
        }
    }
}

enum Attempt {
    Opened(Box<Opened>),
    NoRoom(OpenError),
    Quarantined(anyhow::Error),
}

async fn attempt(prepared: &Prepared) -> anyhow::Result<Attempt> {
    let storage = &prepared.station.storage;
    let options = OpenOptions {
        origin: prepared.origin.to_string(),
        marker: keys::marker_path(&storage.keys_folder),
        signer: Box::new(prepared.keys.signing.clone()),
        limits: Limits::default(),
        room: room(prepared),
    };
    let folder = storage.data_folder.clone();
    let sweep = prepared
        .blob_store
        .sweep()
        .context("the folder of blobs cannot be read")?;
    let mut replay = Replay::new(&prepared.station.policy, prepared.origin.clone(), sweep);
    let opened = tokio::task::spawn_blocking(move || {
        let read = |_, signed: &[u8]| envelope::read(signed);
        let opened = Log::open_reading(&folder, options, read, |index, entry| {
            replay.take(index, entry);
        });
        (opened, replay)
    });
    let (opened, replay) = opened.await.context("opening the log panicked")?;
    let (log, recovered) = match opened {
        Ok(opened) => opened,
        Err(error @ OpenError::NoRoom { .. }) => return Ok(Attempt::NoRoom(error)),
        // Its words name its cause already.
        Err(error @ OpenError::Quarantine(_)) => {
            return Ok(Attempt::Quarantined(anyhow::Error::msg(error.to_string())));
        }
        Err(error) => return Err(anyhow::Error::from(error).context("the log cannot be opened")),
    };
    let (memory, sweep) = match replay.finish() {
        Ok(replayed) => replayed,
        Err(error @ ReplayError::Foreign { .. }) => return Ok(Attempt::Quarantined(error.into())),
        Err(error @ ReplayError::Unreadable { .. }) => return Err(error.into()),
    };
    let (kept, swept) = sweep.finish().context("orphan blobs cannot be removed")?;
    tracing::info!(
        events = recovered.size,
        root = %recovered.root,
        first_start = recovered.first_start,
        blobs = kept,
        orphan_blobs_removed = swept,
        "log open"
    );
    settle(prepared, &memory, recovered.size);
    Ok(Attempt::Opened(Box::new(Opened { log, memory })))
}

/// What follows from the log alone: figures, standing, and manifests that were recorded before the last life ended.
fn settle(prepared: &Prepared, memory: &Memory, size: u64) {
    let reasons = memory.state.service_reasons();
    prepared
        .service
        .serving(reasons.is_empty(), reasons.iter().copied().collect());
    prepared.metrics.begin(&memory.state);
    prepared
        .metrics
        .log_size
        .set(i64::try_from(size).unwrap_or(i64::MAX));
    prepared
        .inbox
        .remove_known(|batch| memory.state.knows_batch(batch));
}

/// The configured watermark and reserve; in between, the point at which the reserve is given back.
fn room(prepared: &Prepared) -> RoomOptions {
    let storage = &prepared.station.storage;
    let (low_bytes, reserve_bytes) = (storage.room_low_mib << 20, storage.reserve_mib << 20);
    RoomOptions {
        low_bytes,
        critical_bytes: (low_bytes / 4).max(FLOOR_BYTES.min(low_bytes / 2)),
        reserve_bytes,
        floor_bytes: FLOOR_BYTES.min(low_bytes / 8),
    }
}

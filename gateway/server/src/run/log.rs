//! Opens the log and rebuilds the memory from its newest snapshot and the events behind it. Without room on the disk it waits, with the broker up and every message
//! refused, and goes on by itself when there is some.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Context as _;
use gateway_log::{CheckpointSigner, Limits, Log, OpenError, OpenOptions, Place, RoomOptions};
use schemas::proof::Checkpoint;
use schemas::words::ServiceReason;
use tokio::sync::watch;

use super::closed::ClosedDoor;
use super::prepare::Prepared;
use crate::keys::{self, KeyRing, Settled, SigningKey};
use crate::pipeline::{Memory, Read, Replay, ReplayError, Sweeps};
use crate::service::LogStanding;
use crate::snapshot::SnapshotStore;

/// How often room is looked for.
const RETRY_PAUSE: Duration = Duration::from_secs(3);
/// Room under which the log fails before sled does, beside the reserve, in bytes.
const FLOOR_BYTES: u64 = 8 << 20;

/// A log and what it says.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) memory: Memory,
    /// The signing keys, as the log says.
    pub(super) ring: KeyRing,
    /// The one in force.
    pub(super) signing: SigningKey,
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
    // A ring of its own for each attempt: it follows the rotations as they are read.
    let keys = prepared.keys.signing.clone();
    let ring = KeyRing::new(&storage.keys_folder, prepared.origin.clone(), keys);
    let options = OpenOptions {
        identity: ring.identity().context("the origin of the log")?,
        marker: keys::marker_path(&storage.keys_folder),
        witness: keys::witness_path(&storage.keys_folder),
        signer: Box::new(ring.clone()),
        limits: limits(storage.room_low_mib),
        room: room(prepared),
    };
    let folder = storage.data_folder.clone();
    let sweeps = Sweeps::begin(&prepared.blob_store, prepared.sealing.store())
        .context("the folders of blobs and session keys cannot be read")?;
    let (policy, origin) = (&prepared.station.policy, prepared.origin.clone());
    let snapshots = SnapshotStore::of(&folder);
    let kept = snapshots.clone();
    let replay = Replay::new(policy, origin, ring.clone(), sweeps);
    let opened = panics::off_runtime(move || {
        // Restored and gone on with by turns, on this thread.
        let replay = RefCell::new(replay);
        let restore = |index, signed: &[u8]| {
            let mut replay = replay.borrow_mut();
            replay.restore(index, signed, &snapshots)
        };
        let read = |place: Place, signed: &[u8]| Read::new(signed, place.covered);
        let apply = |index, read| replay.borrow_mut().take(index, read);
        let opened = Log::open_restoring(&folder, options, restore, read, apply);
        (opened, replay.into_inner())
    });
    let (opened, replay) = opened.await.context("opening the log")?;
    let last = replay.last().cloned();
    // What the events themselves say is the clearer reason, whatever the log made of it.
    let (memory, sweeps) = match replay.finish() {
        Ok(replayed) => replayed,
        Err(error @ (ReplayError::Foreign { .. } | ReplayError::Forged { .. })) => {
            return Ok(Attempt::Quarantined(error.into()));
        }
        Err(error @ ReplayError::Unreadable { .. }) => return Err(error.into()),
    };
    let (log, recovered) = match opened {
        Ok(opened) => opened,
        Err(error @ OpenError::NoRoom { .. }) => return Ok(Attempt::NoRoom(error)),
        // Its words name its cause already.
        Err(error @ OpenError::Quarantine(_)) => {
            return Ok(Attempt::Quarantined(anyhow::Error::msg(error.to_string())));
        }
        Err(error) => return Err(anyhow::Error::from(error).context("the log cannot be opened")),
    };
    let Some(signing) = settle_keys(&ring, &log).await? else {
        return Ok(Attempt::Quarantined(anyhow::anyhow!(
            "the signing key that the log names last is not among the keys; nothing was changed; see \
             ops/docs/runbook/quarantine.md"
        )));
    };
    kept.keep(memory.snapshots.iter().map(|(_, name)| name))
        .context("snapshots that are not needed cannot be removed")?;
    let swept = sweeps
        .finish(&memory.state, &prepared.clock.now())
        .context("orphan blobs cannot be removed")?;
    tracing::info!(
        events = recovered.size,
        read_from = recovered.read_from,
        root = %recovered.root,
        first_start = recovered.first_start,
        blobs = swept.blobs,
        orphan_blobs_removed = swept.orphan_blobs,
        session_keys = swept.keys,
        orphan_keys_removed = swept.orphan_keys,
        "log open"
    );
    if let Some(last) = last {
        prepared.clock.go_on_from(&last);
    }
    settle(prepared, &memory, recovered.size);
    Ok(Attempt::Opened(Box::new(Opened {
        log,
        memory,
        ring,
        signing,
    })))
}

/// The checkpoint that both keys of the last rotation sign; made again where `HEAD` has gone on since.
fn seam(ring: &KeyRing, log: &Log) -> Option<String> {
    let (index, _) = ring
        .chain()
        .rotations()
        .last()
        .map(|(index, key)| (index, *key))?;
    let (size, head) = (index.saturating_add(1), log.head());
    if head.checkpoint.size == size {
        return Some(head.note);
    }
    let checkpoint = Checkpoint {
        origin: log.origin().to_owned(),
        size,
        root: log.root_at(size).ok()?,
    };
    let note = checkpoint
        .sign_all(|text| CheckpointSigner::sign(ring, size, text))
        .ok()?;
    // With only one of the keys here it is no seam, and the one that was kept stays.
    (note.signature_count() > 1).then(|| note.to_string())
}

/// Completes or drops a rotation that the last life did not end. The key in force, if it is here.
async fn settle_keys(ring: &KeyRing, log: &Log) -> anyhow::Result<Option<SigningKey>> {
    let (seam, settling) = (seam(ring, log), ring.clone());
    let settled = panics::off_runtime(move || settling.settle(seam.as_deref()));
    let settled = settled.await.context("settling the keys")?;
    match settled.context("the signing keys cannot be settled")? {
        Some(Settled::AsItWas) => {}
        Some(Settled::RotationCompleted) => {
            tracing::info!("a change of the signing key was completed");
        }
        Some(Settled::RotationDropped) => {
            tracing::warn!("a change of the signing key never came into the log, and was dropped");
        }
        None => return Ok(None),
    }
    Ok(ring.current())
}

/// What follows from the log alone: figures, standing, and manifests that were recorded before the last life ended.
fn settle(prepared: &Prepared, memory: &Memory, size: u64) {
    let reasons = memory.state.service_reasons();
    prepared
        .service
        .serving(reasons.is_empty(), reasons.iter().copied().collect());
    prepared.metrics.begin(&memory.state);
    prepared.sealing.begin(&memory.state);
    prepared.grants.took(memory.state.grant());
    prepared
        .metrics
        .log_size
        .set(i64::try_from(size).unwrap_or(i64::MAX));
    prepared
        .inbox
        .remove_known(|batch| memory.state.knows_batch(batch));
}

/// Copies of epochs, which are for reading only, stay clear of the mark below which new sessions are refused.
fn limits(room_low_mib: u64) -> Limits {
    let shipped = Limits::default();
    let low_twice_bytes = room_low_mib.saturating_mul(2 << 20);
    Limits {
        copy_room_bytes: shipped.copy_room_bytes.max(low_twice_bytes),
        ..shipped
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// G2: a copy for reading never takes the disk below the mark at which citizens are refused, whatever is configured.
    #[test]
    fn g2_copies_stay_clear_of_the_low_mark() {
        for (low_mib, kept_mib) in [(8, 1_024), (512, 1_024), (2_048, 4_096)] {
            let kept = limits(low_mib).copy_room_bytes;
            assert_eq!(kept, kept_mib << 20, "{low_mib} MiB");
        }
    }
}

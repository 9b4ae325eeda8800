//! What a station leaves behind: the events of its log, read from a copy of its folders.

use std::collections::BTreeMap;
use std::path::Path;

use gateway_log::{Limits, Log, OpenOptions, RoomOptions};
use gateway_server::keys::{self, KeyRing};
use gateway_server::snapshot::{SnapshotStore, is_restorable};
use schemas::envelope::{Entry, Origin, read};
use schemas::event::Event;

use crate::config::Layout;

/// The log of a stopped or killed station, whole and in order. The folders are copied first: opening
/// writes.
pub fn entries(layout: &Layout) -> Vec<Entry> {
    let (copy, _folder) = copied(layout);
    read_log(copy.station, &copy.data(), &copy.keys()).unwrap()
}

/// The signed events of a stopped station, one after the other, as they are exported.
pub fn exported(layout: &Layout) -> Vec<u8> {
    let (copy, _folder) = copied(layout);
    let mut all = Vec::new();
    let see = |_, signed: &[u8]| all.extend_from_slice(signed);
    visit(copy.station, &copy.data(), &copy.keys(), see).unwrap();
    all
}

fn copied(layout: &Layout) -> (Layout, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let copy = Layout {
        root: folder.path().to_owned(),
        ..layout.clone()
    };
    copy_all(&layout.data(), &copy.data());
    copy_all(&layout.keys(), &copy.keys());
    (copy, folder)
}

/// Opens the log in `data` as the gateway of this station does, and reads it.
pub fn read_log(station: &str, data: &Path, keys_folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    visit(station, data, keys_folder, |index, signed| {
        let entry = read(signed).unwrap();
        assert_eq!(entry.index, index);
        entries.push(entry);
    })?;
    Ok(entries)
}

fn visit(
    station: &str,
    data: &Path,
    keys_folder: &Path,
    mut see: impl FnMut(u64, &[u8]) + Send,
) -> anyhow::Result<()> {
    let (ring, options) = options(station, data, keys_folder)?;
    let (log, _) = Log::open_visiting(data, options, |index, signed| {
        if let Ok(Entry {
            event: Event::KeyRotated(rotation),
            ..
        }) = read(signed)
        {
            ring.follow(index, &rotation, signed).unwrap();
        }
        see(index, signed);
    })?;
    log.close()?;
    Ok(())
}

fn options(
    station: &str,
    data: &Path,
    keys_folder: &Path,
) -> anyhow::Result<(KeyRing, OpenOptions)> {
    let marker = keys::marker_path(keys_folder);
    let keys = keys::open(keys_folder, data, &marker)?;
    let origin = Origin::new(format!(
        "gateway.demo/station/{station}/{}",
        keys.incarnation
    ))?;
    let ring = KeyRing::new(keys_folder, origin, keys.signing.clone());
    let options = OpenOptions {
        identity: ring.identity()?,
        marker,
        witness: keys::witness_path(keys_folder),
        signer: Box::new(ring.clone()),
        limits: Limits::default(),
        room: RoomOptions {
            low_bytes: 0,
            critical_bytes: 0,
            reserve_bytes: 0,
            floor_bytes: 0,
        },
    };
    Ok((ring, options))
}

/// Prunes the log of a stopped station as far as it lets itself be pruned. The first index that is left.
pub fn prune(layout: &Layout, before_size: u64) -> u64 {
    let (data, keys) = (layout.data(), layout.keys());
    let (ring, options) = options(layout.station, &data, &keys).unwrap();
    let snapshots = SnapshotStore::of(&data);
    let restore = |_: u64, signed: &[u8]| {
        let chain = ring.first_chain();
        let contents = snapshots.of_event(signed, chain.origin());
        let Ok((chain, rotations)) = contents.map(|contents| contents.chain(chain).unwrap()) else {
            return false;
        };
        ring.restore(chain, rotations);
        true
    };
    let read = |_, signed: &[u8]| signed.to_vec();
    let apply = |index, signed: Vec<u8>| {
        if let Event::KeyRotated(rotation) = self::read(&signed).unwrap().event {
            ring.follow(index, &rotation, &signed).unwrap();
        }
    };
    let (log, _) = Log::open_restoring(&data, options, restore, read, apply).unwrap();
    let first = log
        .prune(before_size, |_, signed| is_restorable(&snapshots, signed))
        .unwrap();
    log.close().unwrap();
    first
}

/// How often each message of a sender is in the log, by message id.
pub fn messages(entries: &[Entry], sender: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for entry in entries {
        if let Some(cause) = entry
            .meta
            .cause
            .as_ref()
            .filter(|c| c.sender.as_str() == sender)
        {
            *counts.entry(cause.message_id.to_string()).or_default() += 1;
        }
    }
    counts
}

pub fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let mode = std::fs::metadata(from).unwrap().permissions();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
    std::fs::set_permissions(to, mode).unwrap();
}

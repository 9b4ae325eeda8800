//! A station's log, opened without its gateway: for programs that measure.

use std::path::Path;

use anyhow::Context as _;
use gateway_log::{Limits, Log, OpenOptions, RoomOptions};
use gateway_server::keys::{self, KeyRing, StationKeys};
use schemas::envelope::Origin;

/// An open log with the keys that sign it.
#[derive(Debug)]
pub struct OpenedLog {
    /// The log.
    pub log: Log,
    /// Its keys.
    pub keys: StationKeys,
    /// Its name.
    pub origin: Origin,
}

/// Opens log and keys of the shipped configuration's station, or makes them as at a first start. No gateway may be running on them.
///
/// # Errors
/// Keys and log do not prove themselves whole, or are in use.
pub fn open(data: &Path, keys_folder: &Path) -> anyhow::Result<OpenedLog> {
    let marker = keys::marker_path(keys_folder);
    let keys = keys::open(keys_folder, data, &marker)?;
    let station = edge_config::load(None, None).context("the shipped configuration")?;
    let origin = station.origin(&keys.incarnation.to_string())?;
    let ring = KeyRing::new(keys_folder, origin.clone(), keys.signing.clone());
    let options = OpenOptions {
        identity: ring.identity()?,
        marker,
        witness: keys::witness_path(keys_folder),
        signer: Box::new(ring),
        limits: Limits::default(),
        room: RoomOptions::default(),
    };
    let (log, _) = Log::open(data, options)?;
    Ok(OpenedLog { log, keys, origin })
}

//! The station that a command is about.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::admin::{self, Client};

/// Which station is meant. Without options: that of the shipped configuration.
#[derive(Debug, Clone, Args)]
pub(super) struct AtStation {
    /// station.toml; without it, the shipped one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of log and blobs, instead of the configured one; may be a copy of one.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Folder of keys, instead of the configured one.
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
}

/// The folders of a station.
pub(super) struct Folders {
    pub(super) data: PathBuf,
    pub(super) keys: PathBuf,
    pub(super) station: edge_config::Station,
}

impl AtStation {
    pub(super) fn folders(&self) -> anyhow::Result<Folders> {
        let station = edge_config::load(self.config.as_deref(), None)?;
        let or = |given: &Option<PathBuf>, configured: &Path| {
            given.clone().unwrap_or_else(|| configured.to_owned())
        };
        Ok(Folders {
            data: or(&self.data, &station.storage.data_folder),
            keys: or(&self.keys, &station.storage.keys_folder),
            station,
        })
    }

    /// The configured station, with the folders of the options in it.
    pub(super) fn configured(&self) -> anyhow::Result<edge_config::Station> {
        let Folders {
            data,
            keys,
            mut station,
        } = self.folders()?;
        station.storage.data_folder = data;
        station.storage.keys_folder = keys;
        Ok(station)
    }

    /// The running station, or why there is none.
    pub(super) fn station(&self) -> anyhow::Result<Client> {
        let socket = admin::socket_path(&self.folders()?.data);
        Client::connect(&socket).with_context(|| {
            format!(
                "this needs a running station, and none answers at {}",
                socket.display()
            )
        })
    }
}

/// Where copies of a stopped log are made.
#[derive(Debug, Clone, Args)]
pub(super) struct Scratch {
    /// Where a stopped log is copied to while it is read, since opening it in place would write.
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

impl Scratch {
    pub(super) fn folder(&self) -> PathBuf {
        self.scratch.clone().unwrap_or_else(std::env::temp_dir)
    }
}

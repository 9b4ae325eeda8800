//! The admin socket of a running station, from its opening to its end.

use std::path::PathBuf;

use edge_config::Station;
use tokio::task::JoinHandle;

use crate::admin::{self, Admin};

/// The socket, if it could be opened.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl Socket {
    /// A station without its admin socket serves all the same: the data folder may be on a file system that has none.
    pub(super) fn open(station: &Station, admin: Admin) -> Self {
        let path = admin::socket_path(&station.storage.data_folder);
        let serving = match admin::open(admin, &path) {
            Ok(serving) => Some(tokio::spawn(serving)),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(
                    error,
                    "the commands of station IT cannot reach this station"
                );
                None
            }
        };
        Self { path, serving }
    }

    /// Nobody is answered any more. What was asked before goes on.
    pub(super) fn close(self) {
        if let Some(serving) = self.serving {
            serving.abort();
        }
        // The next start replaces one that stays.
        std::fs::remove_file(self.path).ok();
    }
}

//! The listener for those who pull the log, from its opening to its end.

use gateway_log::Log;
use tokio::task::JoinHandle;

use super::prepare::Prepared;
use crate::pull::{self, Door};

/// The listener, where one is configured.
#[derive(Debug)]
pub(super) struct PullDoor(Option<JoinHandle<()>>);

impl PullDoor {
    /// One that is configured and cannot be opened keeps the station from starting: somebody relies on it.
    pub(super) async fn open(prepared: &Prepared, log: &Log) -> anyhow::Result<Self> {
        let Some(configured) = &prepared.station.pull else {
            return Ok(Self(None));
        };
        let door = Door::open(configured, prepared.metrics.clone()).await?;
        let pages = pull::router(
            log.clone(),
            prepared.keys.incarnation,
            prepared.metrics.clone(),
        );
        tracing::info!(address = %door.address()?, tls = configured.tls.is_some(), "the log can be pulled");
        Ok(Self(Some(tokio::spawn(door.serve(pages)))))
    }

    /// Nobody is answered any more.
    pub(super) async fn close(self) {
        if let Some(serving) = self.0 {
            serving.abort();
            // With it go the connections, and their hold on the log.
            serving.await.ok();
        }
    }
}

//! Old epochs go once the centre has them, and the blobs that they name, and nobody asks for them any more. Then those blobs go.

use std::sync::Arc;
use std::time::Duration;

use gateway_log::Log;

use super::acknowledgement;
use super::blobs::{self, Clearing};
use crate::clock::Clock;
use crate::snapshot::{Beginnings, SnapshotStore, prune};

/// How often it is looked at; an epoch is weeks long.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// What is pruned, and by which rule.
#[derive(Debug, Clone)]
pub(super) struct Pruning {
    pub(super) log: Log,
    pub(super) snapshots: SnapshotStore,
    /// Known from one life of the link to the next.
    pub(super) beginnings: Beginnings,
    pub(super) audit_days: u16,
    pub(super) clock: Arc<Clock>,
    /// Whether there is a store for blobs. Events that name one which is not there yet stay.
    pub(super) blobs_go_up: bool,
}

impl Pruning {
    /// Looks at once and each hour. `clearing` removes what events named that were pruned, in this life or before it.
    pub(super) async fn run(self, clearing: Option<Clearing>) {
        loop {
            let this = self.clone();
            let looked = panics::off_runtime(move || this.look()).await;
            if let Err(error) = looked.map_err(anyhow::Error::from).flatten() {
                tracing::error!(
                    error = format!("{error:#}"),
                    "epochs that the centre has cannot be removed"
                );
            }
            if let Some(clearing) = &clearing {
                clearing.clear().await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn look(&self) -> anyhow::Result<()> {
        let Some(acknowledged) = acknowledgement(&self.log)? else {
            return Ok(());
        };
        let held = if self.blobs_go_up {
            let up_to = blobs::up_to(&self.log)?.unwrap_or(0);
            acknowledged.size.min(up_to)
        } else {
            acknowledged.size
        };
        let before = self.log.first_index();
        let now = self.clock.now();
        let first = prune(
            &self.log,
            &self.snapshots,
            &self.beginnings,
            held,
            self.audit_days,
            &now,
        )?;
        if first != before {
            tracing::info!(first, "epochs that the centre has were removed");
        }
        Ok(())
    }
}

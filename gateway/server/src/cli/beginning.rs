//! Where the events of a log begin that are still there, and what is known of those before them: the tree over them and the changes
//! of the signing key among them. Neither is taken on trust: the tree ends under a checkpoint, and the changes are signed events.

use gateway_log::StoppedLog;
use schemas::envelope::Origin;
use schemas::proof::Frontier;

use super::damage::Damaged;
use super::source::{Source, Where};
use crate::admin::{self, Client};
use crate::snapshot::{SignedRotations, SnapshotStore};

/// What comes before the first event that is there.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// The tree over the events that were pruned. Its size is the first index that is there.
    pub(super) tree: Frontier,
    /// The signed events among them that change the key, with their indexes.
    pub(super) rotations: SignedRotations,
}

impl Beginning {
    /// The first event that is there.
    pub(super) fn first(&self) -> u64 {
        self.tree.size()
    }

    /// Refuses a range that begins before it.
    pub(super) fn require(&self, index: u64) -> anyhow::Result<()> {
        let first = self.first();
        anyhow::ensure!(
            index >= first,
            "event {index} was pruned: the events that are here begin with {first}, what came before is at the centre"
        );
        Ok(())
    }
}

impl Source {
    /// Where its events begin.
    pub(super) fn beginning(
        &mut self,
        place: &Where,
        origin: &Origin,
    ) -> anyhow::Result<Beginning> {
        match self {
            Self::Station(client, standing) if standing.first_event > 0 => of_station(client),
            Self::Bundle(_) | Self::Station(..) => Ok(Beginning::default()),
            Self::Stopped(log) => {
                let snapshots = SnapshotStore::of(&place.folders()?.data);
                of_stopped(log, &snapshots, origin)
            }
        }
    }
}

fn of_station(client: &mut Client) -> anyhow::Result<Beginning> {
    let admin::Beginning { tree, rotations } = client.get("/beginning")?;
    let rotations = rotations
        .into_iter()
        .map(|(index, digits)| Ok((index, hex::decode(digits)?)));
    Ok(Beginning {
        tree: Frontier::from_bytes(&hex::decode(tree)?)?,
        rotations: rotations.collect::<anyhow::Result<_>>()?,
    })
}

fn of_stopped(
    log: &StoppedLog,
    snapshots: &SnapshotStore,
    origin: &Origin,
) -> anyhow::Result<Beginning> {
    let epochs = log.epochs();
    let first = epochs.first().copied().unwrap_or(0);
    if first == 0 {
        return Ok(Beginning::default());
    }
    let tree = log.frontier(first)?;
    let rotations = epochs.iter().rev().find_map(|epoch| {
        let event = log.read(*epoch..epoch.saturating_add(1)).next()?.ok()?;
        let contents = snapshots.of_event(&event.1, origin).ok()?;
        contents.signed_rotations().ok()
    });
    let mut rotations = rotations.ok_or(Damaged(
        "no snapshot of the log is whole, so its keys before the pruned events are not known",
    ))?;
    // The later ones are among the events.
    rotations.retain(|(index, _)| *index < first);
    Ok(Beginning { tree, rotations })
}

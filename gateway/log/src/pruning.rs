//! Giving back the room of events that may go. What stays of them are their hashes, so every proof stays possible.
//!
//! Who decides that events may go knows the centre's acknowledgement and the audit period; this only makes sure that the log can
//! still be opened and its whole tree proven afterwards. In order, each step durable before the next: the hashes of what goes;
//! `EPOCHS` without what goes; the folders removed whole. What a crash leaves of a folder is removed at the next opening.

use crate::error::LogFailed;
use crate::handle::Log;
use crate::proofs::ProofError;

/// Why nothing was pruned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PruneError {
    /// The hashes of what would go are not whole, and could never be made again.
    #[error("nothing was pruned, because the hashes of the events would be lost with them: {0}")]
    Proofs(#[from] ProofError),
    /// The log could not be read, or what may go could not be removed; that is then done at the next opening.
    #[error(transparent)]
    Failed(#[from] LogFailed),
}

impl Log {
    /// Removes whole epochs of which every event has an index below `before_size`. Never the newest, and none behind the newest
    /// whose state can be restored: `is_restorable` gets the first event of an epoch with its index and answers that. Blocks.
    /// The index of the first event that is there afterwards.
    pub fn prune(
        &self,
        before_size: u64,
        mut is_restorable: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<u64, PruneError> {
        let epochs = self.epochs();
        let covered = self.head().checkpoint.size;
        let mut restorable = None;
        for first in epochs
            .iter()
            .skip(1)
            .rev()
            .filter(|first| **first < covered)
        {
            if let Some(event) = self.read(*first..first.saturating_add(1)).next()
                && is_restorable(*first, &event?.1)
            {
                restorable = Some(*first);
                break;
            }
        }
        let limit = restorable.map_or(0, |restorable| before_size.min(restorable));
        let oldest = self.first_index();
        let keep = epochs.into_iter().rev().find(|first| *first <= limit);
        let Some(keep) = keep.filter(|keep| *keep > oldest) else {
            return Ok(oldest);
        };
        let before = self.store().frontier(keep)?;
        if !self.tree().holds(&before)? {
            return Err(ProofError::Damaged.into());
        }
        self.tree().sync();
        self.tree().available()?;
        self.store().drop_before(keep)?;
        tracing::info!(first_index = keep, "events were pruned");
        Ok(keep)
    }
}

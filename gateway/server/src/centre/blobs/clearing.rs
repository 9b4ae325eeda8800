//! Blobs go when their events were pruned and nothing of their session is open, each only if the centre's store has it in its full length
//! now. One that is not there goes up again instead, and stays.
//!
//! What goes is asked of the loop each time, so a removal that was cut off is gone on with.

use futures_util::future::join_all;
use gateway_sync::{Pace, RestMs};
use object_store::path::Path;
use schemas::ids::BlobHash;
use tokio::time::Instant;

use super::again::Again;
use super::fault::{Fault, off_loop};
use super::place::Place;
use super::transfer::Transfer;
use crate::blobs::BlobStore;
use crate::pipeline::Acts;

/// Blobs looked for at once, where the link is not to be spared.
const AT_ONCE: usize = 16;
/// What looking for one takes of the link, about.
const LOOK_BYTES: usize = 1_024;

/// What it is made of.
pub(in crate::centre) struct ClearingParts {
    /// The way into the loop.
    pub(in crate::centre) acts: Acts,
    /// Sealed blobs.
    pub(in crate::centre) blobs: BlobStore,
    /// What the centre lacks.
    pub(in crate::centre) again: Again,
    /// Where they have to be.
    pub(in crate::centre) place: Place,
    /// How much of the link may be used.
    pub(in crate::centre) pace: Pace,
    /// How long until the link may be used, in ms; none: now.
    pub(in crate::centre) rest_ms: RestMs,
}

/// Removes blobs.
pub(in crate::centre) struct Clearing {
    parts: ClearingParts,
    transfer: Transfer,
    at_once: usize,
}

/// What became of the blobs of pruned events.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cleared {
    /// Removed.
    pub(super) gone: usize,
    /// They stay: the centre's store lacks them.
    pub(super) lacking: usize,
}

/// A blob that is here, and its length in bytes.
type Here = (BlobHash, usize);

impl Clearing {
    pub(in crate::centre) fn new(parts: ClearingParts) -> Self {
        let at_once = parts.pace.bytes_per_s.map_or(AT_ONCE, |_| 1);
        Self {
            transfer: Transfer::new(parts.place.clone(), parts.pace, at_once),
            at_once,
            parts,
        }
    }

    /// Removes what may go now. What cannot be looked for stays until the next time.
    pub(in crate::centre) async fn clear(&self) {
        match self.try_clear().await {
            Ok(Cleared { gone, lacking }) if gone + lacking > 0 => {
                tracing::info!(gone, lacking, "blobs of pruned events");
            }
            Ok(_) => {}
            Err(fault) => tracing::warn!(%fault, "blobs of pruned events stay for now"),
        }
    }

    pub(super) async fn try_clear(&self) -> Result<Cleared, Fault> {
        let pruned = self.parts.acts.pruned_blobs().await;
        let pruned = pruned.map_err(|ended| Fault::Failed(ended.to_string()))?;
        let blobs = self.parts.blobs.clone();
        let here = off_loop(move || here(&blobs, pruned)).await??;
        let mut cleared = Cleared::default();
        for part in here.chunks(self.at_once) {
            if (self.parts.rest_ms)().is_some() {
                break;
            }
            let began = Instant::now();
            let lacking = self.part(part).await?;
            cleared.gone += part.len() - lacking;
            cleared.lacking += lacking;
            let pause = self.parts.pace.time_for(LOOK_BYTES * part.len());
            tokio::time::sleep_until(began + pause).await;
        }
        Ok(cleared)
    }

    /// How many of these the centre lacks; the others are gone.
    async fn part(&self, part: &[Here]) -> Result<usize, Fault> {
        let looking = part.iter().map(|(name, len)| {
            let path = Path::from_iter(["blobs", name.as_str()]);
            self.transfer.has(path, *len)
        });
        let (mut there, mut lacking) = (Vec::new(), Vec::new());
        for ((name, _), found) in part.iter().zip(join_all(looking).await) {
            if found? && !self.parts.again.wants(name) {
                there.push(name.clone());
            } else {
                lacking.push(name.clone());
            }
        }
        let blobs = self.parts.blobs.clone();
        off_loop(move || there.iter().try_for_each(|name| blobs.remove(name))).await??;
        let count = lacking.len();
        if count > 0 {
            let asked = self.parts.again.ask(lacking).await;
            asked.map_err(|error| Fault::Failed(error.to_string()))?;
        }
        Ok(count)
    }
}

fn here(blobs: &BlobStore, names: Vec<BlobHash>) -> std::io::Result<Vec<Here>> {
    let mut here = Vec::new();
    for name in names {
        if let Some(len) = blobs.len_of(&name)? {
            here.push((name, len));
        }
    }
    Ok(here)
}

impl std::fmt::Debug for Clearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clearing").finish_non_exhaustive()
    }
}

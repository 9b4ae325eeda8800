//! Whether the log is whole: every index there, and the tree the one that was signed. sled's recovery can silently drop
//! the tail of an older segment, or answer an empty tree; so nothing it says is taken on trust.

use schemas::proof::{Frontier, Hash, NoteKey};

use super::{Place, scan, unreadable};
use crate::checkpoint_file::{CheckpointFile, Claim};
use crate::error::{OpenError, Quarantine};
use crate::notary::CheckpointSigner;
use crate::store::SledStore;
use crate::tree::CatchUp;

/// The checkpoints that bear witness against the log: `HEAD`, and the witness beside the keys.
#[derive(Debug)]
pub(super) struct Claims<C = Claim> {
    pub(super) head: C,
    pub(super) witness: C,
}

impl Claims<Option<Claim>> {
    pub(super) fn read(
        head: &CheckpointFile,
        witness: &CheckpointFile,
        origin: &str,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            head: head.read(origin)?,
            witness: witness.read(origin)?,
        })
    }

    /// What a completed first start left behind.
    pub(super) fn required(self) -> Result<Claims, Quarantine> {
        Ok(Claims {
            head: self.head.ok_or(Quarantine::Missing("HEAD"))?,
            witness: self
                .witness
                .ok_or(Quarantine::Missing("the witness beside the keys"))?,
        })
    }
}

impl Claims {
    /// Compares them with each other and with the log. `at_head` and `at_witness` are the tree's roots at their sizes.
    fn check(
        &self,
        signer: &dyn CheckpointSigner,
        tree: &Frontier,
        roots: &Claims<Option<Hash>>,
    ) -> Result<(), Quarantine> {
        let events = tree.size();
        for claim in [&self.head, &self.witness] {
            // Who signs a longer log may be said in the events that are missing; that they are missing is said below.
            if claim.size() <= events {
                claim.check_signature(signer)?;
            }
        }
        let (head_events, witness_events) = (self.head.size(), self.witness.size());
        if head_events < witness_events {
            return Err(Quarantine::SetBack {
                events,
                head_events,
                witness_events,
            });
        }
        for (claim, root) in [(&self.head, roots.head), (&self.witness, roots.witness)] {
            let Some(found) = root else {
                return Err(Quarantine::Shorter {
                    part: claim.part(),
                    events,
                    covered: claim.size(),
                });
            };
            let expected = claim.head.checkpoint.root;
            if found != expected {
                return Err(Quarantine::OtherRoot {
                    part: claim.part(),
                    size: claim.size(),
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// The log says itself whose it is.
pub(super) fn origin(store: &SledStore, key: &NoteKey) -> Result<(), OpenError> {
    let found = store.meta("origin").map_err(unreadable)?;
    let found = found.ok_or(Quarantine::Missing("the log's own record of its origin"))?;
    if found != key.to_vkey().as_bytes() {
        return Err(Quarantine::Origin {
            part: "log",
            found: String::from_utf8_lossy(&found).into_owned(),
            expected: key.to_vkey(),
        }
        .into());
    }
    Ok(())
}

/// Has every event read by `read`, shows what that answers to `apply` in order, brings the stored hashes up, and answers the tree
/// once it is the one that was signed. The signatures come last, because the events say by which keys.
pub(super) fn tree<T: Send>(
    store: &SledStore,
    claims: &Claims,
    signer: &dyn CheckpointSigner,
    stored: &mut CatchUp,
    read: impl Fn(Place, &[u8]) -> T + Sync,
    mut apply: impl FnMut(u64, T),
) -> Result<Frontier, OpenError> {
    let mut tree = Frontier::new();
    let mut roots = Claims {
        head: None,
        witness: None,
    };
    let mut look = |tree: &Frontier| {
        if tree.size() == claims.head.size() {
            roots.head = Some(tree.root());
        }
        if tree.size() == claims.witness.size() {
            roots.witness = Some(tree.root());
        }
    };
    let covered_size = claims.head.size();
    let read = |index, event: &[u8]| {
        let covered = index < covered_size;
        read(Place { index, covered }, event)
    };
    look(&tree);
    scan::each(store, read, |leaf, read| {
        apply(tree.size(), read);
        tree.append_leaf_storing(leaf, |level, hash| stored.push(level, hash));
        look(&tree);
    })?;
    claims.check(signer, &tree, &roots)?;
    Ok(tree)
}

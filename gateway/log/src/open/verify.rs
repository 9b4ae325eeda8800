//! Whether the log is whole: every index there, and the tree the one that was signed. sled's recovery can silently drop
//! the tail of an older segment, or answer an empty tree; so nothing it says is taken on trust.

use std::path::Path;

use schemas::proof::{Frontier, Hash, root_at};

use super::begin::{self, Epochs};
use super::{Place, scan, unreadable};
use crate::checkpoint_file::{CheckpointFile, Claim};
use crate::error::{OpenError, Quarantine};
use crate::notary::CheckpointSigner;
use crate::store::EpochsStore as _;
use crate::tree::{CatchUp, StoredHashes};

/// The checkpoints that bear witness against the log: `HEAD`, and the witness beside the keys.
#[derive(Debug, Default)]
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
    /// Whether a log of so many events can be the one that they are of.
    pub(super) fn check_covered(&self, events: u64) -> Result<(), Quarantine> {
        let (head_events, witness_events) = (self.head.size(), self.witness.size());
        if head_events < witness_events {
            return Err(Quarantine::SetBack {
                events,
                head_events,
                witness_events,
            });
        }
        if events < head_events {
            return Err(Quarantine::Shorter {
                part: self.head.part(),
                events,
                covered: head_events,
            });
        }
        Ok(())
    }

    /// Compares them with each other and with the log. `at_head` and `at_witness` are the tree's roots at their sizes.
    fn check(
        &self,
        signer: &dyn CheckpointSigner,
        tree: &Frontier,
        roots: &Roots,
    ) -> Result<(), Quarantine> {
        let events = tree.size();
        for claim in [&self.head, &self.witness] {
            // Who signs a longer log may be said in the events that are missing; that they are missing is said below.
            if claim.size() <= events {
                claim.check_signature(signer)?;
            }
        }
        self.check_covered(events)?;
        for (claim, root) in [(&self.head, roots.head), (&self.witness, roots.witness)] {
            let Some(found) = root else {
                // Neither the events nor their hashes tell the root there any more.
                let (part, covered) = (claim.part(), claim.size());
                return Err(Quarantine::Incomparable { part, covered });
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

/// Roots at the sizes of the checkpoints, as far as they are known.
type Roots = Claims<Option<Hash>>;

/// What the pass over the events begins with.
pub(super) struct Begun {
    tree: Frontier,
    roots: Roots,
    stored: CatchUp,
}

impl Begun {
    /// Compares the stored hashes of the events before `tree`, which are not read, with it. Where they differ, the events tell
    /// them anew.
    pub(super) fn behind(
        epochs: &Epochs,
        data: &Path,
        tree: Frontier,
        claims: &Claims,
    ) -> Result<Self, OpenError> {
        if let Some(closed) = right_hashes(data, &tree) {
            return Ok(Self::trusting(&closed, data, tree, claims));
        }
        tracing::warn!(
            before = tree.size(),
            "the tree's stored hashes are not those of the log: reading the closed epochs"
        );
        Self::rebuilding(epochs, data, &tree, claims)
    }

    /// The stored hashes are right; so are the roots that follow from them.
    fn trusting(closed: &StoredHashes, data: &Path, tree: Frontier, claims: &Claims) -> Self {
        let older = |claim: &Claim| {
            let size = Some(claim.size()).filter(|size| *size < tree.size())?;
            root_at(closed, size).ok()
        };
        let roots = Claims {
            head: older(&claims.head),
            witness: older(&claims.witness),
        };
        let stored = CatchUp::begin(data, tree.size());
        let mut begun = Self {
            tree,
            roots,
            stored,
        };
        begun.look(claims);
        begun
    }

    /// From the oldest event that is there. The hashes of those before it are all there is of them.
    fn rebuilding(
        epochs: &Epochs,
        data: &Path,
        tree: &Frontier,
        claims: &Claims,
    ) -> Result<Self, OpenError> {
        let first = epochs.list.oldest();
        let oldest = epochs.store.frontier(first).map_err(unreadable)?;
        let mut begun = match right_hashes(data, &oldest) {
            Some(pruned) => Self::trusting(&pruned, data, oldest, claims),
            None => Self {
                tree: oldest,
                roots: Roots::default(),
                stored: CatchUp::hopeless(data),
            },
        };
        let events = begin::stored(epochs, first, tree.size());
        let append = |leaf, ()| begun.append(leaf, claims);
        scan::each(events, first, |_, _| (), append)?;
        if begun.tree == *tree {
            return Ok(begun);
        }
        let (found, expected) = (begun.tree.root(), tree.root());
        let size = tree.size();
        Err(Quarantine::ClosedEpochs {
            size,
            found,
            expected,
        }
        .into())
    }

    /// The index of the next event.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    fn append(&mut self, leaf: Hash, claims: &Claims) {
        let Self { tree, stored, .. } = self;
        tree.append_leaf_storing(leaf, |level, hash| stored.push(level, hash));
        self.look(claims);
    }

    fn look(&mut self, claims: &Claims) {
        if self.tree.size() == claims.head.size() {
            self.roots.head = Some(self.tree.root());
        }
        if self.tree.size() == claims.witness.size() {
            self.roots.witness = Some(self.tree.root());
        }
    }

    /// Has every event read by `read`, shows what that answers to `apply` in order, brings the stored hashes up, and answers the
    /// tree once it is the one that was signed. The signatures come last, because the events say by which keys.
    pub(super) fn finish<T: Send>(
        mut self,
        epochs: &Epochs,
        claims: &Claims,
        signer: &dyn CheckpointSigner,
        read: impl Fn(Place, &[u8]) -> T + Sync,
        mut apply: impl FnMut(u64, T),
    ) -> Result<(Frontier, CatchUp), OpenError> {
        let (first, covered_size) = (self.tree.size(), claims.head.size());
        let read = |index, event: &[u8]| {
            let covered = index < covered_size;
            read(Place { index, covered }, event)
        };
        let events = begin::stored(epochs, first, u64::MAX);
        scan::each(events, first, read, |leaf, read| {
            apply(self.tree.size(), read);
            self.append(leaf, claims);
        })?;
        claims.check(signer, &self.tree, &self.roots)?;
        Ok((self.tree, self.stored))
    }
}

/// The stored hashes, if those of the events before `tree` are right.
fn right_hashes(data: &Path, tree: &Frontier) -> Option<StoredHashes> {
    let stored = StoredHashes::of(data).ok()?;
    matches!(stored.holds(tree), Ok(true)).then_some(stored)
}

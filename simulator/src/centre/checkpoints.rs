//! The checkpoints that come beside events: compared with the events themselves as soon as these are here.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemas::chain::{Check, KeyChain};
use schemas::proof::{Checkpoint, CheckpointError, Hash, SignedNote};
use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// Sizes that are waited for, at the most. Beyond it a newer checkpoint takes the place of the newest.
const WAITING_LEN_MAX: usize = 256;
/// Roots that are remembered. A station's checkpoint lags its log by at most 256 events.
const ROOTS_LEN_MAX: usize = 512;

/// The checkpoints of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoints {
    /// Not yet reached: by size, at most two different ones of a size.
    waiting: BTreeMap<u64, Vec<String>>,
    /// The newest that was compared and is right.
    newest: Option<(u64, String)>,
    /// The largest size that the log's key signed, as far as its rotations are known.
    seen: u64,
    /// Came too late to be compared.
    uncompared: u64,
    roots: Roots,
}

/// The newest roots of the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "SavedRoots", try_from = "SavedRoots")]
struct Roots {
    /// The size that the first root belongs to.
    from: u64,
    roots: VecDeque<Hash>,
}

#[derive(Serialize, Deserialize)]
struct SavedRoots {
    from: u64,
    roots: String,
}

/// Two statements under one key that cannot both be true, or one that the log itself contradicts: whoever has the log's
/// first key can check them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fork {
    /// The size that both speak of.
    pub(super) size: u64,
    /// Signed notes of the station.
    pub(super) checkpoints: Vec<String>,
    /// The root of the events in the store, where they reach that size: 64 hexadecimal digits.
    pub(super) root: Option<String>,
    /// The newest checkpoint that these events agree with.
    pub(super) before: Option<String>,
}

/// What is wrong, and what shows it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) fault: Fault,
    pub(super) fork: Option<Fork>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, fork: None }
    }
}

impl Checkpoints {
    /// The newest that was compared and is right: its size and the signed note.
    pub(super) fn newest(&self) -> Option<&(u64, String)> {
        self.newest.as_ref()
    }

    /// The largest size that the log's key signed.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// How many came too late to be compared.
    pub(super) fn uncompared(&self) -> u64 {
        self.uncompared
    }

    /// The tree has grown: checkpoints over this size are compared.
    pub(super) fn reached(
        &mut self,
        size: u64,
        root: Hash,
        chain: &KeyChain,
        check: Check<'_>,
    ) -> Result<(), Refused> {
        self.roots.push(size, root);
        for note in self.waiting.remove(&size).unwrap_or_default() {
            self.compare(size, &note, chain, check)?;
        }
        Ok(())
    }

    /// The log has another key: what is waited for may be signed by it.
    pub(super) fn rotated(&mut self, chain: &KeyChain, check: Check<'_>) {
        let waiting = self.waiting.range(self.seen..).rev();
        let mut notes =
            waiting.flat_map(|(size, notes)| notes.iter().map(move |note| (*size, note)));
        let largest = notes.find(|(_, note)| chain.open(note, check).is_ok());
        if let Some((size, _)) = largest {
            self.seen = self.seen.max(size);
        }
    }

    /// A checkpoint came beside an event; the tree has `size` leaves.
    pub(super) fn take(
        &mut self,
        note: &str,
        size: u64,
        chain: &KeyChain,
        check: Check<'_>,
    ) -> Result<(), Refused> {
        if self.newest.as_ref().is_some_and(|(_, known)| known == note) {
            return Ok(());
        }
        let claimed = claim(note).map_err(|error| refused(0, error))?;
        let known = self.waiting.get(&claimed.size);
        if known.is_some_and(|notes| notes.iter().any(|known| known == note)) {
            return Ok(());
        }
        if claimed.origin != chain.origin().as_str() {
            return Err(refused(claimed.size, CheckpointError::Signature).into());
        }
        if claimed.size <= size {
            return self.compare(claimed.size, note, chain, check);
        }
        self.wait(&claimed, note, chain, check)
    }

    fn compare(
        &mut self,
        size: u64,
        note: &str,
        chain: &KeyChain,
        check: Check<'_>,
    ) -> Result<(), Refused> {
        let Some(root) = self.roots.at(size) else {
            self.uncompared += 1;
            return Ok(());
        };
        let signed = chain.open(note, check);
        let signed = signed.map_err(|error| refused(size, error))?;
        if signed.root != root {
            return Err(Refused {
                fault: Fault::OtherRoot { size },
                fork: Some(self.fork(size, vec![note.to_owned()], Some(root))),
            });
        }
        self.seen = self.seen.max(size);
        if self
            .newest
            .as_ref()
            .is_none_or(|(newest, _)| *newest < size)
        {
            self.newest = Some((size, note.to_owned()));
        }
        Ok(())
    }

    /// Keeps it until the tree is so large. Its key may be one that a rotation in between brings, so a signature that does not
    /// fit says nothing yet.
    fn wait(
        &mut self,
        claimed: &Checkpoint,
        note: &str,
        chain: &KeyChain,
        check: Check<'_>,
    ) -> Result<(), Refused> {
        let size = claimed.size;
        if chain.open(note, check).is_ok() {
            self.seen = self.seen.max(size);
            let others = self.waiting.get(&size).into_iter().flatten();
            let mut genuine = others.filter(|other| {
                let other = chain.open(other, check);
                other.is_ok_and(|other| other.root != claimed.root)
            });
            if let Some(other) = genuine.next().cloned() {
                return Err(Refused {
                    fault: Fault::TwoRoots { size },
                    fork: Some(self.fork(size, vec![other, note.to_owned()], None)),
                });
            }
        }
        if self.waiting.len() >= WAITING_LEN_MAX && !self.waiting.contains_key(&size) {
            self.waiting.pop_last();
        }
        let notes = self.waiting.entry(size).or_default();
        if notes.len() < 2 {
            notes.push(note.to_owned());
        }
        Ok(())
    }

    fn fork(&self, size: u64, checkpoints: Vec<String>, root: Option<Hash>) -> Fork {
        Fork {
            size,
            checkpoints,
            root: root.map(|root| root.to_string()),
            before: self.newest.as_ref().map(|(_, note)| note.clone()),
        }
    }
}

fn claim(note: &str) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::parse_body(SignedNote::parse(note)?.text())
}

fn refused(size: u64, why: CheckpointError) -> Fault {
    let why = why.to_string();
    Fault::Checkpoint { size, why }
}

impl Roots {
    fn push(&mut self, size: u64, root: Hash) {
        if self.roots.is_empty() {
            self.from = size;
        }
        self.roots.push_back(root);
        if self.roots.len() > ROOTS_LEN_MAX {
            self.roots.pop_front();
            self.from += 1;
        }
    }

    fn at(&self, size: u64) -> Option<Hash> {
        if size == 0 {
            return Some(Hash::empty_root());
        }
        let at = usize::try_from(size.checked_sub(self.from)?).ok()?;
        self.roots.get(at).copied()
    }
}

impl From<Roots> for SavedRoots {
    fn from(roots: Roots) -> Self {
        let bytes: Vec<u8> = roots.roots.iter().flat_map(|root| root.0).collect();
        Self {
            from: roots.from,
            roots: STANDARD.encode(bytes),
        }
    }
}

impl TryFrom<SavedRoots> for Roots {
    type Error = &'static str;

    fn try_from(saved: SavedRoots) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(saved.roots);
        let bytes = bytes.map_err(|_not_base64| "the roots are not base64")?;
        let (roots, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return Err("the last root is cut off");
        }
        Ok(Self {
            from: saved.from,
            roots: roots.iter().map(|root| Hash(*root)).collect(),
        })
    }
}

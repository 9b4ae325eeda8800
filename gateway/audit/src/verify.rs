//! A whole log: every signature, index and content, the tree, the checkpoints.

use std::fmt::Display;
use std::sync::{PoisonError, RwLock};

use schemas::chain::KeyChain;
use schemas::envelope::{EnvelopeError, KeyId, Origin, Signed};
use schemas::event::Event;
use schemas::event::evidence::KeyRotated;
use schemas::proof::{Checkpoint, Frontier, Hash, SignedNote};

use crate::anchor::Anchor;
use crate::crew;
use crate::ed25519::{self, Key};
use crate::report::{FINDINGS_MAX, Fault, Finding, Held, Report};

/// A checkpoint's name and signed note; none where it should be there and is not.
type Kept = (String, Option<String>);

/// A verification to be run.
#[derive(Debug)]
pub struct Verify {
    chain: KeyChain,
    checkpoints: Vec<Kept>,
    closed: bool,
    pruned: Frontier,
    pruned_rotations: Vec<(u64, Vec<u8>)>,
}

impl Verify {
    /// Under this anchor, without checkpoints yet.
    pub fn new(anchor: &Anchor) -> Self {
        Self {
            chain: anchor.chain(),
            checkpoints: Vec::new(),
            closed: false,
            pruned: Frontier::new(),
            pruned_rotations: Vec::new(),
        }
    }

    /// The first events were pruned. `tree` is the tree over them, which the checkpoints bear out or not; `rotations` are the signed
    /// events among them that change the key, with their indexes.
    pub fn behind(mut self, tree: Frontier, rotations: Vec<(u64, Vec<u8>)>) -> Self {
        self.pruned = tree;
        self.pruned_rotations = rotations;
        self
    }

    /// A signed checkpoint that must fit; `name` is what findings call it.
    pub fn checkpoint(mut self, name: impl Into<String>, note: impl Into<String>) -> Self {
        self.checkpoints.push((name.into(), Some(note.into())));
        self
    }

    /// A checkpoint that should be kept and is not there.
    pub fn missing(mut self, name: impl Into<String>) -> Self {
        self.checkpoints.push((name.into(), None));
        self
    }

    /// Everything must lie under the largest checkpoint.
    pub fn closed(mut self) -> Self {
        self.closed = true;
        self
    }

    /// Reads every event, from the first that was not pruned on. `progress` hears now and then how many are done. Where the row ends
    /// with an error, that is a fault of the log, at the event that could not be read.
    pub fn run<E: Display + Send>(
        self,
        events: impl Iterator<Item = Result<Vec<u8>, E>> + Send,
        progress: impl FnMut(u64),
    ) -> Report {
        let ring = Ring::default();
        let (mut audit, ended) = self.read(&ring, events, progress);
        if let Err(error) = ended {
            audit.broken_off(format!("{error:#}"));
        }
        audit.finish()
    }

    /// The same, but an error that is not `of_the_log` says nothing about it: then there is no report.
    pub fn try_run<E: Display + Send>(
        self,
        events: impl Iterator<Item = Result<Vec<u8>, E>> + Send,
        of_the_log: impl FnOnce(&E) -> bool,
        progress: impl FnMut(u64),
    ) -> Result<Report, E> {
        let ring = Ring::default();
        let (mut audit, ended) = self.read(&ring, events, progress);
        match ended {
            Err(error) if of_the_log(&error) => audit.broken_off(format!("{error:#}")),
            ended => ended?,
        }
        Ok(audit.finish())
    }

    fn read<E: Send>(
        self,
        ring: &Ring,
        events: impl Iterator<Item = Result<Vec<u8>, E>> + Send,
        mut progress: impl FnMut(u64),
    ) -> (Audit<'_>, Result<(), E>) {
        ring.add(self.chain.first());
        let mut audit = Audit::begin(self, ring);
        audit.follow_pruned(ring);
        let ended = crew::each(
            events,
            |event| look(event, ring),
            |seen| {
                audit.take(seen);
                if audit.tree.size().is_multiple_of(PROGRESS_EVENTS) {
                    progress(audit.tree.size());
                }
            },
        );
        (audit, ended)
    }
}

/// How often progress is told, in events.
const PROGRESS_EVENTS: u64 = 4096;

/// Keys that were met so far, for the workers.
#[derive(Debug, Default)]
struct Ring(RwLock<Vec<Key>>);

impl Ring {
    fn add(&self, public_key: &[u8; 32]) {
        if let Some(key) = Key::new(public_key) {
            self.0
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .push(key);
        }
    }

    /// Whether the key that the event names signed it. `None`: that key is not known yet.
    fn signed(&self, event: &Signed<'_>) -> Option<bool> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().find(|key| key.id == event.key_id())?;
        Some(key.signed(event))
    }
}

/// What a worker found out about an event alone.
struct Seen {
    leaf: Hash,
    header: Result<Header, EnvelopeError>,
}

struct Header {
    index: u64,
    origin: Origin,
    key_id: KeyId,
    genuine: Genuine,
    content: Content,
}

enum Genuine {
    Yes,
    No,
    /// Its key was not known to the worker: looked at again in order, where it is.
    Later(Vec<u8>),
}

enum Content {
    Rotation(KeyRotated),
    Incarnated,
    Other,
    UnknownType,
    Bad(EnvelopeError),
}

fn look(event: Vec<u8>, ring: &Ring) -> Seen {
    let leaf = Hash::leaf(&event);
    let header = Signed::read(&event).map(|signed| {
        let (index, origin, key_id) = (signed.index(), signed.origin().clone(), signed.key_id());
        let genuine = ring.signed(&signed);
        let content = match signed.into_entry().map(|entry| entry.event) {
            Ok(Event::KeyRotated(rotation)) => Content::Rotation(rotation),
            Ok(Event::LogIncarnated(_)) => Content::Incarnated,
            Ok(_) => Content::Other,
            Err(EnvelopeError::UnknownType(_)) => Content::UnknownType,
            Err(error) => Content::Bad(error),
        };
        (index, origin, key_id, genuine, content)
    });
    let header = header.map(|(index, origin, key_id, genuine, content)| Header {
        index,
        origin,
        key_id,
        content,
        genuine: match genuine {
            Some(true) => Genuine::Yes,
            Some(false) => Genuine::No,
            None => Genuine::Later(event),
        },
    });
    Seen { leaf, header }
}

/// The size that a note claims, genuine or not.
fn claimed_size(note: &str) -> Option<u64> {
    let note = SignedNote::parse(note).ok()?;
    Checkpoint::parse_body(note.text())
        .ok()
        .map(|body| body.size)
}

/// The part that goes in order.
struct Audit<'a> {
    chain: KeyChain,
    ring: &'a Ring,
    /// The first event that is there.
    first: u64,
    tree: Frontier,
    pruned_rotations: Vec<(u64, Vec<u8>)>,
    /// Sizes that checkpoints claim, ascending, and the roots found there.
    wanted: Vec<u64>,
    roots: Vec<(u64, Hash)>,
    checkpoints: Vec<Kept>,
    closed: bool,
    rotations: u64,
    unknown_types: u64,
    findings: Vec<Finding>,
    faults: u64,
}

impl<'a> Audit<'a> {
    fn begin(verify: Verify, ring: &'a Ring) -> Self {
        let Verify {
            chain,
            checkpoints,
            closed,
            pruned,
            pruned_rotations,
        } = verify;
        let claimed = checkpoints
            .iter()
            .filter_map(|(_, note)| claimed_size(note.as_deref()?));
        let mut wanted: Vec<u64> = claimed.collect();
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            chain,
            ring,
            first: pruned.size(),
            tree: pruned,
            pruned_rotations,
            wanted,
            roots: Vec::new(),
            checkpoints,
            closed,
            rotations: 0,
            unknown_types: 0,
            findings: Vec::new(),
            faults: 0,
        }
    }

    /// The changes of the key among the events that were pruned, each signed by the key before it.
    fn follow_pruned(&mut self, ring: &Ring) {
        for (index, signed) in std::mem::take(&mut self.pruned_rotations) {
            let judged = match look(signed, ring).header {
                Err(error) => Err(Fault::Unreadable(error)),
                Ok(header) if matches!(header.content, Content::Rotation(_)) => {
                    self.judge(index, header)
                }
                Ok(_) => Err(Fault::NoRotation),
            };
            if let Err(fault) = judged {
                self.fault(Some(index), fault);
            }
        }
    }

    fn take(&mut self, seen: Seen) {
        self.keep_roots();
        let at = self.tree.size();
        match seen.header {
            Err(error) => self.fault(Some(at), Fault::Unreadable(error)),
            Ok(header) => {
                if let Err(fault) = self.judge(at, header) {
                    self.fault(Some(at), fault);
                }
            }
        }
        self.tree.append_leaf(seen.leaf);
    }

    /// The next event cannot be read, nor what comes behind it.
    fn broken_off(&mut self, why: String) {
        let at = self.tree.size();
        let last = at.checked_sub(1).filter(|last| *last >= self.first);
        self.fault(Some(at), Fault::BrokenOff { last, why });
    }

    fn judge(&mut self, at: u64, header: Header) -> Result<(), Fault> {
        let Header {
            index,
            origin,
            key_id,
            genuine,
            content,
        } = header;
        if origin != *self.chain.origin() {
            return Err(Fault::Origin(origin.to_string()));
        }
        if index != at {
            return Err(Fault::Index(index));
        }
        if !self.chain.is_by(key_id, at) {
            return Err(Fault::Key);
        }
        let genuine = match genuine {
            Genuine::Yes => true,
            Genuine::No => false,
            Genuine::Later(event) => {
                Signed::read(&event).is_ok_and(|event| self.ring.signed(&event) == Some(true))
            }
        };
        if !genuine {
            return Err(Fault::Signature);
        }
        match content {
            Content::Incarnated if at > 0 => return Err(Fault::Misplaced),
            Content::Incarnated | Content::Other => {}
            Content::UnknownType => self.unknown_types += 1,
            Content::Bad(error) => return Err(Fault::Content(error)),
            Content::Rotation(rotation) => {
                self.chain.rotate(at, &rotation, &ed25519::check)?;
                self.ring.add(self.chain.newest());
                self.rotations += 1;
            }
        }
        Ok(())
    }

    /// The roots at the sizes that checkpoints claim.
    fn keep_roots(&mut self) {
        while self
            .wanted
            .last()
            .is_some_and(|size| *size <= self.tree.size())
        {
            if self.wanted.pop() == Some(self.tree.size()) {
                self.roots.push((self.tree.size(), self.tree.root()));
            }
        }
    }

    fn finish(mut self) -> Report {
        self.keep_roots();
        let (asked, mut held) = (!self.checkpoints.is_empty(), Vec::new());
        for (name, note) in std::mem::take(&mut self.checkpoints) {
            let Some(note) = note else {
                self.fault(None, Fault::Missing { name });
                continue;
            };
            match self.checkpoint(&name, &note) {
                Ok(size) => held.push(Held { name, size }),
                Err(fault) => self.fault(None, fault),
            }
        }
        let covered = held.iter().map(|held| held.size).max();
        let events = self.tree.size();
        let behind = events.saturating_sub(covered.unwrap_or(0));
        // Where no checkpoint holds, that has been said, and none of them fixes an end.
        if self.closed && behind > 0 && (covered.is_some() || !asked) {
            self.fault(None, Fault::BehindCheckpoint(behind));
        }
        Report {
            events,
            first: self.first,
            root: self.tree.root(),
            covered,
            held,
            rotations: self.rotations,
            unknown_types: self.unknown_types,
            findings: self.findings,
            faults: self.faults,
        }
    }

    /// The size of a checkpoint that holds.
    fn checkpoint(&self, name: &str, note: &str) -> Result<u64, Fault> {
        let name = name.to_owned();
        let events = self.tree.size();
        // Said first: the rotations that would tell whose signature it needs may be among what is missing.
        if let Some(size) = claimed_size(note).filter(|size| *size > events) {
            return Err(Fault::Shorter { name, size, events });
        }
        let Checkpoint { size, root, .. } = match self.chain.open(note, &ed25519::check) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return Err(Fault::Checkpoint { name, error }),
        };
        if size < self.first {
            let first = self.first;
            return Err(Fault::Pruned { name, size, first });
        }
        let found = self
            .roots
            .iter()
            .find(|(at, _)| *at == size)
            .map(|(_, root)| *root);
        let found = found.unwrap_or_else(Hash::empty_root);
        if found != root {
            return Err(Fault::Root {
                name,
                size,
                expected: root,
                found,
            });
        }
        Ok(size)
    }

    fn fault(&mut self, index: Option<u64>, fault: Fault) {
        self.faults += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding { index, fault });
        }
    }
}

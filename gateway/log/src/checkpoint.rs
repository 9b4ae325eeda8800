//! Checkpoints: who signs them, and the thread that signs and stores them, so that commits do not wait for `HEAD`.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use schemas::proof::{Checkpoint, Frontier, NoteKey};

use crate::error::LogFailed;
use crate::head::HeadFile;

/// The station's key, as the log needs it. It never sees the private part.
pub trait CheckpointSigner: Send {
    /// The raw Ed25519 public key.
    fn public_key(&self) -> [u8; 32];
    /// The Ed25519 signature of a note's text.
    fn sign(&self, text: &[u8]) -> [u8; 64];
    /// Whether `signature` is the Ed25519 signature of `text` by `public_key`.
    fn verify(&self, public_key: &[u8; 32], text: &[u8], signature: &[u8; 64]) -> bool;
}

/// The last checkpoint that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// Origin, size and root.
    pub checkpoint: Checkpoint,
    /// The signed note, as it is in `HEAD`.
    pub note: String,
}

/// Signs the tree's heads and stores them.
pub(crate) struct Notary {
    pub(crate) signer: Box<dyn CheckpointSigner>,
    pub(crate) key: NoteKey,
    /// `None` keeps heads in memory only.
    pub(crate) file: Option<HeadFile>,
}

impl Notary {
    pub(crate) fn sign(&self, tree: &Frontier) -> Result<SignedHead, LogFailed> {
        let checkpoint = Checkpoint::of(self.key.name(), tree);
        let note = checkpoint
            .sign(&self.key, |text| self.signer.sign(text))
            .map_err(|error| LogFailed::Head(error.to_string()))?
            .to_string();
        if let Some(file) = &self.file {
            file.replace(&note)
                .map_err(|error| LogFailed::Head(error.to_string()))?;
        }
        Ok(SignedHead { checkpoint, note })
    }
}

/// Where heads are made: at once (in memory), or by a thread of its own (on disk).
pub(crate) enum Checkpoints {
    Inline(Notary, Arc<Desk>),
    Thread(Arc<Desk>, Option<JoinHandle<()>>),
}

/// What committer and notary hand each other. The newest tree replaces one that was not taken yet.
pub(crate) struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
}

struct DeskState {
    waiting: Option<Frontier>,
    closing: bool,
    head: SignedHead,
    failed: Option<LogFailed>,
}

impl Desk {
    pub(crate) fn new(head: SignedHead) -> Arc<Self> {
        let state = DeskState {
            waiting: None,
            closing: false,
            head,
            failed: None,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn head(&self) -> SignedHead {
        self.lock().head.clone()
    }

    fn lock(&self) -> MutexGuard<'_, DeskState> {
        // Each change under this lock is a single assignment, so a poisoned one is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, DeskState>) -> MutexGuard<'a, DeskState> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The notary's loop: waits without cost, ends when closing and nothing waits.
    fn work(&self, notary: &Notary) {
        loop {
            let mut state = self.lock();
            let tree = loop {
                if let Some(tree) = state.waiting.take() {
                    break tree;
                }
                if state.closing || state.failed.is_some() {
                    return;
                }
                state = self.wait(state);
            };
            drop(state);
            let outcome = notary.sign(&tree);
            self.store(outcome);
        }
    }

    fn store(&self, outcome: Result<SignedHead, LogFailed>) {
        let mut state = self.lock();
        match outcome {
            Ok(head) => state.head = head,
            Err(failed) => state.failed = Some(failed),
        }
        self.changed.notify_all();
    }
}

impl Checkpoints {
    pub(crate) fn thread(notary: Notary, desk: Arc<Desk>) -> std::io::Result<Self> {
        let own = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("log-notary".to_owned())
            .spawn(move || own.work(&notary))?;
        Ok(Self::Thread(desk, Some(thread)))
    }

    /// Has the tree signed and stored: before this returns in memory, soon after on disk.
    pub(crate) fn request(&self, tree: &Frontier) -> Result<(), LogFailed> {
        match self {
            Self::Inline(notary, desk) => {
                desk.lock().head = notary.sign(tree)?;
                Ok(())
            }
            Self::Thread(desk, _) => {
                let mut state = desk.lock();
                state.waiting = Some(tree.clone());
                desk.changed.notify_all();
                state.failed.clone().map_or(Ok(()), Err)
            }
        }
    }

    /// Waits until the stored head covers at least `size` events, which must have been requested.
    pub(crate) fn wait_for(&self, size: u64) -> Result<(), LogFailed> {
        let Self::Thread(desk, _) = self else {
            return Ok(());
        };
        let mut state = desk.lock();
        while state.head.checkpoint.size < size {
            if let Some(failed) = &state.failed {
                return Err(failed.clone());
            }
            state = desk.wait(state);
        }
        Ok(())
    }

    /// The first failure of the notary, if there was one.
    pub(crate) fn failure(&self) -> Option<LogFailed> {
        match self {
            Self::Inline(..) => None,
            Self::Thread(desk, _) => desk.lock().failed.clone(),
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        let Self::Thread(desk, thread) = self else {
            return;
        };
        desk.lock().closing = true;
        desk.changed.notify_all();
        if thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the notary's thread panicked");
        }
    }
}

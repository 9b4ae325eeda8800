//! Checkpoints: the thread that has them signed and stored, so that commits do not wait for `HEAD`, and the desk where committer,
//! notary and handles meet.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use schemas::proof::Frontier;
use tokio::sync::watch;

use crate::error::LogFailed;
use crate::notary::{Notary, SignedHead, Urgency};

/// Where heads are made: at once (in memory), or by a thread of its own (on disk).
pub(crate) enum Checkpoints {
    Inline(Notary, Arc<Desk>),
    Thread(Arc<Desk>, Option<JoinHandle<()>>),
}

/// What committer and notary hand each other. The newest tree replaces one that was not taken yet.
pub(crate) struct Desk {
    /// The last head that is stored. Sent under the state's lock, so that who waits for a change sees it.
    head: watch::Sender<SignedHead>,
    /// The first failure, if there was one. Sent under the state's lock too.
    failed: watch::Sender<Option<LogFailed>>,
    state: Mutex<DeskState>,
    changed: Condvar,
}

#[derive(Default)]
struct DeskState {
    waiting: Option<(Frontier, Urgency)>,
    closing: bool,
    sealed: Option<SignedHead>,
}

/// What the notary's thread does next.
enum Job {
    Publish(Frontier, Urgency),
    Witness,
    End,
}

impl Desk {
    pub(crate) fn new(head: SignedHead) -> Arc<Self> {
        Arc::new(Self {
            head: watch::Sender::new(head),
            failed: watch::Sender::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn head(&self) -> SignedHead {
        self.head.borrow().clone()
    }

    pub(crate) fn heads(&self) -> watch::Receiver<SignedHead> {
        self.head.subscribe()
    }

    pub(crate) fn sealed_head(&self) -> Option<SignedHead> {
        self.lock().sealed.clone()
    }

    /// The first failure of the notary, if there was one.
    pub(crate) fn failure(&self) -> Option<LogFailed> {
        self.failed.borrow().clone()
    }

    /// The same, for whoever waits for it.
    pub(crate) fn failures(&self) -> watch::Receiver<Option<LogFailed>> {
        self.failed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, DeskState> {
        // Each change under this lock is a single assignment, so a poisoned one is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, DeskState>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, DeskState> {
        let Some(until) = until else {
            return self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        let patience = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(state, patience);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The notary's loop: waits without cost, ends when closing and nothing waits.
    fn work(&self, mut notary: Notary) {
        // Whoever waits for a checkpoint must not wait for a thread that panicked.
        let _ended = Ended(self);
        loop {
            let outcome = match self.next(notary.witness_due()) {
                Job::Publish(tree, urgency) => notary
                    .publish(&tree, urgency)
                    .map(|head| self.store(head, urgency)),
                Job::Witness => notary.witness(),
                Job::End => break,
            };
            if let Err(failed) = outcome {
                self.fail(failed);
                return;
            }
        }
        if let Err(failed) = notary.witness() {
            self.fail(failed);
        }
    }

    fn next(&self, witness_due: Option<Instant>) -> Job {
        let mut state = self.lock();
        loop {
            if let Some((tree, urgency)) = state.waiting.take() {
                return Job::Publish(tree, urgency);
            }
            if state.closing {
                return Job::End;
            }
            if witness_due.is_some_and(|due| due <= Instant::now()) {
                return Job::Witness;
            }
            state = self.wait(state, witness_due);
        }
    }

    fn store(&self, head: SignedHead, urgency: Urgency) {
        let mut state = self.lock();
        if urgency == Urgency::Sealed {
            state.sealed = Some(head.clone());
        }
        self.head.send_replace(head);
        self.changed.notify_all();
    }

    fn fail(&self, failed: LogFailed) {
        let _state = self.lock();
        // A later failure follows from the first.
        self.failed.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(failed);
            is_first
        });
        self.changed.notify_all();
    }

    /// Waits until `done`, given the last stored and the last sealed head.
    fn wait_until(
        &self,
        done: impl Fn(&SignedHead, Option<&SignedHead>) -> bool,
    ) -> Result<(), LogFailed> {
        let mut state = self.lock();
        while !done(&self.head.borrow(), state.sealed.as_ref()) {
            if let Some(failed) = self.failure() {
                return Err(failed);
            }
            state = self.wait(state, None);
        }
        Ok(())
    }
}

impl Checkpoints {
    pub(crate) fn thread(notary: Notary, desk: Arc<Desk>) -> std::io::Result<Self> {
        let own = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("log-notary".to_owned())
            .spawn(move || own.work(notary))?;
        Ok(Self::Thread(desk, Some(thread)))
    }

    /// Has the tree signed and stored: before this returns in memory, soon after on disk.
    pub(crate) fn request(&mut self, tree: &Frontier) -> Result<(), LogFailed> {
        self.ask(tree, Urgency::Usual)
    }

    /// Has exactly this tree signed and stored, in the witness too, before this returns.
    pub(crate) fn seal(&mut self, tree: &Frontier) -> Result<(), LogFailed> {
        self.ask(tree, Urgency::Sealed)?;
        let Self::Thread(desk, _) = self else {
            return Ok(());
        };
        // Nobody else asks meanwhile, so what waits is this tree until it is taken.
        desk.wait_until(|_, sealed| sealed.is_some_and(|head| head.checkpoint.size == tree.size()))
    }

    fn ask(&mut self, tree: &Frontier, urgency: Urgency) -> Result<(), LogFailed> {
        match self {
            Self::Inline(notary, desk) => {
                desk.store(notary.publish(tree, urgency)?, urgency);
                Ok(())
            }
            Self::Thread(desk, _) => {
                let mut state = desk.lock();
                state.waiting = Some((tree.clone(), urgency));
                desk.changed.notify_all();
                desk.failure().map_or(Ok(()), Err)
            }
        }
    }

    /// Waits until the stored head covers at least `size` events, which must have been requested.
    pub(crate) fn wait_for(&self, size: u64) -> Result<(), LogFailed> {
        let Self::Thread(desk, _) = self else {
            return Ok(());
        };
        desk.wait_until(|head, _| head.checkpoint.size >= size)
    }

    /// The first failure of the notary, if there was one.
    pub(crate) fn failure(&self) -> Option<LogFailed> {
        match self {
            Self::Inline(..) => None,
            Self::Thread(desk, _) => desk.failure(),
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        let Self::Thread(desk, thread) = self else {
            return;
        };
        if std::thread::panicking() {
            // Nobody has heads signed any more.
            desk.fail(LogFailed::Head(
                "the committer's thread panicked".to_owned(),
            ));
        }
        desk.lock().closing = true;
        desk.changed.notify_all();
        if thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the notary's thread panicked");
        }
    }
}

/// Says that the notary's thread is gone, however it ended.
struct Ended<'a>(&'a Desk);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fail(LogFailed::Head("the notary's thread panicked".to_owned()));
        }
    }
}

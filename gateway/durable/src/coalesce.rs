//! Many callers, few syncs: a caller is served by the first `fdatasync` that *starts* after it called, and all who
//! wait for that one share it. The first error is kept for ever.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

/// How many syncs of one file may run at once. sled writes a batch and its manifest from two threads, a moment apart;
/// one after the other they would take twice the disk's time.
const AT_ONCE_MAX: u32 = 2;

/// The one of this process, which the symbol uses.
pub(crate) static SYNCS: Syncs = Syncs::new();

/// The syncs under way, and the first that failed.
#[derive(Debug)]
pub(crate) struct Syncs {
    turns: Mutex<BTreeMap<RawFd, Turn>>,
    finished: Condvar,
    /// errno of the first sync that failed; 0 while none has.
    sticky: AtomicI32,
}

/// Syncs of one descriptor, counted. Keyed by descriptor rather than by file: two descriptors of one file only cost
/// a second sync, and a number cannot be reused while a caller that passed it is still waiting here.
#[derive(Debug, Default)]
struct Turn {
    started: u64,
    finished: u64,
    running: u32,
    callers: u32,
}

impl Syncs {
    pub(crate) const fn new() -> Self {
        Self {
            turns: Mutex::new(BTreeMap::new()),
            finished: Condvar::new(),
            sticky: AtomicI32::new(0),
        }
    }

    /// Makes durable what was written to `fd` before the call, by `fdatasync`. Fails with the first error that any
    /// sync here met, for ever after.
    pub(crate) fn sync(
        &self,
        fd: BorrowedFd<'_>,
        fdatasync: impl Fn(BorrowedFd<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let key = fd.as_raw_fd();
        let mut turns = self.lock();
        let turn = turns.entry(key).or_default();
        turn.callers += 1;
        // A sync that is running now may have begun before our bytes were written: only the next one counts.
        let mine = turn.started + 1;
        let mut own = Ok(());
        loop {
            let turn = turns.entry(key).or_default();
            if turn.finished >= mine {
                break;
            }
            if turn.running >= AT_ONCE_MAX {
                turns = self
                    .finished
                    .wait(turns)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            turn.running += 1;
            turn.started += 1;
            let ticket = turn.started;
            drop(turns);
            own = retry_interrupted(|| fdatasync(fd));
            if let Err(errno) = own {
                self.record(errno);
            }
            turns = self.lock();
            let turn = turns.entry(key).or_default();
            turn.running -= 1;
            self.finished.notify_all();
            if own.is_err() {
                // Nobody is served by a sync that failed: those who wait try again, and meet the sticky error.
                break;
            }
            // The later of two syncs may end first; it covers all who called before it started.
            turn.finished = turn.finished.max(ticket);
        }
        leave(&mut turns, key);
        drop(turns);
        own?;
        self.sticky().map_or(Ok(()), Err)
    }

    /// The first error of any sync, if there was one.
    pub(crate) fn sticky(&self) -> Option<Errno> {
        match self.sticky.load(Ordering::Acquire) {
            0 => None,
            raw => Some(Errno::from_raw_os_error(raw)),
        }
    }

    /// Keeps `errno` for ever, unless an earlier one is kept already. A descriptor that cannot be synced at all
    /// (closed, or a pipe) is its caller's mistake and no loss of data.
    pub(crate) fn record(&self, errno: Errno) {
        if errno == Errno::BADF || errno == Errno::INVAL {
            return;
        }
        // A second failure finds the first one in place and leaves it there.
        let first = |kept| (kept == 0).then_some(errno.raw_os_error());
        self.sticky
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, first)
            .ok();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RawFd, Turn>> {
        // Nothing between lock and unlock can panic half-way through a change, so a poisoned lock is consistent.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn leave(turns: &mut BTreeMap<RawFd, Turn>, key: RawFd) {
    if let Some(turn) = turns.get_mut(&key) {
        turn.callers -= 1;
        if turn.callers == 0 {
            turns.remove(&key);
        }
    }
}

fn retry_interrupted(call: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    loop {
        match call() {
            Err(errno) if errno == Errno::INTR => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that cannot open a file has failed"
)]
mod tests {
    use std::os::fd::AsFd;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// G2: eight callers that arrive while two syncs run are all served by one further sync, none by a running one.
    #[test]
    fn callers_share_the_next_sync_and_never_a_running_one() {
        let file = tempfile::tempfile().unwrap();
        let subject = Syncs::new();
        let syncs = AtomicUsize::new(0);
        let (began, may_end) = (Barrier::new(3), Barrier::new(3));
        let call = |_: BorrowedFd<'_>| {
            if syncs.fetch_add(1, Ordering::SeqCst) < 2 {
                began.wait();
                may_end.wait();
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| subject.sync(file.as_fd(), call).unwrap());
            }
            began.wait();
            for _ in 0..8 {
                scope.spawn(|| subject.sync(file.as_fd(), call).unwrap());
            }
            // All eight are inside before the first two may end.
            while subject.lock().get(&file.as_raw_fd()).unwrap().callers < 10 {
                std::thread::yield_now();
            }
            may_end.wait();
        });
        assert_eq!(syncs.load(Ordering::SeqCst), 3);
        assert!(
            subject.lock().is_empty(),
            "no trace is left of a descriptor at rest"
        );
    }

    /// An interrupted call is made again; it is no failure.
    #[test]
    fn an_interrupted_sync_is_repeated() {
        let file = tempfile::tempfile().unwrap();
        let calls = AtomicUsize::new(0);
        let outcome = Syncs::new().sync(file.as_fd(), |_| {
            match calls.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Errno::INTR),
                _ => Ok(()),
            }
        });
        assert_eq!((outcome, calls.load(Ordering::SeqCst)), (Ok(()), 2));
    }

    /// G2: a page that failed to sync may be marked clean, so a later success proves nothing and is not believed.
    #[test]
    fn one_failed_sync_fails_every_later_one() {
        let (file, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let subject = Syncs::new();
        assert_eq!(
            subject.sync(file.as_fd(), |_| Err(Errno::IO)),
            Err(Errno::IO)
        );
        assert_eq!(subject.sync(file.as_fd(), |_| Ok(())), Err(Errno::IO));
        assert_eq!(
            subject.sync(other.as_fd(), |_| Err(Errno::NOSPC)),
            Err(Errno::NOSPC)
        );
        assert_eq!(
            subject.sync(other.as_fd(), |_| Ok(())),
            Err(Errno::IO),
            "the first is kept"
        );
    }

    /// A bad descriptor is its caller's mistake; nothing was lost.
    #[test]
    fn a_bad_descriptor_is_not_remembered() {
        let file = tempfile::tempfile().unwrap();
        let subject = Syncs::new();
        assert_eq!(
            subject.sync(file.as_fd(), |_| Err(Errno::BADF)),
            Err(Errno::BADF)
        );
        assert_eq!(subject.sync(file.as_fd(), |_| Ok(())), Ok(()));
    }
}

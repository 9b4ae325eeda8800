//! The thread that signs checkpoints can fail by itself; whoever holds the log hears of it, and nothing is appended any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{Place, TestKey, event, options, wait};
use gateway_log::{AppendError, CheckpointSigner, Group, Log, LogFailed};
use schemas::proof::{NoteKey, SignedNote};

/// A key that panics from a certain moment on.
struct Panicking {
    key: TestKey,
    now: Arc<AtomicBool>,
}

impl CheckpointSigner for Panicking {
    fn accepts(&self, size: u64) -> Result<(), String> {
        self.key.accepts(size)
    }
    fn sign(&self, size: u64, text: &[u8]) -> Vec<(NoteKey, [u8; 64])> {
        assert!(!self.now.load(Ordering::Acquire), "the signer panics");
        self.key.sign(size, text)
    }
    fn verify(&self, size: u64, note: &SignedNote) -> bool {
        self.key.verify(size, note)
    }
}

/// A log with one event under a checkpoint, whose signer panics once the flag is set.
fn log(place: &Place) -> (Log, Arc<AtomicBool>) {
    let now = Arc::new(AtomicBool::new(false));
    let mut options = options(&place.marker());
    options.signer = Box::new(Panicking {
        key: TestKey::of_seed(7),
        now: Arc::clone(&now),
    });
    let (log, _) = Log::open(&place.data(), options).unwrap();
    append(&log).unwrap();
    let mut heads = log.heads();
    wait(heads.wait_for(|head| head.checkpoint.size == 1)).unwrap();
    (log, now)
}

fn append(log: &Log) -> Result<(), AppendError> {
    let first = log.next_index();
    let group = Group::new(first, ()).batch(vec![event(first)]);
    wait(log.append(group)).map(drop)
}

fn is_panic(failed: &LogFailed) -> bool {
    matches!(failed, LogFailed::Head(why) if why.contains("panicked"))
}

/// G3: a panic of the signing thread is told at once to who waits for it, although nothing more is appended, and every later
/// append fails.
#[test]
fn g3_a_panic_of_the_signing_thread_fails_the_log() {
    let place = Place::new();
    let (log, now) = log(&place);
    assert_eq!(log.failure(), None);
    now.store(true, Ordering::Release);
    // Durable all the same: it is its checkpoint that fails, up to a second later.
    append(&log).unwrap();
    assert!(is_panic(&wait(log.failed())));
    let Err(AppendError::Failed(failed)) = append(&log) else {
        panic!("a log without checkpoints goes on");
    };
    assert!(is_panic(&failed));
    assert_eq!(log.size(), 2);
    assert!(is_panic(&log.close().unwrap_err()));
    drop(log);
    assert_eq!(place.open().unwrap().1.size, 2, "what was durable is there");
}

/// G3: whoever waits for a checkpoint over an exact size (a change of the key) is not left waiting.
#[test]
fn g3_nobody_waits_for_a_signing_thread_that_is_gone() {
    let place = Place::new();
    let (log, now) = log(&place);
    now.store(true, Ordering::Release);
    let first = log.next_index();
    let group = Group::new(first, ()).batch(vec![event(first)]).sealed();
    let Err(AppendError::Failed(failed)) = wait(log.append(group)) else {
        panic!("sealed without a checkpoint");
    };
    assert!(is_panic(&failed));
}

//! Works on a long row of events with every processor, and hands the outcomes back in order. What is under way is bounded, so a
//! longer row takes no more memory.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Events that go from thread to thread together.
const CHUNK_LEN: usize = 128;
/// Chunks that may wait for each worker, and behind it.
const CHUNKS_WAITING: usize = 2;

/// Has each event worked on by `work`, on several threads, and shows what that answers to `take` in order. Ends with the first
/// error of the row, which is answered after everything before it was taken.
pub(crate) fn each<T: Send, E: Send>(
    events: impl Iterator<Item = Result<Vec<u8>, E>> + Send,
    work: impl Fn(Vec<u8>) -> T + Sync,
    mut take: impl FnMut(T),
) -> Result<(), E> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let work = &work;
    std::thread::scope(|scope| {
        let (mut inlets, mut outlets) = (Vec::new(), Vec::new());
        for _ in 0..workers {
            let (inlet, dealt) = sync_channel(CHUNKS_WAITING);
            let (results, outlet) = sync_channel(CHUNKS_WAITING);
            scope.spawn(move || run(&dealt, &results, work));
            inlets.push(inlet);
            outlets.push(outlet);
        }
        let dealer = scope.spawn(move || deal(events, &inlets));
        // In turn, as they were dealt; the first worker that has no more was not given any more.
        for outlet in outlets.iter().cycle() {
            let Ok(chunk) = outlet.recv() else { break };
            chunk.into_iter().for_each(&mut take);
        }
        // A panic in a thread of the scope is one of the caller.
        dealer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn deal<E>(
    mut events: impl Iterator<Item = Result<Vec<u8>, E>>,
    inlets: &[SyncSender<Vec<Vec<u8>>>],
) -> Result<(), E> {
    for inlet in inlets.iter().cycle() {
        let mut chunk = Vec::with_capacity(CHUNK_LEN);
        let mut outcome = Ok(());
        for event in events.by_ref().take(CHUNK_LEN) {
            match event {
                Ok(event) => chunk.push(event),
                Err(error) => outcome = Err(error),
            }
            if outcome.is_err() {
                break;
            }
        }
        let last = chunk.len() < CHUNK_LEN;
        if !chunk.is_empty() && inlet.send(chunk).is_err() {
            return Ok(());
        }
        if last {
            return outcome;
        }
    }
    Ok(())
}

fn run<T>(
    dealt: &Receiver<Vec<Vec<u8>>>,
    results: &SyncSender<Vec<T>>,
    work: &impl Fn(Vec<u8>) -> T,
) {
    for chunk in dealt {
        if results.send(chunk.into_iter().map(work).collect()).is_err() {
            return;
        }
    }
}

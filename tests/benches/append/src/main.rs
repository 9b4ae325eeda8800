//! Durable append of 1 KB events with 1, 8, 64 and 512 waiting callers: the station's log against two bare files with
//! `fdatasync` (one that grows, one whose blocks were written before), SQLite (WAL, synchronous FULL), redb and fjall.
//!
//! All contenders run in turn in one process, several rounds, each round beginning with another one. Rates and latencies are
//! medians; a share is the median of the rounds' shares, because within a round the disk is the same for all. The first pass
//! adds 2 ms to every sync of every one; the second takes the disk as it is.
//!
//! ```text
//! bench-append [rounds [milliseconds for each run [folder]]]     everything, in this order
//! bench-append signing [rounds [milliseconds [folder]]]          only what signing and the tree cost
//! bench-append proofs [folder]                                   only how long proofs take
//! ```
//! The callers are tasks of one thread and each waits for its own event; the log has its own committer, the others share one that
//! takes all who wait into one transaction.

mod contenders;
mod gathered;
mod group;
mod proofs;
mod signing;
mod station;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contenders::{Contender, NAMES};

const EVENT_BYTES: usize = 1024;
const WAITING: [usize; 4] = [1, 8, 64, 512];

/// One run's outcome.
#[derive(Clone, Copy)]
struct Run {
    per_second: f64,
    p99_ms: f64,
    events_per_sync: f64,
}

fn main() {
    let mut arguments: Vec<String> = std::env::args().collect();
    let is_part = |part: &String| part == "signing" || part == "proofs";
    let part = arguments
        .get(1)
        .is_some_and(is_part)
        .then(|| arguments.remove(1));
    if part.as_deref() == Some("proofs") {
        let folder = arguments
            .get(1)
            .map_or_else(std::env::temp_dir, PathBuf::from);
        return proofs::measure(&folder);
    }
    let number = |at: usize, default: u64| {
        arguments
            .get(at)
            .map_or(default, |word| word.parse().expect("a number"))
    };
    let rounds = usize::try_from(number(1, 3).max(1)).expect("few rounds");
    let length = Duration::from_millis(number(2, 700));
    let folder = arguments
        .get(3)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    if part.is_some() {
        return signing::compare(rounds, length, &folder);
    }
    for delay in [Duration::from_millis(2), Duration::ZERO] {
        println!(
            "\n{rounds} rounds of {length:?}, {EVENT_BYTES}-byte events, {delay:?} added to each sync"
        );
        println!(
            "{:24} {:>8} {:>10} {:>11} {:>10} {:>9} {:>12}",
            "", "waiting", "events/s", "of growing", "of written", "p99 ms", "events/sync"
        );
        for waiting in WAITING {
            compare(waiting, rounds, length, delay, &folder);
        }
    }
    signing::compare(rounds, length, &folder);
    proofs::measure(&folder);
}

fn compare(waiting: usize, rounds: usize, length: Duration, delay: Duration, folder: &Path) {
    let mut runs: [Vec<Run>; NAMES.len()] = std::array::from_fn(|_| Vec::new());
    for round in 0..rounds {
        for turn in 0..NAMES.len() {
            let at = (turn + round) % NAMES.len();
            runs[at].push(measure(NAMES[at], waiting, length, delay, folder));
        }
    }
    for (name, own) in NAMES.iter().zip(&runs) {
        let share = |of: usize| {
            let pairs = own.iter().zip(&runs[of]);
            median(
                pairs
                    .map(|(own, base)| own.per_second / base.per_second)
                    .collect(),
            )
        };
        println!(
            "{name:24} {waiting:>8} {:>10.0} {:>11.2} {:>10.2} {:>9.2} {:>12.1}",
            median(own.iter().map(|run| run.per_second).collect()),
            share(0),
            share(1),
            median(own.iter().map(|run| run.p99_ms).collect()),
            median(own.iter().map(|run| run.events_per_sync).collect()),
        );
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn measure(name: &str, waiting: usize, length: Duration, delay: Duration, folder: &Path) -> Run {
    // What the contender before has left for the disk to do is not this one's.
    let settled = std::process::Command::new("sync")
        .arg("-f")
        .arg(folder)
        .status();
    assert!(
        settled.is_ok_and(|status| status.success()),
        "the disk cannot be settled"
    );
    let place = tempfile::tempdir_in(folder).expect("a folder");
    gateway_durable::set_delay(Duration::ZERO);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    let entered = tasks.enter();
    let contender = Contender::open(name, place.path());
    drop(entered);
    gateway_durable::set_delay(delay);
    let event = vec![0xa5_u8; EVENT_BYTES];
    let syncs = gateway_durable::syncs();
    let began = Instant::now();
    let latencies: Vec<Vec<Duration>> = tasks.block_on(&runtime, async {
        let mut callers = Vec::new();
        for _ in 0..waiting {
            let (contender, event) = (contender.clone(), event.clone());
            callers.push(tokio::task::spawn_local(async move {
                let mut latencies = Vec::new();
                while began.elapsed() < length {
                    let asked = Instant::now();
                    contender.append(event.clone()).await;
                    latencies.push(asked.elapsed());
                }
                latencies
            }));
        }
        let mut all = Vec::new();
        for caller in callers {
            all.push(caller.await.expect("a caller"));
        }
        all
    });
    let elapsed = began.elapsed();
    let syncs = gateway_durable::syncs() - syncs;
    gateway_durable::set_delay(Duration::ZERO);
    drop(contender);
    let mut latencies: Vec<Duration> = latencies.into_iter().flatten().collect();
    latencies.sort();
    let events = latencies.len() as f64;
    Run {
        per_second: events / elapsed.as_secs_f64(),
        p99_ms: latencies[latencies.len() * 99 / 100].as_secs_f64() * 1000.0,
        events_per_sync: events / syncs.max(1) as f64,
    }
}

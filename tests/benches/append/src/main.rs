//! Durable append of 1 KB events with 1, 8, 64 and 512 waiting callers: the station's log against a bare file with
//! `fdatasync`, SQLite (WAL, synchronous FULL), redb and fjall. All contenders run in turn, several rounds, in one
//! process; the figures are medians, as shares of the bare file. A second pass adds 2 ms to every sync of every one.
//!
//! ```text
//! bench-append [rounds [milliseconds for each run [folder]]]
//! ```
//! The callers are tasks of one thread and each waits for its own event; the log has its own committer, the others share one that
//! takes all who wait into one transaction.

mod contenders;
mod group;

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
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize, default: u64| {
        arguments.get(at).map_or(default, |word| word.parse().expect("a number"))
    };
    let (rounds, length) = (number(1, 3), Duration::from_millis(number(2, 700)));
    let folder = arguments.get(3).map_or_else(std::env::temp_dir, PathBuf::from);
    for delay in [Duration::from_millis(2), Duration::ZERO] {
        println!("\n{rounds} rounds of {length:?}, {EVENT_BYTES}-byte events, {delay:?} added to each sync");
        println!("{:24} {:>8} {:>10} {:>7} {:>9} {:>12}", "", "waiting", "events/s", "of raw", "p99 ms", "events/sync");
        for waiting in WAITING {
            compare(waiting, rounds, length, delay, &folder);
        }
    }
}

fn compare(waiting: usize, rounds: u64, length: Duration, delay: Duration, folder: &Path) {
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); NAMES.len()];
    for _ in 0..rounds {
        for (name, runs) in NAMES.iter().zip(&mut runs) {
            runs.push(measure(name, waiting, length, delay, folder));
        }
    }
    let medians: Vec<Run> = runs.into_iter().map(median).collect();
    let raw = medians[0].per_second;
    for (name, run) in NAMES.iter().zip(medians) {
        println!(
            "{name:24} {waiting:>8} {:>10.0} {:>7.2} {:>9.2} {:>12.1}",
            run.per_second,
            run.per_second / raw,
            run.p99_ms,
            run.events_per_sync
        );
    }
}

fn median(mut runs: Vec<Run>) -> Run {
    runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    runs[runs.len() / 2]
}

fn measure(name: &str, waiting: usize, length: Duration, delay: Duration, folder: &Path) -> Run {
    let place = tempfile::tempdir_in(folder).expect("a folder");
    gateway_durable::set_delay(Duration::ZERO);
    let contender = Contender::open(name, place.path());
    gateway_durable::set_delay(delay);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
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

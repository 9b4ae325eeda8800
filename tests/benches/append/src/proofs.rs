//! How long a proof takes, asked once, and the best of three times, which leaves out what other programs took of the processor:
//! inclusion at random indexes and consistency between random sizes, in a log of a million events.

use std::path::Path;
use std::time::{Duration, Instant};

use gateway_log::{Group, Log};

use crate::station;

const EVENTS: u64 = 1_000_000;
const GROUP_EVENTS: u64 = 8192;
const PROOFS: usize = 20_000;
const GOAL: Duration = Duration::from_millis(1);

pub fn measure(folder: &Path) {
    let place = tempfile::tempdir_in(folder).expect("a folder");
    let began = Instant::now();
    let log = station::log(place.path(), 512 * 1024);
    fill(&log);
    log.close().expect("a log that is whole");
    drop(log);
    println!(
        "\n{EVENTS} events of 8 bytes, filled in {:.1?}",
        began.elapsed()
    );
    let began = Instant::now();
    let log = station::log(place.path(), 512 * 1024);
    println!(
        "opened, every event read and every stored hash compared, in {:.1?}",
        began.elapsed()
    );

    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (once, best) = ("asked once", "best of three");
    println!("{:32} {once:^29} {best:^29}  (goal: < {GOAL:?})", "");
    print!("{:32}", "");
    ["p50", "p99", "max"]
        .repeat(2)
        .iter()
        .for_each(|name| print!(" {name:>9}"));
    println!();
    let mut any = || dice.below(EVENTS);
    row("inclusion, under the head", &mut any, |index, _| {
        log.inclusion(index).expect("a proof");
    });
    row("inclusion, in the whole tree", &mut any, |index, _| {
        log.inclusion_in(index, EVENTS).expect("a proof");
    });
    row("inclusion, in any tree", &mut any, |a, b| {
        log.inclusion_in(a.min(b), a.max(b) + 1).expect("a proof");
    });
    row("consistency, to the whole tree", &mut any, |old, _| {
        log.consistency(old, EVENTS).expect("a proof");
    });
    row("consistency, of any two trees", &mut any, |a, b| {
        log.consistency(a.min(b), a.max(b)).expect("a proof");
    });
}

fn fill(log: &Log) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    while log.next_index() < EVENTS {
        let first = log.next_index();
        let end = EVENTS.min(first + GROUP_EVENTS);
        let events = (first..end).map(|index| index.to_le_bytes().to_vec());
        let group = Group::new(first, ()).batch(events.collect());
        drop(runtime.block_on(log.append(group)).expect("an append"));
    }
}

fn row(name: &str, any: &mut impl FnMut() -> u64, prove: impl Fn(u64, u64)) {
    let (mut once, mut best) = (Vec::new(), Vec::new());
    for _ in 0..PROOFS {
        let (a, b) = (any(), any());
        let times = [(); 3].map(|()| {
            let asked = Instant::now();
            prove(a, b);
            asked.elapsed()
        });
        once.push(times[0]);
        best.push(times[0].min(times[1]).min(times[2]));
    }
    print!("{name:32}");
    for mut times in [once, best] {
        times.sort();
        for share in [50, 99, 100] {
            let time = format!("{:.0?}", times[(PROOFS - 1) * share / 100]);
            print!(" {time:>9}");
        }
    }
    println!();
}

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }
}

//! A load for crash tests: writes what is acknowledged to standard output, and later tells what is there.
//!
//! ```text
//! workload <folder> [seed [calls]]   opens <folder>/data (marker in <folder>/keys) and appends; after each durable
//!                                    answer prints, and flushes, one line for each event or pair:
//!                                        event <index> <leaf hash>   kv <key> <sha256 or ->   pruned <first index>
//!                                    A pair's line holds until the next line for that key, and so does that of what was pruned.
//! workload --verify <folder>         opens it and prints, in the same form, `size=<n> root=<hex>`, then all events
//!                                    and pairs; for an event that was pruned the hash that is left of it. Exit code 3: quarantined. 1: anything else.
//! ```
//! A line `ready` comes first: opening is complete. The load repeats itself for a seed: several calls in flight, commands of one to four
//! events, commands that are duplicates and add none, values that are replaced, removed, and long enough for several chunks. Now and
//! then an epoch begins, and the oldest are pruned when there are more than four.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program"
)]

#[allow(unreachable_pub, dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/common/mod.rs"]
mod common;

use std::collections::{BTreeSet, VecDeque};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use common::{options, wait};
use gateway_log::{AppendError, Appending, Group, KvOp, Log, OpenError, Space};
use schemas::proof::Hash;
use sha2::{Digest, Sha256};

const IN_FLIGHT: usize = 6;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u64>().unwrap();
    let outcome = match words.as_slice() {
        ["--verify", folder] => open(folder).map(|log| tell(&log)),
        [folder] => open(folder).map(|log| load(&log, 1, u64::MAX)),
        [folder, seed] => open(folder).map(|log| load(&log, number(seed), u64::MAX)),
        [folder, seed, calls] => open(folder).map(|log| load(&log, number(seed), number(calls))),
        _ => panic!("usage: workload <folder> [seed [calls]] | workload --verify <folder>"),
    };
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{error}");
    ExitCode::from(if matches!(error, OpenError::Quarantine(_)) {
        3
    } else {
        1
    })
}

fn open(folder: &str) -> Result<Log, OpenError> {
    let folder = Path::new(folder);
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    // The keys are there, durably, before the log is opened; here their folder is all there is of them.
    gateway_durable::sync_folder(&keys).unwrap();
    gateway_durable::sync_folder(folder).unwrap();
    Log::open(&folder.join("data"), options(&keys.join("log-started"))).map(|(log, _)| log)
}

fn tell(log: &Log) {
    let first = log.first_index();
    println!("size={} root={}", log.size(), log.head().checkpoint.root);
    if first > 0 {
        println!("pruned {first}");
    }
    let proven = |index| log.inclusion(index).unwrap().leaf;
    for index in 0..first {
        println!("event {index} {}", proven(index));
    }
    for event in log.read(first..log.size()) {
        let (index, event) = event.unwrap();
        assert_eq!(proven(index), Hash::leaf(&event));
        println!("event {index} {}", Hash::leaf(&event));
    }
    for (key, value) in log.kv_load(Space::BROKER).unwrap() {
        println!(
            "kv {} {}",
            String::from_utf8(key).unwrap(),
            hex::encode(Sha256::digest(&value))
        );
    }
}

/// Epochs that are kept.
const EPOCHS_MAX: usize = 4;

/// The lines that a call is worth, once it is durable.
type Lines = Vec<String>;

fn load(log: &Log, seed: u64, calls: u64) {
    say(&["ready".to_owned()]);
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut known = BTreeSet::new();
    let mut waiting: VecDeque<Appending<Lines>> = VecDeque::new();
    for _ in 0..calls {
        waiting.push_back(match dice.below(20) {
            0 => begin_epoch(log, &mut dice),
            1..6 => change_pairs(log, &mut dice),
            _ => append(log, &mut dice, &mut known),
        });
        if waiting.len() >= IN_FLIGHT || dice.below(5) == 0 {
            waiting.drain(..).for_each(acknowledge);
            prune(log);
        }
    }
    waiting.drain(..).for_each(acknowledge);
    log.close().unwrap();
}

/// Always with an event, as the gateway's snapshots are; other calls are in flight before and behind it.
fn begin_epoch(log: &Log, dice: &mut Dice) -> Appending<Lines> {
    log.append_with(|first| {
        let event = dice.bytes(50, 500);
        let line = format!("event {first} {}", Hash::leaf(&event));
        let group = Group::new(first, vec![line]).batch(vec![event]);
        group.beginning_epoch()
    })
}

fn prune(log: &Log) {
    let epochs = log.epochs();
    let surplus = epochs.len().saturating_sub(EPOCHS_MAX);
    let Some(keep) = epochs.get(surplus).filter(|_| surplus > 0) else {
        return;
    };
    assert_eq!(log.prune(*keep, |_, _| true).unwrap(), *keep);
    say(&[format!("pruned {keep}")]);
}

fn append(log: &Log, dice: &mut Dice, known: &mut BTreeSet<u64>) -> Appending<Lines> {
    log.append_with(|first| {
        let mut group = Group::new(first, Lines::new());
        let mut index = first;
        for _ in 0..=dice.below(3) {
            // A message id from a small range: many are duplicates, which add nothing.
            if !known.insert(dice.below(50_000)) {
                continue;
            }
            let events: Vec<Vec<u8>> = (0..=dice.below(3)).map(|_| dice.bytes(50, 3000)).collect();
            for event in &events {
                group
                    .value
                    .push(format!("event {index} {}", Hash::leaf(event)));
                index += 1;
            }
            group = group.batch(events);
        }
        group
    })
}

fn change_pairs(log: &Log, dice: &mut Dice) -> Appending<Lines> {
    let mut lines = Lines::new();
    let mut ops: Vec<KvOp> = Vec::new();
    for _ in 0..=dice.below(4) {
        let key = format!("session-{}", dice.below(12));
        let value = (dice.below(3) > 0).then(|| dice.bytes(0, 14_000));
        let hash = value
            .as_ref()
            .map_or("-".to_owned(), |value| hex::encode(Sha256::digest(value)));
        lines.push(format!("kv {key} {hash}"));
        ops.push((key.into_bytes(), value));
    }
    log.kv_apply(Space::BROKER, ops, lines)
}

fn acknowledge(call: Appending<Lines>) {
    match wait(call) {
        Ok(durable) => say(durable.get()),
        Err(AppendError::Refused(refusal)) => panic!("refused: {refusal}"),
        // As the gateway does: the process ends.
        Err(AppendError::Failed(failed)) => {
            eprintln!("{failed}");
            std::process::exit(1);
        }
    }
}

fn say(lines: &[String]) {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}").unwrap();
    }
    out.flush().unwrap();
}

/// xorshift64*: the same load for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }
    fn bytes(&mut self, min: u64, max: u64) -> Vec<u8> {
        let length = min + self.below(max - min);
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

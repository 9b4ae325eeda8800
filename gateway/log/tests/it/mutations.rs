//! G2, G3: one random change to one file of a closed log of several epochs, beside the keys or in the data folder: opening either
//! refuses, or yields the very same events under the same root. Never a shorter or an empty log, never a panic. Closed epochs are
//! not read at opening; there a changed file may show when they are, as an error, never as other events. What is refused
//! loses nothing by it: with the file put right, the log is whole again.
//!
//! `LOG_MUTATIONS` (default 120) is the number of changes, `LOG_MUTATIONS_SEED` repeats a run.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::common::{Place, event, wait};
use gateway_log::{Group, Log, OpenError};
use schemas::proof::Frontier;

const EVENTS: u64 = 300;
/// Where epochs begin.
const EPOCHS: [u64; 3] = [0, 100, 220];

fn append(log: &Log, size: u64) {
    while log.size() < size {
        let first = log.size();
        let begins = EPOCHS.contains(&first);
        let next_epoch = EPOCHS.into_iter().find(|epoch| *epoch > first);
        let end = size.min(first + 7).min(next_epoch.unwrap_or(EVENTS));
        let mut group = Group::new(first, ()).batch((first..end).map(event).collect());
        if begins {
            group = group.beginning_epoch();
        }
        drop(wait(log.append(group)).unwrap());
    }
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// A closed log, and an older state of it.
fn states() -> [BTreeMap<PathBuf, Vec<u8>>; 2] {
    let place = Place::new();
    [EVENTS / 2, EVENTS].map(|size| {
        let (log, _) = place.open().unwrap();
        append(&log, size);
        log.close().unwrap();
        drop(log);
        files(place.0.path())
    })
}

/// Changes one file, and says how.
fn mutate(
    files: &mut BTreeMap<PathBuf, Vec<u8>>,
    older: &BTreeMap<PathBuf, Vec<u8>>,
    dice: &mut Dice,
) -> String {
    let names: Vec<PathBuf> = files.keys().cloned().collect();
    let name = &names[dice.below(names.len())];
    let bytes = files.get_mut(name).unwrap();
    let what = match dice.below(7) {
        // What is not zero is in use: a random byte of a preallocated file would say nothing.
        0 | 1 if bytes.iter().any(|byte| *byte != 0) => {
            let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
            let at = used[dice.below(used.len())];
            bytes[at] ^= 1 << dice.below(8);
            format!("bit flipped in byte {at}")
        }
        2 if !bytes.is_empty() => {
            bytes.truncate(dice.below(bytes.len()));
            format!("cut to {} bytes", bytes.len())
        }
        3 => {
            let count = 1 + dice.below(5000);
            bytes.extend((0..count).map(|_| dice.byte()));
            format!("{count} bytes of garbage appended")
        }
        4 => {
            let other = names[dice.below(names.len())].clone();
            let theirs = files[&other].clone();
            let own = files.insert(name.clone(), theirs).unwrap();
            files.insert(other.clone(), own);
            format!("swapped with {}", other.display())
        }
        5 if older.contains_key(name) => {
            bytes.clone_from(&older[name]);
            "replaced by an older copy".to_owned()
        }
        _ => {
            files.remove(name);
            "deleted".to_owned()
        }
    };
    format!("{}: {what}", name.display())
}

fn written(files: &BTreeMap<PathBuf, Vec<u8>>) -> Place {
    let place = Place::new();
    for (name, bytes) in files {
        let path = place.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    // sled wants its folder for blobs, which is empty.
    for epoch in EPOCHS {
        fs::create_dir_all(place.data().join(format!("log/{epoch}/blobs"))).unwrap();
    }
    place
}

/// Opens and reads, and answers whether that was refused. What is read must be the same.
fn refused(place: &Place, change: &str) -> bool {
    let opened = catch_unwind(AssertUnwindSafe(|| place.open()));
    let Ok(opened) = opened else {
        panic!("{change}: a panic escaped")
    };
    let (log, recovered) = match opened {
        Ok(opened) => opened,
        Err(OpenError::Quarantine(_) | OpenError::NewerFormat { .. } | OpenError::Failed(_)) => {
            return true;
        }
        Err(other) => panic!("{change}: refused, but not as a damaged log: {other}"),
    };
    let mut tree = Frontier::new();
    (0..EVENTS).for_each(|index| tree.append(&event(index)));
    assert!(!recovered.first_start, "{change}");
    assert_eq!(
        (recovered.size, recovered.root),
        (EVENTS, tree.root()),
        "{change}"
    );
    assert_eq!(log.epochs(), EPOCHS, "{change}");
    let mut next = 0;
    for read in log.read(0..u64::MAX) {
        match read {
            Ok(read) => assert!(read == (next, event(next)), "{change}: event {next}"),
            Err(error) if is_in_closed_epoch(change) => {
                println!("{change}: shown by reading: {error}");
                return true;
            }
            Err(error) => panic!("{change}: {error}"),
        }
        next += 1;
    }
    assert_eq!(next, EVENTS, "{change}");
    assert!(log.inclusion(EVENTS - 1).is_ok(), "{change}");
    false
}

/// What was changed is as it was found; and with the file put right, the log is whole again.
fn assert_heals(before: &[BTreeMap<PathBuf, Vec<u8>>; 2], place: &Place, change: &str) {
    let [whole, changed] = before;
    let mut after = files(place.0.path());
    for (name, bytes) in whole {
        if changed.get(name) != Some(bytes) {
            // The lock, the room that is kept, and what is derived from the events are made anew.
            let path = name.to_str().unwrap();
            let is_evidence = !["LOCK", "RESERVE", "tree/"]
                .iter()
                .any(|part| path.contains(part));
            assert!(
                !is_evidence || after.get(name) == changed.get(name),
                "{change}: {} was changed again",
                name.display()
            );
            after.insert(name.clone(), bytes.clone());
        }
    }
    assert!(!refused(&written(&after), change), "{change}: not healed");
}

fn is_in_closed_epoch(change: &str) -> bool {
    EPOCHS
        .iter()
        .rev()
        .skip(1)
        .any(|epoch| change.contains(&format!("log/{epoch}/")))
}

#[test]
fn a_changed_file_is_refused_or_means_the_same() {
    let setting = |name: &str| Some(std::env::var(name).ok()?.parse::<u64>().unwrap());
    let cases = setting("LOG_MUTATIONS").unwrap_or(120);
    let seed = setting("LOG_MUTATIONS_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        u64::from(now.subsec_nanos())
    });
    println!("LOG_MUTATIONS_SEED={seed}");
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let [older, newer] = states();
    assert!(
        !refused(&written(&newer), "unchanged"),
        "what is not changed opens"
    );
    let mut refusals = 0;
    for case in 0..cases {
        let mut files = newer.clone();
        let change = format!("case {case}, {}", mutate(&mut files, &older, &mut dice));
        println!("{change}");
        let place = written(&files);
        if refused(&place, &change) {
            assert_heals(&[newer.clone(), files], &place, &change);
            refusals += 1;
        }
    }
    println!("{refusals} of {cases} were refused");
    assert!(
        cases < 50 || (refusals > cases / 10 && refusals < cases),
        "{refusals}"
    );
}

/// xorshift64*: the same changes for the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.next() >> 11) % u64::try_from(bound).unwrap()).unwrap()
    }
    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}

//! What signing and the tree cost: the time of an event that is signed, appended and put under the tree, as a share of the time of
//! the append alone.
//!
//! Both go the station's way: what waits is gathered into groups, as its loop does it. The append alone is the same log with events
//! of the same length that are not signed. The tree cannot be taken out of it; what the tree takes of a
//! processor is measured by itself and added, as if none of it overlapped with waiting for the disk.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use schemas::proof::Frontier;

use crate::{EVENT_BYTES, measure, median, station};

/// How many wait, as what they append to, signed or not, and how it is printed. With 64 all of them wait for the same flush, so nothing is left
/// to sign meanwhile; with 128 in groups of 64 the next group is signed while one is flushed, and no flush takes more than a group.
const CASES: [(usize, &str, &str, &str); 3] = [
    (64, "gathered", "gathered, signed", "64 waiting"),
    (
        128,
        "gathered by 64",
        "gathered by 64, signed",
        "128 waiting in groups of 64",
    ),
    (512, "gathered", "gathered, signed", "512 waiting"),
];
const GOAL: f64 = 1.25;

pub fn compare(rounds: usize, length: Duration, folder: &Path) {
    let tree_us = processor_us(|event, tree| tree.append(event));
    let key = station::key();
    let signature_us = processor_us(|event, _| {
        black_box(key.sign(event));
    });
    println!(
        "\none {EVENT_BYTES}-byte event: signature {signature_us:.1} us, leaf and nodes {tree_us:.1} us"
    );
    println!(
        "time of \"gathered, signed\" as a share of \"gathered\" and of \"gathered\" without its tree; goal: at most {GOAL}"
    );
    for delay in [Duration::from_millis(2), Duration::ZERO] {
        for (waiting, unsigned, signed, named) in CASES {
            let (mut shares, mut shares_bare, mut rates) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..rounds {
                let run = |name| measure(name, waiting, length, delay, folder).per_second;
                // In turn, so that neither always has the disk as the other left it.
                let (plain, signed_rate) = if round % 2 == 0 {
                    let plain = run(unsigned);
                    (plain, run(signed))
                } else {
                    let signed = run(signed);
                    (run(unsigned), signed)
                };
                let bare_us = (1e6 / plain - tree_us).max(f64::MIN_POSITIVE);
                shares.push(plain / signed_rate);
                shares_bare.push(1e6 / signed_rate / bare_us);
                rates.push(signed_rate);
            }
            println!(
                "{delay:>4?} added to each sync, {named}: {:>7.0} events/s signed, {:.2} of gathered, {:.2} of gathered without tree",
                median(rates),
                median(shares),
                median(shares_bare),
            );
        }
    }
}

/// Microseconds that this takes for an event of the usual length.
fn processor_us(mut work: impl FnMut(&[u8], &mut Frontier)) -> f64 {
    const EVENTS: u32 = 20_000;
    let (event, mut tree) = (vec![0xa5; EVENT_BYTES], Frontier::new());
    let began = Instant::now();
    for _ in 0..EVENTS {
        work(black_box(&event), &mut tree);
    }
    black_box(tree.root());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(EVENTS)
}

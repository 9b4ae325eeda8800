//! How fast a whole log is verified, as a share of what the bare cryptography takes: SHA-256 of every event and Ed25519 of every
//! signature, on all processors, over the same bytes in memory.
//!
//! ```text
//! verify_speed <bundle folder> [rounds]
//! ```
//! `gateway export bundle` makes the folder. Prints the medians and the share; both are measured in turn in one process.
#![allow(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement stops at the first surprise"
)]

use std::convert::Infallible;
use std::path::Path;
use std::time::Instant;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use gateway_audit::{Bundle, Verify};
use schemas::envelope::Signed;
use schemas::proof::Hash;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds: usize = arguments.get(2).map_or(3, |word| word.parse().unwrap());
    let bundle = Bundle::open(Path::new(&arguments[1])).unwrap();
    let events: Vec<Vec<u8>> = bundle.events().unwrap().map(Result::unwrap).collect();
    let chain = bundle.anchor.chain();
    let (mut limits, mut verified) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = Instant::now();
        bare(&events, chain.first());
        limits.push(events.len() as f64 / began.elapsed().as_secs_f64());
        let copies = events.clone();
        let began = Instant::now();
        let verify = Verify::new(&bundle.anchor)
            .checkpoint("own", &bundle.checkpoint)
            .closed();
        let report = verify.run(copies.into_iter().map(Ok::<_, Infallible>), |_| {});
        verified.push(events.len() as f64 / began.elapsed().as_secs_f64());
        assert!(report.is_whole(), "{:?}", report.findings);
    }
    let shares = verified.iter().zip(&limits).map(|(own, limit)| own / limit);
    let share = median(shares.collect());
    println!(
        "{} events: bare {:.0}/s, verify {:.0}/s, share {share:.2}",
        events.len(),
        median(limits),
        median(verified)
    );
}

/// The cryptography alone, under the first key: a log without rotations is measured.
fn bare(events: &[Vec<u8>], key: &[u8; 32]) {
    let threads = std::thread::available_parallelism().unwrap().get();
    let key = &ParsedPublicKey::new(&ED25519, key).unwrap();
    std::thread::scope(|scope| {
        for part in events.chunks(events.len().div_ceil(threads)) {
            scope.spawn(move || {
                for event in part {
                    std::hint::black_box(Hash::leaf(event));
                    let signed = Signed::read(event).unwrap();
                    assert!(signed.is_genuine(|message, signature| {
                        key.verify_sig(message, signature).is_ok()
                    }));
                }
            });
        }
    });
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

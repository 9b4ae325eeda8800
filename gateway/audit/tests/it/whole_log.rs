//! G3: a whole log verifies, and no change of it goes unseen: flipped bytes, dropped, repeated, swapped and foreign events, cut
//! tails, old and foreign checkpoints, false keys.

use std::convert::Infallible;

use crate::station::Station;
use gateway_audit::{Fault, Proof, ProofError, Verify};
use proptest::prelude::*;
use schemas::event::Event;
use schemas::proof::{Frontier, Hash};

fn station() -> Station {
    Station::new("demo", 1, 300, Some(150))
}

#[test]
fn a_whole_log_verifies_across_a_rotation() {
    let station = station();
    let report = station.verify(&station.events, &station.checkpoint(300));
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!(
        (report.events, report.covered, report.rotations),
        (300, Some(300), 1)
    );
    for len in [0, 1, 150, 151, 152] {
        let report = station.verify(&station.events[..len], &station.checkpoint(len));
        assert!(report.is_whole(), "{len}: {:?}", report.findings);
    }
    let both = station.checkpoint(151);
    assert_eq!(both.matches("— ").count(), 2);
    let one = both.lines().take(5).collect::<Vec<_>>().join("\n") + "\n";
    assert!(!station.verify(&station.events[..151], &one).is_whole());
}

/// Where a fault must be found, which, and how it is made.
type Case = (
    Option<u64>,
    fn(&Fault) -> bool,
    Box<dyn Fn(&mut Vec<Vec<u8>>)>,
);

#[test]
fn each_kind_of_damage_is_named() {
    let station = station();
    let whole = station.checkpoint(300);
    let other = Station::new("elsewhere", 7, 300, None);
    let damaged = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut events = station.events.clone();
        change(&mut events);
        let report = station.verify(&events, &whole);
        let first = report.findings.into_iter().next().expect("it went unseen");
        (first.index, first.fault)
    };
    let cases: Vec<Case> = vec![
        (
            Some(40),
            |f| matches!(f, Fault::Index(41)),
            Box::new(|e| drop(e.remove(40))),
        ),
        (
            Some(41),
            |f| matches!(f, Fault::Index(40)),
            Box::new(|e| e.insert(41, e[40].clone())),
        ),
        (
            Some(40),
            |f| matches!(f, Fault::Index(41)),
            Box::new(|e| e.swap(40, 41)),
        ),
        (
            None,
            |f| matches!(f, Fault::Shorter { .. }),
            Box::new(|e| e.truncate(299)),
        ),
        (
            None,
            |f| matches!(f, Fault::Shorter { .. }),
            Box::new(Vec::clear),
        ),
        (
            Some(40),
            |f| matches!(f, Fault::Origin(_)),
            Box::new(move |e| e[40] = other.events[40].clone()),
        ),
        (
            Some(40),
            |f| matches!(f, Fault::Unreadable(_)),
            Box::new(|e| e[40].push(0)),
        ),
        (
            Some(40),
            |f| matches!(f, Fault::Signature),
            Box::new(|e| *e[40].last_mut().unwrap() ^= 1),
        ),
    ];
    for (at, (index, is_so, change)) in cases.into_iter().enumerate() {
        let (found, fault) = damaged(&change);
        assert!(
            found == index && is_so(&fault),
            "case {at}: {found:?} {fault:?}"
        );
    }
}

#[test]
fn old_foreign_and_absent_checkpoints_are_refused() {
    let station = station();
    let other = Station::new("demo", 9, 300, Some(150));
    assert!(
        !station
            .verify(&station.events, &station.checkpoint(299))
            .is_whole(),
        "old"
    );
    assert!(
        !station
            .verify(&station.events, &other.checkpoint(300))
            .is_whole(),
        "other key"
    );
    assert!(!station.verify(&station.events, "").is_whole(), "none");
    assert!(
        !other
            .verify(&station.events, &station.checkpoint(300))
            .is_whole(),
        "other anchor"
    );
    let mut forged = station.events.clone();
    // A genuine event of the old key behind the rotation.
    let chain = std::mem::replace(
        &mut Station::new("demo", 1, 0, None).chain,
        station.chain.clone(),
    );
    let old = Station {
        chain,
        events: Vec::new(),
        ..Station::new("demo", 1, 0, None)
    };
    let body = r#"{"device":"kiosk-1","report":"door","detail":null}"#;
    let event = Event::from_data("station.device.reported.v1", body)
        .unwrap()
        .unwrap();
    forged[200] = old.seal(200, &event);
    let report = station.verify(&forged, &station.checkpoint(300));
    assert!(matches!(report.findings[0].fault, Fault::Key));
}

/// G3: a log that cannot be read further is found so at the event that cannot be read, and what was found before is told too.
#[test]
fn a_row_that_breaks_off_is_a_fault_at_its_event() {
    let station = station();
    for (len, last) in [(40, Some(39)), (0, None)] {
        let rows = station.events[..len].iter().cloned().map(Ok);
        let report = Verify::new(&station.anchor())
            .checkpoint("checkpoint", station.checkpoint(300))
            .run(rows.chain([Err("no more")]), |_| {});
        let first = &report.findings[0];
        assert_eq!(first.index, u64::try_from(len).ok());
        assert!(matches!(&first.fault, Fault::BrokenOff { last: found, .. } if *found == last));
        assert!(first.to_string().ends_with(": no more"), "{first}");
        assert!(matches!(report.findings[1].fault, Fault::Shorter { .. }));
        assert_eq!((report.faults, report.covered), (2, None));
    }
}

/// G3: a row that ends for a reason beside the log is no report: nothing is said of events that nobody saw.
#[test]
fn a_row_that_nobody_could_read_on_is_no_fault() {
    let station = station();
    for of_the_log in [true, false] {
        let rows = station.events[..40].iter().cloned().map(Ok);
        let looked = Verify::new(&station.anchor())
            .checkpoint("checkpoint", station.checkpoint(300))
            .try_run(rows.chain([Err("no more")]), |_| of_the_log, |_| {});
        assert_eq!(looked.is_ok(), of_the_log, "{looked:?}");
    }
    let rows = station.events.iter().cloned().map(Ok::<_, &str>);
    let whole = Verify::new(&station.anchor()).try_run(rows, |_| false, |_| {});
    assert!(whole.unwrap().is_whole());
}

/// G3: of checkpoints that are kept the report says which hold; one that is not there is a fault.
#[test]
fn the_report_names_the_checkpoints_that_hold() {
    let station = station();
    let rows = station.events.iter().cloned().map(Ok::<_, Infallible>);
    let report = Verify::new(&station.anchor())
        .checkpoint("old", station.checkpoint(200))
        .checkpoint("empty", "")
        .missing("gone")
        .run(rows, |_| {});
    let held: Vec<_> = report.held.iter().map(|h| (&*h.name, h.size)).collect();
    assert_eq!(held, [("old", 200)]);
    let found: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    assert!(found[0].starts_with("empty: ") && found[1] == "gone is missing");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// G3: whichever byte of whichever event changes, it is found at that event.
    #[test]
    fn every_flipped_byte_is_found(at in 0usize..60, byte in any::<prop::sample::Index>(), bit in 0u8..8) {
        let station = Station::new("demo", 1, 60, Some(30));
        let mut events = station.events.clone();
        let byte = byte.index(events[at].len());
        events[at][byte] ^= 1 << bit;
        let report = station.verify(&events, &station.checkpoint(60));
        prop_assert_eq!(report.findings[0].index, Some(u64::try_from(at).unwrap()));
    }
}

/// The inclusion proof by brute force (RFC 6962, 2.1.1).
fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut inner, sibling) = if index < half {
        (path(left, index), right)
    } else {
        (path(right, index - half), left)
    };
    let mut tree = Frontier::new();
    for leaf in sibling {
        tree.append_leaf(*leaf);
    }
    inner.push(tree.root());
    inner
}

fn proof(station: &Station, index: usize, size: usize) -> Proof {
    let leaves: Vec<Hash> = station.events[..size]
        .iter()
        .map(|event| Hash::leaf(event))
        .collect();
    Proof {
        event: station.events[index].clone(),
        index: index.try_into().unwrap(),
        path: path(&leaves, index),
        checkpoint: station.checkpoint(size),
    }
}

/// G3: a proof file holds by itself, and with nothing in it changed.
#[test]
fn a_proof_file_holds_alone() {
    let station = Station::new("demo", 1, 60, Some(30));
    for (index, size) in [(0, 1), (0, 60), (29, 31), (30, 31), (31, 60), (59, 60)] {
        let text = proof(&station, index, size).to_string();
        let read = Proof::parse(&text).unwrap();
        assert_eq!(read.to_string(), text);
        // Proofs of rotations come along where the tree has one.
        let rotations: Vec<Proof> = (size > 30)
            .then(|| proof(&station, 30, size))
            .into_iter()
            .collect();
        let proven = read.check(&station.anchor(), &rotations).unwrap();
        assert!(
            size < 32
                || matches!(
                    read.check(&station.anchor(), &[]),
                    // An event behind the rotation shows its want of it by its own key, if not before.
                    Err(ProofError::CheckpointKey | ProofError::Signature)
                ),
            "{index} of {size}"
        );
        assert_eq!(proven.checkpoint.size, u64::try_from(size).unwrap());
        assert_eq!(proven.entry.unwrap().index, u64::try_from(index).unwrap());
    }
    let (good, rotations) = (proof(&station, 7, 60), [proof(&station, 30, 60)]);
    let text = good.to_string();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let refused = String::from_utf8(bytes).ok().is_none_or(|changed| {
            Proof::parse(&changed)
                .and_then(|proof| proof.check(&station.anchor(), &rotations))
                .is_err()
        });
        assert!(refused, "byte {at} of {text}");
    }
    let moved = Proof {
        index: 8,
        ..good.clone()
    };
    assert!(matches!(
        moved.check(&station.anchor(), &rotations),
        Err(ProofError::Index { .. })
    ));
    let foreign = Station::new("demo", 9, 60, Some(30));
    assert!(good.check(&foreign.anchor(), &[]).is_err());
}

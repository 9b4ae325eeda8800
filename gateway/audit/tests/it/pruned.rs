//! G3, G4: a log whose first events were pruned is verified from the tree over them and the signed changes of its key.

use std::convert::Infallible;

use crate::station::Station;
use gateway_audit::{Fault, Report, Verify};
use schemas::proof::Frontier;

/// The key changes at this event.
const ROTATION: usize = 50;
/// What comes before this event was pruned.
const FIRST: usize = 200;

type Rotations = Vec<(u64, Vec<u8>)>;

fn tree(station: &Station, size: usize) -> Frontier {
    let mut tree = Frontier::new();
    station.events[..size]
        .iter()
        .for_each(|event| tree.append(event));
    tree
}

fn rotations(station: &Station) -> Rotations {
    vec![(50, station.events[ROTATION].clone())]
}

fn verify(station: &Station, tree: Frontier, rotations: Rotations, size: usize) -> Report {
    let events = station.events[FIRST..].iter().cloned();
    Verify::new(&station.anchor())
        .behind(tree, rotations)
        .checkpoint("checkpoint", station.checkpoint(size))
        .run(events.map(Ok::<_, Infallible>), |_| {})
}

fn station() -> Station {
    Station::new("demo", 1, 300, Some(50))
}

#[test]
fn what_is_left_verifies_with_the_tree_of_what_is_gone() {
    let station = station();
    for size in [FIRST, FIRST + 1, 300] {
        let report = verify(&station, tree(&station, FIRST), rotations(&station), size);
        assert!(report.is_whole(), "{size}: {:?}", report.findings);
        assert_eq!(
            (report.events, report.first, report.rotations),
            (300, 200, 1)
        );
        assert_eq!(report.root, tree(&station, 300).root());
    }
}

/// Neither the tree nor the changes of the key are believed.
#[test]
fn a_false_beginning_is_found() {
    let station = station();
    let other = Station::new("elsewhere", 7, 300, Some(50));
    let good = || rotations(&station);
    let faults = |report: Report| {
        let faults = report.findings.into_iter();
        faults.map(|finding| finding.fault).collect::<Vec<_>>()
    };
    let found = faults(verify(&station, tree(&other, FIRST), good(), 300));
    assert!(
        matches!(found[..], [Fault::Root { size: 300, .. }]),
        "{found:?}"
    );
    let found = faults(verify(&station, tree(&station, FIRST), Vec::new(), 300));
    assert!(matches!(found[0], Fault::Key), "{found:?}");
    let theirs = vec![(50, other.events[ROTATION].clone())];
    let found = faults(verify(&station, tree(&station, FIRST), theirs, 300));
    assert!(matches!(found[0], Fault::Origin(_)), "{found:?}");
    let none = vec![(49, station.events[49].clone())];
    let found = faults(verify(&station, tree(&station, FIRST), none, 300));
    assert!(matches!(found[0], Fault::NoRotation), "{found:?}");
    let mut changed = good();
    let at = changed[0].1.len() - 1;
    changed[0].1[at] ^= 1;
    let found = faults(verify(&station, tree(&station, FIRST), changed, 300));
    assert!(matches!(found[0], Fault::Signature), "{found:?}");
}

/// A checkpoint of a size at which no event is left cannot be compared, and that is said.
#[test]
fn a_checkpoint_of_pruned_events_alone_is_not_called_good() {
    let station = station();
    let report = verify(&station, tree(&station, FIRST), rotations(&station), 120);
    assert!(matches!(
        report.findings[0].fault,
        Fault::Pruned {
            size: 120,
            first: 200,
            ..
        }
    ));
}

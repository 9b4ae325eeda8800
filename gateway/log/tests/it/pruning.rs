//! G4: pruning at the log's boundary: whole epochs go, their room with them, and every proof stays possible.

use std::fs;

use crate::common::epochs::{
    append, begin_epoch, copy, quarantine, reads_whole, reopen, root, several,
};
use crate::common::{self, Place, event};
use gateway_log::{Limits, Log, LogFailed, ProofError, PruneError, Quarantine};
use schemas::proof::Hash;

/// G4: whole epochs go, in bytes too; what is left opens, is proven, and says clearly what is gone.
#[test]
fn pruning_gives_room_back_and_keeps_every_proof() {
    let place = several();
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    let known = |first: u64, bytes: &[u8]| {
        assert_eq!(bytes, event(first));
        first <= 600
    };
    assert_eq!(log.prune(299, known).unwrap(), 0, "no epoch ends there");
    assert_eq!(
        log.prune(1_200, |_, _| false).unwrap(),
        0,
        "no state is known"
    );
    assert_eq!(log.prune(650, known).unwrap(), 600);
    assert_eq!(
        log.prune(u64::MAX, known).unwrap(),
        600,
        "never behind a state that is known"
    );
    assert_eq!(
        log.prune(u64::MAX, |_, _| true).unwrap(),
        900,
        "never the newest"
    );
    let left: Vec<_> = fs::read_dir(place.data().join("log"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["900"]);

    let check = |log: &Log| {
        assert_eq!((log.first_index(), log.epochs()), (900, vec![900]));
        let pruned = LogFailed::Pruned {
            index: 17,
            first_index: 900,
        };
        assert_eq!(log.read(17..1_000).collect::<Vec<_>>(), [Err(pruned)]);
        reads_whole(log, 900);
        for index in [0, 299, 300, 899, 900, 1_199] {
            assert_eq!(
                log.inclusion(index).unwrap().leaf,
                Hash::leaf(&event(index))
            );
        }
        assert_eq!(log.consistency(299, 901).unwrap().old_root, root(299));
    };
    check(&log);
    append(&log, 5);
    log.close().unwrap();
    drop(log);
    let (log, recovered, _) = reopen(&place, &[900]).unwrap();
    assert_eq!((recovered.read_from, recovered.root), (900, root(1_205)));
    check(&log);
    drop(log);
    assert_eq!(quarantine(&place), Quarantine::NoSnapshot { first: 900 });
}

/// G4: a crash between the list and the last folder leaves folders that are removed at the next opening.
#[test]
fn a_pruning_that_was_cut_off_is_finished() {
    let place = several();
    copy(&place.data().join("log"), &place.0.path().join("log"));
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(log.prune(600, |_, _| true).unwrap(), 600);
    drop(log);
    for first in ["0", "300"] {
        copy(
            &place.0.path().join("log").join(first),
            &place.data().join("log").join(first),
        );
    }
    fs::remove_file(place.data().join("log/0/db")).unwrap();
    let (log, _, _) = reopen(&place, &[600]).unwrap();
    assert_eq!(log.epochs(), [600, 900]);
    assert!(!place.data().join("log/0").exists() && !place.data().join("log/300").exists());
}

/// G3: stored hashes of closed epochs that are damaged are told anew by the events; where those are gone there are no
/// proofs, nothing more is pruned, and the log goes on.
#[test]
fn damaged_hashes_are_made_again_while_the_events_are_there() {
    let damage = |place: &Place, at: usize| {
        let path = place.data().join("tree/0");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.get_mut(at * 32).unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    let place = several();
    damage(&place, 17);
    let (log, recovered, _) = reopen(&place, &[900]).unwrap();
    assert_eq!((recovered.read_from, recovered.root), (900, root(1_200)));
    assert_eq!(log.inclusion(17).unwrap().leaf, Hash::leaf(&event(17)));
    damage(&place, 18);
    let pruned = log.prune(600, |_, _| true);
    assert_eq!(pruned, Err(PruneError::Proofs(ProofError::Damaged)));
    drop(log);
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(log.prune(600, |_, _| true).unwrap(), 600);
    drop(log);

    damage(&place, 650);
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(log.inclusion(650).unwrap().leaf, Hash::leaf(&event(650)));
    drop(log);
    damage(&place, 17);
    let (log, recovered, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(recovered.root, root(1_200));
    assert!(matches!(
        log.inclusion(1_000),
        Err(ProofError::Unavailable(_))
    ));
    append(&log, 1);
    assert!(matches!(
        log.prune(900, |_, _| true),
        Err(PruneError::Proofs(_))
    ));
}

/// The twin in memory has epochs too.
#[test]
fn the_twin_in_memory_has_epochs() {
    let key = common::TestKey::of_seed(7);
    let log = Log::in_memory(key.note_key(), Box::new(key), Limits::default()).unwrap();
    append(&log, 10);
    begin_epoch(&log);
    append(&log, 5);
    assert_eq!(log.epochs(), [0, 10]);
    assert_eq!(log.prune(u64::MAX, |_, _| true).unwrap(), 10);
    assert!(matches!(
        log.read(0..3).next(),
        Some(Err(LogFailed::Pruned { .. }))
    ));
    reads_whole(&log, 10);
    assert_eq!(log.inclusion(3).unwrap().leaf, Hash::leaf(&event(3)));
}

/// G3: a witness that only hashes of pruned events could bear out is never taken on trust when those are damaged.
#[test]
fn a_witness_that_nothing_bears_out_is_quarantined() {
    let place = several();
    let (log, _, _) = reopen(&place, &[900]).unwrap();
    assert_eq!(log.prune(900, |_, _| true).unwrap(), 900);
    log.close().unwrap();
    drop(log);
    let older = Place::new();
    let (log, _) = older.open().unwrap();
    append(&log, 100);
    log.close().unwrap();
    drop(log);
    fs::copy(older.witness(), place.witness()).unwrap();
    assert_eq!(reopen(&place, &[900]).unwrap().1.root, root(1_200));
    fs::copy(older.witness(), place.witness()).unwrap();
    let path = place.data().join("tree/0");
    let mut bytes = fs::read(&path).unwrap();
    bytes[17 * 32] ^= 1;
    fs::write(&path, bytes).unwrap();
    let Err(gateway_log::OpenError::Quarantine(reason)) = reopen(&place, &[900]) else {
        panic!("not quarantined")
    };
    let part = "the witness beside the keys";
    assert_eq!(reason, Quarantine::Incomparable { part, covered: 100 });
}

//! The log at its boundary: order, durability across openings, refusals, checkpoints, the twin in memory.

use crate::common::{ORIGIN, Place, TestKey, event, options, wait};
use gateway_log::{
    AppendError, AppendRefusal, Group, KvOp, Limits, Log, LogFailed, OpenError, RoomLevel, Space,
};
use schemas::proof::{Checkpoint, Frontier, NoteKey};

fn append(log: &Log, count: u64) {
    let first = log.next_index();
    let group = Group::new(first, ()).batch((first..first + count).map(event).collect());
    let durable = wait(log.append(group)).unwrap();
    assert_eq!(durable.indexes(), first..first + count);
}

fn all(log: &Log) -> Vec<Vec<u8>> {
    log.read(0..u64::MAX).map(|read| read.unwrap().1).collect()
}

/// G2: what was acknowledged is there after the log is opened again, and its checkpoint covers it.
#[test]
fn events_are_there_after_reopening() {
    let place = Place::new();
    let (log, recovered) = place.open().unwrap();
    assert!(recovered.first_start);
    assert_eq!((log.size(), log.head().checkpoint.size), (0, 0));
    append(&log, 3);
    append(&log, 2);
    log.close().unwrap();
    drop(log);

    let mut seen = Vec::new();
    let (log, recovered) =
        Log::open_visiting(&place.data(), options(&place.marker()), |index, bytes| {
            seen.push((index, bytes.to_vec()));
        })
        .unwrap();
    assert!(!recovered.first_start);
    assert_eq!(
        (recovered.size, recovered.head_size),
        (5, 5),
        "closing signs what is durable"
    );
    assert_eq!(
        seen,
        (0..5)
            .map(|index| (index, event(index)))
            .collect::<Vec<_>>()
    );
    assert_eq!(all(&log), (0..5).map(event).collect::<Vec<_>>());
    assert_eq!(log.next_index(), 5);
}

/// G3: events are read several at a time and still applied each once, in order, whatever each takes.
#[test]
fn events_read_at_once_are_applied_in_order() {
    const COUNT: u64 = 1_500;
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    for _ in 0..COUNT / 100 {
        append(&log, 100);
    }
    log.close().unwrap();
    drop(log);

    let read = |place: gateway_log::Place, bytes: &[u8]| {
        let index = place.index;
        assert!(place.covered, "closing signs what is durable");
        if index.is_multiple_of(70) {
            std::thread::yield_now();
        }
        (index, bytes.to_vec())
    };
    let mut applied = Vec::new();
    let apply = |index, read| applied.push((index, read));
    let options = options(&place.marker());
    let (log, recovered) = Log::open_reading(&place.data(), options, read, apply).unwrap();
    let expected: Vec<_> = (0..COUNT)
        .map(|index| (index, (index, event(index))))
        .collect();
    assert!(applied == expected, "each once, in order");
    let mut tree = Frontier::new();
    (0..COUNT).for_each(|index| tree.append(&event(index)));
    assert_eq!((recovered.size, recovered.root), (COUNT, tree.root()));
    drop(log);
}

/// A reader that panics makes the opening panic: it never passes for the end of the log.
#[test]
fn a_panic_while_reading_is_not_the_end_of_the_log() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    append(&log, 100);
    append(&log, 100);
    log.close().unwrap();
    drop(log);
    let read = |place: gateway_log::Place, _: &[u8]| assert_ne!(place.index, 150, "played");
    let opening = || Log::open_reading(&place.data(), options(&place.marker()), read, |_, ()| {});
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(opening)).is_err());
    assert_eq!(place.open().unwrap().1.size, 200, "and it opens again");
}

/// The value of a group comes back only with durability, and an empty group waits for those before it.
#[test]
fn a_group_without_events_is_durable_after_those_before_it() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let first = log.append(Group::new(0, "first").batch(vec![event(0)]));
    let second = log.append(Group::new(1, "duplicate"));
    let second = wait(second).unwrap();
    assert_eq!(log.size(), 1, "the one before is durable by then");
    assert_eq!((second.indexes(), second.into_inner()), (1..1, "duplicate"));
    assert_eq!(wait(first).unwrap().into_inner(), "first");
}

/// G3: callers at once: every event once, in the order of the indexes they were given.
#[test]
fn concurrent_appends_are_in_order() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let made =
                        log.append_with(|index| Group::new(index, index).batch(vec![event(index)]));
                    let durable = wait(made).unwrap();
                    assert_eq!(durable.indexes().start, *durable.get());
                }
            });
        }
    });
    assert_eq!(all(&log), (0..400).map(event).collect::<Vec<_>>());
    drop(log);
    assert_eq!(place.open().unwrap().1.size, 400);
}

/// Each refusal names its limit, changes nothing, and the log goes on.
#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let refused = |group: Group<()>| match wait(log.append(group)) {
        Err(AppendError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    };
    let group = |index, events| Group::new(index, ()).batch(events);
    assert_eq!(
        refused(group(1, vec![event(1)])),
        AppendRefusal::WrongIndex { given: 1, next: 0 }
    );
    assert_eq!(
        refused(group(0, vec![vec![0; 6145]])),
        AppendRefusal::EventTooLong {
            bytes: 6145,
            max_bytes: 6144
        }
    );
    assert_eq!(
        refused(group(0, vec![event(0), vec![]])),
        AppendRefusal::EventEmpty
    );
    assert_eq!(
        refused(group(0, vec![vec![0; 6144]; 22])),
        AppendRefusal::GroupTooLarge {
            bytes: 135_168,
            max_bytes: 131_072
        }
    );
    let pair =
        |key: usize, value: usize| -> Vec<KvOp> { vec![(vec![1; key], Some(vec![2; value]))] };
    for (ops, expected) in [
        (
            pair(0, 1),
            AppendRefusal::Key {
                bytes: 0,
                max_bytes: 1024,
            },
        ),
        (
            pair(1025, 1),
            AppendRefusal::Key {
                bytes: 1025,
                max_bytes: 1024,
            },
        ),
        (
            pair(1, 65_537),
            AppendRefusal::ValueTooLong {
                bytes: 65_537,
                max_bytes: 65_536,
            },
        ),
    ] {
        let outcome = wait(log.kv_apply(Space::BROKER, ops, ()));
        assert_eq!(outcome.unwrap_err(), AppendError::Refused(expected));
    }
    append(&log, 1);
    assert_eq!(log.size(), 1);
}

/// A caller that is too fast is told so, and nothing of the refused call is kept.
#[test]
fn a_full_queue_answers_busy() {
    let place = Place::new();
    let mut options = options(&place.marker());
    options.limits.queue_len_max = 0;
    let (log, _) = Log::open(&place.data(), options).unwrap();
    let outcome = wait(log.append(Group::new(0, ()).batch(vec![event(0)])));
    assert!(matches!(
        outcome,
        Err(AppendError::Refused(AppendRefusal::Busy { .. }))
    ));
    assert_eq!(log.next_index(), 0);
}

/// Pairs survive, are replaced and removed whole, however long they are.
#[test]
fn pairs_survive_and_are_replaced_whole() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let put = |key: &str, value: Vec<u8>| -> KvOp { (key.into(), Some(value)) };
    let remove = |key: &str| -> KvOp { (key.into(), None) };
    let apply = |ops| drop(wait(log.kv_apply(Space::BROKER, ops, ())).unwrap());
    apply(vec![
        put("a", vec![1; 60_000]),
        put("ab", vec![]),
        put("b", vec![3; 5000]),
    ]);
    apply(vec![
        put("a", vec![4; 10]),
        put("c", vec![5; 9000]),
        put("c", vec![6; 1]),
        remove("b"),
    ]);
    apply(vec![remove("never there")]);
    wait(log.kv_apply(Space::SYNC, vec![put("a", vec![9])], ()))
        .unwrap()
        .into_inner();
    let expected = [("a", vec![4; 10]), ("ab", vec![]), ("c", vec![6; 1])];
    let expected = expected
        .map(|(key, value)| (key.as_bytes().to_vec(), value))
        .into();
    assert_eq!(log.kv_load(Space::BROKER).unwrap(), expected);
    drop(log);
    let (log, _) = place.open().unwrap();
    assert_eq!(log.kv_load(Space::BROKER).unwrap(), expected);
    assert_eq!(log.kv_load(Space::SYNC).unwrap().len(), 1);
    assert_eq!(log.size(), 0, "pairs are no events");
}

/// G3: `HEAD` follows within 256 events by number …
#[test]
fn a_checkpoint_follows_256_events() {
    let place = Place::new();
    let mut options = options(&place.marker());
    options.limits.checkpoint_delay_max = std::time::Duration::from_hours(1);
    let (log, _) = Log::open(&place.data(), options).unwrap();
    append(&log, 255);
    append(&log, 1);
    until(|| log.head().checkpoint.size == 256);
    let mut tree = Frontier::new();
    (0..256).for_each(|index| tree.append(&event(index)));
    assert_eq!(log.head().checkpoint, Checkpoint::of(ORIGIN, &tree));
    assert_eq!(
        std::fs::read_to_string(place.data().join("HEAD")).unwrap(),
        log.head().note
    );
}

/// … and within a second by time, for a single event.
#[test]
fn a_checkpoint_follows_one_event_within_a_second() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let began = std::time::Instant::now();
    append(&log, 1);
    assert_eq!(log.head().checkpoint.size, 0, "not before its time");
    until(|| log.head().checkpoint.size == 1);
    // The bound is one second; the rest is what a busy test machine may add.
    assert!(
        began.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

/// Whoever waits for a checkpoint is told of each that is stored, and it is there to be read by then.
#[test]
fn heads_are_told() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    let mut heads = log.heads();
    assert_eq!(heads.borrow().checkpoint.size, 0);
    append(&log, 3);
    let told = wait(heads.wait_for(|head| head.checkpoint.size == 3)).map(|head| head.clone());
    let told = told.unwrap();
    assert_eq!(
        std::fs::read_to_string(place.data().join("HEAD")).unwrap(),
        told.note
    );
    assert_eq!(log.head(), told);
}

/// What lies beyond `HEAD` is said to whoever reads it.
#[test]
fn what_head_does_not_cover_is_said() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    append(&log, 5);
    log.close().unwrap();
    let early = [place.data().join("HEAD"), place.witness()].map(|path| {
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    });
    drop(log);
    let (log, _) = place.open().unwrap();
    append(&log, 3);
    drop(log);
    // As a crash within the lag leaves it.
    for (path, bytes) in early {
        std::fs::write(path, bytes).unwrap();
    }
    let read = |place: gateway_log::Place, _: &[u8]| place.covered;
    let mut covered = Vec::new();
    let apply = |_, is_covered| covered.push(is_covered);
    let options = options(&place.marker());
    let (log, recovered) = Log::open_reading(&place.data(), options, read, apply).unwrap();
    assert_eq!((recovered.head_size, log.head().checkpoint.size), (5, 8));
    assert_eq!(covered, [[true; 5].as_slice(), &[false; 3]].concat());
}

/// A call after closing hears so.
#[test]
fn a_closed_log_says_so() {
    let place = Place::new();
    let (log, _) = place.open().unwrap();
    log.close().unwrap();
    let outcome = wait(log.append(Group::new(0, ()).batch(vec![event(0)])));
    assert_eq!(outcome.unwrap_err(), AppendError::Failed(LogFailed::Closed));
}

/// One process at a time; the error names the other one.
#[test]
fn a_second_opening_names_the_holder() {
    let place = Place::new();
    let _first = place.open().unwrap();
    let Err(OpenError::Locked { holder, .. }) = place.open() else {
        panic!("not locked")
    };
    assert!(holder.contains(&std::process::id().to_string()), "{holder}");
}

/// Too little room to begin is an answer of its own; with room, the reserve really takes it.
#[test]
fn room_is_asked_for_before_opening() {
    let place = Place::new();
    let mut wants = options(&place.marker());
    wants.room.critical_bytes = 1 << 60;
    let Err(OpenError::NoRoom { needed_bytes, .. }) = Log::open(&place.data(), wants) else {
        panic!("opened without room")
    };
    assert_eq!(needed_bytes, (1 << 60) + (1 << 20));
    let (log, _) = place.open().unwrap();
    assert_eq!(log.room().unwrap().level, RoomLevel::Ample);
    assert_eq!(
        place.data().join("RESERVE").metadata().unwrap().len(),
        1 << 20
    );
}

/// The twin answers as the log on disk does: same order, refusals, checkpoints, pairs.
#[test]
fn the_twin_in_memory_agrees() {
    let place = Place::new();
    let (disk, _) = place.open().unwrap();
    let key = TestKey::of_seed(7);
    let twin = Log::in_memory(key.note_key(), Box::new(key), Limits::default()).unwrap();
    for log in [&disk, &twin] {
        append(log, 200);
        append(log, 100);
        let wrong = wait(log.append(Group::new(7, ()).batch(vec![event(7)])));
        assert!(matches!(
            wrong,
            Err(AppendError::Refused(AppendRefusal::WrongIndex { .. }))
        ));
        let pairs = vec![(b"k".to_vec(), Some(vec![1; 5000])), (b"l".to_vec(), None)];
        wait(log.kv_apply(Space::BROKER, pairs, ()))
            .unwrap()
            .into_inner();
        until(|| log.head().checkpoint.size == 300);
    }
    assert_eq!(disk.inclusion(255), twin.inclusion(255));
    assert_eq!(disk.consistency(100, 257), twin.consistency(100, 257));
    assert_eq!(disk.tile(1, 0, 1), twin.tile(1, 0, 1));
    assert!(disk.tile(1, 0, 1).is_ok());
    assert_eq!(all(&disk), all(&twin));
    assert_eq!(disk.head(), twin.head());
    assert_eq!(
        disk.kv_load(Space::BROKER).unwrap(),
        twin.kv_load(Space::BROKER).unwrap()
    );
    assert_eq!(disk.next_index(), twin.next_index());
    assert!(NoteKey::from_vkey(&disk.key().to_vkey()).is_ok_and(|key| &key == twin.key()));
}

/// Waits for what another thread does; the test's own time limit is the end of patience.
fn until(done: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !done() {
        assert!(
            began.elapsed() < std::time::Duration::from_secs(30),
            "it never came"
        );
        std::thread::yield_now();
    }
}

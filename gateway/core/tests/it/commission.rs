//! Commissioning (V2): the lease, the exercises, and what is left of them wherever the station is cut off.

use std::collections::BTreeMap;

use crate::world::{self, World, machine, operator, serial, slot};
use gateway_core::{Input, Outcome, Trial, next_deadline, pending};
use schemas::event::Event;
use schemas::event::commission::{CommissionStep, Commissioned, ExerciseEnded};
use schemas::ids::SessionId;
use schemas::words::{
    ActOutcome, CommissionResult, CommissionStepName, Completion, Place, RefusalReason,
};

fn begin(world: &mut World) -> SessionId {
    let input = Input::Commission {
        operator: operator(),
        machine: machine(),
    };
    match world.input(input) {
        Outcome::Accepted(Some(session)) => session,
        other => panic!("{other:?}"),
    }
}

fn exercise(world: &mut World, session: &SessionId, trial: Trial) -> Outcome {
    let session = session.clone();
    world.input(Input::Exercise { session, trial })
}

/// Everything that is open is done, until only a deadline is left.
fn run(world: &mut World) {
    while world.act(0, false) {}
}

fn last_end(world: &World) -> ExerciseEnded {
    let mut events = world.log.iter().rev();
    let ended = events.find_map(|(_, event)| match event {
        Event::ExerciseEnded(ended) => Some(ended.clone()),
        _ => None,
    });
    ended.unwrap()
}

fn act_outcomes(world: &World, session: &SessionId) -> Vec<ActOutcome> {
    let of = |event: &Event| match event {
        Event::ActEnded(ended) if ended.session == *session => Some(ended.outcome),
        _ => None,
    };
    world
        .log
        .iter()
        .filter_map(|(_, event)| of(event))
        .collect()
}

fn report(world: &mut World, session: &SessionId) -> Outcome {
    let step = CommissionStep {
        step: CommissionStepName::Clock,
        device: None,
        result: CommissionResult::Passed,
        reason: None,
        took_ms: 1,
    };
    world.input(Input::Commissioned(Box::new(Commissioned {
        session: session.clone(),
        machine: machine(),
        operator: operator(),
        steps: vec![step],
        software: "test".into(),
        configuration_sha256: "00".repeat(32),
    })))
}

fn in_its_slot(world: &World) -> bool {
    let place = Place::Slot {
        machine: machine(),
        slot: slot(0),
    };
    let recorded = world.state.card(&serial(1)).unwrap().place == place;
    recorded && world.dispenser.slots.get(&slot(0)) == Some(&serial(1))
}

/// V2: every kind of exercise is done once; meanwhile no citizen is served, afterwards they are.
#[test]
fn v2_the_machine_is_leased_until_the_report() {
    let mut world = World::stocked();
    let session = begin(&mut world);
    let busy = Outcome::Refused(RefusalReason::MachineBusy);
    for kiosk in world::KIOSKS {
        assert_eq!(world.start_pickup(kiosk, 1), busy);
    }
    for trial in [
        Trial::Inventory,
        Trial::Carry,
        Trial::Finger,
        Trial::Photo,
        Trial::IntakeCard,
    ] {
        let accepted = exercise(&mut world, &session, trial.clone());
        assert!(
            matches!(accepted, Outcome::Accepted(_)),
            "{trial:?}: {accepted:?}"
        );
        assert_eq!(
            exercise(&mut world, &session, Trial::Photo),
            busy,
            "one at a time"
        );
        run(&mut world);
        let ended = last_end(&world);
        assert_eq!(ended.completion, Completion::Success, "{trial:?}");
        match trial {
            Trial::Inventory => {
                let found = ended.inventory.unwrap();
                assert_eq!((found.occupied, found.recorded, found.matching), (4, 4, 4));
            }
            Trial::Carry => assert_eq!(ended.card_fits, Some(true)),
            _ => {}
        }
    }
    assert!(in_its_slot(&world));
    assert!(matches!(report(&mut world, &session), Outcome::Accepted(_)));
    assert_eq!(act_outcomes(&world, &session), [ActOutcome::Done]);
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
}

/// V2, C3: killed after any step of a test motion, its reply lost or not, the card comes back to its slot, no sequence is used twice,
/// and the machine serves citizens again.
#[test]
fn v2_a_test_motion_that_is_cut_off_ends_in_the_slot() {
    for cut in 0..8 {
        for lose_reply in [false, true] {
            let mut world = World::stocked();
            let session = begin(&mut world);
            exercise(&mut world, &session, Trial::Carry);
            for step in 0..cut {
                world.act(0, lose_reply && step + 1 == cut);
            }
            world.restart();
            world.settle();
            let what = format!("cut off after {cut}, lost {lose_reply}");
            assert!(in_its_slot(&world), "{what}");
            assert_eq!(
                act_outcomes(&world, &session),
                [ActOutcome::Interrupted],
                "{what}"
            );
            let mut sequences: BTreeMap<u16, u32> = BTreeMap::new();
            for (_, event) in &world.log {
                if let Event::MotionIntended(intent) = event {
                    *sequences.entry(intent.sequence).or_default() += 1;
                }
            }
            assert!(sequences.values().all(|times| *times == 1), "{what}");
            assert!(
                matches!(world.start_pickup("kiosk-1", 1), Outcome::Accepted(_)),
                "{what}"
            );
        }
    }
}

/// V2: a device that does not answer fails its exercise, and nothing else.
#[test]
fn v2_a_silent_device_fails_its_own_exercise_only() {
    let mut world = World::stocked();
    let session = begin(&mut world);
    exercise(&mut world, &session, Trial::Photo);
    let left = next_deadline(&world.state, &world.now)
        .unwrap()
        .left_ms(&world.now);
    world.advance(left);
    assert_eq!(last_end(&world).completion, Completion::TimeOut);
    assert!(pending(&world.state).is_empty(), "it is not asked any more");
    exercise(&mut world, &session, Trial::Finger);
    world.lost("scanner-1");
    assert_eq!(last_end(&world).completion, Completion::DeviceNotReady);
    let offline = Outcome::Refused(RefusalReason::DeviceOffline);
    assert_eq!(exercise(&mut world, &session, Trial::Finger), offline);
    assert!(matches!(report(&mut world, &session), Outcome::Accepted(_)));
}

/// V2: a dispenser that is away is a finding, not a reason to block the machine or to hold the lease.
#[test]
fn v2_a_dispenser_that_is_away_does_not_block_the_machine() {
    let mut world = World::stocked();
    world.restart();
    world.lost("dispenser-1");
    let session = begin(&mut world);
    for _ in 0..50 {
        world.advance(10_000);
    }
    let offline = Outcome::Refused(RefusalReason::DeviceOffline);
    assert_eq!(exercise(&mut world, &session, Trial::Inventory), offline);
    assert!(matches!(report(&mut world, &session), Outcome::Accepted(_)));
    assert!(
        world.state.machines().all(|(_, waits)| !waits),
        "not blocked"
    );
}

/// V2: an operator whose tool went away can begin again at once; left alone, the machine is free after a while.
#[test]
fn v2_a_lease_that_nobody_uses_makes_way() {
    let mut world = World::stocked();
    let left = begin(&mut world);
    let session = begin(&mut world);
    assert_eq!(act_outcomes(&world, &left), [ActOutcome::Interrupted]);
    let gone = Outcome::Refused(RefusalReason::NoSuchSession);
    assert_eq!(exercise(&mut world, &left, Trial::Photo), gone);
    world.settle();
    assert_eq!(act_outcomes(&world, &session), [ActOutcome::Interrupted]);
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
}

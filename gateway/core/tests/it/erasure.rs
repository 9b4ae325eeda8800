//! Erasure of a session's personal data, and the change of lookup keys, by the rules alone.

use crate::world::World;
use gateway_core::{Input, Outcome};
use schemas::event::Event;
use schemas::ids::SessionId;
use schemas::key::{LookupKeyId, SealingKeyId};
use schemas::time::ClockTrust;
use schemas::words::RefusalReason;

const DAY_MS: u64 = 86_400_000;

fn collected() -> (World, SessionId) {
    let mut world = World::stocked();
    let Outcome::Accepted(Some(session)) = world.start_pickup("kiosk-1", 1) else {
        panic!("not begun")
    };
    (world, session)
}

fn finish(world: &mut World) {
    while world.act(0, false) {}
    world.take_card(false);
}

fn erase(world: &mut World, session: &SessionId, known: bool) -> Outcome {
    world.input(Input::Erase {
        session: session.clone(),
        known,
    })
}

fn lookup(id: &str) -> LookupKeyId {
    LookupKeyId::new(id).unwrap()
}

/// G7: a session is erased after its end only; it stays wanted, over a restart too, until it is recorded as done.
#[test]
fn g7_an_erasure_is_wanted_until_it_is_done() {
    let (mut world, session) = collected();
    let refused = erase(&mut world, &session, true);
    assert_eq!(refused, Outcome::Refused(RefusalReason::SessionOpen));
    finish(&mut world);
    let unknown = erase(&mut world, &SessionId::from_index(999), false);
    assert_eq!(unknown, Outcome::Refused(RefusalReason::NoSuchSession));
    let size = world.log.len();
    assert!(world.state.erasures().is_empty());
    let accepted = erase(&mut world, &session, true);
    assert_eq!(accepted, Outcome::Accepted(Some(session.clone())));
    assert_eq!(erase(&mut world, &session, true), Outcome::Unchanged);
    assert_eq!(world.log.len(), size + 1, "asked twice, recorded once");
    world.restart();
    assert!(world.replay().erasures().contains(&session));
    let keys = vec![SealingKeyId::of(&[7; 16])];
    let done = |world: &mut World| {
        world.input(Input::Erased {
            session: session.clone(),
            keys: keys.clone(),
            centre_asked: true,
        })
    };
    assert_eq!(done(&mut world), Outcome::Accepted(None));
    assert_eq!(done(&mut world), Outcome::Unchanged, "told twice");
    assert!(world.state.erasures().is_empty());
    let Some((_, Event::ErasureDone(event))) = world.log.last() else {
        panic!("not recorded")
    };
    assert!(event.keys == keys && event.centre_asked && event.session == session);
    assert_eq!(
        erase(&mut world, &session, true),
        accepted,
        "it may be asked again"
    );
}

/// G7: a superseded lookup key goes when no open record is tagged with it and 8 days have passed by a trusted clock.
#[test]
fn g7_a_lookup_key_is_retired_with_its_last_open_record() {
    let mut world = World::stocked();
    let (old, new) = (lookup("00000001"), lookup("00000002"));
    assert_eq!(world.state.lookup_key(), None);
    assert!(world.state.lookup_keys_in_use().contains(&old));
    world.now.trust = ClockTrust::Unsynchronised;
    let made = Input::LookupKeyMade {
        key: new.clone(),
        before: old.clone(),
    };
    assert_eq!(world.input(made.clone()), Outcome::Accepted(None));
    assert_eq!(world.input(made), Outcome::Unchanged, "told twice");
    assert_eq!(world.state.lookup_key(), Some(&new));
    let retirable = |world: &World| world.state.retirable_lookup_keys(&world.rules, &world.now);
    // Nobody knows when that was; the first trusted instant dates it.
    world.advance(20 * DAY_MS);
    world.now.trust = ClockTrust::Synchronised;
    assert!(retirable(&world).is_empty());
    world.restart();
    world.settle();
    world.advance(9 * DAY_MS);
    assert!(retirable(&world).is_empty(), "records are open");
    // The same with a key that no record has.
    let unused = lookup("00000003");
    world.input(Input::LookupKeyMade {
        key: lookup("00000004"),
        before: unused.clone(),
    });
    world.advance(7 * DAY_MS);
    assert!(
        retirable(&world).is_empty(),
        "message ids are still remembered"
    );
    world.advance(DAY_MS);
    assert_eq!(retirable(&world), std::slice::from_ref(&unused));
    let gone = Input::LookupKeyDestroyed {
        key: unused.clone(),
    };
    assert_eq!(world.input(gone.clone()), Outcome::Accepted(None));
    assert_eq!(world.input(gone), Outcome::Unchanged);
    assert!(retirable(&world).is_empty());
    assert_eq!(world.replay(), world.state);
}

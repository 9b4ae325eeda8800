//! Erasure of a session's personal data, and the change of lookup keys, by the rules alone.

use crate::world::World;
use gateway_core::{ErasureStanding, Input, Instructed, Outcome, Told};
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
        has_keys: false,
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
}

/// G7: what is erased, or what the centre was asked to erase, is not asked again, after a restart neither; a key that lies here again is
/// destroyed again. What the centre says of a session that nobody asked it to erase is no erasure.
#[test]
fn g7_an_erasure_that_is_over_is_not_asked_again() {
    let (mut world, session) = collected();
    finish(&mut world);
    let standing = |world: &World| {
        let erasure = world.state.erasure(&session);
        erasure.map(|erasure| (erasure.standing, erasure.index, erasure.wall_ms))
    };
    world.input(confirmation(1, &session));
    assert_eq!(standing(&world), None);
    erase(&mut world, &session, true);
    assert_eq!(standing(&world), None, "the keys are still here");
    let done = |world: &mut World, centre_asked| {
        world.input(Input::Erased {
            session: session.clone(),
            keys: Vec::new(),
            centre_asked,
        });
        (world.state.next_index() - 1, world.now.wall_ms)
    };
    let (index, wall_ms) = done(&mut world, true);
    let asked = Some((ErasureStanding::CentreAsked, index, wall_ms));
    assert_eq!(standing(&world), asked);
    world.advance(60_000);
    assert_eq!(erase(&mut world, &session, true), Outcome::Unchanged);
    assert_eq!(standing(&world), asked);
    world.input(confirmation(2, &session));
    let confirmed = Some((
        ErasureStanding::AtCentre,
        world.state.next_index() - 2,
        world.now.wall_ms,
    ));
    assert_eq!(standing(&world), confirmed);
    world.advance(60_000);
    world.input(confirmation(3, &session));
    assert_eq!(standing(&world), confirmed, "told twice");
    world.restart();
    assert_eq!(world.replay(), world.state);
    assert_eq!(erase(&mut world, &session, true), Outcome::Unchanged);
    assert_eq!(standing(&world), confirmed);
    let again = world.input(Input::Erase {
        session: session.clone(),
        known: true,
        has_keys: true,
    });
    assert_eq!(again, Outcome::Accepted(Some(session.clone())));
    assert!(world.state.erasures().contains(&session) && standing(&world).is_none());
    let (index, wall_ms) = done(&mut world, false);
    let here = Some((ErasureStanding::AtStation, index, wall_ms));
    assert_eq!(standing(&world), here);
}

/// The centre destroyed its keys of a session.
fn confirmation(revision: u64, session: &SessionId) -> Input {
    Input::Instructed(Instructed {
        revision,
        sha256: "0".repeat(64),
        told: Ok((revision, Told::ErasureDone(session.clone()))),
    })
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

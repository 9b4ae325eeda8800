//! G5: what the centre tells, by the rules alone: once, in its order, and nothing that is older than what was followed.

use crate::world::{self, World};
use gateway_core::{
    CentreLink, Contradicted, Input, Instructed, Recorded, State, Told, carry_over, evolve,
};
use proptest::prelude::*;
use schemas::event::Event;
use schemas::event::centre::{CentreKeyChanged, Contradiction, InstructionRefusal};
use schemas::key::{PublicKey, Signature, SigningKeyId};
use schemas::words::{RefusalReason, ServiceReason};

const FOLLOWED: &str = "station.centre.instruction-followed.v1";
const REFUSED: &str = "station.centre.instruction-refused.v1";

fn policy(version: u32) -> Told {
    Told::Policy {
        version,
        sha256: format!("{version:064x}"),
    }
}

fn tell(world: &mut World, revision: u64, told: Result<(u64, Told), InstructionRefusal>) {
    world.input(Input::Instructed(Instructed {
        revision,
        sha256: "ab".repeat(32),
        told,
    }));
}

/// Why the last instruction was refused.
fn last_refusal(world: &World) -> Option<InstructionRefusal> {
    match world.log.last() {
        Some((_, Event::InstructionRefused(body))) => Some(body.reason),
        _ => None,
    }
}

/// G5: read again after a restart or a lost connection, an instruction changes nothing.
#[test]
fn g5_a_revision_is_done_once() {
    let mut world = World::new();
    tell(&mut world, 4, Ok((1, policy(7))));
    assert_eq!(
        world.last_types(2),
        ["station.centre.policy-changed.v1", FOLLOWED]
    );
    let size = world.log.len();
    for restart in [false, true] {
        if restart {
            world.restart();
        }
        let size = if restart { world.log.len() } else { size };
        for revision in 0..=4 {
            tell(&mut world, revision, Ok((9, policy(9))));
        }
        assert_eq!(
            world.log.len(),
            size,
            "restarted: {restart}: {:?}",
            world.types()
        );
    }
    let link = world.replay().centre().clone();
    assert_eq!((link.revision, link.number), (Some(4), Some(1)));
    assert_eq!(link.policy, Some((7, format!("{:064x}", 7))));
}

/// G5: the number under the signature orders. What was told before is refused wherever it stands in the stream, and blocks nothing.
#[test]
fn g5_what_was_told_before_is_refused_and_does_not_block() {
    let mut world = World::new();
    tell(&mut world, 0, Ok((5, policy(2))));
    for old in [5, 4, 0] {
        let revision = world.state.centre().revision.unwrap() + 1;
        tell(&mut world, revision, Ok((old, policy(3))));
        assert_eq!(last_refusal(&world), Some(InstructionRefusal::Repeated));
    }
    tell(&mut world, 9, Err(InstructionRefusal::NotGenuine));
    assert_eq!(last_refusal(&world), Some(InstructionRefusal::NotGenuine));
    assert_eq!(
        world.state.centre().number,
        Some(5),
        "a refusal counts nothing"
    );
    tell(&mut world, 10, Ok((6, policy(3))));
    assert_eq!(world.last_types(1), [FOLLOWED]);
    assert_eq!(world.state.centre().policy.as_ref().unwrap().0, 3);
}

/// G5: an older version of a policy is outdated, and so is the manifest of a batch that was received.
#[test]
fn g5_what_is_outdated_changes_nothing() {
    let mut world = World::stocked();
    tell(&mut world, 0, Ok((1, policy(5))));
    for version in [5, 4] {
        let next = world.state.centre().revision.unwrap() + 1;
        tell(&mut world, next, Ok((next + 1, policy(version))));
        assert_eq!(last_refusal(&world), Some(InstructionRefusal::Outdated));
    }
    let next = world.state.centre().revision.unwrap() + 1;
    tell(&mut world, next, Ok((9, Told::Manifest(world::batch()))));
    assert_eq!(last_refusal(&world), Some(InstructionRefusal::Outdated));
    assert_eq!(world.state.centre().policy.as_ref().unwrap().0, 5);
}

fn key_change() -> CentreKeyChanged {
    CentreKeyChanged {
        old_key: SigningKeyId::of(&[1; 32]),
        public_key: PublicKey::of(&[2; 32]),
        possession: Signature::of(&[3; 64]),
    }
}

/// G3, G5: the log that follows another one knows the centre by the key that it signs with now, and holds the policy that it issued.
#[test]
fn g5_a_new_log_takes_over_what_the_centre_told() {
    let mut world = World::stocked();
    tell(&mut world, 0, Ok((1, policy(5))));
    tell(&mut world, 1, Ok((2, Told::Key(key_change()))));
    let carried = carry_over(&world.state);
    let policy = carried.policy.map(Event::from);
    let mut next = State::default();
    for (index, event) in (0..).zip(policy.iter().chain(&carried.events)) {
        let now = &world.now;
        evolve(&mut next, Recorded { index, now, event });
    }
    let (old, new) = (world.state.centre(), next.centre());
    assert!(old.key.is_some() && old.policy.is_some());
    assert_eq!((&new.key, &new.policy), (&old.key, &old.policy));
    assert_eq!(next.cards().count(), world.state.cards().count());
    // And so does the log after that one.
    assert_eq!(carry_over(&next).events.first(), carried.events.first());
}

/// G4, evidence.md 4: once the centre's copy contradicts the log no session begins, and it is recorded once.
#[test]
fn g4_a_contradiction_ends_the_service() {
    let mut world = World::stocked();
    let found = Contradicted {
        contradiction: Contradiction::OtherEvent,
        at: 12,
        centre: "x".to_owned(),
        own: Some("y".to_owned()),
    };
    world.input(Input::Contradicted(found.clone()));
    let size = world.log.len();
    world.input(Input::Contradicted(found));
    assert_eq!(world.log.len(), size);
    let refused = world.start_pickup("kiosk-1", 1);
    assert_eq!(
        refused,
        gateway_core::Outcome::Refused(RefusalReason::OutOfService)
    );
    world.restart();
    let reasons = world.state.service_reasons();
    assert!(reasons.contains(&ServiceReason::LogForked), "{reasons:?}");
    let told = world.types();
    let told = told
        .iter()
        .filter(|name| **name == "station.centre.contradicted.v1");
    assert_eq!(told.count(), 1);
}

/// One instruction: of which kind, its number, its version; whether its revision was read before; a restart behind it.
type Step = (u8, u64, u32, bool, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// G5: whatever comes, revisions, numbers and versions only grow, and the live state is what the log says.
    #[test]
    fn g5_whatever_comes_the_state_is_what_the_log_says(
        steps in proptest::collection::vec(
            (0_u8..4, 0_u64..40, 0_u32..40, any::<bool>(), proptest::bool::weighted(0.05)), 1..120)
    ) {
        let mut world = World::stocked();
        for step in steps {
            take(&mut world, step)?;
        }
        prop_assert_eq!(&world.replay().centre().clone(), world.state.centre());
    }
}

fn take(
    world: &mut World,
    (kind, number, version, again, restart): Step,
) -> Result<(), TestCaseError> {
    let before = world.state.centre().clone();
    let told = match kind {
        0 => Err(InstructionRefusal::NotGenuine),
        1 => Ok((number, Told::Manifest(world::batch()))),
        _ => Ok((number, policy(version))),
    };
    let next = before.revision.map_or(0, |last| last + 1);
    let revision = if again { next.saturating_sub(1) } else { next };
    let size = world.log.len();
    tell(world, revision, told);
    let after = world.state.centre().clone();
    let is_new = before.revision.is_none_or(|last| revision > last);
    prop_assert_eq!(world.log.len() > size, is_new);
    prop_assert!(after.revision >= before.revision && after.number >= before.number);
    let version = |link: &CentreLink| link.policy.as_ref().map(|(version, _)| *version);
    prop_assert!(version(&after) >= version(&before));
    let followed = is_new && world.last_types(1) == [FOLLOWED];
    prop_assert_eq!(followed, after.number != before.number);
    prop_assert_eq!(
        is_new && !followed,
        world.log.len() > size && world.last_types(1) == [REFUSED]
    );
    if restart {
        world.restart();
    }
    Ok(())
}

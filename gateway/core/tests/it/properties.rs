//! For any sequence of commands, device answers, losses, ticks and restarts: each card is in exactly
//! one place and the record knows it (C3); no card is presented without match and photos (P4, P5);
//! the same sequence never moves twice; replay of the log equals the live state, from its beginning or from a snapshot (G4).

use std::collections::{BTreeMap, BTreeSet};

use crate::world::{self, Manners, OldCard, World, machine, operator, serial, slot};
use gateway_core::{Input, Recorded, Request, State, evolve};
use proptest::prelude::*;
use schemas::event::Event;
use schemas::ids::{CardSerial, SessionId};
use schemas::message::kiosk::{PlacedAt, ResolvedPlace};
use schemas::slot::SlotAddress;
use schemas::words::{Hand, Motion, PhotoView, Place};

#[derive(Debug, Clone)]
enum Action {
    Start {
        kiosk: usize,
        card: u16,
    },
    Cancel {
        kiosk: usize,
    },
    Act {
        pick: usize,
        lose_reply: bool,
    },
    TakeCard {
        lose_report: bool,
    },
    Advance {
        ms: u64,
    },
    Restart,
    Lost {
        device: usize,
    },
    Online {
        device: usize,
    },
    Jam,
    TakeBackByItself,
    PlaceCard {
        card: u16,
        to: usize,
        release: bool,
    },
    Resolve {
        to: usize,
    },
    Unload {
        card: u16,
    },
    Load {
        card: u16,
        slot: u16,
    },
    StockTake,
    Room {
        low: bool,
    },
    Manners {
        right: u16,
        left: u16,
        camera: bool,
        chip: bool,
        old: usize,
    },
}

const DEVICES: [&str; 6] = [
    "dispenser-1",
    "reader-1",
    "reader-2",
    "scanner-1",
    "camera-1",
    "kiosk-1",
];

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (0..2usize, 1..7u16).prop_map(|(kiosk, card)| Action::Start { kiosk, card }),
        1 => (0..2usize).prop_map(|kiosk| Action::Cancel { kiosk }),
        30 => (0..4usize, prop::bool::weighted(0.1)).prop_map(|(pick, lose_reply)| Action::Act { pick, lose_reply }),
        4 => prop::bool::weighted(0.2).prop_map(|lose_report| Action::TakeCard { lose_report }),
        4 => prop_oneof![Just(1u64), Just(10_000), Just(20_000), Just(31_000), Just(75_000)]
            .prop_map(|ms| Action::Advance { ms }),
        1 => Just(Action::Restart),
        1 => (0..6usize).prop_map(|device| Action::Lost { device }),
        3 => (0..6usize).prop_map(|device| Action::Online { device }),
        1 => Just(Action::Jam),
        1 => Just(Action::TakeBackByItself),
        1 => (1..6u16, 0..2usize, any::<bool>()).prop_map(|(card, to, release)| Action::PlaceCard { card, to, release }),
        1 => (0..5usize).prop_map(|to| Action::Resolve { to }),
        1 => (1..5u16).prop_map(|card| Action::Unload { card }),
        1 => (1..5u16, 0..9u16).prop_map(|(card, slot)| Action::Load { card, slot }),
        1 => Just(Action::StockTake),
        1 => any::<bool>().prop_map(|low| Action::Room { low }),
        1 => (50..90u16, 50..90u16, prop::bool::weighted(0.9), prop::bool::weighted(0.9), 0..3usize).prop_map(
            |(right, left, camera, chip, old)| Action::Manners { right, left, camera, chip, old }
        ),
    ]
}

fn apply(world: &mut World, action: &Action) {
    match *action {
        Action::Start { kiosk, card } => {
            world.start_pickup(world::KIOSKS[kiosk], card);
        }
        Action::Cancel { kiosk } => {
            let open = world.state.sessions().next().cloned();
            if let Some(session) = open {
                world.request(world::KIOSKS[kiosk], Request::Cancel { session });
            }
        }
        Action::Act { pick, lose_reply } => {
            world.act(pick, lose_reply);
        }
        Action::TakeCard { lose_report } => world.take_card(lose_report),
        Action::Advance { ms } => world.advance(ms),
        Action::Restart => world.restart(),
        Action::Lost { device } => world.lost(DEVICES[device]),
        Action::Online { device } => world.online(DEVICES[device]),
        Action::Jam => world.dispenser.jams_next = true,
        Action::TakeBackByItself => world.dispenser.take_back_by_itself(),
        Action::PlaceCard { card, to, release } => {
            let to = [PlacedAt::Safe, PlacedAt::Quarantine][to];
            let (card, release_hold) = (serial(card), release);
            let outcome = world.request(
                "kiosk-1",
                Request::PlaceCard {
                    operator: operator(),
                    card: card.clone(),
                    to,
                    release_hold,
                },
            );
            if matches!(outcome, gateway_core::Outcome::Accepted(_)) {
                world.dispenser.bin.retain(|c| *c != card);
                world.dispenser.taken.push(card);
            }
        }
        Action::Resolve { to } => resolve(world, to),
        Action::Unload { card } => {
            let request = Request::UnloadCard {
                operator: operator(),
                card: serial(card),
            };
            world.request("kiosk-1", request);
        }
        Action::Load { card, slot: n } => load(world, &serial(card), slot(n)),
        Action::StockTake => {
            world.request(
                "kiosk-1",
                Request::StockTake {
                    operator: operator(),
                    machine: machine(),
                },
            );
        }
        Action::Room { low } => {
            world.input(Input::Room { low });
        }
        Action::Manners {
            right,
            left,
            camera,
            chip,
            old,
        } => {
            let old_card = [OldCard::Own, OldCard::Foreign, OldCard::None][old];
            world.manners = Manners {
                right_score: right,
                left_score: left,
                camera_works: camera,
                chip_is_right: chip,
                old_card,
            };
        }
    }
}

/// The operator asks, and puts a card of hers into the machine once it said yes: a request that is refused
/// changes nothing, neither what lies there for the load before it.
fn load(world: &mut World, card: &CardSerial, slot: SlotAddress) {
    let request = Request::LoadCard {
        operator: operator(),
        card: card.clone(),
        machine: machine(),
        slot,
    };
    let outcome = world.request("kiosk-1", request);
    if matches!(outcome, gateway_core::Outcome::Accepted(_)) && world.dispenser.taken.contains(card)
    {
        world.dispenser.hopper = Some(card.clone());
    }
}

/// The operator opens the machine, clears it by hand, and says what was done with the card.
fn resolve(world: &mut World, to: usize) {
    if !world.state.machines().any(|(_, blocked)| blocked) {
        return;
    }
    let d = &mut world.dispenser;
    let found = d
        .car
        .take()
        .or_else(|| d.reader.take())
        .or_else(|| d.outlet.take());
    // The operator tells the truth: a card that was found is put somewhere, one that is gone is gone.
    let card_now = if found.is_some() {
        [
            ResolvedPlace::Slot,
            ResolvedPlace::Safe,
            ResolvedPlace::Quarantine,
        ][to % 3]
    } else {
        [ResolvedPlace::NoCard, ResolvedPlace::HandedOver][to % 2]
    };
    let request = Request::ResolveMachine {
        operator: operator(),
        machine: machine(),
        card_now,
    };
    let outcome = world.request("kiosk-1", request);
    let Some(card) = found else { return };
    match world.state.card(&card).map(|c| c.place.clone()) {
        _ if !matches!(outcome, gateway_core::Outcome::Accepted(_)) => {
            world.dispenser.car = Some(card);
        }
        Some(Place::Slot { slot, .. }) => {
            world.dispenser.slots.insert(slot, card);
        }
        _ => world.dispenser.taken.push(card),
    }
}

/// C3: each card of the world is in exactly one physical place, and each record in exactly one.
fn conserved(world: &World) {
    let d = &world.dispenser;
    let mut seen: BTreeMap<&CardSerial, u32> = BTreeMap::new();
    let everywhere = d
        .slots
        .values()
        .chain(&d.reader)
        .chain(&d.car)
        .chain(&d.outlet)
        .chain(&d.bin);
    for card in everywhere {
        *seen.entry(card).or_default() += 1;
    }
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    let slots: Vec<_> = world
        .state
        .cards()
        .filter_map(|(_, card)| match &card.place {
            Place::Slot { slot, .. } => Some(*slot),
            _ => None,
        })
        .collect();
    assert_eq!(
        slots.iter().collect::<BTreeSet<_>>().len(),
        slots.len(),
        "two cards in one slot"
    );
}

/// C3: the log proves each move: every move starts where the one before ended.
fn moves_are_chained(world: &World) {
    let mut places: BTreeMap<CardSerial, Place> = BTreeMap::new();
    for (_, event) in &world.log {
        if let Event::CardMoved(moved) = event {
            let before = places.insert(moved.card.clone(), moved.to.clone());
            assert_eq!(
                before.unwrap_or(Place::MakerTransit),
                moved.from,
                "{}",
                moved.card
            );
        }
    }
}

/// P3, P4, P5: whatever led here, a motion to the outlet has its proofs before it in its session.
fn presented_with_proof(world: &World) {
    let mut proofs: BTreeMap<&SessionId, (bool, BTreeSet<Hand>, BTreeSet<PhotoView>)> =
        BTreeMap::new();
    for (_, event) in &world.log {
        match event {
            Event::CardVerified(e) => proofs.entry(&e.session).or_default().0 = true,
            Event::FingerCompared(e) if e.matched => {
                assert!(e.score.unwrap() >= e.score_min);
                proofs.entry(&e.session).or_default().1.insert(e.hand);
            }
            Event::PhotoArchived(e) => {
                proofs.entry(&e.session).or_default().2.insert(e.view);
            }
            Event::MotionIntended(e) if matches!(e.motion, Motion::Present { .. }) => {
                let (verified, hands, views) = proofs.entry(&e.session).or_default();
                assert!(
                    *verified && hands.len() == 2 && views.len() == 4,
                    "presented without proof"
                );
            }
            _ => {}
        }
    }
}

/// One motion for each intent.
fn moved_once(world: &World) {
    let sequences: Vec<u16> = world
        .dispenser
        .history
        .iter()
        .map(|(sequence, _)| *sequence)
        .collect();
    assert_eq!(
        sequences.iter().collect::<BTreeSet<_>>().len(),
        sequences.len(),
        "a sequence moved twice"
    );
}

/// At rest and not blocked, the record is what the machine holds.
fn record_is_true(world: &World) {
    if world.state.sessions().count() > 0 || world.state.machines().any(|(_, blocked)| blocked) {
        return;
    }
    for (serial, card) in world.state.cards() {
        let in_slot = world
            .dispenser
            .slots
            .iter()
            .find(|(_, c)| *c == serial)
            .map(|(slot, _)| *slot);
        match &card.place {
            Place::Slot { slot, .. } => assert_eq!(in_slot, Some(*slot), "{serial}"),
            Place::RetractBin { .. } => assert!(world.dispenser.bin.contains(serial), "{serial}"),
            Place::HandedOver => assert!(world.dispenser.taken.contains(serial), "{serial}"),
            Place::Transport { .. } | Place::Exit { .. } => panic!("{serial} is in nobody's hands"),
            _ => assert_eq!(in_slot, None, "{serial}"),
        }
    }
}

/// G4: the state after the first `at` events, written and read, then gone on with.
fn from_snapshot(world: &World, at: usize) -> State {
    let mut state = State::default();
    let mut bytes = Vec::new();
    for (index, (now, event)) in (0..).zip(&world.log) {
        if index == at {
            ciborium::into_writer(&state, &mut bytes).unwrap();
            state = ciborium::from_reader(bytes.as_slice()).unwrap();
            let mut again = Vec::new();
            ciborium::into_writer(&state, &mut again).unwrap();
            assert_eq!(again, bytes, "the same state is the same bytes");
        }
        let index = u64::try_from(index).unwrap();
        evolve(&mut state, Recorded { index, now, event });
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn c3_p4_p5_hold_for_any_history(
        actions in prop::collection::vec(action(), 1..160),
        at in any::<prop::sample::Index>(),
    ) {
        let mut world = World::stocked();
        for action in &actions {
            apply(&mut world, action);
            conserved(&world);
        }
        prop_assert_eq!(world.replay(), world.state.clone());
        let at = at.index(world.log.len());
        prop_assert_eq!(from_snapshot(&world, at), world.state.clone());
        for name in DEVICES {
            world.online(name);
        }
        world.settle();
        conserved(&world);
        moves_are_chained(&world);
        presented_with_proof(&world);
        moved_once(&world);
        record_is_true(&world);
        prop_assert_eq!(world.replay(), world.state);
    }
}

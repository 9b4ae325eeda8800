//! C2, C3: slots are compared with the records when a dispenser comes and every day, without a motion. A difference is said once.

use crate::world::{self, World, device, machine, operator, serial, slot};
use gateway_core::{Input, Order, Outcome, Reply, Request, pending};
use schemas::event::Event;
use schemas::event::custody::{SlotFinding, SlotFound};
use schemas::message::command::Progress;
use schemas::slot::SlotAddress;
use schemas::words::{HoldReason, RefusalReason};

const DAY_MS: u64 = 86_400_000;

/// The dispenser goes and comes back.
/// Not so often that it counts as flapping.
fn comes_back(world: &mut World) {
    world.advance(120_000);
    world.lost("dispenser-1");
    world.online("dispenser-1");
    world.settle();
}

fn found(world: &World) -> Vec<SlotFound> {
    let events = world.log.iter();
    events
        .filter_map(|(_, event)| match event {
            Event::SlotFound(found) => Some(found.clone()),
            _ => None,
        })
        .collect()
}

fn last_found(world: &World) -> (SlotAddress, Option<String>, SlotFinding, u32) {
    let found = found(world).pop().unwrap();
    let card = found.card.map(|card| card.to_string());
    (found.slot, card, found.finding, found.differing)
}

fn hold(world: &World, n: u16) -> Option<HoldReason> {
    world.state.card(&serial(n)).unwrap().hold
}

/// C3: a card that is not in its slot is held until it is there again, and each is said once.
#[test]
fn c3_a_missing_card_is_held_until_it_is_there_again() {
    let mut world = World::stocked();
    comes_back(&mut world);
    assert_eq!(found(&world), []);
    let card = world.dispenser.slots.remove(&slot(0)).unwrap();
    comes_back(&mut world);
    let name = Some(serial(1).to_string());
    assert_eq!(
        last_found(&world),
        (slot(0), name.clone(), SlotFinding::Missing, 1)
    );
    assert_eq!(hold(&world, 1), Some(HoldReason::NotInSlot));
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::Held)
    );
    for _ in 0..3 {
        comes_back(&mut world);
        world.restart();
        world.settle();
    }
    assert_eq!(found(&world).len(), 1);
    world.dispenser.slots.insert(slot(0), card);
    comes_back(&mut world);
    assert_eq!(last_found(&world), (slot(0), name, SlotFinding::Agrees, 0));
    assert_eq!(hold(&world, 1), None);
    assert!(world.dispenser.history.len() == 4, "only the loads moved");
    comes_back(&mut world);
    assert_eq!(found(&world).len(), 2);
    assert_eq!(world.state, world.replay());
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
}

/// C3: a card that is held for another reason stays so, also when it was missing.
#[test]
fn c3_another_hold_is_kept() {
    let mut world = World::stocked();
    assert_eq!(hold(&world, 4), Some(HoldReason::Manifest));
    let card = world.dispenser.slots.remove(&slot(3)).unwrap();
    comes_back(&mut world);
    assert_eq!(hold(&world, 4), Some(HoldReason::Manifest));
    world.dispenser.slots.insert(slot(3), card);
    comes_back(&mut world);
    assert_eq!(hold(&world, 4), Some(HoldReason::Manifest));
    assert_eq!(found(&world).len(), 2);
}

/// C2: what lies in a slot without a record is named, and nothing is loaded on top of it.
#[test]
fn c2_an_unexpected_card_is_named_and_not_loaded_onto() {
    let mut world = World::stocked();
    world.dispenser.slots.insert(slot(6), serial(77));
    comes_back(&mut world);
    assert_eq!(
        last_found(&world),
        (slot(6), None, SlotFinding::Unexpected, 1)
    );
    let scan = Request::ScanCard {
        operator: operator(),
        batch: world::batch(),
        card: serial(5),
    };
    assert!(matches!(
        world.request("kiosk-1", scan),
        Outcome::Accepted(_)
    ));
    let load = Request::LoadCard {
        operator: operator(),
        card: serial(5),
        machine: machine(),
        slot: slot(6),
    };
    assert_eq!(
        world.request("kiosk-1", load.clone()),
        Outcome::Refused(RefusalReason::SlotUnusable)
    );
    world.dispenser.slots.remove(&slot(6));
    comes_back(&mut world);
    assert_eq!(last_found(&world), (slot(6), None, SlotFinding::Agrees, 0));
    world.dispenser.hopper = Some(serial(5));
    assert!(matches!(
        world.request("kiosk-1", load),
        Outcome::Accepted(_)
    ));
}

/// C2: a stock-take and a comparison without a motion say the same, once.
#[test]
fn c2_a_stock_take_says_no_difference_again() {
    let mut world = World::stocked();
    world.dispenser.slots.remove(&slot(0));
    world.dispenser.slots.insert(slot(6), serial(77));
    comes_back(&mut world);
    assert_eq!(found(&world).len(), 2);
    let take = Request::StockTake {
        operator: operator(),
        machine: machine(),
    };
    assert!(matches!(
        world.request("kiosk-1", take),
        Outcome::Accepted(_)
    ));
    world.settle();
    assert_eq!(found(&world).len(), 2);
    let taken = world.log.iter().rev().find_map(|(_, event)| match event {
        Event::StockTaken(taken) => Some((taken.missing.clone(), taken.unexpected.clone())),
        _ => None,
    });
    assert_eq!(taken, Some((vec![serial(1)], vec![slot(6)])));
}

/// C3: it is compared every day, while the dispenser is there.
#[test]
fn c3_slots_are_compared_every_day() {
    let mut world = World::stocked();
    world.dispenser.slots.remove(&slot(2));
    world.advance(DAY_MS / 2);
    world.settle();
    assert_eq!(found(&world).len(), 0);
    world.advance(DAY_MS / 2 + 1);
    world.settle();
    assert_eq!(found(&world).len(), 1);
    world.lost("dispenser-1");
    let len = world.log.len();
    world.advance(2 * DAY_MS);
    assert_eq!(gateway_core::next_deadline(&world.state, &world.now), None);
    assert_eq!(world.log.len(), len, "nobody is there to be asked");
}

/// C3: while anything is under way nothing is compared, whatever the dispenser says.
#[test]
fn c3_nothing_is_compared_while_something_moves() {
    let mut world = World::stocked();
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
    world.lost("dispenser-1");
    world.online("dispenser-1");
    let asked = pending(&world.state);
    assert!(
        asked
            .iter()
            .any(|effect| effect.order == Order::Query { slots: false })
    );
    for effect in asked {
        if let Reply::Queried { last, evidence, .. } = world.dispenser.query(true) {
            let slots = Some(Vec::new());
            world.input(Input::Reply {
                device: effect.device,
                command: effect.id,
                reply: Reply::Queried {
                    last,
                    evidence,
                    slots,
                },
            });
        }
    }
    assert_eq!(found(&world), []);

    // At rest by the record, but the dispenser says that it moves for somebody else.
    let mut world = World::stocked();
    world.lost("dispenser-1");
    world.online("dispenser-1");
    let effect = pending(&world.state).remove(0);
    assert_eq!(effect.order, Order::Query { slots: true });
    world.input(Input::Reply {
        device: device("dispenser-1"),
        command: effect.id,
        reply: Reply::Queried {
            last: Progress::Moving { sequence: 9 },
            evidence: world.dispenser.evidence(),
            slots: Some(Vec::new()),
        },
    });
    assert_eq!(found(&world), []);
}

/// C3: so many differences as there may be are recorded in portions, each of them once.
#[test]
fn c3_many_differences_are_recorded_in_portions() {
    let mut world = World::stocked();
    for at in 0..250u16 {
        let stray = SlotAddress::new(1, at).unwrap();
        world.dispenser.slots.insert(stray, serial(1_000 + at));
    }
    world.dispenser.slots.retain(|slot, _| slot.column() == 1);
    world.lost("dispenser-1");
    world.online("dispenser-1");
    for _ in 0..3 {
        let before = world.log.len();
        assert!(world.act(0, false));
        assert!(world.log.len() - before <= 103);
    }
    world.settle();
    // Four cards are missing, and one of them was held before.
    assert_eq!(found(&world).len(), 254);
    assert_eq!(last_found(&world).3, 254);
    assert_eq!(hold(&world, 1), Some(HoldReason::NotInSlot));
    comes_back(&mut world);
    assert_eq!(found(&world).len(), 254);
    assert_eq!(world.state, world.replay());
}

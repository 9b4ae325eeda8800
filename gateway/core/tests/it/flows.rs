//! The flows of pickup and custody as data: what is done, what the log then says.

use crate::hall::Hall;
use crate::world::{
    self, Manners, OldCard, World, device, machine, operator, serial, slot, voucher,
};
use gateway_core::{Input, Outcome, Request, next_deadline};
use schemas::event::Event;
use schemas::event::pickup::PickupRecorded;
use schemas::ids::SessionId;
use schemas::message::device::LastReceipt;
use schemas::message::kiosk::{PlacedAt, ResolvedPlace};
use schemas::time::ClockTrust;
use schemas::words::{
    HoldReason, PhotoView, PickupOutcome, Place, PromptCode, RefusalReason, Service,
};

fn place(world: &World, n: u16) -> Place {
    world.state.card(&serial(n)).unwrap().place.clone()
}

fn in_slot(n: u16) -> Place {
    Place::Slot {
        machine: machine(),
        slot: slot(n),
    }
}

fn outcome(world: &World) -> Option<PickupOutcome> {
    world.log.iter().rev().find_map(|(_, event)| match event {
        Event::PickupEnded(ended) => Some(ended.outcome),
        _ => None,
    })
}

/// Everything that is open is done, until only a deadline is left.
fn run(world: &mut World) {
    while world.act(0, false) {}
}

fn begin(world: &mut World, n: u16) -> SessionId {
    match world.start_pickup("kiosk-1", n) {
        Outcome::Accepted(Some(session)) => session,
        other => panic!("{other:?}"),
    }
}

/// evidence.md 4: a wall clock that jumps by years, forward and back, between any two steps changes no event but its own time: the
/// same facts in the same order, whether it is believed or not.
#[test]
fn p9_a_clock_that_jumps_by_years_changes_the_order_of_nothing() {
    const YEAR_MS: u64 = 365 * 86_400_000;
    let collected = |jumps: &[i64], trust: ClockTrust| {
        let mut world = World::stocked();
        world.now.trust = trust;
        let (honest, before) = (world.now.wall_ms, world.log.len());
        let mut jump = jumps.iter().cycle();
        let mut step = |world: &mut World| {
            world.now.mono_ms += 200;
            let years = jump.next().copied().unwrap_or(0);
            world.now.wall_ms =
                honest.saturating_add_signed(years * i64::try_from(YEAR_MS).unwrap());
        };
        begin(&mut world, 1);
        step(&mut world);
        while world.act(0, false) {
            step(&mut world);
        }
        step(&mut world);
        world.take_card(false);
        let events: Vec<Event> = world.log[before..]
            .iter()
            .map(|(_, event)| match event.clone() {
                // It says when the session was, for whoever looks for its footage.
                Event::PickupRecorded(recorded) => Event::PickupRecorded(PickupRecorded {
                    from_ms: 0,
                    until_ms: 0,
                    ..recorded
                }),
                other => other,
            })
            .collect();
        assert_eq!(world.replay(), world.state);
        assert_eq!(outcome(&world), Some(PickupOutcome::Collected));
        events
    };
    for trust in [ClockTrust::Synchronised, ClockTrust::Unsynchronised] {
        let straight = collected(&[], trust);
        for jumps in [&[10, -20, 30][..], &[-40], &[1, -1], &[400, -400]] {
            assert_eq!(collected(jumps, trust), straight, "{jumps:?}");
        }
    }
}

#[test]
fn p1_to_p7_a_card_is_collected() {
    let mut world = World::stocked();
    let before = world.log.len();
    begin(&mut world, 1);
    run(&mut world);
    assert_eq!(place(&world, 1), Place::Exit { machine: machine() });
    world.take_card(false);
    assert_eq!(place(&world, 1), Place::HandedOver);
    assert_eq!(outcome(&world), Some(PickupOutcome::Collected));
    let short = |t: &'static str| t.trim_start_matches("station.").trim_end_matches(".v1");
    let types: Vec<_> = world.types()[before..].iter().map(|t| short(t)).collect();
    assert_eq!(
        types,
        [
            "pickup.started",
            "custody.card-moved",
            "motion.intended",
            "motion.completed",
            "pickup.step",
            "pickup.card-verified",
            "pickup.step",
            "pickup.finger-present",
            "pickup.finger-compared",
            "pickup.photo-archived",
            "pickup.step",
            "pickup.finger-present",
            "pickup.finger-compared",
            "pickup.photo-archived",
            "pickup.step",
            "pickup.photo-archived",
            "pickup.step",
            "pickup.photo-archived",
            "motion.intended",
            "motion.completed",
            "custody.card-moved",
            "pickup.card-presented",
            "custody.card-moved",
            "pickup.card-taken",
            "pickup.recorded",
            "pickup.ended",
        ]
    );
}

#[test]
fn p6_the_old_card_is_taken_in_before_the_new_one_is_presented() {
    let mut world = World::stocked();
    begin(&mut world, 2);
    run(&mut world);
    let types = world.types();
    let at = |name: &str| types.iter().position(|t| *t == name).unwrap();
    assert!(at("station.pickup.old-card-recycled.v1") < at("station.pickup.card-presented.v1"));
    assert_eq!(world.dispenser.recycled, 1);
}

#[test]
fn p6_without_the_old_card_the_new_one_stays() {
    for (old_card, expected) in [
        (OldCard::None, PickupOutcome::OldCardMissing),
        (OldCard::Foreign, PickupOutcome::OldCardMissing),
    ] {
        let mut world = World::stocked();
        world.manners.old_card = old_card;
        begin(&mut world, 2);
        run(&mut world);
        assert_eq!(
            (outcome(&world), place(&world, 2)),
            (Some(expected), in_slot(1))
        );
        assert_eq!(world.dispenser.recycled, 0);
    }
}

/// P2, P8: each refusal has its own answer and its own event.
#[test]
fn p2_p8_each_refusal_has_its_own_event() {
    for (n, reason, event) in [
        (9, RefusalReason::NoRecord, "station.pickup.no-record.v1"),
        (
            5,
            RefusalReason::NotYetArrived,
            "station.pickup.not-arrived.v1",
        ),
        (4, RefusalReason::Held, "station.pickup.held.v1"),
        (
            3,
            RefusalReason::NotEligible,
            "station.pickup.not-eligible.v1",
        ),
    ] {
        let mut world = World::stocked();
        assert_eq!(world.start_pickup("kiosk-1", n), Outcome::Refused(reason));
        assert_eq!(world.last_types(1), [event]);
    }
    let mut world = World::stocked();
    begin(&mut world, 1);
    run(&mut world);
    world.take_card(false);
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::AlreadyCollected)
    );
    assert_eq!(world.last_types(1), ["station.pickup.already-collected.v1"]);
}

/// P3, P4, P5: what fails, how the session ends, where the card is.
#[test]
fn p3_p4_p5_without_proof_no_card() {
    let good = Manners::default();
    let bin = Place::RetractBin { machine: machine() };
    for (manners, expected, at) in [
        (
            Manners {
                chip_is_right: false,
                ..good
            },
            PickupOutcome::CardMismatch,
            bin,
        ),
        (
            Manners {
                right_score: 59,
                ..good
            },
            PickupOutcome::IdentityFailed,
            in_slot(0),
        ),
        (
            Manners {
                left_score: 0,
                ..good
            },
            PickupOutcome::IdentityFailed,
            in_slot(0),
        ),
        (
            Manners {
                camera_works: false,
                ..good
            },
            PickupOutcome::NoPhoto,
            in_slot(0),
        ),
    ] {
        let mut world = World::stocked();
        world.manners = manners;
        begin(&mut world, 1);
        run(&mut world);
        assert_eq!((outcome(&world), place(&world, 1)), (Some(expected), at));
        assert!(!world.types().contains(&"station.pickup.card-presented.v1"));
    }
}

#[test]
fn p4_three_attempts_for_each_hand() {
    let mut world = World::stocked();
    world.manners.left_score = 10;
    begin(&mut world, 1);
    run(&mut world);
    let compared = world
        .types()
        .iter()
        .filter(|t| **t == "station.pickup.finger-compared.v1")
        .count();
    assert_eq!(compared, 1 + 3);
}

#[test]
fn p7_a_card_not_taken_is_read_again_and_collectable_again() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    run(&mut world);
    let deadline = next_deadline(&world.state, &world.now).unwrap().clone();
    assert_eq!(deadline.left_ms(&world.now), 30_000);
    world.advance(29_999);
    assert_eq!(place(&world, 1), Place::Exit { machine: machine() });
    world.advance(1);
    run(&mut world);
    assert_eq!(
        (outcome(&world), place(&world, 1)),
        (Some(PickupOutcome::NotTaken), in_slot(0))
    );
    begin(&mut world, 1);
    run(&mut world);
    world.take_card(false);
    assert_eq!(place(&world, 1), Place::HandedOver);
}

#[test]
fn p7_a_swapped_card_in_the_outlet_is_quarantined() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    run(&mut world);
    world.manners.chip_is_right = false;
    world.advance(30_000);
    run(&mut world);
    assert_eq!(place(&world, 1), Place::RetractBin { machine: machine() });
    assert_eq!(
        world.state.card(&serial(1)).unwrap().hold,
        Some(HoldReason::Mismatch)
    );
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::Held)
    );
}

#[test]
fn p7_taken_at_the_last_moment_is_taken() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    run(&mut world);
    world.advance(30_000);
    world.take_card(true);
    run(&mut world);
    assert_eq!(
        (outcome(&world), place(&world, 1)),
        (Some(PickupOutcome::Collected), Place::HandedOver)
    );
}

/// P7: from slot to outlet the machine serves one session; the others wait and see why.
#[test]
fn p7_one_session_at_a_time() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    assert_eq!(
        world.start_pickup("kiosk-2", 2),
        Outcome::Refused(RefusalReason::MachineBusy)
    );
    run(&mut world);
    assert_eq!(
        world.start_pickup("kiosk-2", 2),
        Outcome::Refused(RefusalReason::MachineBusy)
    );
    world.take_card(false);
    assert!(matches!(
        world.start_pickup("kiosk-2", 2),
        Outcome::Accepted(_)
    ));
}

#[test]
fn a_citizen_may_cancel_until_the_card_is_on_its_way_out() {
    let mut world = World::stocked();
    let session = begin(&mut world, 1);
    world.act(0, false);
    assert!(matches!(
        world.request(
            "kiosk-2",
            Request::Cancel {
                session: session.clone()
            }
        ),
        Outcome::Refused(RefusalReason::NoSuchSession)
    ));
    assert!(matches!(
        world.request("kiosk-1", Request::Cancel { session }),
        Outcome::Accepted(_)
    ));
    run(&mut world);
    assert_eq!(
        (outcome(&world), place(&world, 1)),
        (Some(PickupOutcome::Cancelled), in_slot(0))
    );
    let session = begin(&mut world, 1);
    run(&mut world);
    assert_eq!(
        world.request("kiosk-1", Request::Cancel { session }),
        Outcome::Refused(RefusalReason::TooLate)
    );
}

/// G4: a restart at any point of a pickup ends in a defined state, with one motion for each intent.
#[test]
fn a_restart_at_any_step_ends_in_a_defined_state() {
    for steps in 0..16 {
        for lose in [false, true] {
            let mut world = World::stocked();
            begin(&mut world, 1);
            for _ in 0..steps {
                world.act(0, false);
            }
            world.act(0, lose);
            world.restart();
            world.settle();
            assert_eq!(
                place(&world, 1),
                in_slot(0),
                "after {steps} steps, reply lost: {lose}"
            );
            assert_eq!(world.state.sessions().count(), 0);
            assert_eq!(
                world
                    .state
                    .machines()
                    .filter(|(_, blocked)| *blocked)
                    .count(),
                0
            );
        }
    }
}

#[test]
fn a_restart_while_the_citizen_takes_the_card_finds_it_taken() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    run(&mut world);
    world.take_card(true);
    world.restart();
    world.settle();
    assert_eq!(
        (outcome(&world), place(&world, 1)),
        (Some(PickupOutcome::Collected), Place::HandedOver)
    );
}

#[test]
fn a_jam_blocks_the_machine_until_an_operator_resolves_it() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    world.dispenser.jams_next = true;
    run(&mut world);
    assert_eq!(outcome(&world), Some(PickupOutcome::DeviceFailed));
    assert_eq!(place(&world, 1), Place::Transport { machine: machine() });
    assert_eq!(
        world.start_pickup("kiosk-1", 2),
        Outcome::Refused(RefusalReason::MachineBlocked)
    );
    world.dispenser.car = None;
    let card_now = ResolvedPlace::Safe;
    let resolve = Request::ResolveMachine {
        operator: operator(),
        machine: machine(),
        card_now,
    };
    assert!(matches!(
        world.request("kiosk-1", resolve),
        Outcome::Accepted(_)
    ));
    run(&mut world);
    assert_eq!(place(&world, 1), Place::Safe);
    begin(&mut world, 2);
}

#[test]
fn c2_stock_take_names_what_is_missing_and_what_is_not_recorded() {
    let mut world = World::stocked();
    let card = world.dispenser.slots.remove(&slot(0)).unwrap();
    world.dispenser.slots.insert(slot(7), card);
    let take = Request::StockTake {
        operator: operator(),
        machine: machine(),
    };
    assert!(matches!(
        world.request("kiosk-1", take.clone()),
        Outcome::Accepted(_)
    ));
    run(&mut world);
    let taken = world.log.iter().rev().find_map(|(_, event)| match event {
        Event::StockTaken(taken) => Some(taken.clone()),
        _ => None,
    });
    let taken = taken.unwrap();
    assert_eq!((taken.occupied, taken.matching), (4, 3));
    assert_eq!(
        (taken.missing, taken.unexpected),
        (vec![serial(1)], vec![slot(7)])
    );
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::Held)
    );
    // Put back by hand and counted again, it is collectable again.
    let card = world.dispenser.slots.remove(&slot(7)).unwrap();
    world.dispenser.slots.insert(slot(0), card);
    world.request("kiosk-1", take);
    run(&mut world);
    begin(&mut world, 1);
}

#[test]
fn c2_a_card_is_unloaded_to_the_safe() {
    let mut world = World::stocked();
    let unload = Request::UnloadCard {
        operator: operator(),
        card: serial(1),
    };
    assert!(matches!(
        world.request("kiosk-1", unload),
        Outcome::Accepted(_)
    ));
    run(&mut world);
    world.take_card(false);
    assert_eq!(place(&world, 1), Place::Safe);
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::NotYetArrived)
    );
}

#[test]
fn c1_missing_and_surplus_cards_are_named() {
    let mut world = World::stocked();
    let batch = world::batch();
    world.request(
        "kiosk-1",
        Request::ScanCard {
            operator: operator(),
            batch: batch.clone(),
            card: serial(50),
        },
    );
    assert_eq!(place(&world, 50), Place::Quarantine);
    world.request(
        "kiosk-1",
        Request::CloseBatch {
            operator: operator(),
            batch,
        },
    );
    let [
        ..,
        (_, Event::CardsMissing(named)),
        (_, Event::BatchClosed(closed)),
    ] = world.log.as_slice()
    else {
        panic!("not closed")
    };
    assert_eq!((closed.arrived, closed.missing, closed.surplus), (4, 1, 1));
    assert_eq!(named.cards, [serial(5)]);
}

/// G4: a device that holds a receipt this log does not know takes the station out of service.
#[test]
fn a_witness_of_a_longer_log_stops_new_sessions() {
    let mut world = World::stocked();
    let presence = schemas::event::station::Presence::Online {
        boot: world::boot(7),
        protocol: 1,
    };
    world.input(Input::Life {
        device: device("kiosk-1"),
        presence,
        boot: world::boot(7),
        witness: Some(LastReceipt {
            incarnation: 1,
            index: 1_000_000,
        }),
    });
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::OutOfService)
    );
}

#[test]
fn a_witness_that_is_dismissed_lets_the_station_serve_again_until_it_speaks_again() {
    let mut world = World::stocked();
    let born = |world: &mut World, life: u32| {
        world.input(Input::Life {
            device: device("camera-1"),
            presence: schemas::event::station::Presence::Online {
                boot: world::boot(life),
                protocol: 1,
            },
            boot: world::boot(life),
            witness: Some(LastReceipt {
                incarnation: 1,
                index: 1_000_000,
            }),
        })
    };
    let dismiss = Input::DismissWitness {
        approvers: [
            operator(),
            schemas::ids::OperatorId::new("operator-2").unwrap(),
        ],
    };
    assert_eq!(
        world.input(dismiss.clone()),
        Outcome::Unchanged,
        "there is nothing to dismiss"
    );
    born(&mut world, 900);
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Refused(RefusalReason::OutOfService)
    );
    assert!(matches!(world.input(dismiss), Outcome::Accepted(_)));
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(Some(_))
    ));
    born(&mut world, 901);
    assert!(!world.state.service_reasons().is_empty());
}

#[test]
fn low_room_refuses_new_sessions_and_lets_the_open_one_end() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    world.input(Input::Room { low: true });
    assert_eq!(
        world.start_pickup("kiosk-2", 2),
        Outcome::Refused(RefusalReason::OutOfService)
    );
    run(&mut world);
    world.take_card(false);
    assert_eq!(place(&world, 1), Place::HandedOver);
    world.input(Input::Room { low: false });
    assert!(matches!(
        world.start_pickup("kiosk-2", 2),
        Outcome::Accepted(_)
    ));
}

/// G1: the same state again is no fact.
#[test]
fn an_unchanged_birth_is_not_recorded() {
    let mut world = World::stocked();
    let before = world.log.len();
    world.online("kiosk-1");
    assert_eq!(world.log.len(), before);
}

#[test]
fn an_expired_request_is_refused_under_a_trusted_clock_only() {
    let mut world = World::stocked();
    let request = Request::StartPickup {
        by: schemas::words::LookupBy::Voucher,
        tags: vec![voucher(1)],
    };
    let input = Input::Request {
        kiosk: device("kiosk-1"),
        deadline_ms: world.now.wall_ms - 1,
        request,
    };
    assert_eq!(
        world.input(input.clone()),
        Outcome::Refused(RefusalReason::Expired)
    );
    world.now.trust = ClockTrust::Unsynchronised;
    assert!(matches!(world.input(input), Outcome::Accepted(_)));
}

fn resolve(world: &mut World, card_now: ResolvedPlace) -> Outcome {
    let request = Request::ResolveMachine {
        operator: operator(),
        machine: machine(),
        card_now,
    };
    world.request("kiosk-1", request)
}

/// C2, C3: a slot that already holds a card nobody recorded: the load is refused, not recorded.
#[test]
fn c2_a_load_into_an_occupied_slot_leaves_the_card_in_the_safe() {
    let mut world = World::stocked();
    let unload = Request::UnloadCard {
        operator: operator(),
        card: serial(1),
    };
    world.request("kiosk-1", unload);
    run(&mut world);
    world.take_card(false);
    world.dispenser.slots.insert(slot(6), serial(99));
    world.dispenser.hopper = Some(serial(1));
    let (card, slot) = (serial(1), slot(6));
    world.request(
        "kiosk-1",
        Request::LoadCard {
            operator: operator(),
            card,
            machine: machine(),
            slot,
        },
    );
    run(&mut world);
    assert_eq!(place(&world, 1), Place::Safe);
    // The dispenser is asked where its sequence stands, since it did not take this one.
    let last = [
        "station.custody.act-ended.v1",
        "station.motion.unconfirmed.v1",
        "station.motion.sequence-learned.v1",
        // What lies in the slot is named.
        "station.custody.slot-found.v1",
    ];
    assert_eq!(world.last_types(4), last);
}

/// P7: a presentation that the dispenser never took is not made up for after a restart.
#[test]
fn p7_a_card_is_not_presented_to_whoever_stands_there_after_a_restart() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    while world.last_types(1) != ["station.motion.intended.v1"]
        || world
            .types()
            .iter()
            .filter(|t| t.ends_with("photo-archived.v1"))
            .count()
            < 4
    {
        assert!(world.act(0, false));
    }
    world.restart();
    world.settle();
    assert_eq!(place(&world, 1), in_slot(0));
    assert!(!world.types().contains(&"station.pickup.card-presented.v1"));
}

/// P7: the dispenser, left alone, took the card back by itself: it is read again all the same.
#[test]
fn p7_a_card_that_the_dispenser_took_back_by_itself_is_read_again() {
    for lose_reply in [false, true] {
        let mut world = World::stocked();
        begin(&mut world, 1);
        while world.dispenser.outlet.is_none() {
            let last = world
                .types()
                .iter()
                .filter(|t| t.ends_with("photo-archived.v1"))
                .count()
                == 4;
            world.act(0, lose_reply && last);
        }
        world.dispenser.take_back_by_itself();
        world.manners.chip_is_right = false;
        world.restart();
        world.settle();
        let types = world.types();
        for needed in [
            "station.pickup.card-presented.v1",
            "station.pickup.card-retracted.v1",
        ] {
            assert!(
                types.contains(&needed),
                "{needed}, reply lost: {lose_reply}"
            );
        }
        assert_eq!(place(&world, 1), Place::RetractBin { machine: machine() });
    }
}

/// C3: an operator puts a card from the transport back into its own slot, and it is collectable.
#[test]
fn c3_a_jammed_card_goes_back_to_its_own_slot() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    world.dispenser.jams_next = true;
    run(&mut world);
    let card = world.dispenser.car.take().unwrap();
    world.dispenser.slots.insert(slot(0), card);
    assert!(matches!(
        resolve(&mut world, ResolvedPlace::Slot),
        Outcome::Accepted(_)
    ));
    run(&mut world);
    assert_eq!(place(&world, 1), in_slot(0));
    begin(&mut world, 1);
}

/// C3: the machine gave up while the card was on its way out, and it was taken.
#[test]
fn c3_a_card_taken_from_a_machine_that_gave_up_is_handed_over() {
    for report_lost in [false, true] {
        let mut world = World::stocked();
        begin(&mut world, 1);
        while world.dispenser.outlet.is_none() {
            let last = world
                .types()
                .iter()
                .filter(|t| t.ends_with("photo-archived.v1"))
                .count()
                == 4;
            world.act(0, last);
        }
        for _ in 0..5 {
            world.advance(20_000);
        }
        assert_eq!(outcome(&world), Some(PickupOutcome::DeviceFailed));
        world.take_card(report_lost);
        if report_lost {
            assert!(matches!(
                resolve(&mut world, ResolvedPlace::HandedOver),
                Outcome::Accepted(_)
            ));
        }
        assert_eq!(place(&world, 1), Place::HandedOver);
    }
}

/// C3: "handed over" is not for a card that was never on its way out.
#[test]
fn c3_a_card_from_the_transport_cannot_be_called_handed_over() {
    let mut world = World::stocked();
    begin(&mut world, 1);
    world.dispenser.jams_next = true;
    run(&mut world);
    for wrong in [ResolvedPlace::HandedOver, ResolvedPlace::NoCard] {
        assert_eq!(
            resolve(&mut world, wrong),
            Outcome::Refused(RefusalReason::CardElsewhere)
        );
    }
}

/// A pickup whose dispenser says for ever that it moves.
fn moving_for_ever() -> World {
    let mut world = World::stocked();
    begin(&mut world, 1);
    for _ in 0..20 {
        world.advance(20_000);
        for effect in gateway_core::pending(&world.state) {
            if matches!(effect.order, gateway_core::Order::Query { .. }) {
                let sequence = world.dispenser.history.last().map_or(1, |(s, _)| s + 1);
                let reply = world.dispenser.query_moving(sequence);
                world.input(Input::Reply {
                    device: effect.device,
                    command: effect.id,
                    reply,
                });
            }
        }
    }
    world
}

#[test]
fn a_dispenser_that_says_moving_for_ever_is_given_up() {
    let world = moving_for_ever();
    assert_eq!(outcome(&world), Some(PickupOutcome::DeviceFailed));
    assert_eq!(
        world
            .state
            .machines()
            .filter(|(_, blocked)| *blocked)
            .count(),
        1
    );
    let views = gateway_core::views(&world.state, &world.rules);
    assert!(
        views
            .values()
            .all(|view| view.code == PromptCode::OutOfService && view.services.is_empty())
    );
}

/// A1: an application needs no dispenser: where the machine waits for its operator, a kiosk that takes applications says that it
/// still does, and one that does not is out of service.
#[test]
fn a1_a_machine_that_waits_for_its_operator_takes_applications() {
    let shown = |world: &World| {
        let (mut rules, hall) = (world.rules.clone(), Hall::new().rules);
        rules.application = hall.application;
        let devices = hall.kiosks[&device("kiosk-1")].application.clone();
        let kiosk = rules.kiosks.get_mut(&device("kiosk-1")).unwrap();
        kiosk.application = devices;
        let views = gateway_core::views(&world.state, &rules);
        ["kiosk-1", "kiosk-2"].map(|kiosk| {
            let view = &views[&device(kiosk)];
            (view.code, view.services.clone())
        })
    };
    let (pickup, application) = (Service::Pickup, Service::Application);
    let idle = PromptCode::Idle;
    assert_eq!(
        shown(&World::stocked())[1],
        (idle, vec![pickup]),
        "no applications there"
    );
    let world = moving_for_ever();
    let [first, second] = shown(&world);
    assert_eq!(first, (PromptCode::Ended, vec![application]));
    assert_eq!(second, (PromptCode::OutOfService, Vec::new()));
    let mut world = world;
    resolve(&mut world, ResolvedPlace::Slot);
    world.settle();
    let [first, second] = shown(&world);
    assert_eq!(first.1, [pickup, application]);
    assert_eq!(second, (idle, vec![pickup]));
}

/// P4: the photo of a failed attempt does not stand for the one that matched.
#[test]
fn p4_each_matching_hand_has_a_photo_of_its_own() {
    let mut world = World::stocked();
    world.manners.right_score = 10;
    begin(&mut world, 1);
    while world.last_types(1) != ["station.pickup.step.v1"]
        || !world.types().contains(&"station.pickup.finger-compared.v1")
    {
        world.act(0, false);
    }
    let before = world.log.len();
    world.manners.right_score = 90;
    run(&mut world);
    let right = world.log[before..].iter().filter(|(_, event)| {
        matches!(event, Event::PhotoArchived(photo) if photo.view == PhotoView::RightHand)
    });
    assert_eq!(right.count(), 1);
}

/// A14: the log names the camera, the time and every still of a session, and the recorder's name for the footage.
#[test]
fn a14_the_footage_of_a_session_can_be_found() {
    let mut world = World::stocked();
    world.manners.right_score = 10;
    let began = world.now.wall_ms;
    begin(&mut world, 1);
    while !world.types().contains(&"station.pickup.finger-compared.v1") {
        world.act(0, false);
    }
    world.manners.right_score = 90;
    world.now.wall_ms += 7_000;
    run(&mut world);
    world.take_card(false);
    let stills = world.log.iter().filter_map(|(_, event)| match event {
        Event::PhotoArchived(photo) => Some((photo.view, photo.blob.clone())),
        _ => None,
    });
    let stills: Vec<_> = stills.collect();
    let recorded: Vec<_> = world
        .log
        .iter()
        .filter_map(|(_, event)| match event {
            Event::PickupRecorded(recorded) => Some(recorded),
            _ => None,
        })
        .collect();
    let [recorded] = recorded.as_slice() else {
        panic!("{recorded:?}");
    };
    assert_eq!(recorded.camera, device("camera-1"));
    assert_eq!(
        recorded.recorder.as_ref().unwrap().as_str(),
        "nvr-1/channel-1"
    );
    assert_eq!(recorded.from_ms, began);
    assert!(recorded.until_ms >= began + 7_000);
    let named: Vec<_> = recorded
        .stills
        .iter()
        .map(|still| (still.view, still.blob.clone()))
        .collect();
    assert_eq!(named, stills);
    let views: Vec<_> = named.iter().map(|(view, _)| *view).collect();
    let all = [
        PhotoView::RightHand,
        PhotoView::LeftHand,
        PhotoView::Frontal,
        PhotoView::Panoramic,
    ];
    assert_eq!(views, all);
    assert_eq!(world.replay(), world.state);
}

/// C3: what was quarantined can be placed again, by a named operator.
#[test]
fn c3_an_operator_brings_a_card_out_of_the_retract_bin() {
    let mut world = World::stocked();
    world.manners.chip_is_right = false;
    begin(&mut world, 1);
    run(&mut world);
    let place_card = |to, release_hold| Request::PlaceCard {
        operator: operator(),
        card: serial(1),
        to,
        release_hold,
    };
    world.request("kiosk-1", place_card(PlacedAt::Quarantine, false));
    assert_eq!(place(&world, 1), Place::Quarantine);
    world.request("kiosk-1", place_card(PlacedAt::Safe, true));
    assert_eq!(
        (place(&world, 1), world.state.card(&serial(1)).unwrap().hold),
        (Place::Safe, None)
    );
    let in_a_slot = Request::PlaceCard {
        operator: operator(),
        card: serial(2),
        to: PlacedAt::Safe,
        release_hold: false,
    };
    assert_eq!(
        world.request("kiosk-1", in_a_slot),
        Outcome::Refused(RefusalReason::CardElsewhere)
    );
}

/// G1: the last will of an earlier life says nothing about the present one.
#[test]
fn g1_a_late_will_of_an_earlier_life_is_ignored() {
    let mut world = World::stocked();
    let before = world.log.len();
    let presence = schemas::event::station::Presence::Lost;
    world.input(Input::Life {
        device: device("camera-1"),
        presence,
        boot: world::boot(3),
        witness: None,
    });
    assert_eq!(world.log.len(), before);
    begin(&mut world, 1);
}

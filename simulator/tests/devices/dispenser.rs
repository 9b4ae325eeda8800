//! The adapter and the simulated dispenser over real sockets: one motion for each sequence, whatever is cut.

use crate::support::bench::{Bench, card, shape, slot, start_adapter, to_reader};
use crate::support::until;
use schemas::message::command::SlotMap;
use schemas::words::CarriagePosition;
use serde_json::json;
use simulator::dispenser::{Fault, Machine, Shape};

/// P3, P7: from slot to reader to outlet, taken; each step with its evidence.
#[tokio::test]
async fn a_card_goes_its_way() {
    let mut bench = Bench::new(shape(10)).await;
    bench.order("1-1-0", 1, to_reader()).await;
    let reply = bench.reply("1-1-0").await;
    assert_eq!(reply["outcome"]["result"], "done");
    assert_eq!(reply["evidence"]["position"], "in-reader");
    assert_eq!(reply["evidence"]["slot_occupied"], false);
    let present = json!({ "motion": "present", "hold_s": 30 });
    bench.order("1-2-0", 2, present).await;
    let reply = bench.reply("1-2-0").await;
    assert_eq!(reply["evidence"]["outlet_present"], true);
    assert_eq!(
        bench.dispenser.act(Machine::take_from_outlet),
        Some(card(1))
    );
    bench.gateway.json("dispenser-1/event/media-taken").await;
    let reply = bench.query("1-3-0").await;
    assert_eq!(reply["last"]["sequence"], 2);
    assert_eq!(reply["evidence"]["position"], "none");
    bench.stop.send(true).unwrap();
    bench
        .gateway
        .json_where("dispenser-1/$state", "state", "offline")
        .await;
    bench.adapter.await.unwrap();
}

/// The same sequence moves once: the same command again, another command, and what cannot be done.
#[tokio::test]
async fn one_sequence_moves_once() {
    let mut bench = Bench::new(shape(10)).await;
    bench.order("1-1-0", 1, to_reader()).await;
    let first = bench.reply("1-1-0").await;
    bench.order("1-1-0", 1, to_reader()).await;
    assert_eq!(bench.reply("1-1-0").await, first);
    bench.order("1-9-0", 1, to_reader()).await;
    let again = bench.reply("1-9-0").await;
    assert_eq!(again["outcome"]["result"], "done");
    // The same number for another motion is refused.
    bench
        .order("1-10-0", 1, json!({ "motion": "retract" }))
        .await;
    assert_eq!(bench.reply("1-10-0").await["outcome"]["result"], "rejected");
    // A slot that the machine does not have: exception 03 becomes a rejection.
    let nowhere = json!({ "motion": "to-reader", "slot": { "column": 31, "slot": 0 } });
    bench.order("1-11-0", 2, nowhere).await;
    assert_eq!(
        bench.reply("1-11-0").await["outcome"],
        json!({ "result": "rejected", "detail": 0xE50A })
    );
    assert_eq!(bench.motions(), [(1, 1)]);
}

/// The connection breaks after the write was taken and before it was answered.
#[tokio::test]
async fn a_cut_after_the_write_moves_once() {
    let mut bench = Bench::new(shape(200)).await;
    for round in 0..5u16 {
        bench.dispenser.drop_after_next_write();
        let motion = if round % 2 == 0 {
            to_reader()
        } else {
            json!({ "motion": "to-slot", "slot": { "column": 0, "slot": 3 } })
        };
        let command = format!("1-{round}-0");
        bench.order(&command, round + 1, motion).await;
        let reply = bench.reply(&command).await;
        assert_eq!(reply["outcome"]["result"], "done", "{reply}");
    }
    assert_eq!(bench.motions(), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

/// The machine loses its power in the middle of a motion: failed, the card in the car, never moved again.
#[tokio::test]
async fn a_power_cut_in_a_motion_ends_it() {
    let mut bench = Bench::new(shape(600_000)).await;
    bench.order("1-1-0", 1, to_reader()).await;
    let dispenser = bench.dispenser.clone();
    until("moving", || dispenser.look(Machine::is_moving)).await;
    assert_eq!(bench.query("1-2-0").await["last"]["progress"], "moving");
    bench.dispenser.power_off().await;
    bench.dispenser.power_on().await.unwrap();
    let reply = bench.reply("1-1-0").await;
    assert_eq!(
        reply["outcome"],
        json!({ "result": "failed", "detail": 0xE001 })
    );
    assert_eq!(reply["evidence"]["position"], "car");
    bench.order("1-3-0", 1, to_reader()).await;
    assert_eq!(bench.reply("1-3-0").await["outcome"]["result"], "failed");
    assert_eq!(bench.motions(), [(1, 1)]);
}

/// The host dies with a card at the outlet: after the hold time the machine takes it in, refuses commands,
/// and works again when the host is back.
#[tokio::test]
async fn a_machine_without_host_helps_itself() {
    let mut bench = Bench::new(shape(10)).await;
    let slot_3 = json!({ "column": 0, "slot": 3 });
    let dispense = json!({ "motion": "dispense", "slot": slot_3, "hold_s": 1 });
    bench.order("1-1-0", 1, dispense).await;
    assert_eq!(bench.reply("1-1-0").await["outcome"]["result"], "done");
    bench.adapter.abort();
    let dispenser = bench.dispenser.clone();
    until("taken back", || {
        dispenser.look(|machine| {
            let carried = machine.memory().carried();
            carried.is_some_and(|c| c.position == CarriagePosition::InReader)
        })
    })
    .await;
    assert_eq!(bench.motions(), [(1, 1), (0, 1)]);
    let (_adapter, _stop) = start_adapter(&bench.broker, &bench.dispenser);
    bench
        .gateway
        .json_where("dispenser-1/$state", "state", "online")
        .await;
    let reply = bench.query("1-2-0").await;
    assert_eq!(reply["evidence"]["position"], "in-reader");
    bench
        .order("1-3-0", 2, json!({ "motion": "to-slot", "slot": slot_3 }))
        .await;
    let reply = bench.reply("1-3-0").await;
    assert_eq!(reply["outcome"]["result"], "done", "{reply}");
}

/// C2: the slots of the largest usual machine come in one reply.
#[tokio::test]
async fn two_thousand_slots_are_counted() {
    let large = Shape {
        columns: 8,
        slots_per_column: 250,
        ..shape(10)
    };
    let mut bench = Bench::new(large).await;
    bench
        .dispenser
        .act(|machine| assert!(machine.put_in_slot(slot(7, 249), card(2))));
    bench
        .order("1-1-0", 1, json!({ "motion": "inventory" }))
        .await;
    let reply = bench.reply("1-1-0").await;
    let slots: SlotMap = serde_json::from_value(reply["slots"].clone()).unwrap();
    assert_eq!((slots.columns, slots.slots_per_column), (8, 250));
    assert_eq!(slots.occupied().unwrap(), [slot(0, 3), slot(7, 249)]);
}

/// G1: a machine that is gone or broken says so, and is back by itself.
#[tokio::test]
async fn a_machine_that_is_gone_is_missed() {
    let mut bench = Bench::new(shape(10)).await;
    bench.dispenser.power_off().await;
    bench
        .gateway
        .json_where("dispenser-1/state", "detail", "unreachable")
        .await;
    bench
        .gateway
        .json_where("dispenser-1/$state", "state", "lost")
        .await;
    bench.dispenser.power_on().await.unwrap();
    bench
        .gateway
        .json_where("dispenser-1/$state", "state", "online")
        .await;
    bench.dispenser.act(|machine| machine.fail(Fault::DoorOpen));
    bench.gateway.json("dispenser-1/event/door-open").await;
    bench
        .gateway
        .json_where("dispenser-1/state", "detail", "door-open")
        .await;
    bench.dispenser.act(Machine::repair);
    bench
        .gateway
        .json_where("dispenser-1/state", "status", "online")
        .await;
    bench.dispenser.act(|machine| machine.fail(Fault::Jam));
    bench.order("1-1-0", 1, to_reader()).await;
    let reply = bench.reply("1-1-0").await;
    assert_eq!(
        reply["outcome"],
        json!({ "result": "failed", "detail": 0xF100 })
    );
    assert_eq!(reply["evidence"]["position"], "car");
}

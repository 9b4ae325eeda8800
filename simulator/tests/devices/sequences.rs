//! What the adapter believes and what it refuses: sequences out of turn, slots of other commands, registers
//! that nobody brings up to date.

use crate::support::bench::{Bench, shape, to_reader};
use crate::support::until;
use serde_json::{Value, json};
use simulator::dispenser::{Dispenser, Fault, Machine};
use tokio_modbus::client::{Context, Reader, Writer, tcp};

/// What a rejection says: its code, and nothing of a slot.
fn assert_rejected(reply: &Value, detail: u16) {
    let outcome = json!({ "result": "rejected", "detail": detail });
    assert_eq!(reply["outcome"], outcome, "{reply}");
    assert_eq!(reply["evidence"]["slot_occupied"], Value::Null, "{reply}");
}

/// G1: a command that the device never took is told nothing of the slot that another command named.
#[tokio::test]
async fn a_rejection_names_no_other_commands_slot() {
    let mut bench = Bench::new(shape(10)).await;
    bench.order("1-1-0", 1, to_reader()).await;
    assert_eq!(
        bench.reply("1-1-0").await["evidence"]["slot_occupied"],
        false
    );
    // Exception 03.
    let nowhere = json!({ "motion": "to-slot", "slot": { "column": 31, "slot": 0 } });
    bench.order("1-2-0", 2, nowhere).await;
    assert_rejected(&bench.reply("1-2-0").await, 0xE50A);
    // The number of another command, and the same motion under an old number.
    let elsewhere = json!({ "motion": "to-reader", "slot": { "column": 0, "slot": 4 } });
    bench.order("1-3-0", 1, elsewhere).await;
    assert_rejected(&bench.reply("1-3-0").await, 0xE523);
    bench.order("1-4-0", 65_535, to_reader()).await;
    assert_rejected(&bench.reply("1-4-0").await, 0xE529);
    // Two commands while a motion is pending.
    bench
        .dispenser
        .act(|machine| machine.fail(Fault::Slow { factor: 100 }));
    bench
        .order("1-5-0", 3, json!({ "motion": "present", "hold_s": 30 }))
        .await;
    bench
        .order(
            "1-6-0",
            4,
            json!({ "motion": "to-slot", "slot": { "column": 0, "slot": 3 } }),
        )
        .await;
    assert_rejected(&bench.reply("1-6-0").await, 0xE510);
    assert_eq!(bench.reply("1-5-0").await["outcome"]["result"], "done");
    // Exception 06: the machine moves for another host, that the adapter knows nothing of.
    let mut other = other_host(&bench.dispenser).await;
    let to_reader_again = [4, 13, 0, 0, 0, 0];
    other
        .write_multiple_registers(0, &to_reader_again)
        .await
        .unwrap()
        .unwrap();
    bench.order("1-7-0", 5, json!({ "motion": "reject" })).await;
    assert_rejected(&bench.reply("1-7-0").await, 0xE510);
    assert_eq!(bench.motions(), [(1, 1), (3, 1), (4, 1)]);
}

/// A Modbus client of its own.
async fn other_host(dispenser: &Dispenser) -> Context {
    tcp::connect(dispenser.address()).await.unwrap()
}

/// G1: only the next sequences move; an old one that arrives late is refused.
#[tokio::test]
async fn an_old_sequence_moves_nothing() {
    let mut bench = Bench::new(shape(10)).await;
    let to_slot = json!({ "motion": "to-slot", "slot": { "column": 0, "slot": 3 } });
    // A device that has taken none takes any; then 8 ahead, around the end; no further, and never back.
    for (id, sequence, motion, outcome) in [
        ("1-1-0", 65_530, to_reader(), json!({ "result": "done" })),
        ("1-2-0", 3, to_slot.clone(), json!({ "result": "done" })),
        (
            "1-3-0",
            12,
            to_reader(),
            json!({ "result": "rejected", "detail": 0xE529 }),
        ),
        (
            "1-4-0",
            2,
            to_reader(),
            json!({ "result": "rejected", "detail": 0xE529 }),
        ),
        (
            "1-5-0",
            65_530,
            to_reader(),
            json!({ "result": "rejected", "detail": 0xE529 }),
        ),
        (
            "1-6-0",
            0,
            to_reader(),
            json!({ "result": "rejected", "detail": 0xE529 }),
        ),
        ("1-7-0", 3, to_slot, json!({ "result": "done" })),
        ("1-8-0", 11, to_reader(), json!({ "result": "done" })),
    ] {
        bench.order(id, sequence, motion).await;
        assert_eq!(bench.reply(id).await["outcome"], outcome, "{id}");
    }
    assert_eq!(bench.motions(), [(65_530, 1), (3, 1), (11, 1)]);
}

/// G1: what a query says is what the device has acknowledged now, whoever commanded it, and also when the
/// same question comes twice.
#[tokio::test]
async fn a_query_is_answered_by_the_device() {
    let mut bench = Bench::new(shape(10)).await;
    assert_eq!(bench.query("1-1-0").await["last"]["progress"], "none");
    bench.order("1-2-0", 1, to_reader()).await;
    assert_eq!(bench.reply("1-2-0").await["outcome"]["result"], "done");
    assert_eq!(bench.query("1-1-0").await["last"]["sequence"], 1);
    let mut other = other_host(&bench.dispenser).await;
    let to_slot = [2, 12, 0, 3, 0, 0];
    other
        .write_multiple_registers(0, &to_slot)
        .await
        .unwrap()
        .unwrap();
    let dispenser = bench.dispenser.clone();
    until("moved", || !dispenser.look(Machine::is_moving)).await;
    let reply = bench.query("1-1-0").await;
    assert_eq!(reply["last"]["sequence"], 2);
    assert_eq!(reply["evidence"]["slot_occupied"], true);
    // A sequence that the device refused is not its last.
    let nowhere = json!({ "motion": "to-reader", "slot": { "column": 31, "slot": 0 } });
    bench.order("1-3-0", 3, nowhere).await;
    bench.reply("1-3-0").await;
    assert_eq!(bench.query("1-1-0").await["last"]["sequence"], 2);
}

/// G1: a device whose controller hangs while its network side answers counts as gone. What was under way
/// ends when it lives again, once.
#[tokio::test]
async fn a_frozen_machine_is_missed() {
    let mut bench = Bench::new(shape(1_000)).await;
    bench.order("1-1-0", 1, to_reader()).await;
    let dispenser = bench.dispenser.clone();
    until("moving", || dispenser.look(Machine::is_moving)).await;
    dispenser.act(|machine| machine.fail(Fault::Frozen));
    let heartbeat = "heartbeat";
    let status = bench
        .gateway
        .json_where("dispenser-1/state", "detail", heartbeat)
        .await;
    assert_eq!(status["status"], "hardware-error");
    bench
        .gateway
        .json_where("dispenser-1/$state", "state", "lost")
        .await;
    // Modbus answers, and more than a motion's time has passed.
    let mut other = other_host(&dispenser).await;
    let words = other.read_input_registers(0, 27).await.unwrap().unwrap();
    assert_eq!((words[6], words[8]), (1, 1));
    let question = json!({ "command_id": "1-2-0", "timeout_s": 30 });
    bench.gateway.send("dispenser-1/cmd/query", &question).await;
    dispenser.act(Machine::repair);
    bench
        .gateway
        .json_where("dispenser-1/$state", "state", "online")
        .await;
    let answer = bench.gateway.json("dispenser-1/cmd/query/reply").await;
    assert_eq!(answer["last"]["sequence"], 1);
    assert_eq!(bench.reply("1-1-0").await["outcome"]["result"], "done");
    assert_eq!(bench.motions(), [(1, 1)]);
}

//! The adapter and the simulated dispenser on every line there is, with every fault of a line, and with another maker's register
//! map: whatever comes late, broken or from elsewhere is never taken for an answer, and nothing moves twice.

use std::path::PathBuf;
use std::sync::Arc;

use crate::support::bench::{Bench, card, config, profile, shape, slot, to_reader};
use crate::support::{loopback, until};
use adapters::dispenser::description;
use edge_config::profile::DispenserProfile;
use schemas::message::command::SlotMap;
use serde_json::json;
use simulator::dispenser::{DispenserLine, Fault, LineFault, Machine, Shape};
use tempfile::TempDir;

fn rtu() -> DispenserLine {
    DispenserLine::RtuOverTcp(loopback())
}

/// G1, P3, P7: a card goes its way over RTU frames in TCP and on a serial line as over Modbus TCP, and the slots come.
#[tokio::test]
async fn g1_a_card_goes_its_way_on_every_line() {
    let folder = TempDir::new().unwrap();
    for line in [
        rtu(),
        DispenserLine::Serial(folder.path().join("dispenser")),
    ] {
        let mut bench = Bench::at(line, profile(), shape(10)).await;
        goes_its_way(&mut bench).await;
    }
}

async fn goes_its_way(bench: &mut Bench) {
    bench.order("1-1-0", 1, to_reader()).await;
    let reply = bench.reply("1-1-0").await;
    assert_eq!(reply["outcome"]["result"], "done", "{reply}");
    assert_eq!(reply["evidence"]["position"], "in-reader");
    bench
        .order("1-2-0", 2, json!({ "motion": "present", "hold_s": 30 }))
        .await;
    let reply = bench.reply("1-2-0").await;
    assert_eq!(reply["evidence"]["outlet_present"], true);
    bench
        .order("1-3-0", 3, json!({ "motion": "retract" }))
        .await;
    assert_eq!(bench.reply("1-3-0").await["outcome"]["result"], "done");
    let to_slot = json!({ "motion": "to-slot", "slot": { "column": 2, "slot": 7 } });
    bench.order("1-4-0", 4, to_slot).await;
    assert_eq!(
        bench.reply("1-4-0").await["evidence"]["slot_occupied"],
        true
    );
    bench
        .order("1-5-0", 5, json!({ "motion": "inventory" }))
        .await;
    let reply = bench.reply("1-5-0").await;
    let slots: SlotMap = serde_json::from_value(reply["slots"].clone()).unwrap();
    assert_eq!(slots.occupied().unwrap(), [slot(2, 7)]);
    assert_eq!(bench.motions(), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
}

/// G1: a wrong CRC, half a frame, silence, an answer of another unit, of another length, and one that comes when nobody waits for
/// it any more: each is no answer, the device is asked anew, and the motion happens once.
#[tokio::test]
async fn g1_no_fault_of_a_line_moves_a_card_twice() {
    let folder = TempDir::new().unwrap();
    for line in [
        rtu(),
        DispenserLine::Serial(folder.path().join("dispenser")),
    ] {
        let mut bench = Bench::at(line.clone(), profile(), shape(10)).await;
        let mut quick = config(&line, &bench.dispenser, profile());
        // Shorter than the late answer takes.
        quick.call_timeout_ms = 150;
        quick.unreachable_after_ms = 20_000;
        bench.exchange_adapter(quick).await;
        bench
            .gateway
            .json_where("dispenser-1/state", "status", "online")
            .await;
        for (at, fault) in [
            LineFault::BadCrc,
            LineFault::HalfFrame,
            LineFault::Silence,
            LineFault::OtherUnit,
            LineFault::OtherLength,
            LineFault::Late,
        ]
        .into_iter()
        .enumerate()
        {
            let sequence = 1 + u16::try_from(at).unwrap();
            let motion = if at % 2 == 0 {
                to_reader()
            } else {
                json!({ "motion": "to-slot", "slot": { "column": 0, "slot": 3 } })
            };
            // Whatever is asked when: the answers around the command fail.
            bench.dispenser.line_faults().set(fault, 2);
            let id = format!("1-{sequence}-0");
            bench.order(&id, sequence, motion).await;
            let reply = bench.reply(&id).await;
            assert_eq!(reply["outcome"]["result"], "done", "{fault:?}: {reply}");
            let faults = bench.dispenser.line_faults().clone();
            until("faults used up", || !faults.take(fault)).await;
        }
        // The command itself is taken, and its answer does not come.
        bench.dispenser.drop_after_next_write();
        bench.order("1-7-0", 7, to_reader()).await;
        assert_eq!(bench.reply("1-7-0").await["outcome"]["result"], "done");
        let once: Vec<(u16, u32)> = (1..=7).map(|sequence| (sequence, 1)).collect();
        assert_eq!(bench.motions(), once, "{line:?}");
    }
}

/// G1: answers that all come too late are never taken for answers to later requests: the device counts as gone, and is there again
/// when it answers in time.
#[tokio::test]
async fn g1_late_answers_are_nobodys() {
    let mut bench = Bench::at(rtu(), profile(), shape(10)).await;
    let mut quick = config(&rtu(), &bench.dispenser, profile());
    quick.call_timeout_ms = 150;
    quick.unreachable_after_ms = 1_000;
    let faults = bench.dispenser.line_faults().clone();
    faults.set(LineFault::Late, u16::MAX);
    bench.exchange_adapter(quick).await;
    bench
        .gateway
        .json_where("dispenser-1/state", "detail", "unreachable")
        .await;
    faults.clear();
    bench
        .gateway
        .json_where("dispenser-1/state", "status", "online")
        .await;
    bench.order("1-1-0", 1, to_reader()).await;
    assert_eq!(bench.reply("1-1-0").await["outcome"]["result"], "done");
    assert_eq!(bench.motions(), [(1, 1)]);
}

/// G1: a line that is pulled out is missed, and used again when it is back.
#[tokio::test]
async fn g1_a_serial_line_that_comes_back_is_used() {
    let folder = TempDir::new().unwrap();
    let line = DispenserLine::Serial(folder.path().join("dispenser"));
    let mut bench = Bench::at(line, profile(), shape(10)).await;
    bench.dispenser.power_off().await;
    bench
        .gateway
        .json_where("dispenser-1/state", "detail", "unreachable")
        .await;
    bench.dispenser.power_on().await.unwrap();
    bench
        .gateway
        .json_where("dispenser-1/state", "status", "online")
        .await;
    bench.order("1-1-0", 1, to_reader()).await;
    assert_eq!(bench.reply("1-1-0").await["outcome"]["result"], "done");
}

fn other_maker() -> Arc<DispenserProfile> {
    let path: PathBuf = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/profiles/other-maker-3.toml"
    )
    .into();
    Arc::new(DispenserProfile::load(Some(&path)).unwrap())
}

/// G1: a machine with other addresses, other codes and swapped words is another file, not other code.
#[tokio::test]
async fn g1_another_makers_map_is_another_file() {
    for line in [DispenserLine::Tcp(loopback()), rtu()] {
        let mut bench = Bench::at(line, other_maker(), shape(10)).await;
        let about = description(&config(&rtu(), &bench.dispenser, other_maker()));
        assert_eq!(about.model, "profile other-maker 3");
        goes_its_way(&mut bench).await;
        // One card came to the outlet: with the words the other way round it would be 65,536.
        let prop = "dispenser-1/prop/dispensed-total";
        loop {
            let value = bench.gateway.json(prop).await["value"].as_f64().unwrap();
            assert!(value < 2.0, "{value}");
            if value > 0.5 {
                break;
            }
        }
        bench.dispenser.act(|machine| machine.fail(Fault::Jam));
        let from = json!({ "motion": "to-reader", "slot": { "column": 2, "slot": 7 } });
        bench.order("1-6-0", 6, from).await;
        let reply = bench.reply("1-6-0").await;
        assert_eq!(
            reply["outcome"],
            json!({ "result": "failed", "detail": 0x7100 })
        );
        assert_eq!(reply["fault"], "7100-mediaJam");
    }
}

/// G1: a machine that does not follow the profile is not used, and its status says so.
#[tokio::test]
async fn g1_a_machine_of_another_profile_is_not_used() {
    let mut bench = Bench::at(DispenserLine::Tcp(loopback()), profile(), shape(10)).await;
    let line = DispenserLine::Tcp(loopback());
    let wrong = config(&line, &bench.dispenser, other_maker());
    bench.exchange_adapter(wrong).await;
    let status = bench
        .gateway
        .json_where("dispenser-1/state", "detail", "profile")
        .await;
    assert_eq!(status["status"], "hardware-error");
}

/// C2: a machine that says it has more slots than the profile allows is refused, and its status says why.
#[tokio::test]
async fn c2_more_slots_than_the_profile_allows_are_refused() {
    let mut bench = Bench::at(DispenserLine::Tcp(loopback()), profile(), shape(10)).await;
    let mut small = DispenserProfile::clone(&profile());
    small.limits.slots = 99;
    let line = DispenserLine::Tcp(loopback());
    let wrong = config(&line, &bench.dispenser, Arc::new(small));
    bench.exchange_adapter(wrong).await;
    bench
        .gateway
        .json_where("dispenser-1/state", "detail", "profile")
        .await;
}

/// G1: a failure has the device's code with its name, in the reply and in the status; a code that the profile does not know is
/// said to be unknown.
#[tokio::test]
async fn g1_errors_have_names() {
    let mut lacking = DispenserProfile::clone(&profile());
    lacking.errors.retain(|error| error.name != "slotEmpty");
    let mut bench = Bench::at(DispenserLine::Tcp(loopback()), profile(), shape(10)).await;
    let empty = json!({ "motion": "to-reader", "slot": { "column": 0, "slot": 9 } });
    bench.order("1-1-0", 1, empty.clone()).await;
    let reply = bench.reply("1-1-0").await;
    assert_eq!(reply["outcome"]["detail"], 0xE509);
    assert_eq!(reply["fault"], "E509-slotEmpty");
    let line = DispenserLine::Tcp(loopback());
    let lacking = config(&line, &bench.dispenser, Arc::new(lacking));
    bench.exchange_adapter(lacking).await;
    bench
        .gateway
        .json_where("dispenser-1/state", "status", "online")
        .await;
    bench.order("1-2-0", 2, empty).await;
    assert_eq!(bench.reply("1-2-0").await["fault"], "E509-unknown");
    bench.dispenser.act(|machine| machine.fail(Fault::Jam));
    bench.order("1-3-0", 3, to_reader()).await;
    assert_eq!(bench.reply("1-3-0").await["fault"], "F100-mediaJam");
}

/// C2: the slots are told without a motion, where they are asked for and nothing moves.
#[tokio::test]
async fn c2_slots_are_told_without_a_motion() {
    let large = Shape {
        columns: 8,
        slots_per_column: 250,
        ..shape(300)
    };
    let mut bench = Bench::at(rtu(), profile(), large).await;
    bench
        .dispenser
        .act(|machine| assert!(machine.put_in_slot(slot(7, 249), card(2))));
    let question = json!({ "command_id": "1-1-0", "timeout_s": 30, "slots": true });
    bench.gateway.send("dispenser-1/cmd/query", &question).await;
    let reply = bench.gateway.json("dispenser-1/cmd/query/reply").await;
    let slots: SlotMap = serde_json::from_value(reply["slots"].clone()).unwrap();
    assert_eq!(slots.occupied().unwrap(), [slot(0, 3), slot(7, 249)]);
    assert_eq!(bench.motions(), []);
    bench
        .dispenser
        .act(|machine| machine.fail(Fault::Slow { factor: 1_000 }));
    bench.order("1-2-0", 1, to_reader()).await;
    let dispenser = bench.dispenser.clone();
    until("moving", || dispenser.look(Machine::is_moving)).await;
    let question = json!({ "command_id": "1-3-0", "timeout_s": 30, "slots": true });
    bench.gateway.send("dispenser-1/cmd/query", &question).await;
    let reply = bench.gateway.json("dispenser-1/cmd/query/reply").await;
    assert_eq!(reply["last"]["progress"], "moving");
    assert_eq!(reply["slots"], serde_json::Value::Null);
}

//! Judges not written here, on every line: pymodbus's server as a dispenser for the adapter, over TCP and over RTU frames on a pair of
//! pseudo-terminals that socat makes; mbpoll and pymodbus's client at the simulated dispenser's RTU lines.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::support::bench::{card, profile, shape, slot, start_with};
use crate::support::{Gateway, Mosquitto, loopback, python, until};
use adapters::dispenser::{Address, DispenserConfig, LineSettings, Parity};
use schemas::message::command::SlotMap;
use serde_json::{Value, json};
use simulator::dispenser::{Dispenser, DispenserLine, DispenserOptions, Shape};
use tempfile::TempDir;

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// pymodbus's server as a dispenser, and what it prints; it listens when this returns.
fn pymodbus_dispenser(kind: &str, at: &str) -> (Running, BufReader<ChildStdout>) {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/judges/modbus/dispenser.py"
    );
    let mut child = Command::new(python())
        .args([script, kind, at])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let running = Running(child);
    assert_eq!(
        line(&mut said),
        "ready",
        "this test needs pymodbus and pyserial: pip install pymodbus==3.16.1 pyserial==3.5"
    );
    (running, said)
}

fn line(said: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// G1: pymodbus takes the adapter's requests over TCP and over RTU for what they are, and the adapter its answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_the_adapter_works_with_pymodbus_on_tcp() {
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let (_device, said) = pymodbus_dispenser("tcp", &port.to_string());
    let host = "127.0.0.1".to_owned();
    goes_its_way(Address::Tcp { host, port }, said).await;
}

/// G1: the same over RTU frames on a serial line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_the_adapter_works_with_pymodbus_on_a_serial_line() {
    let folder = TempDir::new().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let end = |path: &Path| format!("PTY,link={},raw,echo=0", path.display());
    let socat = Command::new("socat")
        .args([end(&ours), end(&theirs)])
        .spawn()
        .expect("this test needs socat: apt-get install socat");
    let _socat = Running(socat);
    until("both ends", || ours.exists() && theirs.exists()).await;
    let (_device, said) = pymodbus_dispenser("rtu", theirs.to_str().unwrap());
    let line = LineSettings {
        parity: Parity::None,
        ..LineSettings::MODBUS
    };
    goes_its_way(Address::Serial { path: ours, line }, said).await;
}

async fn goes_its_way(address: Address, mut said: BufReader<ChildStdout>) {
    let broker = Mosquitto::start();
    let mut gateway = Gateway::connect(&broker).await;
    let config = DispenserConfig {
        unit: 1,
        poll_busy_ms: 10,
        poll_idle_ms: 50,
        ..DispenserConfig::new(address, profile())
    };
    let (_adapter, _stop) = start_with(&broker, config);
    gateway
        .json_where("dispenser-1/state", "status", "online")
        .await;
    let at = json!({ "column": 1, "slot": 2 });
    for (sequence, motion, outcome) in [
        (
            1,
            json!({ "motion": "to-reader", "slot": at }),
            json!({ "result": "done" }),
        ),
        (
            2,
            json!({ "motion": "present", "hold_s": 30 }),
            json!({ "result": "done" }),
        ),
        (
            3,
            json!({ "motion": "retract" }),
            json!({ "result": "done" }),
        ),
        (
            4,
            json!({ "motion": "to-slot", "slot": at }),
            json!({ "result": "done" }),
        ),
        // Exception 03, and a rejection of the device's own.
        (
            5,
            json!({ "motion": "to-reader", "slot": { "column": 9, "slot": 0 } }),
            json!({ "result": "rejected", "detail": 0xE50A }),
        ),
        (
            6,
            json!({ "motion": "to-reader", "slot": { "column": 0, "slot": 0 } }),
            json!({ "result": "rejected", "detail": 0xE509 }),
        ),
    ] {
        let reply = order(&mut gateway, sequence, motion).await;
        assert_eq!(reply["outcome"], outcome, "{reply}");
    }
    let reply = order(&mut gateway, 7, json!({ "motion": "inventory" })).await;
    let slots: SlotMap = serde_json::from_value(reply["slots"].clone()).unwrap();
    assert_eq!(slots.occupied().unwrap(), [slot(1, 2)]);
    for wanted in [
        "moved 1 5 1 2",
        "moved 2 11 0 0",
        "moved 3 13 0 0",
        "moved 4 12 1 2",
        "rejected 6 5 0 0",
        "moved 7 8 0 0",
    ] {
        assert_eq!(line(&mut said), wanted);
    }
}

async fn order(gateway: &mut Gateway, sequence: u16, motion: Value) -> Value {
    let id = format!("1-{sequence}-0");
    let message = json!({
        "command_id": id, "sequence": sequence, "motion": motion, "timeout_s": 30,
    });
    gateway.send("dispenser-1/cmd/move", &message).await;
    gateway
        .json_where("dispenser-1/cmd/move/reply", "command_id", &id)
        .await
}

async fn dispenser(line: DispenserLine, folder: &TempDir) -> Dispenser {
    let options = DispenserOptions {
        line,
        profile: profile(),
        memory_file: folder.path().join("dispenser.json"),
        shape: Shape {
            columns: 8,
            slots_per_column: 250,
            ..shape(1_000)
        },
    };
    let dispenser = Dispenser::start(options).await.unwrap();
    dispenser.act(|machine| assert!(machine.put_in_slot(slot(1, 2), card(1))));
    dispenser
}

async fn said(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = tokio::time::timeout(Duration::from_mins(1), output).await;
    let output = output.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

/// G1: mbpoll reads the simulated dispenser at a pseudo-terminal, in one request of 125 registers too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_mbpoll_reads_the_serial_line() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("line");
    let _dispenser = dispenser(DispenserLine::Serial(path.clone()), &folder).await;
    let read = |first: &str, count: &str| {
        let mut command = Command::new("mbpoll");
        command.args(["-m", "rtu", "-b", "19200", "-P", "none", "-0", "-a", "1"]);
        command.args(["-r", first, "-c", count, "-t", "3", "-1"]);
        command.arg(&path);
        said(command)
    };
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with('['));
        let values = lines.filter_map(|line| line.split_whitespace().nth(1));
        values.map(str::to_owned).collect()
    };
    let text = read("10", "4").await;
    assert_eq!(values(&text), ["8", "250", "1999", "1"], "{text}");
    let text = read("32", "125").await;
    let words = values(&text);
    // Slot 1/2 is bit 252: word 15, bit 12.
    assert_eq!((words.len(), words[15].as_str()), (125, "4096"), "{text}");
}

/// G1: pymodbus's client moves a card once over RTU frames in TCP, as it does over Modbus TCP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_pymodbus_moves_a_card_once_over_rtu() {
    let folder = TempDir::new().unwrap();
    let dispenser = dispenser(DispenserLine::RtuOverTcp(loopback()), &folder).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judge_pymodbus.py");
    let mut command = Command::new(python());
    command
        .arg(script)
        .arg(dispenser.address().port().to_string())
        .arg("rtu");
    assert_eq!(said(command).await.trim(), "agreed");
    let motions = dispenser.look(|machine| machine.memory().history().to_vec());
    assert_eq!(motions.len(), 1, "{motions:?}");
    assert_eq!(motions[0].count, 1);
}

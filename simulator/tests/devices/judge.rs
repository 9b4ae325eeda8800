//! Judges not written here: pymodbus and mbpoll speak to the simulated dispenser.

use std::process::Command;

use crate::support::bench::profile;
use crate::support::{loopback, python};
use schemas::ids::CardSerial;
use schemas::slot::SlotAddress;
use simulator::dispenser::{Dispenser, DispenserLine, DispenserOptions, Shape};
use tempfile::TempDir;

async fn dispenser(folder: &TempDir) -> Dispenser {
    let shape = Shape {
        motion_ms: 1_000,
        columns: 8,
        slots_per_column: 250,
        ..Shape::default()
    };
    let options = DispenserOptions {
        line: DispenserLine::Tcp(loopback()),
        profile: profile(),
        memory_file: folder.path().join("dispenser.json"),
        shape,
    };
    let dispenser = Dispenser::start(options).await.unwrap();
    let card = CardSerial::new("SIM00000001").unwrap();
    let slot = SlotAddress::new(1, 2).unwrap();
    dispenser.act(|machine| assert!(machine.put_in_slot(slot, card)));
    dispenser
}

async fn output(mut command: Command, needs: &'static str) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().expect(needs))
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{needs}\n{text}\n{errors}");
    text
}

/// The register map as pymodbus reads and writes it: handshake, the same sequence twice, busy, no such slot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pymodbus_moves_a_card_once() {
    let folder = TempDir::new().unwrap();
    let dispenser = dispenser(&folder).await;
    let mut command = Command::new(python());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judge_pymodbus.py");
    command
        .arg(script)
        .arg(dispenser.address().port().to_string());
    let text = output(
        command,
        "this test needs pymodbus: pip install pymodbus==3.16.1",
    )
    .await;
    assert_eq!(text.trim(), "agreed");
    let motions = dispenser.look(|machine| machine.memory().history().to_vec());
    assert!(
        motions.iter().all(|motion| motion.count == 1),
        "{motions:?}"
    );
    assert_eq!(motions.len(), 1);
}

/// The first registers as mbpoll reads them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mbpoll_reads_the_map() {
    let folder = TempDir::new().unwrap();
    let dispenser = dispenser(&folder).await;
    let port = dispenser.address().port().to_string();
    let mut command = Command::new("mbpoll");
    command.args([
        "-m", "tcp", "-p", &port, "-0", "-a", "1", "-r", "10", "-c", "4",
    ]);
    command.args(["-t", "3", "-1", "127.0.0.1"]);
    let text = output(command, "this test needs mbpoll: apt-get install mbpoll").await;
    let values: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with('['))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(values, ["8", "250", "1999", "1"], "{text}");
}

use ciborium::Value;
use schemas::event::station::DeviceReported;
use schemas::ids::{BootId, DeviceId};
use schemas::time::ClockTrust;

use super::*;

fn policy() -> Policy {
    crate::testing::station().policy
}

/// Takes in what a device reports.
fn report(memory: &mut Memory, index: u64, name: &str) {
    let now = Now {
        wall_ms: 1_795_305_600_000,
        boot: BootId::new("0190b7a2-1f00-7000-8000-0000000000b0").unwrap(),
        mono_ms: index,
        trust: ClockTrust::Synchronised,
    };
    let event = Event::from(DeviceReported {
        device: DeviceId::new("dispenser-1").unwrap(),
        report: name.to_owned(),
        detail: None,
    });
    let recorded = Recorded {
        index,
        now: &now,
        event: &event,
    };
    memory.apply(recorded, None);
}

/// As a snapshot writes it.
fn written(memory: &Memory) -> Value {
    Value::serialized(&memory.to_kept()).unwrap()
}

/// As a start reads it from a snapshot of the events before `size`.
fn read(kept: &Value, size: u64) -> Memory {
    let mut bytes = Vec::new();
    ciborium::into_writer(kept, &mut bytes).unwrap();
    let kept = ciborium::from_reader::<KeptMemory, _>(&bytes[..]).unwrap();
    Memory::from_kept(&policy(), kept, size)
}

/// G4: alerts of before a snapshot are known after a start from it, so they still go to the centre ahead of a backlog; so are those behind it.
#[test]
fn alerts_of_before_a_snapshot_are_known_after_it() {
    let mut memory = Memory::new(&policy());
    for (index, name) in [(3, "tamper"), (4, "door-open"), (9, "fire")] {
        report(&mut memory, index, name);
    }
    let mut again = read(&written(&memory), 10);
    assert_eq!(again.alerts.to_vec(), Some(vec![3, 9]));
    report(&mut again, 12, "break-in");
    report(&mut again, 13, "door-closed");
    assert_eq!(
        read(&written(&again), 14).alerts.to_vec(),
        Some(vec![3, 9, 12])
    );
    assert_eq!(again.state.next_index(), 14);
}

/// G4: a snapshot that an older program wrote does not say where the alerts are. Then the log is looked through, and no snapshot says that
/// there are none before that is done.
#[test]
fn a_snapshot_that_names_no_alerts_is_not_one_without_alerts() {
    let mut memory = Memory::new(&policy());
    report(&mut memory, 3, "tamper");
    let mut kept = written(&memory);
    let fields = kept.as_map_mut().unwrap();
    let len = fields.len();
    fields.retain(|(name, _)| name.as_text() != Some("alerts"));
    assert_eq!(fields.len(), len - 1);
    let mut again = read(&kept, 4);
    assert_eq!(again.state, memory.state);
    report(&mut again, 5, "fire");
    assert_eq!(again.alerts.to_vec(), None);
}

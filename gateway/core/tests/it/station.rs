//! What the hall and the world have in common: names, their first moment, a machine's rules, and a log with the state that it leaves.

use gateway_core::{Decision, Input, Outcome, Recorded, Rules, State, decide, evolve};
use schemas::event::Event;
use schemas::event::pickup::{MachineDevices, PickupPolicy};
use schemas::event::station::Presence;
use schemas::ids::{BootId, DeviceId};
use schemas::time::{ClockTrust, Now};

pub type Entries = Vec<(Now, Event)>;

pub const KIOSKS: [&str; 2] = ["kiosk-1", "kiosk-2"];

pub fn device(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

pub fn boot(n: u32) -> BootId {
    BootId::new(format!("00000000-0000-4000-8000-{n:012}")).unwrap()
}

/// 2026-11-22, 08:00 in China.
pub fn first_moment() -> Now {
    Now {
        wall_ms: 1_795_305_600_000,
        boot: boot(1),
        mono_ms: 1_000,
        trust: ClockTrust::Synchronised,
    }
}

pub fn machine_devices() -> MachineDevices {
    MachineDevices {
        dispenser: device("dispenser-1"),
        reader: device("reader-1"),
        intake_reader: device("reader-2"),
        scanner: device("scanner-1"),
        camera: device("camera-1"),
    }
}

pub fn pickup_policy() -> PickupPolicy {
    PickupPolicy {
        hold_s: 30,
        finger_attempts_max: 3,
        finger_score_min: 60,
        old_card_attempts_max: 2,
        step_timeout_s: 60,
        command_timeout_s: 10,
    }
}

/// A device in its life beside the station's life of this number.
pub fn life(name: &str, lives: u32, is_online: bool) -> Input {
    let boot = boot(100 + lives);
    let presence = if is_online {
        Presence::Online {
            boot: boot.clone(),
            protocol: 1,
        }
    } else {
        Presence::Lost
    };
    Input::Life {
        device: device(name),
        presence,
        boot,
        witness: None,
    }
}

/// Decides and records, as the pipeline does.
pub fn decided(
    state: &mut State,
    log: &mut Entries,
    rules: &Rules,
    now: &Now,
    input: &Input,
) -> Outcome {
    let Decision { events, outcome } = decide(state, rules, input, now);
    for event in events {
        record(state, log, now, event);
    }
    outcome
}

pub fn record(state: &mut State, log: &mut Entries, now: &Now, event: Event) {
    let index = log.len() as u64;
    let recorded = Recorded {
        index,
        now,
        event: &event,
    };
    evolve(state, recorded);
    log.push((now.clone(), event));
}

pub fn replay(log: &[(Now, Event)]) -> State {
    let mut state = State::default();
    for (index, (now, event)) in log.iter().enumerate() {
        let index = index as u64;
        evolve(&mut state, Recorded { index, now, event });
    }
    state
}

pub fn types(log: &[(Now, Event)]) -> Vec<&'static str> {
    log.iter().map(|(_, event)| event.type_name()).collect()
}

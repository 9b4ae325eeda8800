//! What the registers mean for `state`, `prop/*` and `event/*`. Pure: what changed goes out, nothing else.

use edge_config::profile::{AckResult, DispenserProfile, MachineState, Operation};
use schemas::message::device::Code;
use schemas::words::{CarriagePosition, DeviceStatus};

use super::codec::Snapshot;

/// The status that a status block shows. A motion that was commanded is no change of status: whoever
/// commanded it knows.
pub(super) fn status(
    profile: &DispenserProfile,
    snapshot: &Snapshot,
) -> (DeviceStatus, Option<Code>) {
    let sensors = &snapshot.sensors;
    let commanded = snapshot.ack.result == AckResult::Accepted;
    match snapshot.state {
        _ if sensors.tamper => (DeviceStatus::FraudAttempt, code("tamper")),
        _ if sensors.jam => (DeviceStatus::HardwareError, code("jam")),
        _ if sensors.door_open => (DeviceStatus::UserError, code("door-open")),
        MachineState::Error => (
            DeviceStatus::HardwareError,
            code(&profile.label(snapshot.last_error)),
        ),
        MachineState::Boot | MachineState::Homing => (DeviceStatus::Starting, None),
        MachineState::Maintenance => (DeviceStatus::UserError, code("maintenance")),
        MachineState::DoorOpen => (DeviceStatus::UserError, code("door-open")),
        _ if sensors.reject_full => (DeviceStatus::UserError, code("reject-full")),
        MachineState::Busy if !commanded => (DeviceStatus::DeviceBusy, None),
        MachineState::Idle | MachineState::Busy => (DeviceStatus::Online, None),
    }
}

/// A code of the device, where it is one.
pub(super) fn code(text: &str) -> Option<Code> {
    Code::new(text).ok()
}

/// The measurements, by the level after `prop/`.
pub(super) fn properties(snapshot: &Snapshot) -> [(&'static str, u32); 7] {
    [
        ("slots-free", snapshot.free.into()),
        ("slots-occupied", snapshot.occupied.into()),
        ("hopper-level", snapshot.hopper.into()),
        ("reject-count", snapshot.reject_count.into()),
        ("recycle-count", snapshot.recycle_count.into()),
        ("dispensed-total", snapshot.dispensed_total),
        ("retracted-total", snapshot.retracted_total),
    ]
}

/// One thing that the sensors can show.
type Sense = fn(&Snapshot) -> bool;

/// What happened between two status blocks, by the level after `event/`.
pub(super) fn events(before: Option<&Snapshot>, after: &Snapshot) -> Vec<&'static str> {
    let had = |what: Sense| before.is_some_and(what);
    let mut events = Vec::new();
    if had(|s| s.sensors.outlet_present) && was_taken(after) {
        events.push("media-taken");
    }
    let rises: [(&'static str, Sense); 3] = [
        ("door-open", |s| s.sensors.door_open),
        ("tamper", |s| s.sensors.tamper),
        ("jam", |s| s.sensors.jam),
    ];
    for (name, is) in rises {
        if is(after) && !had(is) {
            events.push(name);
        }
    }
    events
}

/// Whether an outlet that held a card is empty because somebody took it: the transport holds none, and
/// the card did not go to a bin or a slot.
fn was_taken(after: &Snapshot) -> bool {
    let moved_inside = matches!(
        after.ack.command,
        Some(Operation::RetractToSlot | Operation::RetractToReject | Operation::Reject)
    ) && after.ack.result == AckResult::Done;
    !after.sensors.outlet_present && after.position == CarriagePosition::None && !moved_inside
}

//! A commissioning under way (V2), beside the session that leases the machine; what it still owes the devices; and how a machine
//! stands.

use schemas::event::commission::Exercise;
use schemas::event::pickup::MachineDevices;
use schemas::ids::{DeviceId, MachineId, OperatorId, SessionId};
use schemas::slot::SlotAddress;
use schemas::time::{ClockTrust, Deadline, Now};
use schemas::words::{DeviceStatus, PhotoView, ServiceReason};
use serde::{Deserialize, Serialize};

use crate::effect::{Effect, Order};
use crate::rules::Rules;
use crate::state::State;

/// How long an operator's tool may keep silent before the machine is free again, in ms. Longer than a person takes to read a question.
pub(crate) const LEASE_MS: u64 = 15 * 60_000;
/// How long a device has to answer after a person's time is up, in s.
pub(crate) const ANSWER_S: u16 = 5;

/// A commissioning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commissioning {
    pub(crate) machine: MachineId,
    pub(crate) devices: MachineDevices,
    pub(crate) operator: OperatorId,
    /// Until when it may be silent.
    pub(crate) lease: Deadline,
    /// A device other than the dispenser is asked.
    pub(crate) asked: Option<Asked>,
    /// Index of the event that asked for an inventory.
    pub(crate) inventory: Option<u64>,
    pub(crate) carry: Option<Carry>,
    /// The gateway was restarted: nobody waits for it any more.
    pub(crate) orphaned: bool,
}

/// A device is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Index of the event that asked.
    pub(crate) index: u64,
    pub(crate) device: DeviceId,
    pub(crate) exercise: Exercise,
    pub(crate) timeout_s: u16,
    pub(crate) deadline: Deadline,
}

/// A card is on its way to the reader and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carry {
    /// Index of the event that asked.
    pub(crate) index: u64,
    pub(crate) slot: SlotAddress,
    /// Whether its chip is the recorded one; none: it was not read.
    pub(crate) card_fits: Option<bool>,
}

impl Commissioning {
    /// Whether nothing is asked of any device.
    pub(crate) const fn is_at_rest(&self) -> bool {
        self.asked.is_none() && self.inventory.is_none() && self.carry.is_none()
    }
}

/// What devices other than the dispenser are asked; motions are owed like those of any session.
pub(crate) fn effects(state: &State) -> impl Iterator<Item = (&SessionId, Effect)> {
    let open = state.commissionings.iter();
    open.filter_map(|(session, commissioning)| {
        let asked = commissioning.asked.as_ref()?;
        let order = match asked.exercise {
            Exercise::ReadCard => Order::Read,
            Exercise::TouchSensor => Order::TouchSensor,
            Exercise::TakePhoto => Order::Capture {
                view: PhotoView::Frontal,
            },
            Exercise::Inventory | Exercise::Carry { .. } => return None,
        };
        let effect = Effect {
            id: state.command(asked.index),
            device: asked.device.clone(),
            order,
            timeout_s: asked.timeout_s,
        };
        Some((session, effect))
    })
}

/// When a commissioning wants a tick.
pub(crate) fn deadlines(state: &State) -> impl Iterator<Item = &Deadline> {
    state.commissionings.values().filter_map(|commissioning| {
        let at_rest = commissioning.is_at_rest().then_some(&commissioning.lease);
        let asked = commissioning.asked.as_ref().map(|asked| &asked.deadline);
        asked.or(at_rest)
    })
}

/// How a device stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReadiness {
    /// The device.
    pub device: DeviceId,
    /// Whether it is there.
    pub online: bool,
    /// Whether it takes commands.
    pub usable: bool,
    /// Its status and its own code for it, where it said one.
    pub status: Option<(DeviceStatus, Option<String>)>,
}

/// How a machine stands, for whoever is about to commission it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineStanding {
    /// The machine.
    pub machine: MachineId,
    /// Its dispenser, reader, intake's reader, scanner and camera, in this order.
    pub devices: Vec<DeviceReadiness>,
    /// The kiosks that use it.
    pub kiosks: Vec<DeviceReadiness>,
    /// Whether the dispenser has said what it did last.
    pub sequence_known: bool,
    /// Whether it is blocked.
    pub blocked: bool,
    /// The session at it.
    pub session: Option<SessionId>,
    /// Why the station takes no sessions; empty when it does.
    pub reasons: Vec<ServiceReason>,
    /// Whether the wall clock is believed.
    pub clock_trusted: bool,
}

/// How a machine of the configuration stands; none where there is no such machine.
pub fn standing(
    state: &State,
    rules: &Rules,
    machine: &MachineId,
    now: &Now,
) -> Option<MachineStanding> {
    let devices = &rules.machines.get(machine)?.devices;
    let of = |device: &DeviceId| DeviceReadiness {
        device: device.clone(),
        online: state.is_online(device),
        usable: state.is_usable(device),
        status: state.devices.get(device).and_then(|d| d.status.clone()),
    };
    let kiosks = rules
        .kiosks
        .iter()
        .filter(|(_, kiosk)| kiosk.machine == *machine);
    let at = state.machines.get(machine);
    Some(MachineStanding {
        machine: machine.clone(),
        devices: [
            &devices.dispenser,
            &devices.reader,
            &devices.intake_reader,
            &devices.scanner,
            &devices.camera,
        ]
        .map(of)
        .to_vec(),
        kiosks: kiosks.map(|(kiosk, _)| of(kiosk)).collect(),
        sequence_known: at.is_some_and(|m| m.sequence.is_some()),
        blocked: at.is_some_and(|m| m.blocked.is_some()),
        session: at.and_then(|m| Some(m.session.as_ref()?.id.clone())),
        reasons: state.reasons.iter().copied().collect(),
        clock_trusted: now.trust == ClockTrust::Synchronised,
    })
}

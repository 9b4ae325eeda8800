//! The device registry (G1): devices that flap, devices that say what cannot be, and what operators take out of service.

use std::collections::BTreeMap;

use schemas::event::device::{
    DeviceAccepted, DeviceContradicted, DeviceContradiction, DeviceCounted, DeviceFlapping,
    DeviceIdentified, DeviceSteady, Identity, MaintenanceChanged, MaintenanceOverdue,
};
use schemas::event::station::{Presence, PresenceChanged};
use schemas::ids::{BootId, DeviceId, MachineId, OperatorId};
use schemas::message::kiosk::MaintenanceTarget;
use schemas::words::{MachineReason, RefusalReason};

use super::draft::Draft;
use super::{Outcome, lifecycle};
use crate::device::Device;
use crate::input::{Described, RegistryInput};

/// What concerns the registry. Refusals of what is asked at the gateway's own machine are not recorded.
pub(super) fn input(draft: &mut Draft<'_>, input: &RegistryInput) -> Outcome {
    use RegistryInput as I;
    match input {
        I::Described { device, said } => described(draft, device, said),
        I::Counted { .. } => return Outcome::Unchanged,
        I::Totals { device, totals } => counted(draft, device, totals),
        I::Miscounted {
            device,
            contradiction,
        } => contradict(draft, device, contradiction.clone()),
        I::Quiet {
            device,
            presence,
            changes,
        } => quiet(draft, device, presence.as_ref(), *changes),
        I::AcceptDevice {
            device,
            operator,
            says,
        } => return accept(draft, device, operator, says.as_ref()),
        I::Maintain { operator, name, on } => return maintain_named(draft, operator, name, *on),
    }
    Outcome::Accepted(None)
}

/// A device that went once too often counts as down until it has been quiet.
pub(super) fn judge_flaps(draft: &mut Draft<'_>, id: &DeviceId) {
    let policy = draft.rules.registry;
    let window_ms = u64::from(policy.flap_window_s) * 1_000;
    let Some(device) = draft.state().devices.get(id) else {
        return;
    };
    let recent = |at: &&crate::device::Moment| at.elapsed_ms(draft.now) <= window_ms;
    let flaps = device.gone.iter().filter(recent).count();
    if !device.flapping && flaps > usize::from(policy.flaps_max) {
        draft.push(DeviceFlapping {
            device: id.clone(),
            flaps: u16::try_from(flaps).unwrap_or(u16::MAX),
            within_s: policy.flap_window_s,
            quiet_s: policy.quiet_s,
        });
    }
}

/// A device that was flapping has been quiet; where it is now was not recorded.
fn quiet(draft: &mut Draft<'_>, id: &DeviceId, presence: Option<&Presence>, changes: u32) {
    let flapping = draft.state().devices.get(id).filter(|d| d.flapping);
    let Some(known) = flapping.map(|d| d.presence.clone()) else {
        return;
    };
    let presence = presence.cloned().or(known).unwrap_or(Presence::Lost);
    let (device, now) = (id.clone(), presence.clone());
    draft.push(DeviceSteady {
        device,
        presence,
        changes,
    });
    if matches!(now, Presence::Online { .. }) {
        lifecycle::came_back(draft, id);
    }
}

/// What a kiosk brought dies with it: it announced itself with the kiosk's own boot id.
pub(super) fn take_along(draft: &mut Draft<'_>, kiosk: &DeviceId, ended: &BootId) {
    let brought = |(id, device): (&DeviceId, &Device)| {
        let own = draft.rules.devices.get(id).and_then(|r| r.owner.as_ref()) == Some(kiosk);
        let same = matches!(&device.presence, Some(Presence::Online { boot, .. }) if boot == ended);
        (own && same).then(|| id.clone())
    };
    let devices = draft.state().devices.iter();
    let lost: Vec<DeviceId> = devices.filter_map(brought).collect();
    for device in lost {
        let presence = Presence::Lost;
        draft.push(PresenceChanged { device, presence });
    }
}

/// Who a device says it is. What cannot be puts it out of service, once, until an operator confirms it.
fn described(draft: &mut Draft<'_>, id: &DeviceId, said: &Described) {
    let known = draft.state().devices.get(id);
    // What is not installed has no place that it could belong in.
    if !draft.rules.devices.contains_key(id) || known.is_some_and(|d| d.contradiction.is_some()) {
        return;
    }
    let identity = known.and_then(|d| d.identity.clone());
    let contradiction = against_configuration(draft, id, said)
        .or_else(|| against_record(draft, id, identity.as_ref(), said));
    if let Some(contradiction) = contradiction {
        contradict(draft, id, contradiction);
        return;
    }
    // A device that does not tell its serial has no identity that could change.
    if let Some(now) = said.identity().filter(|now| identity.as_ref() != Some(now)) {
        draft.push(DeviceIdentified {
            device: id.clone(),
            identity: now,
        });
    }
}

fn against_configuration(
    draft: &Draft<'_>,
    id: &DeviceId,
    said: &Described,
) -> Option<DeviceContradiction> {
    let rules = draft.rules.devices.get(id)?;
    if rules.kind != said.kind {
        let (expected, said) = (rules.kind, said.kind);
        return Some(DeviceContradiction::Kind { expected, said });
    }
    if let (Some(expected), Some(serial)) = (&rules.serial, &said.serial)
        && expected != serial
    {
        return Some(DeviceContradiction::Serial {
            expected: expected.clone(),
            said: serial.clone(),
        });
    }
    let firmware = rules.firmware.as_ref()?;
    (!firmware.fits(&said.firmware)).then(|| DeviceContradiction::Firmware {
        expected: firmware.as_str().to_owned(),
        said: said.firmware.clone(),
    })
}

/// An exchange that is written down in the configuration needs no confirmation.
fn against_record(
    draft: &Draft<'_>,
    id: &DeviceId,
    known: Option<&Identity>,
    said: &Described,
) -> Option<DeviceContradiction> {
    let (expected, serial) = (&known?.serial, said.serial.as_ref()?);
    let configured = draft.rules.devices.get(id)?.serial.as_ref();
    (expected != serial && configured != Some(serial)).then(|| DeviceContradiction::Serial {
        expected: expected.clone(),
        said: serial.clone(),
    })
}

/// A device that is out of service for what it said is not listened to any further: a liar makes one event.
fn contradict(draft: &mut Draft<'_>, id: &DeviceId, contradiction: DeviceContradiction) {
    let known = draft.state().devices.get(id);
    if known.is_none_or(|d| d.contradiction.is_none()) {
        draft.push(DeviceContradicted {
            device: id.clone(),
            contradiction,
        });
    }
}

fn counted(draft: &mut Draft<'_>, id: &DeviceId, totals: &BTreeMap<String, u64>) {
    let known = draft.state().devices.get(id).map(|d| &d.totals);
    let is_new = |(name, count): (&String, &u64)| known.and_then(|k| k.get(name)) != Some(count);
    if totals.iter().any(is_new) {
        draft.push(DeviceCounted {
            device: id.clone(),
            totals: totals.clone(),
        });
    }
}

/// An operator confirms a device as it is now. What the configuration says is changed there, not here.
fn accept(
    draft: &mut Draft<'_>,
    id: &DeviceId,
    operator: &OperatorId,
    says: Option<&Described>,
) -> Outcome {
    let known = draft.state().devices.get(id);
    if known.is_none() && !draft.rules.devices.contains_key(id) {
        return Outcome::Refused(RefusalReason::TargetUnknown);
    }
    let Some(contradiction) = known.and_then(|d| d.contradiction.as_ref()) else {
        return Outcome::Refused(RefusalReason::NothingToAccept);
    };
    let by_count = matches!(
        contradiction,
        DeviceContradiction::TotalFell { .. } | DeviceContradiction::TotalJumped { .. }
    );
    if says.is_none() && !by_count {
        // Nobody knows who would be confirmed.
        return Outcome::Refused(RefusalReason::DeviceOffline);
    }
    if says.is_some_and(|said| against_configuration(draft, id, said).is_some()) {
        return Outcome::Refused(RefusalReason::NotAsConfigured);
    }
    draft.push(DeviceAccepted {
        device: id.clone(),
        operator: operator.clone(),
        identity: says.and_then(Described::identity),
    });
    Outcome::Accepted(None)
}

/// Out of service, or back into it.
pub(super) fn maintain(
    draft: &mut Draft<'_>,
    operator: &OperatorId,
    target: &MaintenanceTarget,
    on: bool,
) -> Result<(), RefusalReason> {
    let known = match target {
        MaintenanceTarget::Machine(id) => draft.rules.machines.contains_key(id),
        MaintenanceTarget::Device(id) => draft.rules.devices.contains_key(id),
    };
    let is_on = draft.state().maintenance.contains_key(target);
    // What the configuration has lost since can still be given back.
    if !known && !is_on {
        return Err(RefusalReason::TargetUnknown);
    }
    if is_on == on {
        return Err(RefusalReason::AlreadySo);
    }
    let after_s = draft.rules.registry.maintenance_s_max;
    draft.push(MaintenanceChanged {
        target: target.clone(),
        on,
        operator: operator.clone(),
        overdue_after_s: on.then_some(after_s),
    });
    Ok(())
}

/// The same, by whoever stands at the gateway's own machine: a name that is a machine's and a device's is taken for the machine's.
fn maintain_named(draft: &mut Draft<'_>, operator: &OperatorId, name: &str, on: bool) -> Outcome {
    let machine = MachineId::new(name).ok();
    let machine = machine.filter(|id| {
        let target = MaintenanceTarget::Machine(id.clone());
        draft.rules.machines.contains_key(id) || draft.state().maintenance.contains_key(&target)
    });
    let target = match (machine, DeviceId::new(name)) {
        (Some(id), _) => MaintenanceTarget::Machine(id),
        (None, Ok(id)) => MaintenanceTarget::Device(id),
        (None, Err(_)) => return Outcome::Refused(RefusalReason::TargetUnknown),
    };
    match maintain(draft, operator, &target, on) {
        Ok(()) => Outcome::Accepted(None),
        Err(reason) => Outcome::Refused(reason),
    }
}

/// A maintenance that lasts too long is recorded once.
pub(super) fn tick(draft: &mut Draft<'_>) {
    let overdue: Vec<_> = draft
        .state()
        .maintenance
        .iter()
        .filter(|(_, maintenance)| maintenance.left_ms(draft.now) == Some(0))
        .map(|(target, maintenance)| MaintenanceOverdue {
            target: target.clone(),
            operator: maintenance.operator.clone(),
        })
        .collect();
    for event in overdue {
        draft.push(event);
    }
}

/// Whether a citizen's session may begin at this machine from this kiosk.
pub(super) fn in_service(
    draft: &Draft<'_>,
    machine: &MachineId,
    kiosk: &DeviceId,
) -> Result<(), RefusalReason> {
    match draft.state().machine_reason(draft.rules, machine, kiosk) {
        Some(MachineReason::Maintenance) => Err(RefusalReason::Maintenance),
        Some(MachineReason::DeviceContradicted) => Err(RefusalReason::DeviceContradicted),
        None => Ok(()),
    }
}

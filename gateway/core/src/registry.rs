//! The registry of devices, as station IT sees it: what is installed, whether it is up, since when, and if not why.

use schemas::event::application::ApplicationDevices;
use schemas::ids::DeviceId;
use schemas::message::kiosk::MaintenanceTarget;
use schemas::time::rfc3339;
use schemas::words::{DeviceKind, DownReason, MachineReason, RefusalReason};

use schemas::event::station::Presence;
use schemas::ids::MachineId;

use crate::device::Device;
use crate::rules::Rules;
use crate::state::State;

/// How a device stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStanding {
    /// The device.
    pub device: DeviceId,
    /// What it is, by the configuration.
    pub kind: DeviceKind,
    /// Where it stands, in words, if the configuration says.
    pub place: Option<String>,
    /// Why it is not up; none: it is.
    pub down: Option<DownReason>,
    /// Since when, RFC 3339; none where nothing was ever heard of it.
    pub since: Option<String>,
    /// How often it went, as far as that is remembered.
    pub flaps: usize,
    /// It comes and goes too often.
    pub flapping: bool,
    /// What it says cannot be.
    pub contradicted: bool,
}

/// A machine or device that an operator took out of service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceStanding {
    /// The machine or device.
    pub target: MaintenanceTarget,
    /// Since when, RFC 3339.
    pub since: String,
    /// It counts as forgotten.
    pub overdue: bool,
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// The devices of the configuration, by id.
    pub devices: Vec<DeviceStanding>,
    /// What is in maintenance.
    pub maintenance: Vec<MaintenanceStanding>,
}

/// The registry as it stands.
pub fn registry(state: &State, rules: &Rules) -> Registry {
    let unknown = Device::default();
    let devices = rules.devices.iter().map(|(id, rules)| {
        let device = state.devices.get(id).unwrap_or(&unknown);
        let target = MaintenanceTarget::Device(id.clone());
        DeviceStanding {
            device: id.clone(),
            kind: rules.kind,
            place: rules.place.clone(),
            down: down(device, state.maintenance.contains_key(&target)),
            since: device.since.as_ref().map(|at| rfc3339(at.wall_ms)),
            flaps: device.gone.len(),
            flapping: device.flapping,
            contradicted: device.contradiction.is_some(),
        }
    });
    let maintenance = state
        .maintenance
        .iter()
        .map(|(target, m)| MaintenanceStanding {
            target: target.clone(),
            since: rfc3339(m.since.wall_ms),
            overdue: m.overdue,
        });
    Registry {
        devices: devices.collect(),
        maintenance: maintenance.collect(),
    }
}

/// The reason that somebody has to act upon first.
fn down(device: &Device, maintained: bool) -> Option<DownReason> {
    if device.contradiction.is_some() {
        return Some(DownReason::Contradicted);
    }
    if maintained {
        return Some(DownReason::Maintenance);
    }
    if device.flapping {
        return Some(DownReason::Flapping);
    }
    match &device.presence {
        None => Some(DownReason::NotSeen),
        Some(Presence::Offline) => Some(DownReason::Offline),
        Some(Presence::Lost) => Some(DownReason::Lost),
        Some(Presence::Online { .. }) if !device.is_ready() => Some(DownReason::NotReady),
        Some(Presence::Online { .. }) => None,
    }
}

impl State {
    /// Why a machine, or a kiosk's way to it, takes no citizen, though nothing of it is known to be broken.
    pub(crate) fn machine_reason(
        &self,
        rules: &Rules,
        machine: &MachineId,
        kiosk: &DeviceId,
    ) -> Option<MachineReason> {
        let own = rules.machines.get(machine).map(|m| m.devices.all());
        let own = own.into_iter().flatten();
        let devices: Vec<&DeviceId> = own.chain([kiosk]).collect();
        if devices.iter().any(|id| self.is_contradicted(id)) {
            return Some(MachineReason::DeviceContradicted);
        }
        let at = |target| self.maintenance.contains_key(&target);
        let maintained = at(MaintenanceTarget::Machine(machine.clone()))
            || devices
                .iter()
                .any(|id| at(MaintenanceTarget::Device((*id).clone())));
        maintained.then_some(MachineReason::Maintenance)
    }

    /// The devices of a kiosk that takes applications, as far as nothing is suspended of what nobody comes to the end without.
    pub(crate) fn applications_from<'a>(
        &self,
        rules: &'a Rules,
        kiosk: &DeviceId,
    ) -> Result<&'a ApplicationDevices, RefusalReason> {
        let own = rules.kiosks.get(kiosk).and_then(|k| k.application.as_ref());
        let devices = own
            .filter(|_| rules.application.is_some())
            .ok_or(RefusalReason::NoApplications)?;
        let needed = [kiosk, &devices.scanner, &devices.camera];
        if !self.reasons.is_empty() {
            Err(RefusalReason::OutOfService)
        } else if needed.iter().any(|id| self.is_in_hands(rules, id)) {
            Err(RefusalReason::Maintenance)
        } else if needed.iter().any(|id| self.is_contradicted(id)) {
            Err(RefusalReason::DeviceContradicted)
        } else {
            Ok(devices)
        }
    }

    /// Whether a device is in an operator's hands: by itself, or with a machine that it belongs to.
    pub(crate) fn is_in_hands(&self, rules: &Rules, device: &DeviceId) -> bool {
        self.maintenance.keys().any(|target| match target {
            MaintenanceTarget::Device(id) => id == device,
            MaintenanceTarget::Machine(id) => {
                let kiosk = rules.kiosks.get(device);
                let own = rules.machines.get(id).map(|m| m.devices.all());
                kiosk.is_some_and(|kiosk| kiosk.machine == *id)
                    || own.is_some_and(|own| own.contains(&device))
            }
        })
    }

    /// Whether a device said of itself what cannot be.
    fn is_contradicted(&self, device: &DeviceId) -> bool {
        let device = self.devices.get(device);
        device.is_some_and(|d| d.contradiction.is_some())
    }

    pub(crate) fn is_flapping(&self, device: &DeviceId) -> bool {
        self.devices.get(device).is_some_and(|d| d.flapping)
    }

    /// Whether a session under way, or a motion, needs the device.
    pub(crate) fn is_serving(&self, rules: &Rules, device: &DeviceId) -> bool {
        self.machines.iter().any(|(id, machine)| {
            let of_machine = rules
                .machines
                .get(id)
                .is_some_and(|m| m.devices.all().contains(&device));
            let own = of_machine
                || machine.dispenser.as_ref() == Some(device)
                || machine.session.as_ref().is_some_and(|s| s.kiosk == *device);
            own && (machine.session.is_some() || machine.motion.is_some())
        }) || self
            .applications
            .open
            .iter()
            .any(|(kiosk, a)| kiosk == device || a.serving() == Some(device))
    }
}

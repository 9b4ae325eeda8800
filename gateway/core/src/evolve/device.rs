//! Devices: their coming and going, who they are, what operators say of them.

use schemas::event::device::{
    DeviceAccepted, DeviceContradicted, DeviceCounted, DeviceSteady, MaintenanceChanged,
    MaintenanceOverdue,
};
use schemas::event::station::{Presence, PresenceChanged};
use schemas::ids::DeviceId;

use super::Recorded;
use crate::device::{Device, GONE_KEPT, Maintenance, Moment};
use crate::state::State;

pub(super) fn of<'a>(state: &'a mut State, device: &DeviceId) -> &'a mut Device {
    state.devices.entry(device.clone()).or_default()
}

pub(super) fn presence_changed(state: &mut State, recorded: Recorded<'_>, b: &PresenceChanged) {
    let device = of(state, &b.device);
    // Another life without a goodbye in between is a going too.
    if device.is_online() {
        device.gone.push(Moment::of(recorded.now));
        let surplus = device.gone.len().saturating_sub(GONE_KEPT);
        device.gone.drain(..surplus);
    }
    device.presence = Some(b.presence.clone());
    device.since = Some(Moment::of(recorded.now));
}

pub(super) fn flapping(state: &mut State, recorded: Recorded<'_>, device: &DeviceId) {
    let device = of(state, device);
    device.flapping = true;
    device.since = Some(Moment::of(recorded.now));
}

pub(super) fn steady(state: &mut State, recorded: Recorded<'_>, b: &DeviceSteady) {
    let device = of(state, &b.device);
    device.flapping = false;
    device.gone.clear();
    device.presence = Some(b.presence.clone());
    device.since = Some(Moment::of(recorded.now));
}

pub(super) fn contradicted(state: &mut State, recorded: Recorded<'_>, b: &DeviceContradicted) {
    let device = of(state, &b.device);
    device.contradiction = Some(b.contradiction.clone());
    device.since = Some(Moment::of(recorded.now));
}

pub(super) fn accepted(state: &mut State, recorded: Recorded<'_>, b: &DeviceAccepted) {
    let device = of(state, &b.device);
    device.contradiction = None;
    device.totals.clear();
    device.counted = None;
    if b.identity.is_some() {
        device.identity.clone_from(&b.identity);
    }
    device.since = Some(Moment::of(recorded.now));
}

pub(super) fn counted(state: &mut State, recorded: Recorded<'_>, b: &DeviceCounted) {
    let device = of(state, &b.device);
    device.totals.extend(b.totals.clone());
    device.counted = Some(Moment::of(recorded.now));
}

pub(super) fn maintenance(state: &mut State, recorded: Recorded<'_>, b: &MaintenanceChanged) {
    let Some(overdue_after_s) = b.overdue_after_s.filter(|_| b.on) else {
        state.maintenance.remove(&b.target);
        return;
    };
    let maintenance = Maintenance {
        operator: b.operator.clone(),
        since: Moment::of(recorded.now),
        overdue_after_s,
        overdue: false,
    };
    state.maintenance.insert(b.target.clone(), maintenance);
}

pub(super) fn overdue(state: &mut State, b: &MaintenanceOverdue) {
    if let Some(maintenance) = state.maintenance.get_mut(&b.target) {
        maintenance.overdue = true;
    }
}

/// A new life of the gateway knows of no device until it announces itself again.
pub(super) fn forget_presence(state: &mut State) {
    for Device { presence, .. } in state.devices.values_mut() {
        *presence = presence.as_ref().map(|_| Presence::Lost);
    }
}

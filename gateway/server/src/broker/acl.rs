//! Who may do what on which topic. Deny is the default.
//!
//! | who | publish | subscribe, be sent | last will |
//! |---|---|---|---|
//! | device (certificate; or its id as client id on a plain listener, where that is open to it) | its own subtree; `request/…` only if it is a kiosk; a kiosk also its peripherals' subtrees | its own subtree; a kiosk also those of its peripherals | its own `$state` |
//! | observer (any other client id, loopback only) | nothing; with simulated devices: the kiosks' subtrees, so that `mosquitto_pub` can act as one | what carries no personal data | none |
//!
//! Personal: `scan`, `cmd/read/reply`, `cmd/match` and its reply, `blob/…`, `request/…`, `papers`, and `session` (masked, but of a person
//! who stands there now; shown to an observer only with simulated devices).

use std::collections::{BTreeMap, BTreeSet};

use edge_config::{Broker, Station};
use gateway_broker::Action;
use schemas::ids::DeviceId;
use schemas::topic::{FromDevice, ROOT, Topics};

/// First part of an observer's principal. A device id holds no slash, so no device is called so.
const OBSERVER: &str = "observer/";

/// The rules of one station.
#[derive(Debug)]
pub struct Acl {
    topics: Topics,
    tree: String,
    devices: BTreeSet<DeviceId>,
    kiosks: BTreeSet<DeviceId>,
    /// The kiosk of each peripheral.
    owners: BTreeMap<DeviceId, DeviceId>,
    simulated: bool,
    plain: Plain,
}

/// Whose id counts on a listener where nothing proves it.
#[derive(Debug)]
enum Plain {
    /// No listener asks for certificates: every device's.
    All,
    /// Devices have certificates. Only those come in without one that run in this program: else the plain listener would be
    /// the way around the certificates for whoever is on this machine.
    Own(BTreeSet<DeviceId>),
}

impl Acl {
    /// The devices and kiosks of the configuration, and no others.
    pub fn new(station: &Station, topics: Topics) -> Self {
        let kiosks: BTreeSet<_> = station
            .kiosks
            .iter()
            .map(|kiosk| kiosk.id.clone())
            .collect();
        let owners: BTreeMap<_, _> = station
            .kiosks
            .iter()
            .flat_map(|kiosk| kiosk.peripherals.iter().map(|id| (id, &kiosk.id)))
            .map(|(id, kiosk)| (id.clone(), kiosk.clone()))
            .collect();
        let devices = station.device_kinds().into_keys().collect();
        let tree = format!("{ROOT}/{}/", station.id);
        Self {
            topics,
            tree,
            devices,
            kiosks,
            owners,
            simulated: station.demo.simulated_devices,
            plain: plain(station),
        }
    }

    /// Whether this device comes in by its client id alone.
    pub fn is_admitted_plain(&self, device: &DeviceId) -> bool {
        match &self.plain {
            Plain::All => true,
            Plain::Own(own) => own.contains(device),
        }
    }

    /// The device of this id, if the configuration has it.
    pub fn device(&self, id: &str) -> Option<&DeviceId> {
        self.devices.iter().find(|device| device.as_str() == id)
    }

    /// The principal of a client that is no device.
    pub fn observer(client_id: &str) -> String {
        format!("{OBSERVER}{client_id}")
    }

    /// Whether a principal may do this.
    pub fn allows(&self, principal: &str, action: Action, topic: &str) -> bool {
        if principal.starts_with(OBSERVER) {
            return self.observer_may(action, topic);
        }
        self.device(principal)
            .is_some_and(|device| self.device_may(device, action, topic))
    }

    /// Whether messages of this topic carry personal data: never to disk, never retained, never to an observer.
    pub fn is_personal(&self, topic: &str) -> bool {
        let Some((_, rest)) = topic
            .strip_prefix(&self.tree)
            .and_then(|rest| rest.split_once('/'))
        else {
            return false;
        };
        matches!(
            rest,
            "scan"
                | "session"
                | "papers"
                | "cmd/read/reply"
                | "cmd/match"
                | "cmd/match/reply"
                | "cmd/capture-finger"
                | "cmd/capture-finger/reply"
                | "cmd/compare-faces"
                | "cmd/compare-faces/reply"
        ) || rest.starts_with("blob/")
            || rest.starts_with("request/")
    }

    /// Whether this is a command to a device. The gateway sends what is open again by itself after a restart, so a command
    /// from the broker's disk could only be an old one.
    pub fn is_command(&self, topic: &str) -> bool {
        topic
            .strip_prefix(&self.tree)
            .and_then(|rest| rest.split_once("/cmd/"))
            .is_some_and(|(_, name)| !name.contains('/'))
    }

    fn device_may(&self, device: &DeviceId, action: Action, topic: &str) -> bool {
        match action {
            Action::Publish => self.may_publish_as(device, topic),
            Action::Will => self.topics.parse(topic) == Some((device.clone(), FromDevice::State)),
            Action::Subscribe | Action::Receive => {
                let rest = topic.strip_prefix(&self.tree);
                let first = rest.and_then(|rest| rest.split_once('/'));
                first.is_some_and(|(id, _)| {
                    id == device.as_str()
                        || self
                            .device(id)
                            .is_some_and(|other| self.owners.get(other) == Some(device))
                })
            }
        }
    }

    fn may_publish_as(&self, device: &DeviceId, topic: &str) -> bool {
        self.topics.parse(topic).is_some_and(|(owner, channel)| {
            let is_request = matches!(channel, FromDevice::Request(_));
            let own = owner == *device && (!is_request || self.kiosks.contains(device));
            own || (!is_request && self.owners.get(&owner) == Some(device))
        })
    }

    fn observer_may(&self, action: Action, topic: &str) -> bool {
        match action {
            Action::Publish => {
                self.simulated
                    && self
                        .kiosks
                        .iter()
                        .any(|kiosk| self.may_publish_as(kiosk, topic))
            }
            Action::Will => false,
            // A filter may be wide; what comes through it is decided for each message.
            Action::Subscribe => true,
            Action::Receive => {
                let masked = self.simulated && topic.ends_with("/session");
                topic.starts_with(&self.tree) && (masked || !self.is_personal(topic))
            }
        }
    }
}

fn plain(station: &Station) -> Plain {
    let Broker::Embedded(embedded) = &station.broker else {
        return Plain::All;
    };
    if embedded.tls.is_none() {
        return Plain::All;
    }
    let mut own: BTreeSet<_> = station.adapted().ids().cloned().collect();
    // The simulated devices are those of the first machine; the simulated operator stands at the first kiosk.
    if station.demo.simulated_devices {
        if let Some(machine) = station.machines.first() {
            let d = &machine.devices;
            own.extend([&d.reader, &d.intake_reader, &d.scanner, &d.camera].map(DeviceId::clone));
        }
        own.extend(station.kiosks.first().map(|kiosk| kiosk.id.clone()));
    }
    Plain::Own(own)
}

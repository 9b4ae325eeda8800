//! What is known of the devices that are installed, beyond where they belong: what they are, their serials, where they stand. And
//! kiosks' peripherals.

use core::fmt;
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};

use schemas::ids::{DeviceId, DeviceSerial};
use schemas::words::DeviceKind;

use super::check::one_of;
use super::device::{Kiosk, Machine};
use super::face_matcher::FaceMatcher;
use crate::reader::{At, Section};

/// An installed device. One without a section has none of this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The device of a machine, a kiosk, a peripheral of a kiosk, or a face matcher.
    pub id: DeviceId,
    /// What it is; has to be what its place makes it. Peripherals have to have it.
    pub kind: Option<DeviceKind>,
    /// Its serial number: one that tells another is out of service.
    pub serial: Option<DeviceSerial>,
    /// Versions of its program that may run on it: a text with at most one `*`.
    pub firmware: Option<String>,
    /// Where it stands, for whoever has to go there.
    pub place: Option<DevicePlace>,
}

/// Where a device stands, in words: 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePlace(String);

impl FromStr for DevicePlace {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_place =
            (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        is_place
            .then(|| Self(text.to_owned()))
            .ok_or("not 1 to 64 characters")
    }
}

impl fmt::Display for DevicePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pattern of versions.
struct Firmware(String);

impl FromStr for Firmware {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_pattern = (1..=64).contains(&text.chars().count()) && text.matches('*').count() <= 1;
        is_pattern
            .then(|| Self(text.to_owned()))
            .ok_or("not 1 to 64 characters with at most one *")
    }
}

const KINDS: &[(&str, DeviceKind)] = &[
    ("kiosk", DeviceKind::Kiosk),
    ("dispenser", DeviceKind::Dispenser),
    ("reader", DeviceKind::Reader),
    ("scanner", DeviceKind::Scanner),
    ("camera", DeviceKind::Camera),
    ("barcode-scanner", DeviceKind::BarcodeScanner),
    ("printer", DeviceKind::Printer),
    ("signature-pad", DeviceKind::SignaturePad),
    ("payment-terminal", DeviceKind::PaymentTerminal),
    ("face-matcher", DeviceKind::FaceMatcher),
];

pub(crate) fn read(s: &mut Section<'_>) -> Option<Installed> {
    let id = s.parsed("id", "\"printer-1\"");
    let kind = s.has("kind");
    let word = s.word("kind", KINDS, DeviceKind::Kiosk);
    let serial = s.optional("serial", "\"05.03-20260101-0000000001-0000000001\"");
    let firmware: Option<Firmware> = s.optional("firmware", "\"1.4.*\"");
    let place = s.optional("place", "\"hall 1, left of the door\"");
    Some(Installed {
        id: id?,
        kind: kind.then_some(word),
        serial,
        firmware: firmware.map(|firmware| firmware.0),
        place,
    })
}

/// What a device is by its place: the devices of machines, the kiosks, and the devices of their applications.
pub(crate) fn by_place<'a>(
    machines: impl Iterator<Item = &'a Machine>,
    kiosks: impl Iterator<Item = &'a Kiosk>,
) -> BTreeMap<&'a DeviceId, DeviceKind> {
    let of_machine = |machine: &'a Machine| {
        let d = &machine.devices;
        [
            (&d.dispenser, DeviceKind::Dispenser),
            (&d.reader, DeviceKind::Reader),
            (&d.intake_reader, DeviceKind::Reader),
            (&d.scanner, DeviceKind::Scanner),
            (&d.camera, DeviceKind::Camera),
        ]
    };
    let of_kiosk = |kiosk: &'a Kiosk| {
        let own = kiosk.application.iter().flat_map(super::application::kinds);
        // A face matcher has a section of its own.
        let own = own.filter(|(_, _, kind)| *kind != DeviceKind::FaceMatcher);
        own.map(|(_, device, kind)| (device, kind))
            .chain([(&kiosk.id, DeviceKind::Kiosk)])
    };
    // What a machine or a kiosk makes of a device counts, whatever an application takes it for.
    let placed = kiosks.flat_map(of_kiosk).collect::<BTreeMap<_, _>>();
    let mut all = placed;
    all.extend(machines.flat_map(of_machine));
    all
}

/// Whether a device of this kind is a kiosk's peripheral.
const fn is_peripheral(kind: DeviceKind) -> bool {
    match kind {
        DeviceKind::BarcodeScanner
        | DeviceKind::Printer
        | DeviceKind::SignaturePad
        | DeviceKind::PaymentTerminal => true,
        DeviceKind::Kiosk
        | DeviceKind::Dispenser
        | DeviceKind::Reader
        | DeviceKind::Scanner
        | DeviceKind::Camera
        | DeviceKind::FaceMatcher => false,
    }
}

fn word(kind: DeviceKind) -> &'static str {
    let found = KINDS.iter().find(|(_, known)| *known == kind);
    found.map_or("", |(word, _)| word)
}

/// What holds between sections, machines and kiosks.
pub(crate) fn check(
    root: &Section<'_>,
    machines: &[At<'_, Machine>],
    kiosks: &[At<'_, Kiosk>],
    matchers: &[At<'_, FaceMatcher>],
    installed: &[At<'_, Installed>],
) {
    let mut placed = by_place(
        machines.iter().map(|m| &m.value),
        kiosks.iter().map(|k| &k.value),
    );
    let matchers = matchers.iter().map(|at| &at.value.device);
    for device in matchers {
        placed.entry(device).or_insert(DeviceKind::FaceMatcher);
    }
    let owned = peripherals(root, kiosks, &placed, installed);
    let mut seen = BTreeSet::new();
    for device in installed {
        let Installed { id, kind, .. } = &device.value;
        let refuse = |key, what: String| {
            root.refuse_at(&device.span(key), format!("device.{key}: {what}"));
        };
        if !seen.insert(id) {
            refuse("id", format!("{id} is there twice; write each device once"));
        }
        match (placed.get(id), kind) {
            (Some(by_place), Some(kind)) if by_place != kind => {
                let word = word(*by_place);
                refuse(
                    "kind",
                    format!("{id} is a {word} by its place; write kind = \"{word}\""),
                );
            }
            // One whose adapter runs elsewhere, or that speaks MQTT itself.
            (None, Some(DeviceKind::FaceMatcher)) => {}
            (None, _) if !owned.contains(id) => refuse(
                "id",
                format!(
                    "no machine or kiosk has the device {id}; write peripherals = [\"{id}\"] under the [[kiosk]] it belongs to"
                ),
            ),
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    for machine in machines {
        let id = machine.value.id.as_str();
        let is_device = |(device, _): (&&DeviceId, &DeviceKind)| device.as_str() == id;
        if placed.iter().any(is_device) || owned.iter().any(|device| device.as_str() == id) {
            root.refuse_at(
                &machine.span("id"),
                format!("machine.id: {id} is a device already; write another id"),
            );
        }
    }
}

/// Each belongs to one kiosk, and has a section that says what it is.
fn peripherals<'a>(
    root: &Section<'_>,
    kiosks: &'a [At<'_, Kiosk>],
    placed: &BTreeMap<&DeviceId, DeviceKind>,
    installed: &[At<'_, Installed>],
) -> BTreeSet<&'a DeviceId> {
    let mut owned = BTreeSet::new();
    let words = KINDS.iter().filter(|(_, kind)| is_peripheral(*kind));
    let words = one_of(words.map(|(word, _)| *word));
    for kiosk in kiosks {
        for id in &kiosk.value.peripherals {
            let refuse = |what: String| {
                let span = kiosk.span("peripherals");
                root.refuse_at(&span, format!("kiosk.peripherals: {what}"));
            };
            let section = installed.iter().find(|device| device.value.id == *id);
            let kind = section.and_then(|device| device.value.kind);
            if placed.contains_key(id) {
                refuse(format!(
                    "{id} is a device of a machine or a kiosk already; write another id"
                ));
            } else if !owned.insert(id) {
                refuse(format!(
                    "{id} is a peripheral already; write each under one kiosk"
                ));
            } else if !kind.is_some_and(is_peripheral) {
                refuse(format!(
                    "nothing says what {id} is; write [[device]] with id = \"{id}\" and kind = {words}"
                ));
            }
        }
    }
    owned
}

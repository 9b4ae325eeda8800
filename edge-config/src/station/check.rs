//! Checks across sections: what names what, what is unique, what excludes what.

use std::collections::{BTreeMap, BTreeSet};

use schemas::ids::DeviceId;
use schemas::words::DeviceKind;

use super::centre::Centre;
use super::device::{Kiosk, Machine, SamVReader};
use super::line::LineAddress;
use super::log::LogRules;
use super::operator::Operator;
use super::{Demo, Storage};
use crate::policy::Policy;
use crate::reader::{At, Section};

/// The PIN hash of the shipped station. Its PIN is in the documentation, so it opens a demonstration
/// and nothing else.
pub(super) const DEMO_PIN_HASH: &str = "$argon2id$v=19$m=32768,t=2,p=1$c3RhdGlvbi1kZW1vLXNhbHQ$ubrAuDeDO5eSuUdsg4gwgTr4SlMSsstKPQMLwwWOoJc";

pub(super) fn storage(root: &Section<'_>, storage: &Storage) {
    let folders = [
        ("data_folder", &storage.data_folder),
        ("keys_folder", &storage.keys_folder),
        ("inbox_folder", &storage.inbox_folder),
    ];
    for (at, (key, folder)) in folders.iter().enumerate() {
        for (other_key, other) in folders.iter().take(at) {
            if folder.starts_with(other) || other.starts_with(folder) {
                root.refuse_in("storage", key, format!(
                    "storage.{key}: lies in, around or at {other_key}; keys, data and inbox are apart, so that one copy never holds two of them: write {key} = \"station-{}\"",
                    key.strip_suffix("_folder").unwrap_or(key)
                ));
            }
        }
    }
    if storage.reserve_mib >= storage.room_low_mib {
        root.refuse_in("storage", "reserve_mib", format!(
            "storage.reserve_mib: the reserve of {} MiB is not smaller than room_low_mib = {}; write reserve_mib = {}",
            storage.reserve_mib, storage.room_low_mib, (storage.room_low_mib / 8).max(1)
        ));
    }
}

/// An event that is pruned can no longer answer a repetition of its message.
pub(super) fn log(root: &Section<'_>, log: LogRules, policy: &Policy) {
    let dedupe_days = policy.custody.dedupe_days;
    if log.audit_days < dedupe_days {
        root.refuse_in("log", "audit_days", format!(
            "log.audit_days: {} is shorter than policy custody.dedupe_days = {dedupe_days}; write audit_days = {dedupe_days}",
            log.audit_days
        ));
    }
}

/// Blobs go up beside the events, never alone: the centre would not know what they are.
pub(super) fn blob_store(root: &Section<'_>, centre: Option<&Centre>) {
    let alone = |centre: &Centre| centre.blob_store.is_some() && centre.store.is_none();
    if centre.is_some_and(alone) {
        root.refuse_in("centre", "blob_store", "centre.blob_store: there is no store for the events; write store = \"esdb://centre.example:2113?tls=true\" under [centre] too".to_owned());
    }
}

pub(super) fn demo(
    root: &Section<'_>,
    demo: &Demo,
    centre: Option<&Centre>,
    operators: &[At<'_, Operator>],
) {
    if demo.simulated_devices {
        return;
    }
    if centre.is_none_or(|centre| centre.seal_key.is_none()) {
        root.refuse_in("centre", "seal_key", "centre.seal_key: is missing, and only a station with simulated devices makes a pair of its own; write seal_key = \"centre-seal-key.pem\" under [centre]".to_owned());
    }
    for operator in operators
        .iter()
        .filter(|o| o.value.pin_hash.as_str() == DEMO_PIN_HASH)
    {
        root.refuse_at(&operator.span("pin_hash"), "operator.pin_hash: this is the demonstration's PIN, which everybody can read; write the hash of another one, made by: gateway hash-pin");
    }
}

pub(super) fn operators(root: &Section<'_>, operators: &[At<'_, Operator>]) {
    let mut known = BTreeSet::new();
    for operator in operators {
        if !known.insert(&operator.value.id) {
            root.refuse_at(
                &operator.span("id"),
                format!(
                    "operator.id: {} is there twice; write another id",
                    operator.value.id
                ),
            );
        }
    }
}

pub(super) fn devices(root: &Section<'_>, machines: &[At<'_, Machine>], kiosks: &[At<'_, Kiosk>]) {
    some(
        root,
        "machine",
        "id, columns, slots_per_column and its devices",
    );
    some(root, "kiosk", "id and machine");
    unique_devices(root, machines, kiosks);
    let mut machine_ids = BTreeSet::new();
    for machine in machines {
        if !machine_ids.insert(machine.value.id.as_str()) {
            root.refuse_at(
                &machine.span("id"),
                format!(
                    "machine.id: {} is there twice; write another id",
                    machine.value.id
                ),
            );
        }
    }
    for kiosk in kiosks {
        let named = kiosk.value.machine.as_str();
        if !machine_ids.contains(named) {
            root.refuse_at(
                &kiosk.span("machine"),
                format!(
                    "kiosk.machine: there is no machine {named}; write {}",
                    one_of(machine_ids.iter().copied())
                ),
            );
        }
    }
}

pub(super) fn readers(
    root: &Section<'_>,
    placed: &BTreeMap<&DeviceId, DeviceKind>,
    readers: &[At<'_, SamVReader>],
    simulated: bool,
) {
    let known: BTreeSet<&str> = placed
        .iter()
        .filter(|(_, kind)| **kind == DeviceKind::Reader)
        .map(|(id, _)| id.as_str())
        .collect();
    let (mut driven, mut places) = (BTreeSet::new(), BTreeSet::new());
    for reader in readers {
        let named = reader.value.device.as_str();
        let address = &reader.value.address;
        let refuse = |key, what: String| {
            root.refuse_at(&reader.span(key), format!("sam_v_reader.{key}: {what}"));
        };
        if !known.contains(named) {
            let known = one_of(known.iter().copied());
            refuse(
                "device",
                format!("no machine and no kiosk has the reader {named}; write {known}"),
            );
        }
        if !driven.insert(named) {
            refuse(
                "device",
                format!("{named} is there twice; write each reader once"),
            );
        }
        if !places.insert(address) {
            refuse(
                "address",
                "is that of another reader; write each address once".to_owned(),
            );
        }
        if simulated && !matches!(address, LineAddress::Tcp(at) if at.ip().is_loopback()) {
            refuse("address", "a simulated reader listens on loopback; write \"tcp://127.0.0.1:5021\", or simulated_devices = false under [demo]".to_owned());
        }
    }
}

fn some(root: &Section<'_>, key: &'static str, with: &str) {
    if !root.has(key) {
        root.refuse(key, format!("there is none; write [[{key}]] with {with}"));
    }
}

/// A device id is an MQTT client id: two devices of one id would throw each other out for ever.
fn unique_devices(root: &Section<'_>, machines: &[At<'_, Machine>], kiosks: &[At<'_, Kiosk>]) {
    let mut known: BTreeMap<&DeviceId, String> = BTreeMap::new();
    for machine in machines {
        let devices = &machine.value.devices;
        for (key, id) in [
            ("dispenser", &devices.dispenser),
            ("reader", &devices.reader),
            ("intake_reader", &devices.intake_reader),
            ("scanner", &devices.scanner),
            ("camera", &devices.camera),
        ] {
            let role = format!("the {} of {}", key.replace('_', " "), machine.value.id);
            if let Some(other) = known.get(id) {
                root.refuse_at(
                    &machine.span(key),
                    format!("machine.{key}: {id} is {other} already; write another id"),
                );
            } else {
                known.insert(id, role);
            }
        }
    }
    for kiosk in kiosks {
        let id = &kiosk.value.id;
        if let Some(other) = known.get(id) {
            root.refuse_at(
                &kiosk.span("id"),
                format!("kiosk.id: {id} is {other} already; write another id"),
            );
        } else {
            known.insert(id, "a kiosk".to_owned());
        }
    }
}

pub(super) fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.map(|word| format!("\"{word}\"")).collect();
    if words.is_empty() {
        "one that is configured".to_owned()
    } else {
        words.join(" or ")
    }
}

//! Devices that several citizens need at once (A9, V1): nobody waits for ever while another one tries again, and nobody is told that a
//! device failed that was only in use.

use crate::hall::citizen::on_to;
use crate::hall::prelude::*;
use gateway_core::{Input, Request};
use schemas::ids::{MachineId, OperatorId};
use schemas::message::kiosk::MaintenanceTarget;
use schemas::words::Service;
use schemas::words::application::{EligibilityVerdict, WindowReason};

const OTHER: Case = Case { who: 2, ..GOOD };

fn machine() -> MachineId {
    MachineId::new("machine-1").unwrap()
}

fn operator() -> OperatorId {
    OperatorId::new("operator-1").unwrap()
}

fn commission(hall: &mut Hall) -> Outcome {
    hall.input(Input::Commission {
        operator: operator(),
        machine: machine(),
    })
}

/// The step at a kiosk, and the device that it waits for.
fn stands(hall: &Hall, kiosk: &str) -> (Option<S>, Option<String>) {
    let (_, page) = hall.prompt(kiosk).unwrap();
    (page.step, page.awaits.map(|device| device.to_string()))
}

/// A9: whoever walked away from the scanner does not keep it for all their attempts: the one who waits comes next, and then they do.
#[test]
fn a9_who_waits_for_a_device_comes_before_another_attempt() {
    let mut hall = Hall::new();
    let first = up_to(&mut hall, &GOOD, "kiosk-1", S::RightFinger);
    let second = hall.begin("kiosk-2");
    for _ in 0..100 {
        if stands(&hall, "kiosk-2").0 == Some(S::RightFinger) {
            break;
        }
        // The first citizen's scanner is silent, so what is asked first is left alone.
        let asked = hall
            .effects()
            .into_iter()
            .find(|e| e.device != device("scanner-2"));
        match (
            OTHER.entry(&hall, &hall.prompt("kiosk-2").unwrap().1),
            asked,
        ) {
            (Some(entry), _) => drop(hall.enter("kiosk-2", entry)),
            (None, Some(effect)) => {
                let reply = match &effect.order {
                    gateway_core::Order::Read => gateway_core::Reply::Read(Ok(crate::hall::card(
                        &crate::hall::person(2, Card::Good, None),
                    ))),
                    _ => hall.orderly(&effect),
                };
                hall.reply(&effect, reply);
            }
            (None, None) => assert!(hall.answer(&second, EligibilityVerdict::Eligible)),
        }
    }
    let waits = (Some(S::RightFinger), Some("scanner-2".to_owned()));
    assert_eq!(stands(&hall, "kiosk-2"), waits);
    assert_eq!(stands(&hall, "kiosk-1"), (Some(S::RightFinger), None));
    // Nobody comes to the first kiosk's scanner.
    hall.advance(110_000);
    assert_eq!(stands(&hall, "kiosk-2"), (Some(S::RightFinger), None));
    assert_eq!(stands(&hall, "kiosk-1"), waits);
    let effect = hall.effects().first().cloned().unwrap();
    let reply = hall.orderly(&effect);
    hall.reply(&effect, reply);
    assert_eq!(stands(&hall, "kiosk-1"), (Some(S::RightFinger), None));
    assert_eq!(stands(&hall, "kiosk-2").0, Some(S::LeftFinger));
    for (case, kiosk, session) in [(GOOD, "kiosk-1", &first), (OTHER, "kiosk-2", &second)] {
        let outcome = finish(&mut hall, &case, kiosk, session);
        assert_eq!(outcome, ApplicationOutcome::Accepted);
    }
    assert_eq!(hall.state, hall.replay());
}

/// A15, V2: an operator who commissions a machine has its devices all the while. Whoever waits for one is told that it was in use, not that
/// it failed: with a ticket, where something was entered.
#[test]
fn a15_a_device_that_was_in_use_did_not_fail() {
    for (kind, step, outcome, reason) in [
        (
            Kind::Renewal,
            S::ReadCard,
            ApplicationOutcome::TimedOut,
            None,
        ),
        (
            Kind::Lost,
            S::TakeLivePhoto,
            ApplicationOutcome::Window,
            Some(WindowReason::DeviceBusy),
        ),
    ] {
        let mut hall = Hall::new();
        let case = Case { kind, ..GOOD };
        let devices = &mut hall.rules.machines.get_mut(&machine()).unwrap().devices;
        (devices.reader, devices.camera) = (device("reader-3"), device("camera-2"));
        let session = up_to(&mut hall, &case, "kiosk-2", S::ChooseResidence);
        assert!(matches!(commission(&mut hall), Outcome::Accepted(_)));
        on_to(&mut hall, &case, "kiosk-2", &session, step);
        assert!(stands(&hall, "kiosk-2").1.is_some(), "it waits");
        hall.advance(439_999);
        assert_eq!(stands(&hall, "kiosk-2").0, Some(step));
        hall.advance(1);
        let (_, page) = hall.prompt("kiosk-2").unwrap();
        assert_eq!((page.outcome, page.window_reason), (Some(outcome), reason));
    }
}

/// V2: no machine is commissioned under the hands of somebody who applies, at its kiosk or with one of its devices.
#[test]
fn v2_nobody_is_interrupted_by_a_commissioning() {
    let busy = Outcome::Refused(RefusalReason::MachineBusy);
    let mut hall = Hall::new();
    let session = up_to(&mut hall, &GOOD, "kiosk-1", S::GivePortrait);
    assert_eq!(commission(&mut hall), busy);
    hall.request("kiosk-1", Request::Cancel { session });
    let devices = &mut hall.rules.machines.get_mut(&machine()).unwrap().devices;
    devices.camera = device("camera-2");
    let session = up_to(&mut hall, &GOOD, "kiosk-2", S::TakeLivePhoto);
    assert_eq!(commission(&mut hall), busy);
    on_to(&mut hall, &GOOD, "kiosk-2", &session, S::GivePhone);
    assert!(matches!(commission(&mut hall), Outcome::Accepted(_)));
    assert_eq!(hall.start("kiosk-1"), busy);
}

/// V3: a machine in an operator's hands is so with its kiosk and its devices, whoever shares them.
#[test]
fn v3_nobody_applies_at_a_machine_in_maintenance() {
    for (kiosk_is_own, scanner_is_own, taken) in [
        (true, false, false),
        (false, true, false),
        (false, false, true),
    ] {
        let mut hall = Hall::new();
        let other = MachineId::new("machine-2").unwrap();
        let mut rules = hall.rules.machines[&machine()].clone();
        let scanner = if scanner_is_own {
            "scanner-2"
        } else {
            "scanner-9"
        };
        rules.devices.scanner = device(scanner);
        hall.rules.machines.insert(other.clone(), rules);
        if kiosk_is_own {
            let kiosk = hall.rules.kiosks.get_mut(&device("kiosk-1")).unwrap();
            kiosk.machine = other.clone();
        }
        let request = Request::SetMaintenance {
            operator: operator(),
            target: MaintenanceTarget::Machine(other),
            on: true,
        };
        let outcome = hall.request("kiosk-2", request);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        let started = hall.start("kiosk-1");
        assert_eq!(
            matches!(started, Outcome::Accepted(_)),
            taken,
            "{started:?}"
        );
        if !taken {
            assert_eq!(started, Outcome::Refused(RefusalReason::Maintenance));
        }
    }
}

/// A1, ADR 44: a kiosk offers applications exactly where one would be taken: not while its scanner or camera is in an operator's hands, but
/// while its reader is, without which a card can be keyed.
#[test]
fn a1_what_is_offered_is_what_is_taken() {
    for (name, taken) in [
        ("scanner-2", false),
        ("camera-2", false),
        ("reader-3", true),
    ] {
        let mut hall = Hall::new();
        let offers = |hall: &Hall| {
            let services = hall.view("kiosk-1").services;
            services.contains(&Service::Application)
        };
        assert!(offers(&hall));
        let request = Request::SetMaintenance {
            operator: operator(),
            target: MaintenanceTarget::Device(device(name)),
            on: true,
        };
        let outcome = hall.request("kiosk-2", request);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        assert_eq!(offers(&hall), taken, "{name}");
        let started = hall.start("kiosk-1");
        assert_eq!(matches!(started, Outcome::Accepted(_)), taken, "{name}");
    }
}

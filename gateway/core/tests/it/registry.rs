//! The device registry (G1): devices that flap, lie, or are in maintenance. Never a citizen's session at a machine that is out of
//! service, and every session ends in a defined way.

use crate::world::{self, World, boot, device, machine, operator};
use gateway_core::{
    Described, FirmwarePattern, Input, Outcome, PeripheralReport, RegistryInput, Request, registry,
    views,
};
use proptest::prelude::*;
use schemas::event::Event;
use schemas::event::device::DeviceContradiction;
use schemas::event::station::Presence;
use schemas::ids::DeviceSerial;
use schemas::message::kiosk::MaintenanceTarget;
use schemas::message::peripheral::Paper;
use schemas::words::{DeviceKind, DownReason, MachineReason, PickupOutcome, RefusalReason};

fn says(kind: DeviceKind, serial: &str) -> Described {
    Described {
        kind,
        firmware: "1.4.0".to_owned(),
        serial: Some(DeviceSerial::new(serial).unwrap()),
        totals: vec!["dispensed-total".to_owned()],
    }
}

fn describe(world: &mut World, name: &str, said: Described) -> Outcome {
    let device = device(name);
    world.registry(RegistryInput::Described { device, said })
}

fn count(world: &mut World, name: &str, count: u64) -> Outcome {
    world.registry(RegistryInput::Counted {
        device: device(name),
        total: "dispensed-total".to_owned(),
        count,
    })
}

fn accept(world: &mut World, name: &str) -> Outcome {
    world.registry(RegistryInput::AcceptDevice {
        device: device(name),
        operator: operator(),
        says: None,
    })
}

fn maintain(world: &mut World, name: &str, on: bool) -> Outcome {
    world.registry(RegistryInput::Maintain {
        operator: operator(),
        name: name.to_owned(),
        on,
    })
}

fn down(world: &World, name: &str) -> Option<DownReason> {
    let registry = registry(&world.state, &world.rules);
    let found = registry.devices.iter().find(|d| d.device == device(name));
    found.unwrap().down
}

fn count_of(world: &World, wanted: &str) -> usize {
    world.types().iter().filter(|name| **name == wanted).count()
}

fn blip(world: &mut World, name: &str) {
    world.lost(name);
    world.online(name);
}

const REFUSED: fn(RefusalReason) -> Outcome = Outcome::Refused;

/// G1: up to the limit each coming and going is recorded; beyond it the device is down, and a hundred more make one event when it is
/// quiet, which says how many they were.
#[test]
fn a_flapping_device_is_down_until_it_is_quiet() {
    let mut world = World::stocked();
    for _ in 0..=world.rules.registry.flaps_max {
        assert_ne!(down(&world, "scanner-1"), Some(DownReason::Flapping));
        blip(&mut world, "scanner-1");
    }
    assert_eq!(down(&world, "scanner-1"), Some(DownReason::Flapping));
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        REFUSED(RefusalReason::DeviceOffline)
    );
    let before = world.log.len();
    for _ in 0..50 {
        world.advance(1_000);
        blip(&mut world, "scanner-1");
    }
    assert_eq!(world.log.len(), before, "a blip is not recorded");
    world.advance(119_000);
    assert_eq!(down(&world, "scanner-1"), Some(DownReason::Flapping));
    world.advance(1_000);
    assert_eq!(down(&world, "scanner-1"), None);
    let steady = world.log.last().unwrap().1.clone();
    let Event::DeviceSteady(steady) = steady else {
        panic!("{steady:?}")
    };
    assert_eq!(steady.changes, 101, "the last birth of the sixth blip too");
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
}

/// G1: what it does while it is held is what it is afterwards, and after a restart of the gateway the quiet is measured anew.
#[test]
fn a_device_that_ends_lost_is_lost() {
    let mut world = World::stocked();
    for _ in 0..=world.rules.registry.flaps_max {
        blip(&mut world, "camera-1");
    }
    world.lost("camera-1");
    world.advance(60_000);
    world.restart();
    world.lost("camera-1");
    world.advance(119_000);
    assert_eq!(down(&world, "camera-1"), Some(DownReason::Flapping));
    world.advance(1_000);
    assert_eq!(down(&world, "camera-1"), Some(DownReason::Lost));
    world.online("camera-1");
    assert_eq!(down(&world, "camera-1"), None);
    assert_eq!(world.replay(), world.state);
}

/// G1: a device that goes now and then, by its policy, never flaps.
#[test]
fn a_device_that_goes_now_and_then_is_no_flapping_one() {
    let mut world = World::stocked();
    for _ in 0..20 {
        world.advance(61_000);
        blip(&mut world, "scanner-1");
    }
    assert_eq!(count_of(&world, "station.device.flapping.v1"), 0);
    assert_eq!(down(&world, "scanner-1"), None);
}

/// G1: a dispenser that begins to flap in the middle of a session is followed to the session's end: no card stays under way.
#[test]
fn a_session_outlives_the_flapping_of_its_dispenser() {
    let mut world = World::stocked();
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
    for _ in 0..8 {
        blip(&mut world, "dispenser-1");
    }
    assert_eq!(down(&world, "dispenser-1"), Some(DownReason::Flapping));
    for _ in 0..200 {
        world.take_card(false);
        if world.state.sessions().count() == 0 {
            break;
        }
        if !world.act(0, false) {
            world.advance(1_000);
        }
    }
    assert_eq!(world.state.sessions().count(), 0);
    assert!(world.state.machines().all(|(_, blocked)| !blocked));
}

/// G1, C2: maintenance takes no new citizen and ends nobody's session; operators' acts stay possible; what every kiosk shows says why.
#[test]
fn maintenance_takes_no_new_session_and_ends_none() {
    for target in ["machine-1", "camera-1", "kiosk-1"] {
        let mut world = World::stocked();
        assert!(matches!(
            world.start_pickup("kiosk-1", 1),
            Outcome::Accepted(_)
        ));
        assert!(matches!(
            maintain(&mut world, target, true),
            Outcome::Accepted(_)
        ));
        assert_eq!(
            maintain(&mut world, target, true),
            REFUSED(RefusalReason::AlreadySo)
        );
        for _ in 0..100 {
            world.take_card(false);
            if !world.act(0, false) {
                break;
            }
        }
        world.take_card(false);
        let ended = world.log.iter().rev().find_map(|(_, event)| match event {
            Event::PickupEnded(ended) => Some(ended.outcome),
            _ => None,
        });
        assert_eq!(ended, Some(PickupOutcome::Collected), "{target}");
        assert_eq!(
            world.start_pickup("kiosk-1", 4),
            REFUSED(RefusalReason::Held),
            "what concerns the card is said first"
        );
        assert_eq!(
            world.start_pickup("kiosk-1", 2),
            REFUSED(RefusalReason::Maintenance),
            "{target}"
        );
        let view = &views(&world.state, &world.rules)[&device("kiosk-1")];
        assert_eq!(view.machine_reason, Some(MachineReason::Maintenance));
        let request = Request::StockTake {
            operator: operator(),
            machine: machine(),
        };
        assert!(matches!(
            world.request("kiosk-1", request),
            Outcome::Accepted(_)
        ));
        world.settle();
        assert!(matches!(
            maintain(&mut world, target, false),
            Outcome::Accepted(_)
        ));
        assert!(matches!(
            world.start_pickup("kiosk-1", 2),
            Outcome::Accepted(_)
        ));
    }
}

/// G6: a maintenance that lasts too long is told once, after a restart and a reboot too; what is unknown is refused.
#[test]
fn a_forgotten_maintenance_is_told_once() {
    let mut world = World::stocked();
    assert_eq!(
        maintain(&mut world, "nothing-1", true),
        REFUSED(RefusalReason::TargetUnknown)
    );
    let request = Request::SetMaintenance {
        operator: operator(),
        target: MaintenanceTarget::Device(device("scanner-1")),
        on: true,
    };
    assert!(matches!(
        world.request("kiosk-1", request),
        Outcome::Accepted(_)
    ));
    let hour_ms = 3_600_000;
    world.advance(4 * hour_ms);
    // The machine boots again: its monotonic clock begins anew, its wall clock is believed.
    world.now.boot = boot(2);
    world.now.mono_ms = 1_000;
    world.restart();
    world.advance(4 * hour_ms - 1_000);
    assert_eq!(count_of(&world, "station.maintenance.overdue.v1"), 0);
    world.advance(1_000);
    world.advance(hour_ms);
    assert_eq!(count_of(&world, "station.maintenance.overdue.v1"), 1);
    let maintenance = registry(&world.state, &world.rules).maintenance;
    assert!(maintenance.len() == 1 && maintenance[0].overdue);
}

/// G1: another serial than before puts the device out of service with one event, whatever else it says, until an operator confirms it.
#[test]
fn another_serial_needs_an_operator() {
    let mut world = World::stocked();
    describe(&mut world, "reader-1", says(DeviceKind::Reader, "A-1"));
    describe(&mut world, "reader-1", says(DeviceKind::Reader, "A-1"));
    assert_eq!(count_of(&world, "station.device.identified.v1"), 1);
    world.restart();
    for serial in ["B-2", "C-3", "A-1", "B-2"] {
        describe(&mut world, "reader-1", says(DeviceKind::Reader, serial));
    }
    assert_eq!(count_of(&world, "station.device.contradicted.v1"), 1);
    assert_eq!(down(&world, "reader-1"), Some(DownReason::Contradicted));
    assert_eq!(
        world.start_pickup("kiosk-1", 1),
        REFUSED(RefusalReason::DeviceContradicted)
    );
    world.restart();
    assert_eq!(
        accept(&mut world, "reader-1"),
        REFUSED(RefusalReason::DeviceOffline),
        "nobody knows who would be confirmed"
    );
    describe(&mut world, "reader-1", says(DeviceKind::Reader, "B-2"));
    assert!(matches!(
        accept(&mut world, "reader-1"),
        Outcome::Accepted(_)
    ));
    assert_eq!(
        accept(&mut world, "reader-1"),
        REFUSED(RefusalReason::NothingToAccept)
    );
    describe(&mut world, "reader-1", says(DeviceKind::Reader, "B-2"));
    world.settle();
    assert!(matches!(
        world.start_pickup("kiosk-1", 1),
        Outcome::Accepted(_)
    ));
}

/// G1, V1: what the configuration says is not confirmed away: kind, serial, firmware.
#[test]
fn the_configuration_is_changed_where_it_is_written() {
    let serial = |text| DeviceSerial::new(text).unwrap();
    let mut world = World::stocked();
    let rules = world.rules.devices.get_mut(&device("reader-1")).unwrap();
    rules.serial = Some(serial("A-1"));
    rules.firmware = Some(FirmwarePattern::new("1.*".to_owned()));
    let mut old = says(DeviceKind::Reader, "A-1");
    old.firmware = "2.0".to_owned();
    for said in [
        says(DeviceKind::Camera, "A-1"),
        says(DeviceKind::Reader, "B-2"),
        old,
    ] {
        let rules = world.rules.clone();
        let mut world = World::stocked();
        world.rules = rules;
        describe(&mut world, "reader-1", said);
        assert_eq!(down(&world, "reader-1"), Some(DownReason::Contradicted));
        assert_eq!(
            accept(&mut world, "reader-1"),
            REFUSED(RefusalReason::NotAsConfigured)
        );
    }
    // An exchange that is written down is one that nobody has to confirm.
    describe(&mut world, "reader-1", says(DeviceKind::Reader, "A-1"));
    let rules = world.rules.devices.get_mut(&device("reader-1")).unwrap();
    rules.serial = Some(serial("B-2"));
    describe(&mut world, "reader-1", says(DeviceKind::Reader, "B-2"));
    assert_eq!(down(&world, "reader-1"), None);
    assert_eq!(count_of(&world, "station.device.identified.v1"), 2);
}

/// G1: a total that falls or jumps cannot be; what is recorded of it survives a restart of the gateway.
#[test]
fn totals_never_fall_or_jump() {
    let lie = |world: &World| {
        let device = world.log.iter().rev().find_map(|(_, event)| match event {
            Event::DeviceContradicted(e) => Some(e.contradiction.clone()),
            _ => None,
        });
        device.unwrap()
    };
    let counting = || {
        let mut world = World::stocked();
        describe(
            &mut world,
            "dispenser-1",
            says(DeviceKind::Dispenser, "D-1"),
        );
        count(&mut world, "dispenser-1", 4_000);
        count(&mut world, "dispenser-1", 4_001);
        count(&mut world, "dispenser-1", 4_001);
        world
    };
    let total = "dispensed-total".to_owned();
    let mut world = counting();
    assert_eq!(count_of(&world, "station.device.counted.v1"), 1);
    count(&mut world, "dispenser-1", 4_000);
    let fell = DeviceContradiction::TotalFell {
        total: total.clone(),
        last: 4_001,
        said: 4_000,
    };
    assert_eq!(lie(&world), fell);
    assert!(matches!(
        accept(&mut world, "dispenser-1"),
        Outcome::Accepted(_)
    ));
    count(&mut world, "dispenser-1", 3);
    assert_eq!(down(&world, "dispenser-1"), None);

    let mut world = counting();
    count(&mut world, "dispenser-1", 5_002);
    let jumped = DeviceContradiction::TotalJumped {
        total: total.clone(),
        last: 4_001,
        said: 5_002,
    };
    assert_eq!(lie(&world), jumped);

    // It goes with 4,001 counted, and comes with fewer: in another life of the gateway too.
    let mut world = counting();
    world.lost("dispenser-1");
    assert_eq!(count_of(&world, "station.device.counted.v1"), 2);
    world.restart();
    describe(
        &mut world,
        "dispenser-1",
        says(DeviceKind::Dispenser, "D-1"),
    );
    count(&mut world, "dispenser-1", 0);
    let fell = DeviceContradiction::TotalFell {
        total,
        last: 4_001,
        said: 0,
    };
    assert_eq!(lie(&world), fell);
}

/// G1: a count that its device does not name as one of its whole life begins anew with each of its lives, and only then.
#[test]
fn counts_of_one_life_begin_anew_with_the_next() {
    let mut world = World::stocked();
    let counted = |world: &mut World, count| {
        world.registry(RegistryInput::Counted {
            device: device("scanner-1"),
            total: "captures-total".to_owned(),
            count,
        })
    };
    counted(&mut world, 70);
    world.input(Input::Life {
        device: device("scanner-1"),
        presence: Presence::Online {
            boot: boot(777),
            protocol: 1,
        },
        boot: boot(777),
        witness: None,
    });
    counted(&mut world, 0);
    counted(&mut world, 2);
    assert_eq!(count_of(&world, "station.device.contradicted.v1"), 0);
    counted(&mut world, 1);
    assert_eq!(count_of(&world, "station.device.contradicted.v1"), 1);
}

/// G1: what a kiosk brings is lost with it; a peripheral with a connection of its own is not. And a report is its kind's alone.
#[test]
fn what_a_kiosk_brings_dies_with_it() {
    for (own, expected) in [(false, Some(DownReason::Lost)), (true, None)] {
        let mut world = World::stocked();
        let life = if own { boot(900) } else { boot(101) };
        world.input(Input::Life {
            device: device("printer-1"),
            presence: Presence::Online {
                boot: life.clone(),
                protocol: 1,
            },
            boot: life,
            witness: None,
        });
        assert_eq!(down(&world, "printer-1"), None);
        world.lost("kiosk-1");
        assert_eq!(down(&world, "printer-1"), expected);
    }
    let mut world = World::stocked();
    let mut report = |name| {
        let report = PeripheralReport::Paper(Paper::Out);
        world.input(Input::Peripheral {
            device: device(name),
            report,
        })
    };
    assert!(matches!(report("printer-1"), Outcome::Accepted(_)));
    assert_eq!(report("camera-1"), REFUSED(RefusalReason::Unknown));
}

#[derive(Debug, Clone)]
enum Action {
    Start(usize, u16),
    Blip(usize),
    Lost(usize),
    Online(usize),
    Maintain(usize, bool),
    Serial(usize, usize),
    Count(u64),
    Accept(usize),
    Act(usize),
    Take,
    Advance(u64),
    Restart,
}

const NAMES: [&str; 6] = [
    "dispenser-1",
    "reader-1",
    "scanner-1",
    "camera-1",
    "kiosk-1",
    "machine-1",
];

fn action() -> impl Strategy<Value = Action> {
    use Action as A;
    prop_oneof![
        4 => (0..2usize, 1..4u16).prop_map(|(kiosk, card)| A::Start(kiosk, card)),
        4 => (0..5usize).prop_map(A::Blip),
        1 => (0..5usize).prop_map(A::Lost),
        2 => (0..5usize).prop_map(A::Online),
        2 => (0..6usize, any::<bool>()).prop_map(|(name, on)| A::Maintain(name, on)),
        1 => (0..5usize, 0..3usize).prop_map(|(name, serial)| A::Serial(name, serial)),
        2 => (0..3_000u64).prop_map(A::Count),
        3 => (0..5usize).prop_map(A::Accept),
        20 => (0..4usize).prop_map(A::Act),
        3 => Just(A::Take),
        3 => prop_oneof![Just(1u64), Just(31_000), Just(121_000)].prop_map(A::Advance),
        1 => Just(A::Restart),
    ]
}

/// What is out of service now, by the events alone: not by the state that is under test.
fn out_of_service(world: &World) -> bool {
    let (mut lying, mut maintained, mut flapping) = (
        std::collections::BTreeSet::new(),
        std::collections::BTreeSet::new(),
        std::collections::BTreeSet::new(),
    );
    for (_, event) in &world.log {
        match event {
            Event::DeviceContradicted(e) => drop(lying.insert(e.device.clone())),
            Event::DeviceAccepted(e) => drop(lying.remove(&e.device)),
            Event::DeviceFlapping(e) => drop(flapping.insert(e.device.clone())),
            Event::DeviceSteady(e) => drop(flapping.remove(&e.device)),
            Event::MaintenanceChanged(e) if e.on => drop(maintained.insert(e.target.clone())),
            Event::MaintenanceChanged(e) => drop(maintained.remove(&e.target)),
            _ => {}
        }
    }
    // The kiosks are two, and only the first is ever out.
    let own = |id: &schemas::ids::DeviceId| id.as_str() != "kiosk-1";
    lying.iter().any(own)
        || flapping.iter().any(own)
        || maintained.iter().any(|target| target.as_str() != "kiosk-1")
}

fn apply(world: &mut World, action: &Action) {
    match *action {
        Action::Start(kiosk, card) => {
            let out = out_of_service(world);
            let outcome = world.start_pickup(world::KIOSKS[kiosk], card);
            assert!(
                !out || matches!(outcome, Outcome::Refused(_)),
                "a session began at a machine out of service"
            );
        }
        Action::Blip(name) => blip(world, NAMES[name]),
        Action::Lost(name) => world.lost(NAMES[name]),
        Action::Online(name) => world.online(NAMES[name]),
        Action::Maintain(name, on) => drop(maintain(world, NAMES[name], on)),
        Action::Serial(name, serial) => {
            let kind = world.rules.devices[&device(NAMES[name])].kind;
            let serial = ["A-1", "A-1", "B-2"][serial];
            describe(world, NAMES[name], says(kind, serial));
        }
        Action::Count(number) => drop(count(world, "dispenser-1", number)),
        Action::Accept(name) => drop(accept(world, NAMES[name])),
        Action::Act(pick) => drop(world.act(pick, false)),
        Action::Take => world.take_card(false),
        Action::Advance(ms) => world.advance(ms),
        Action::Restart => world.restart(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    /// G1: for any history no citizen's session begins at a machine out of service, and each that began has ended once all is quiet.
    #[test]
    fn g1_no_session_at_a_machine_out_of_service(actions in prop::collection::vec(action(), 1..150)) {
        let mut world = World::stocked();
        for action in &actions {
            apply(&mut world, action);
        }
        prop_assert_eq!(world.replay(), world.state.clone());
        for name in &NAMES[..5] {
            world.online(name);
        }
        world.settle();
        world.advance(121_000);
        for name in &NAMES[..5] {
            world.online(name);
        }
        world.settle();
        prop_assert_eq!(world.state.sessions().count(), 0);
        let count = |wanted| count_of(&world, wanted);
        prop_assert_eq!(count("station.pickup.started.v1"), count("station.pickup.ended.v1"));
        let quiet = registry(&world.state, &world.rules).devices;
        prop_assert!(quiet.iter().all(|device| !device.flapping));
        prop_assert_eq!(world.replay(), world.state);
    }
}

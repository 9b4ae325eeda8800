//! `station.toml`: what this station is, where its things are and how much of everything is enough.

pub(crate) mod application;
pub(crate) mod broker;
pub(crate) mod camera;
pub(crate) mod centre;
pub(crate) mod check;
pub(crate) mod device;
pub(crate) mod dispenser;
pub(crate) mod face_matcher;
pub(crate) mod installed;
pub(crate) mod line;
pub(crate) mod log;
pub(crate) mod operator;
pub(crate) mod pull;
pub(crate) mod scanner;
pub(crate) mod window;

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use schemas::envelope::Origin;
use schemas::ids::{DeviceId, MachineId, StationId};
use schemas::text::Invalid;
use schemas::words::DeviceKind;

use crate::adapted::Adapted;
use crate::policy::Policy;
use crate::reader::Section;
use application::Accepting;
use broker::Broker;
use camera::OnvifCamera;
use centre::Centre;
use device::{Kiosk, Machine, SamVReader};
use dispenser::ModbusDispenser;
use face_matcher::FaceMatcher;
use installed::Installed;
use operator::Operator;
use pull::Pull;
use scanner::ZfmScanner;
use window::Window;

/// A station, every value checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Its id: the third level of every topic.
    pub id: StationId,
    /// The province that signs for it: part of the log's origin.
    pub province: Province,
    /// Where its data lies.
    pub storage: Storage,
    /// The centre it belongs to.
    pub centre: Centre,
    /// How devices reach it.
    pub broker: Broker,
    /// Metrics and health.
    pub http: Http,
    /// Where auditors and the centre pull the log; none: nowhere.
    pub pull: Option<Pull>,
    /// Limits on messages under way.
    pub pipeline: Pipeline,
    /// How long the log's events are kept, and in what portions.
    pub log: log::LogRules,
    /// Whether the wall clock is believed.
    pub clock: Clock,
    /// The pickup machines; at least one.
    pub machines: Vec<Machine>,
    /// The kiosks; at least one.
    pub kiosks: Vec<Kiosk>,
    /// What is known of installed devices beyond their place.
    pub installed: Vec<Installed>,
    /// Who may load cards and take stock.
    pub operators: Vec<Operator>,
    /// Dispensers reached over Modbus.
    pub modbus_dispensers: Vec<ModbusDispenser>,
    /// ID-card readers reached over their own protocol. Other readers speak MQTT.
    pub sam_v_readers: Vec<SamVReader>,
    /// Fingerprint scanners reached over their own protocol. Other scanners speak MQTT.
    pub zfm_scanners: Vec<ZfmScanner>,
    /// Cameras reached over ONVIF or HTTP. Other cameras speak MQTT.
    pub onvif_cameras: Vec<OnvifCamera>,
    /// Services that compare faces.
    pub face_matchers: Vec<FaceMatcher>,
    /// Who accepts applications here; none: nobody.
    pub application: Option<Accepting>,
    /// Officers who open window tickets.
    pub window: Window,
    /// Devices simulated within the program.
    pub demo: Demo,
    /// The rules.
    pub policy: Policy,
}

impl Station {
    /// The name of the log: `gateway.<province>/station/<id>/<incarnation>`. An incarnation is one
    /// life of the log: 1 to 36 lower-case letters, digits or hyphens.
    ///
    /// # Errors
    /// The incarnation has other characters or is too long.
    pub fn origin(&self, incarnation: &str) -> Result<Origin, Invalid> {
        Origin::new(format!(
            "gateway.{}/station/{}/{incarnation}",
            self.province, self.id
        ))
    }

    /// The machine `id`.
    pub fn machine(&self, id: &MachineId) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.id == *id)
    }

    /// Every installed device with its kind: those of machines, kiosks, kiosks' peripherals, and face matchers.
    pub fn device_kinds(&self) -> BTreeMap<DeviceId, DeviceKind> {
        let placed = installed::by_place(self.machines.iter(), self.kiosks.iter());
        let placed = placed.into_iter().map(|(id, kind)| (id.clone(), kind));
        let more = self.installed.iter();
        let more = more.filter_map(|device| Some((device.id.clone(), device.kind?)));
        let matchers = self.face_matchers.iter();
        let matchers = matchers.map(|matcher| (matcher.device.clone(), DeviceKind::FaceMatcher));
        more.chain(matchers).chain(placed).collect()
    }

    /// The kiosk that a peripheral belongs to.
    pub fn owner_of(&self, device: &DeviceId) -> Option<&DeviceId> {
        let owner = |kiosk: &&Kiosk| kiosk.peripherals.contains(device);
        self.kiosks.iter().find(owner).map(|kiosk| &kiosk.id)
    }

    /// The devices that this process itself brings to MQTT.
    pub fn adapted(&self) -> Adapted<'_> {
        Adapted {
            modbus_dispensers: &self.modbus_dispensers,
            sam_v_readers: &self.sam_v_readers,
            zfm_scanners: &self.zfm_scanners,
            onvif_cameras: &self.onvif_cameras,
            face_matchers: &self.face_matchers,
        }
    }

    /// The machine that the dispenser `id` belongs to.
    pub fn machine_of_dispenser(&self, id: &DeviceId) -> Option<&Machine> {
        self.machines
            .iter()
            .find(|machine| machine.devices.dispenser == *id)
    }
}

/// Where the station's data lies. Relative paths are relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Log, `HEAD`, sealed blobs.
    pub data_folder: PathBuf,
    /// Signing key and lookup key; apart from the data, so that one backup never holds both.
    pub keys_folder: PathBuf,
    /// Manifests that wait to be received.
    pub inbox_folder: PathBuf,
    /// New sessions are refused while the disk of the data folder has less free room, in MiB.
    pub room_low_mib: u64,
    /// Room that is set aside at start and given up so that running sessions can end, in MiB.
    pub reserve_mib: u64,
}

/// Metrics and health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
}

/// Limits on messages under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Messages waiting for the loop; more are refused as busy.
    pub queue_len_max: usize,
    /// Messages decided together and made durable by one flush.
    pub group_len_max: usize,
    /// Longest blob, in KiB.
    pub blob_kib_max: usize,
    /// Blobs being sealed and written at once.
    pub blobs_in_flight_max: usize,
    /// PINs being compared at once; each takes the memory of its hash.
    pub pin_checks_in_flight_max: usize,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            queue_len_max: 1_024,
            group_len_max: 64,
            blob_kib_max: 1_024,
            blobs_in_flight_max: 8,
            pin_checks_in_flight_max: 1,
        }
    }
}

/// Whether the wall clock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// By whose word.
    pub trust: ClockTrustRule,
}

/// By whose word the wall clock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTrustRule {
    /// The system's: synchronised or not. With simulated devices the clock is believed.
    Auto,
    /// Ours: a clock that the system does not know of keeps it right.
    Always,
    /// Nobody's.
    Never,
}

/// Devices simulated within the program, for a station without hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demo {
    /// Whether every device but the kiosks is simulated.
    pub simulated_devices: bool,
    /// Where the simulator takes orders (a finger, a jam, a card taken). Loopback only.
    pub control: SocketAddr,
    /// Where the simulated centre's event store listens, if `[centre]` names no other. Loopback only.
    pub store: SocketAddr,
    /// Where that store takes orders to fail. Loopback only.
    pub store_control: SocketAddr,
    /// Where the simulated centre shows its pages. Loopback only.
    pub centre: SocketAddr,
    /// Where the simulated citizens' phone is: it shows messages and pays. Loopback only.
    pub phone: SocketAddr,
}

/// A province, as the log's origin names it: 1 to 32 lower-case letters, digits or inner hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Province(String);

impl FromStr for Province {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        // The same rule as a station id: both are levels of the origin.
        match StationId::new(text) {
            Ok(id) => Ok(Self(id.to_string())),
            Err(Invalid { rule, .. }) => Err(Invalid {
                what: "province",
                rule,
            }),
        }
    }
}

impl fmt::Display for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn read(root: &mut Section<'_>, policy: Policy) -> Option<Station> {
    let head = root.required("station", |s| {
        (
            s.parsed("id", "\"demo\""),
            s.parsed("province", "\"shanghai\""),
        )
    });
    let demo = root.section("demo", demo).unwrap_or(Demo {
        simulated_devices: false,
        control: loopback(9465),
        store: loopback(2113),
        store_control: loopback(9467),
        centre: loopback(9468),
        phone: loopback(9471),
    });
    let storage = root
        .section("storage", storage)
        .unwrap_or_else(default_storage);
    let centre = root.section("centre", centre::read);
    let broker = broker::read(root);
    let http = root.section("http", |s| Http {
        listen: s.address("listen", loopback(9464)),
    });
    let pull = root.section("pull", pull::read).flatten();
    let pipeline = root.section("pipeline", pipeline);
    let log = root.section("log", log::read);
    let clock = root.section("clock", |s| Clock {
        trust: s.word("trust", TRUST_RULES, ClockTrustRule::Auto),
    });
    let machines = root.list("machine", device::machine);
    let kiosks = root.list("kiosk", device::kiosk);
    let installed = root.list("device", installed::read);
    let operators = root.list("operator", operator::read);
    let dispensers = root.list("modbus_dispenser", dispenser::read);
    let readers = root.list("sam_v_reader", device::sam_v_reader);
    let scanners = root.list("zfm_scanner", scanner::read);
    let cameras = root.list("onvif_camera", camera::read);
    let matchers = root.list("face_matcher", face_matcher::read);
    let accepting = root.section("application", application::read).flatten();
    let window = root.section("window", window::read);
    window::check(root);
    check::storage(root, &storage);
    check::log(root, log.unwrap_or_default(), &policy);
    check::blob_store(root, centre.as_ref());
    check::demo(root, &demo, centre.as_ref(), &operators);
    check::devices(root, &machines, &kiosks);
    let placed = installed::by_place(
        machines.iter().map(|at| &at.value),
        kiosks.iter().map(|at| &at.value),
    );
    dispenser::check(root, &machines, &dispensers, demo.simulated_devices);
    installed::check(root, &machines, &kiosks, &matchers, &installed);
    check::readers(root, &placed, &readers, demo.simulated_devices);
    scanner::check(root, &placed, &scanners, demo.simulated_devices);
    camera::check(root, &placed, &cameras, demo.simulated_devices);
    face_matcher::check(root, &machines, &kiosks, &scanners, &matchers);
    check::operators(root, &operators);
    let (id, province) = head?;
    let station = Station {
        id: id?,
        province: province?,
        storage,
        centre: centre.unwrap_or_default(),
        broker: broker?,
        http: http.unwrap_or(Http {
            listen: loopback(9464),
        }),
        pull,
        pipeline: pipeline.unwrap_or_default(),
        log: log.unwrap_or_default(),
        clock: clock.unwrap_or(Clock {
            trust: ClockTrustRule::Auto,
        }),
        machines: machines.into_iter().map(|at| at.value).collect(),
        kiosks: kiosks.iter().map(|at| at.value.clone()).collect(),
        installed: installed.into_iter().map(|at| at.value).collect(),
        operators: operators.into_iter().map(|at| at.value).collect(),
        modbus_dispensers: dispensers.into_iter().map(|at| at.value).collect(),
        sam_v_readers: readers.into_iter().map(|at| at.value).collect(),
        zfm_scanners: scanners.into_iter().map(|at| at.value).collect(),
        onvif_cameras: cameras.into_iter().map(|at| at.value).collect(),
        face_matchers: matchers.into_iter().map(|at| at.value).collect(),
        application: accepting,
        window: window.unwrap_or_default(),
        demo,
        policy,
    };
    application::check(root, &kiosks, &station.device_kinds());
    Some(station)
}

pub(crate) const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

const TRUST_RULES: &[(&str, ClockTrustRule)] = &[
    ("auto", ClockTrustRule::Auto),
    ("always", ClockTrustRule::Always),
    ("never", ClockTrustRule::Never),
];

fn default_storage() -> Storage {
    Storage {
        data_folder: "station-data".into(),
        keys_folder: "station-keys".into(),
        inbox_folder: "station-inbox".into(),
        room_low_mib: 512,
        reserve_mib: 64,
    }
}

fn storage(s: &mut Section<'_>) -> Storage {
    let default = default_storage();
    Storage {
        data_folder: s.path("data_folder").unwrap_or(default.data_folder),
        keys_folder: s.path("keys_folder").unwrap_or(default.keys_folder),
        inbox_folder: s.path("inbox_folder").unwrap_or(default.inbox_folder),
        room_low_mib: s.number("room_low_mib", 8..=1_048_576, default.room_low_mib),
        reserve_mib: s.number("reserve_mib", 1..=1_048_576, default.reserve_mib),
    }
}

fn pipeline(s: &mut Section<'_>) -> Pipeline {
    let default = Pipeline::default();
    Pipeline {
        queue_len_max: s.number("queue_len_max", 16..=65_536, default.queue_len_max),
        group_len_max: s.number("group_len_max", 1..=512, default.group_len_max),
        blob_kib_max: s.number("blob_kib_max", 16..=4_096, default.blob_kib_max),
        blobs_in_flight_max: s.number("blobs_in_flight_max", 1..=64, default.blobs_in_flight_max),
        pin_checks_in_flight_max: s.number(
            "pin_checks_in_flight_max",
            1..=8,
            default.pin_checks_in_flight_max,
        ),
    }
}

fn demo(s: &mut Section<'_>) -> Demo {
    let demo = Demo {
        simulated_devices: s.flag("simulated_devices", false),
        control: s.address("control", loopback(9465)),
        store: s.address("store", loopback(2113)),
        store_control: s.address("store_control", loopback(9467)),
        centre: s.address("centre", loopback(9468)),
        phone: s.address("phone", loopback(9471)),
    };
    if !demo.control.ip().is_loopback() {
        s.refuse(
            "control",
            format!("{} can be reached from outside, and it moves devices; write control = \"127.0.0.1:9465\"", demo.control),
        );
    }
    for (key, address) in [
        ("store", demo.store),
        ("store_control", demo.store_control),
        ("centre", demo.centre),
        ("phone", demo.phone),
    ] {
        if !address.ip().is_loopback() {
            let port = address.port();
            s.refuse(
                key,
                format!("{address} can be reached from outside, and it is for a demonstration; write {key} = \"127.0.0.1:{port}\""),
            );
        }
    }
    demo
}

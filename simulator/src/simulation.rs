//! All devices of one machine, started and ended together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use adapters::link::{Broker, LinkConfig};
use edge_config::ConfigErrors;
use edge_config::profile::DispenserProfile;
use schemas::ids::{BatchId, DeviceId, StationId};
use schemas::message::device::Description;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::camera::{self, CameraLogin, CameraProtocol};
use crate::citizen::{self, Pace};
use crate::device::Power;
use crate::dispenser::{Dispenser, DispenserLine, DispenserOptions, Shape};
use crate::made::MadeCards;
use crate::people::People;
use crate::reader::{self, Place, ReaderProtocol};
use crate::scanner::{self, ScannerProtocol};
use crate::world::{Behaviour, World};
use crate::{control, face_matcher, matcher};

/// Ids of the devices but the dispenser's, which is its adapter's. A device that speaks MQTT goes by its id there; one that does
/// not, and the matcher, are switched on and off by it.
#[derive(Debug, Clone)]
pub struct DeviceIds {
    /// The inner reader.
    pub reader: DeviceId,
    /// The intake's reader.
    pub intake: DeviceId,
    /// The scanner.
    pub scanner: DeviceId,
    /// The camera.
    pub camera: DeviceId,
    /// The matcher, which is a service.
    pub matcher: DeviceId,
    /// The face matcher, another one.
    pub face_matcher: DeviceId,
}

/// How fast the devices are, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speeds {
    /// Reading a chip.
    pub read_ms: u64,
    /// Comparing a finger.
    pub match_ms: u64,
    /// Taking a photo.
    pub capture_ms: u64,
}

impl Default for Speeds {
    fn default() -> Self {
        Self {
            read_ms: 150,
            match_ms: 200,
            capture_ms: 80,
        }
    }
}

/// Configuration of a simulation.
#[derive(Debug, Clone)]
pub struct SimulationConfig {
    /// The broker.
    pub broker: Broker,
    /// The station.
    pub station: StationId,
    /// The devices.
    pub devices: DeviceIds,
    /// Where the dispenser is reached.
    pub dispenser: DispenserLine,
    /// The file of the dispenser's register map; none: the shipped one.
    pub dispenser_profile: Option<PathBuf>,
    /// What the inner reader speaks.
    pub reader: ReaderProtocol,
    /// What the intake's reader speaks.
    pub intake_reader: ReaderProtocol,
    /// What the scanner speaks.
    pub scanner: ScannerProtocol,
    /// What the camera speaks.
    pub camera: CameraProtocol,
    /// Where the matcher listens, if at all; port 0 for any free one.
    pub matcher_listen: Option<SocketAddr>,
    /// Where the face matcher listens, if at all; port 0 for any free one.
    pub face_matcher_listen: Option<SocketAddr>,
    /// Where the control interface listens, if at all. Loopback.
    pub control_listen: Option<SocketAddr>,
    /// Folder of the dispenser's memory; made if missing.
    pub data_dir: PathBuf,
    /// Where a centre's maker puts the chips of the cards that it makes, if there is one.
    pub made_folder: Option<PathBuf>,
    /// Name of the batch of synthetic people.
    pub batch: BatchId,
    /// How many people.
    pub people_len: usize,
    /// Seed they are made from.
    pub seed: u64,
    /// The machine.
    pub shape: Shape,
    /// The other devices.
    pub speeds: Speeds,
    /// The citizen.
    pub pace: Pace,
    /// The citizen's ways.
    pub behaviour: Behaviour,
}

/// Why a simulation did not start.
#[derive(Debug, Error)]
pub enum SimulationError {
    /// A name of the defaults is not one.
    #[error(transparent)]
    Name(#[from] schemas::text::Invalid),
    /// The folder of the dispenser's memory.
    #[error("data folder {path}: {error}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The dispenser's register map.
    #[error(transparent)]
    Profile(#[from] ConfigErrors),
    /// A serial line.
    #[error("no serial line at {path}: {error}")]
    Line {
        /// Where it was to be.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A listener.
    #[error("{what} cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
}

impl SimulationConfig {
    /// The default machine at `broker`: station `demo`, Modbus TCP on 127.0.0.1:5020, readers on 5021 and 5022, the scanner on
    /// 5023, the matcher on 5024, the camera on 5025, the face matcher on 5026, control on 9465, 12 people of batch `demo-1`, a citizen who behaves.
    pub fn new(broker: Broker, data_dir: PathBuf) -> Result<Self, SimulationError> {
        Ok(Self {
            broker,
            station: StationId::new("demo")?,
            devices: DeviceIds {
                reader: DeviceId::new("reader-1")?,
                intake: DeviceId::new("reader-2")?,
                scanner: DeviceId::new("scanner-1")?,
                camera: DeviceId::new("camera-1")?,
                matcher: DeviceId::new("matcher-1")?,
                face_matcher: DeviceId::new("face-matcher-1")?,
            },
            dispenser: DispenserLine::Tcp(SocketAddr::from(([127, 0, 0, 1], 5020))),
            dispenser_profile: None,
            reader: ReaderProtocol::sam_v(5021, 1),
            intake_reader: ReaderProtocol::sam_v(5022, 2),
            scanner: ScannerProtocol::zfm(5023),
            camera: CameraProtocol::onvif(5025, CameraLogin::made_up()),
            matcher_listen: Some(SocketAddr::from(([127, 0, 0, 1], 5024))),
            face_matcher_listen: Some(SocketAddr::from(([127, 0, 0, 1], 5026))),
            control_listen: Some(SocketAddr::from(([127, 0, 0, 1], 9465))),
            data_dir,
            made_folder: None,
            batch: BatchId::new("demo-1")?,
            people_len: 12,
            seed: 1,
            shape: Shape::default(),
            speeds: Speeds::default(),
            pace: Pace::default(),
            behaviour: Behaviour::Good,
        })
    }
}

/// The running simulation.
#[derive(Debug)]
pub struct Simulation {
    world: Arc<World>,
    powers: Arc<Powers>,
    devices: Vec<JoinHandle<()>>,
    citizen: JoinHandle<()>,
    control: Option<(SocketAddr, JoinHandle<()>)>,
    readers: [Option<SocketAddr>; 2],
    scanner: Option<SocketAddr>,
    matcher: Option<SocketAddr>,
    camera: Option<SocketAddr>,
    face_matcher: Option<SocketAddr>,
}

/// The switches of the devices.
#[derive(Debug)]
pub(crate) struct Powers(Vec<(DeviceId, watch::Sender<Power>)>);

impl Powers {
    /// Switches a device. `false`: there is no such device.
    pub(crate) fn set(&self, device: &str, power: Power) -> bool {
        let found = self.0.iter().find(|(id, _)| id.as_str() == device);
        if let Some((_, switch)) = found {
            switch.send_replace(power);
        }
        found.is_some()
    }
}

impl Simulation {
    /// Starts all devices. Within a tokio runtime. It returns when the listeners listen; the MQTT devices
    /// go on trying until the broker is there.
    pub async fn start(config: SimulationConfig) -> Result<Self, SimulationError> {
        let people = People::new(config.batch.clone(), config.people_len, config.seed)?;
        let made = MadeCards::in_folder(config.made_folder.clone());
        let dispenser = start_dispenser(&config).await?;
        let world = Arc::new(World::new(people, made, dispenser, config.behaviour));
        let Started {
            switches,
            devices,
            readers,
            scanner,
            matcher,
            camera,
            face_matcher,
        } = start_devices(&config, &world).await?;
        let powers = Arc::new(Powers(switches));
        let control = match config.control_listen {
            Some(address) => {
                let listener =
                    TcpListener::bind(address)
                        .await
                        .map_err(|error| SimulationError::Listen {
                            what: "the control interface",
                            address,
                            error,
                        })?;
                let address = listener.local_addr().unwrap_or(address);
                let app = control::router(Arc::clone(&world), Arc::clone(&powers));
                Some((address, tokio::spawn(control::serve(listener, app))))
            }
            None => None,
        };
        let citizen = tokio::spawn(citizen::live(Arc::clone(&world), config.pace));
        Ok(Self {
            world,
            powers,
            devices,
            citizen,
            control,
            readers,
            scanner,
            matcher,
            camera,
            face_matcher,
        })
    }

    /// The world, for those in the same process.
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Where the dispenser listens.
    pub fn modbus_address(&self) -> SocketAddr {
        self.world.dispenser.address()
    }

    /// Where the inner reader and the intake's listen, unless they speak MQTT.
    pub const fn reader_addresses(&self) -> [Option<SocketAddr>; 2] {
        self.readers
    }

    /// Where the scanner listens, unless it speaks MQTT or is at a serial line.
    pub const fn scanner_address(&self) -> Option<SocketAddr> {
        self.scanner
    }

    /// Where the matcher listens.
    pub const fn matcher_address(&self) -> Option<SocketAddr> {
        self.matcher
    }

    /// Where the camera listens, unless it speaks MQTT.
    pub const fn camera_address(&self) -> Option<SocketAddr> {
        self.camera
    }

    /// Where the face matcher listens.
    pub const fn face_matcher_address(&self) -> Option<SocketAddr> {
        self.face_matcher
    }

    /// Where the control interface listens.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control.as_ref().map(|(address, _)| *address)
    }

    /// Switches a device other than the dispenser. `false`: there is no such device.
    pub fn set_power(&self, device: &DeviceId, power: Power) -> bool {
        self.powers.set(device.as_str(), power)
    }

    /// Ends everything: the devices say goodbye, the dispenser keeps its memory.
    pub async fn shutdown(self) {
        self.citizen.abort();
        if let Some((_, control)) = &self.control {
            control.abort();
        }
        for (_, switch) in &self.powers.0 {
            switch.send_replace(Power::Closed);
        }
        for device in self.devices {
            // A failed join is a panic, which the runtime has printed.
            device.await.ok();
        }
        self.world.dispenser.power_off().await;
    }
}

async fn start_dispenser(config: &SimulationConfig) -> Result<Dispenser, SimulationError> {
    let path = config.data_dir.clone();
    std::fs::create_dir_all(&path).map_err(|error| SimulationError::Folder { path, error })?;
    let profile = DispenserProfile::load(config.dispenser_profile.as_deref())?;
    let options = DispenserOptions {
        line: config.dispenser.clone(),
        profile: Arc::new(profile),
        memory_file: config.data_dir.join("dispenser.json"),
        shape: config.shape.clone(),
    };
    let failed = |error| match config.dispenser.clone() {
        DispenserLine::Tcp(address) | DispenserLine::RtuOverTcp(address) => {
            SimulationError::Listen {
                what: "the dispenser",
                address,
                error,
            }
        }
        DispenserLine::Serial(path) => SimulationError::Line { path, error },
    };
    Dispenser::start(options).await.map_err(failed)
}

/// The devices but the dispenser.
struct Started {
    switches: Vec<(DeviceId, watch::Sender<Power>)>,
    devices: Vec<JoinHandle<()>>,
    readers: [Option<SocketAddr>; 2],
    scanner: Option<SocketAddr>,
    matcher: Option<SocketAddr>,
    camera: Option<SocketAddr>,
    face_matcher: Option<SocketAddr>,
}

async fn start_devices(
    config: &SimulationConfig,
    world: &Arc<World>,
) -> Result<Started, SimulationError> {
    let mut switches = Vec::new();
    let mut devices = Vec::new();
    let mut switch_of = |id: &DeviceId| {
        let (switch, power) = watch::channel(Power::On);
        switches.push((id.clone(), switch));
        power
    };
    let link = |id: &DeviceId, description: Description| {
        LinkConfig::new(
            config.broker.clone(),
            config.station.clone(),
            id.clone(),
            description,
        )
    };
    let ids = &config.devices;
    let speeds = config.speeds;
    let mut readers = [None; 2];
    for (at, (id, place, protocol)) in readers.iter_mut().zip([
        (&ids.reader, Place::Inner, &config.reader),
        (&ids.intake, Place::Intake, &config.intake_reader),
    ]) {
        let link = link(id, reader::mqtt::description(place));
        let power = switch_of(id);
        let started = reader::start(place, protocol, link, world, speeds.read_ms, power).await?;
        *at = started.address;
        devices.push(started.task);
    }
    let scanner = scanner::start(
        &config.scanner,
        link(&ids.scanner, scanner::mqtt::description()),
        world,
        speeds.match_ms,
        switch_of(&ids.scanner),
    )
    .await?;
    devices.push(scanner.task);
    let mut at_matcher = None;
    if let Some(listen) = config.matcher_listen {
        let power = switch_of(&ids.matcher);
        let (address, task) = matcher::start(listen, world, speeds.match_ms, power).await?;
        devices.push(task);
        at_matcher = Some(address);
    }
    let mut at_face_matcher = None;
    if let Some(listen) = config.face_matcher_listen {
        let power = switch_of(&ids.face_matcher);
        let (address, task) = face_matcher::start(listen, world, speeds.match_ms, power).await?;
        devices.push(task);
        at_face_matcher = Some(address);
    }
    let camera = camera::start(
        &config.camera,
        link(&ids.camera, camera::mqtt::description()),
        world.camera.clone(),
        speeds.capture_ms,
        switch_of(&ids.camera),
    )
    .await?;
    devices.push(camera.task);
    Ok(Started {
        switches,
        devices,
        readers,
        scanner: scanner.address,
        matcher: at_matcher,
        camera: camera.address,
        face_matcher: at_face_matcher,
    })
}

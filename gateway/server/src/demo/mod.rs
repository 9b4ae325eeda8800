//! The demonstration: simulated devices and a centre's key pair, so that a station runs on one machine with nothing
//! attached. They speak the real protocols over real sockets. In packages this module does not exist.

mod centre;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use adapters::camera::{CameraLogins, Credentials};
use adapters::link::{Broker, Confirmation, LinkConfig};
use adapters::reader::SamId;
use anyhow::Context as _;
use edge_config::{DispenserAddress, LineAddress, Station, ZfmScanner};
use gateway_core::State;
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem as _, Serializable as _};
use schemas::ids::{BatchId, DeviceId, OperatorId};
use schemas::words::Place;
use simulator::camera::{CameraLogin, CameraProtocol};
use simulator::dispenser::DispenserLine;
use simulator::operator::{StockUp, kiosk_description, stock_up};
use simulator::reader::ReaderProtocol;
use simulator::scanner::{ScannerLine, ScannerProtocol};
use simulator::{Simulation, SimulationConfig};
use zeroize::Zeroizing;

use crate::sealing::Recipient;

pub use centre::DemoCentre;

/// The voucher of the first synthetic citizen.
pub const VOUCHER: &str = "1101050012026110100001";

/// The PIN of the shipped station's operator. It opens nothing but a demonstration.
const PIN: &str = "246810";
/// Cards that are loaded into slots; the rest stays in the safe.
const LOADED_LEN_MAX: usize = 8;

/// The folder of the demonstration's centre, beside the keys folder: never in it, because the centre is another house.
const CENTRE_FOLDER: &str = "station-demo-centre";

/// What the simulated devices remember, the cards in the dispenser among it. Beside the data folder: a machine does not forget its
/// cards when the station begins a new log.
const DEVICES_FOLDER: &str = "station-demo-devices";

/// The identity of a simulated reader where the station asks for none.
const DEMO_SAM_ID: SamId = SamId {
    maker: [5, 3],
    numbers: [20_260_101, 1, 0],
};

/// The public key of the demonstration's centre. The pair is made once and lies beside the keys folder:
/// `seal-key.private` and `seal-key.public`, 64 hexadecimal digits each.
pub fn centre_key(keys_folder: &Path) -> anyhow::Result<Recipient> {
    let folder = keys_folder.with_file_name(CENTRE_FOLDER);
    let public_file = folder.join("seal-key.public");
    if !public_file.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let (private, public) = X25519HkdfSha256::gen_keypair();
        let digits = Zeroizing::new(hex::encode(private.to_bytes()));
        gateway_durable::replace_file(&folder.join("seal-key.private"), digits.as_bytes(), 0o600)?;
        gateway_durable::replace_file(
            &public_file,
            hex::encode(public.to_bytes()).as_bytes(),
            0o600,
        )?;
    }
    let text = std::fs::read_to_string(&public_file);
    let text = text.with_context(|| format!("cannot read {}", public_file.display()))?;
    Recipient::from_text(&text).with_context(|| format!("{}", public_file.display()))
}

/// The running demonstration.
#[derive(Debug)]
pub struct Demo {
    simulation: Simulation,
    batch: BatchId,
}

/// What is still to be brought in, by the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// Nothing is known yet.
    Unknown,
    /// The batch is announced, and cards of it are not where they belong yet.
    Begun,
    /// It was brought in before.
    There,
}

impl Stock {
    /// What the log says.
    pub fn of(state: &State) -> Self {
        if state.cards().next().is_none() {
            return Self::Unknown;
        }
        let waiting = state
            .cards()
            .filter(|(_, card)| matches!(card.place, Place::MakerTransit | Place::Safe));
        let loaded = state.cards().count() - waiting.count();
        if loaded >= LOADED_LEN_MAX {
            Self::There
        } else {
            Self::Begun
        }
    }
}

impl Demo {
    /// Starts the simulated devices of the first machine, which connect to `broker`. The camera knows whom
    /// `logins` has for it; where that is nobody, somebody is made up.
    pub async fn start(
        station: &Station,
        broker: Broker,
        logins: &mut CameraLogins,
    ) -> anyhow::Result<Self> {
        let machine = station
            .machines
            .first()
            .context("a station has a machine")?;
        let modbus = station
            .modbus_dispensers
            .iter()
            .find(|d| d.device == machine.devices.dispenser);
        let modbus = modbus
            .context("the simulated dispenser speaks Modbus: configure a [[modbus_dispenser]]")?;
        let memory = station.storage.data_folder.with_file_name(DEVICES_FOLDER);
        let mut config = SimulationConfig::new(broker, memory)?;
        config.station = station.id.clone();
        config.devices.reader = machine.devices.reader.clone();
        config.devices.intake = machine.devices.intake_reader.clone();
        config.devices.scanner = machine.devices.scanner.clone();
        config.devices.camera = machine.devices.camera.clone();
        config.dispenser = match modbus.address.clone() {
            DispenserAddress::Tcp(at) => DispenserLine::Tcp(at),
            DispenserAddress::RtuOverTcp(at) => DispenserLine::RtuOverTcp(at),
            DispenserAddress::Serial(path) => DispenserLine::Serial(path),
        };
        config.dispenser_profile.clone_from(&modbus.profile);
        config.reader = reader_protocol(station, &machine.devices.reader);
        config.intake_reader = reader_protocol(station, &machine.devices.intake_reader);
        let mut scanners = station.zfm_scanners.iter();
        let scanner = scanners.find(|s| s.device == config.devices.scanner);
        config.scanner = scanner_protocol(scanner);
        let mut cameras = station.onvif_cameras.iter();
        let camera = cameras.find(|camera| camera.device == config.devices.camera);
        let listen = camera.and_then(|camera| camera.url.as_ref()?.address());
        config.camera = listen.map_or(CameraProtocol::Mqtt, |listen| {
            let login = camera_login(logins, &config.devices.camera);
            CameraProtocol::Onvif { listen, login }
        });
        config.matcher_listen = scanner.and_then(|s| s.matcher).map(|url| url.0);
        let face_matcher = station.face_matchers.first();
        config.face_matcher_listen = face_matcher.map(|matcher| matcher.url.0);
        if let Some(matcher) = face_matcher {
            config.devices.face_matcher = matcher.device.clone();
        }
        config.control_listen = Some(station.demo.control);
        config.made_folder = Some(centre::made_folder(station));
        config.shape.columns = machine.columns;
        config.shape.slots_per_column = machine.slots_per_column;
        let batch = config.batch.clone();
        let simulation = Simulation::start(config)
            .await
            .context("the simulated devices cannot start")?;
        Ok(Self { simulation, batch })
    }

    /// An operator at the first kiosk brings the batch in, by the requests that a real one sends. None where that was done
    /// before, or where the operator of the demonstration is not configured.
    pub fn stock_up(
        &self,
        station: &Station,
        broker: Broker,
        confirmation: Confirmation,
        stock: Stock,
    ) -> anyhow::Result<Option<impl Future<Output = ()> + Send + use<>>> {
        let shipped = edge_config::load(None, None)?;
        let is_demo = |operator: &&edge_config::Operator| {
            shipped
                .operators
                .iter()
                .any(|other| other.pin_hash == operator.pin_hash)
        };
        let operator = station
            .operators
            .iter()
            .find(is_demo)
            .map(|operator| operator.id.clone());
        let (Some(operator), Some(kiosk), Stock::Unknown | Stock::Begun) =
            (operator, station.kiosks.first(), stock)
        else {
            return Ok(None);
        };
        if stock == Stock::Unknown {
            let people = &self.simulation.world().people;
            people
                .write_manifest(&station.storage.inbox_folder)
                .context("the inbox cannot be written")?;
        }
        let mut link = LinkConfig::new(
            broker,
            station.id.clone(),
            kiosk.id.clone(),
            kiosk_description(),
        );
        link.confirmation = confirmation;
        let plan = plan(link, operator, kiosk.machine.clone());
        let (world, batch) = (self.simulation.world().clone(), self.batch.clone());
        Ok(Some(async move {
            match stock_up(&world, plan).await {
                Ok(stocked) => {
                    tracing::info!(%batch, loaded = stocked.loaded, "the demonstration is stocked");
                }
                Err(error) => {
                    tracing::error!(%batch, %error, "the demonstration could not be stocked");
                }
            }
        }))
    }

    /// The devices say goodbye.
    pub async fn stop(self) {
        self.simulation.shutdown().await;
    }
}

/// A simulated reader speaks what the station asks its device to speak: MQTT, unless there is a section for it.
fn reader_protocol(station: &Station, device: &DeviceId) -> ReaderProtocol {
    let mut configured = station.sam_v_readers.iter();
    let Some((reader, LineAddress::Tcp(listen))) = configured
        .find(|reader| reader.device == *device)
        .map(|reader| (reader, &reader.address))
    else {
        return ReaderProtocol::Mqtt;
    };
    let sam_id = reader.sam_id.map_or(DEMO_SAM_ID, |id| SamId {
        maker: id.maker,
        numbers: id.numbers,
    });
    ReaderProtocol::SamV {
        listen: *listen,
        sam_id,
    }
}

/// A simulated scanner speaks what the station asks its device to speak: MQTT, unless there is a section for it.
fn scanner_protocol(configured: Option<&ZfmScanner>) -> ScannerProtocol {
    match configured.map(|scanner| (&scanner.address, scanner.password)) {
        Some((LineAddress::Tcp(listen), password)) => ScannerProtocol::Zfm {
            line: ScannerLine::Tcp(*listen),
            password: password.expose(),
            bits_per_s: None,
        },
        Some((LineAddress::Serial(_), _)) | None => ScannerProtocol::Mqtt,
    }
}

/// Whom a simulated camera knows: whom the station is to it.
fn camera_login(logins: &mut CameraLogins, device: &DeviceId) -> CameraLogin {
    if let Some(known) = logins.of(device) {
        return CameraLogin {
            user: known.user().to_owned(),
            password: known.expose().to_owned(),
        };
    }
    let made_up = CameraLogin::made_up();
    let password = Zeroizing::new(made_up.password.clone());
    logins.insert(
        device.clone(),
        Credentials::new(made_up.user.clone(), password),
    );
    made_up
}

fn plan(link: LinkConfig, operator: OperatorId, machine: schemas::ids::MachineId) -> StockUp {
    StockUp {
        link,
        operator,
        pin: PIN.to_owned(),
        machine,
        load_len_max: LOADED_LEN_MAX,
    }
}

//! The simulated devices as a process of their own, the centre, and the load generator.

mod centre_cli;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use adapters::link::{Broker, LinkConfig};
use anyhow::Context as _;
use centre_cli::{CentreCommand, centre};
use clap::{Args, Parser, Subcommand};
use schemas::ids::{BatchId, DeviceId, MachineId, OperatorId, SessionId, StationId};
use simulator::camera::{CameraLogin, CameraProtocol};
use simulator::centre::{Centre, House};
use simulator::dispenser::DispenserLine;
use simulator::load::{self, LoadConfig};
use simulator::operator::{DEMO_OPERATOR, DEMO_PIN, StockUp, kiosk_description, stock_up};
use simulator::people::People;
use simulator::reader::ReaderProtocol;
use simulator::scanner::{ScannerLine, ScannerProtocol};
use simulator::world::{Behaviour, World};
use simulator::{Simulation, SimulationConfig};
use zeroize::Zeroizing;

#[derive(Parser)]
#[command(
    about = "Simulated devices of a pickup machine, and a load generator",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the devices until Ctrl-C.
    Run(Box<Run>),
    /// Write the demo batch's manifest into an inbox.
    Manifest(Manifest),
    /// Publish events at QoS 1 and measure the acknowledgements; prints JSON.
    Load(Load),
    /// Open what a station has sealed, as the centre would; prints a JSON line for each thing, personal data in the clear.
    OpenSealed(OpenSealed),
    /// The centre: reads the stations' logs from the event store, verifies and acknowledges them.
    #[command(subcommand)]
    Centre(CentreCommand),
}

#[derive(Args)]
struct OpenSealed {
    /// File with the centre's private key: X25519, 64 hexadecimal digits.
    #[arg(long)]
    key: PathBuf,
    /// The station's data folder.
    #[arg(long)]
    data: PathBuf,
    /// This session only.
    #[arg(long)]
    session: Option<SessionId>,
    /// Events of the station, as it exports them: COSE_Sign1 one after the other. Without them photos only.
    #[arg(long)]
    events: Option<PathBuf>,
    /// Write the opened photos into this folder.
    #[arg(long)]
    photos: Option<PathBuf>,
}

#[derive(Args)]
struct Run {
    /// The broker.
    #[arg(long, default_value = "127.0.0.1:1883")]
    mqtt: SocketAddr,
    /// Where the dispenser listens (Modbus TCP).
    #[arg(long, default_value = "127.0.0.1:5020")]
    modbus: SocketAddr,
    /// The dispenser speaks RTU frames there, as behind a serial-over-TCP adapter.
    #[arg(long)]
    dispenser_rtu: bool,
    /// The dispenser at a pseudo-terminal instead, with a link to it at this path: RTU frames.
    #[arg(long, conflicts_with_all = ["modbus", "dispenser_rtu"])]
    dispenser_serial: Option<PathBuf>,
    /// The file of the dispenser's register map; the shipped one where it is not given.
    #[arg(long)]
    dispenser_profile: Option<PathBuf>,
    /// Where the reader inside the machine listens (SAM_V behind a serial-over-TCP adapter).
    #[arg(long, default_value = "127.0.0.1:5021")]
    reader: SocketAddr,
    /// Where the intake's reader listens (the same).
    #[arg(long, default_value = "127.0.0.1:5022")]
    intake_reader: SocketAddr,
    /// Readers that speak MQTT themselves instead.
    #[arg(long)]
    mqtt_readers: bool,
    /// Where the scanner listens (ZFM behind a serial-over-TCP adapter).
    #[arg(long, default_value = "127.0.0.1:5023")]
    scanner: SocketAddr,
    /// The scanner at a pseudo-terminal instead, with a link to it at this path.
    #[arg(long, conflicts_with = "mqtt_scanner")]
    scanner_serial: Option<PathBuf>,
    /// Speed of the scanner's line, in bit/s: 57600 from the factory. As fast as it goes where it is not given.
    #[arg(long)]
    scanner_bits_per_s: Option<u32>,
    /// A scanner that speaks MQTT itself instead.
    #[arg(long)]
    mqtt_scanner: bool,
    /// Where the matcher listens (HTTP).
    #[arg(long, default_value = "127.0.0.1:5024")]
    matcher: SocketAddr,
    /// Where the camera listens (ONVIF, HTTP).
    #[arg(long, default_value = "127.0.0.1:5025")]
    camera: SocketAddr,
    /// Where the face matcher listens (HTTP).
    #[arg(long, default_value = "127.0.0.1:5026")]
    face_matcher: SocketAddr,
    /// The user that the camera knows.
    #[arg(long, default_value = "station")]
    camera_user: String,
    /// The file with that user's password. Without it nobody gets a still.
    #[arg(long)]
    camera_password_file: Option<PathBuf>,
    /// A camera that speaks MQTT itself instead.
    #[arg(long)]
    mqtt_camera: bool,
    /// Where the control interface listens (HTTP).
    #[arg(long, default_value = "127.0.0.1:9465")]
    control: SocketAddr,
    /// Folder of the dispenser's memory.
    #[arg(long, default_value = "simulator-data")]
    data: PathBuf,
    /// The station.
    #[arg(long, default_value = "demo")]
    station: StationId,
    /// How long a motion takes, in ms.
    #[arg(long, default_value_t = 300)]
    motion_ms: u64,
    /// Columns of the machine.
    #[arg(long, default_value_t = 4)]
    columns: u16,
    /// Slots per column.
    #[arg(long, default_value_t = 25)]
    slots_per_column: u16,
    /// Where the maker of a centre (`simulator centre`) puts the chips of the cards that it makes: `made` in its folder.
    #[arg(long)]
    made: Option<PathBuf>,
    /// How the citizen behaves.
    #[arg(long, value_enum, default_value = "good")]
    citizen: Behaviour,
    /// How long the citizen thinks before acting, in ms.
    #[arg(long, default_value_t = 400)]
    think_ms: u64,
    /// How long the citizen leaves the card at the outlet, in ms.
    #[arg(long, default_value_t = 1_000)]
    take_ms: u64,
    #[command(flatten)]
    batch: Batch,
    /// Write the manifest into this inbox, then let an operator bring the batch in at `kiosk-1`.
    #[arg(long)]
    stock_up: Option<PathBuf>,
    /// The PIN of `operator-1`, where it is not the demonstration's.
    #[arg(long, default_value = DEMO_PIN)]
    pin: String,
}

#[derive(Args)]
struct Batch {
    /// Name of the batch.
    #[arg(long = "batch", default_value = "demo-1")]
    name: BatchId,
    /// How many people.
    #[arg(long, default_value_t = 12)]
    people: usize,
    /// Seed they are made from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct Manifest {
    /// The inbox.
    inbox: PathBuf,
    #[command(flatten)]
    batch: Batch,
}

#[derive(Args)]
struct Load {
    /// The broker.
    #[arg(long, default_value = "127.0.0.1:1883")]
    mqtt: SocketAddr,
    /// The station.
    #[arg(long, default_value = "demo")]
    station: StationId,
    /// Devices are `{prefix}-{n}`.
    #[arg(long, default_value = "load")]
    device_prefix: String,
    /// Clients.
    #[arg(long, default_value_t = 8)]
    clients: u16,
    /// Messages of a client on the wire at once.
    #[arg(long, default_value_t = 1)]
    in_flight: u16,
    /// How long, in s.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Messages a second of all clients together.
    #[arg(long)]
    rate: Option<f64>,
}

fn main() -> anyhow::Result<()> {
    panics::hide_data();
    begin(Cli::parse().command)
}

#[tokio::main]
async fn begin(command: Command) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_unset| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    match command {
        Command::Run(options) => run(*options).await,
        Command::Manifest(options) => {
            let batch = options.batch;
            let people = People::new(batch.name, batch.people, batch.seed)?;
            let path = people.write_manifest(&options.inbox)?;
            say(&path.display().to_string())
        }
        Command::Load(options) => {
            let report = load::run(LoadConfig {
                host: options.mqtt.ip().to_string(),
                port: options.mqtt.port(),
                station: options.station,
                device_prefix: options.device_prefix,
                clients: options.clients,
                in_flight: options.in_flight,
                seconds: options.seconds,
                rate: options.rate,
            })
            .await?;
            say(&serde_json::to_string(&report)?)
        }
        Command::OpenSealed(options) => open_sealed(&options),
        Command::Centre(command) => centre(command).await,
    }
}

fn open_sealed(options: &OpenSealed) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&options.key).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read {}", options.key.display()))?;
    let centre = Centre::from_text(&text).context("the private key")?;
    let mut house = House::read(&centre, &options.data, options.session.as_ref())?;
    if let Some(events) = &options.events {
        let bytes = std::fs::read(events);
        let bytes = bytes.with_context(|| format!("cannot read {}", events.display()))?;
        house.name(&bytes)?;
    }
    for line in house.open(options.photos.as_deref())? {
        say(&line.to_string())?;
    }
    Ok(())
}

async fn run(options: Run) -> anyhow::Result<()> {
    let broker = Broker {
        host: options.mqtt.ip().to_string(),
        port: options.mqtt.port(),
    };
    let (scanner, camera) = (scanner(&options), camera(&options)?);
    let mut config = SimulationConfig::new(broker.clone(), options.data)?;
    config.made_folder = options.made;
    config.station = options.station.clone();
    config.dispenser = match (options.dispenser_serial, options.dispenser_rtu) {
        (Some(path), _) => DispenserLine::Serial(path),
        (None, true) => DispenserLine::RtuOverTcp(options.modbus),
        (None, false) => DispenserLine::Tcp(options.modbus),
    };
    config.dispenser_profile = options.dispenser_profile;
    config.control_listen = Some(options.control);
    for (protocol, address) in [
        (&mut config.reader, options.reader),
        (&mut config.intake_reader, options.intake_reader),
    ] {
        if options.mqtt_readers {
            *protocol = ReaderProtocol::Mqtt;
        } else if let ReaderProtocol::SamV { listen, .. } = protocol {
            *listen = address;
        }
    }
    config.scanner = scanner;
    config.camera = camera;
    config.matcher_listen = Some(options.matcher);
    config.face_matcher_listen = Some(options.face_matcher);
    config.shape.motion_ms = options.motion_ms;
    config.shape.columns = options.columns;
    config.shape.slots_per_column = options.slots_per_column;
    config.behaviour = options.citizen;
    config.pace.think_ms = options.think_ms;
    config.pace.take_ms = options.take_ms;
    config.batch = options.batch.name;
    config.people_len = options.batch.people;
    config.seed = options.batch.seed;
    let simulation = Simulation::start(config).await?;
    let modbus = simulation.modbus_address();
    let control = simulation
        .control_address()
        .context("no control interface")?;
    say(&format!("dispenser {modbus}, control http://{control}"))?;
    if let Some(inbox) = options.stock_up {
        simulation.world().people.write_manifest(&inbox)?;
        bring_in(simulation.world(), broker, options.station, options.pin).await?;
    }
    tokio::signal::ctrl_c().await?;
    simulation.shutdown().await;
    Ok(())
}

fn scanner(options: &Run) -> ScannerProtocol {
    if options.mqtt_scanner {
        return ScannerProtocol::Mqtt;
    }
    let serial = options.scanner_serial.clone();
    ScannerProtocol::Zfm {
        line: serial.map_or(ScannerLine::Tcp(options.scanner), ScannerLine::Serial),
        password: 0,
        bits_per_s: options.scanner_bits_per_s,
    }
}

fn camera(options: &Run) -> anyhow::Result<CameraProtocol> {
    if options.mqtt_camera {
        return Ok(CameraProtocol::Mqtt);
    }
    let mut login = CameraLogin::made_up();
    login.user.clone_from(&options.camera_user);
    if let Some(file) = &options.camera_password_file {
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("cannot read {}", file.display()))?;
        text.trim_end().clone_into(&mut login.password);
    }
    Ok(CameraProtocol::Onvif {
        listen: options.camera,
        login,
    })
}

async fn bring_in(
    world: &Arc<World>,
    broker: Broker,
    station: StationId,
    pin: String,
) -> anyhow::Result<()> {
    let kiosk = DeviceId::new("kiosk-1")?;
    let plan = StockUp {
        link: LinkConfig::new(broker, station, kiosk, kiosk_description()),
        operator: OperatorId::new(DEMO_OPERATOR)?,
        pin,
        machine: MachineId::new("machine-1")?,
        load_len_max: usize::MAX,
    };
    let stocked = stock_up(world, plan).await?;
    say(&serde_json::to_string(&stocked)?)
}

fn say(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

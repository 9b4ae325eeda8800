//! The scanner of the machine, started: the finger on it is the visitor's, and its light asks for one.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use adapters::link::LinkConfig;
use adapters::scanner::instruction::Light;
use schemas::words::Hand;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{PseudoTerminal, ScannerOptions, ZfmScanner, mqtt};
use crate::device::{self, Power};
use crate::simulation::SimulationError;
use crate::world::World;

/// How long the module takes to take an image, in ms.
const CAPTURE_MS: u64 = 20;

/// What the scanner of the machine speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerProtocol {
    /// The protocol of ZFM modules.
    Zfm {
        /// Its line.
        line: ScannerLine,
        /// The password that it takes.
        password: u32,
        /// Speed of its line, in bit/s; none: as fast as it goes.
        bits_per_s: Option<u32>,
    },
    /// MQTT.
    Mqtt,
}

/// The line to a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerLine {
    /// A serial-over-TCP adapter that listens here; port 0 for any free one.
    Tcp(SocketAddr),
    /// A pseudo-terminal, and a link to it at this path.
    Serial(PathBuf),
}

impl ScannerProtocol {
    /// ZFM on this port of loopback, with the password of the factory, as fast as it goes.
    pub const fn zfm(port: u16) -> Self {
        Self::Zfm {
            line: ScannerLine::Tcp(SocketAddr::new(
                std::net::IpAddr::V4(Ipv4Addr::LOCALHOST),
                port,
            )),
            password: 0,
            bits_per_s: None,
        }
    }
}

/// A running scanner.
pub(crate) struct Started {
    /// Where it listens, if it does.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) async fn start(
    protocol: &ScannerProtocol,
    link: LinkConfig,
    world: &Arc<World>,
    match_ms: u64,
    power: watch::Receiver<Power>,
) -> Result<Started, SimulationError> {
    let world = Arc::clone(world);
    let ScannerProtocol::Zfm {
        line,
        password,
        bits_per_s,
    } = protocol
    else {
        let act = move |link, command| mqtt::act(Arc::clone(&world), match_ms, link, command);
        return Ok(Started {
            address: None,
            task: tokio::spawn(device::run(link, power, act)),
        });
    };
    let options = ScannerOptions {
        password: *password,
        capture_ms: CAPTURE_MS,
        bits_per_s: *bits_per_s,
        faults: world.scanner.clone(),
    };
    let for_light = Arc::clone(&world);
    let scanner = ZfmScanner::new(
        options,
        move || mqtt::finger_now(&world),
        move |light| ask_for_finger(&for_light, light),
    );
    match line {
        ScannerLine::Tcp(listen) => listen_on(*listen, scanner, power).await,
        ScannerLine::Serial(path) => {
            let failed = |error| SimulationError::Line {
                path: path.clone(),
                error,
            };
            let line = PseudoTerminal::open().map_err(failed)?;
            link_to(line.path(), path).map_err(failed)?;
            let task = tokio::spawn(async move {
                if let Err(error) = scanner.speak(line, power).await {
                    tracing::error!(%error, "the serial line broke");
                }
            });
            Ok(Started {
                address: None,
                task,
            })
        }
    }
}

async fn listen_on(
    listen: SocketAddr,
    scanner: ZfmScanner,
    power: watch::Receiver<Power>,
) -> Result<Started, SimulationError> {
    let not_listening = |error| SimulationError::Listen {
        what: "the scanner",
        address: listen,
        error,
    };
    let listener = TcpListener::bind(listen).await.map_err(not_listening)?;
    let address = listener.local_addr().map_err(not_listening)?;
    Ok(Started {
        address: Some(address),
        task: tokio::spawn(scanner.serve(listener, power)),
    })
}

/// Makes `path` a link to the line, in place of a link of before; never in place of anything else.
/// Makes `path` a link to `line`, in place of one that is there.
pub(crate) fn link_to(line: &Path, path: &Path) -> std::io::Result<()> {
    if path.is_symlink() {
        std::fs::remove_file(path)?;
    }
    symlink(line, path)
}

/// The ring's colour says which hand is asked for, red any; when it goes out, the finger is lifted.
fn ask_for_finger(world: &World, light: Light) {
    let hand = match (light.mode, light.colour) {
        (1..=3, 1 | 2) => Some(Hand::Right),
        (1..=3, 3) => Some(Hand::Left),
        _ => None,
    };
    if hand.is_none() {
        world.finger.send_replace(None);
    }
    world.finger_wanted.send_replace(hand);
}

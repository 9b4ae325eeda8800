//! The adapters that a configuration lists: the same within the gateway and in a process of their own.

use std::net::SocketAddr;
use std::sync::Arc;

use edge_config::profile::DispenserProfile;
use edge_config::{
    Adapted, ConfigErrors, DispenserAddress, FaceMatcher, FingerQuality, LineAddress,
    ModbusDispenser, OnvifCamera, SamVReader, ScannerLight, SerialSettings, ZfmScanner,
};
use schemas::ids::DeviceId;
use schemas::message::device::Description;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::camera::{self, CameraConfig, CameraLogins, Credentials, Source};
use crate::dispenser::{self, DispenserConfig, LineSettings};
use crate::face::{self, FaceConfig};
use crate::kept::kept;
use crate::link::LinkConfig;
use crate::reader::request::Baud;
use crate::reader::{self, ReaderConfig, SamId};
use crate::scanner::{self, LightKind, MatcherConfig, Password, QualityBy, ScannerConfig};

/// Pause between repetitions of a message to a broker whose acknowledgement is no promise, in ms.
pub const AGAIN_MS: u64 = 5_000;

/// Starts an adapter for each device, within a tokio runtime. `link` says how a device with this description reaches the broker;
/// no still is longer than `still_kib_max`. Each runs until `ending` becomes true or its sender is dropped; one that panics is said and
/// begun anew, and the others do not notice. An error names a profile that cannot be used; then none was started.
pub fn start(
    adapted: Adapted<'_>,
    logins: &CameraLogins,
    still_kib_max: usize,
    link: impl Fn(&DeviceId, Description) -> LinkConfig,
    ending: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, ConfigErrors> {
    let dispensers = adapted.modbus_dispensers.iter().map(of_dispenser);
    let dispensers = dispensers.collect::<Result<Vec<_>, ConfigErrors>>()?;
    let mut tasks = Vec::new();
    for (device, config) in dispensers {
        let link = link(&device, dispenser::description(&config));
        tasks.push(keep(dispenser::run, config, link, ending));
    }
    for configured in adapted.sam_v_readers {
        let link = link(&configured.device, reader::description(None));
        tasks.push(keep(reader::run, of_reader(configured), link, ending));
    }
    for configured in adapted.zfm_scanners {
        let config = of_scanner(configured);
        let link = link(&configured.device, scanner::description(&config));
        tasks.push(keep(scanner::run, config, link, ending));
    }
    for configured in adapted.onvif_cameras {
        let login = logins.of(&configured.device).cloned();
        let Some(config) = of_camera(configured, login, still_kib_max) else {
            continue;
        };
        let mut link = link(&configured.device, camera::description());
        link.limits.payload_bytes_max = link.limits.payload_bytes_max.max(config.still_bytes_max);
        tasks.push(keep(camera::run, config, link, ending));
    }
    for configured in adapted.face_matchers {
        let link = link(&configured.device, face::description());
        tasks.push(keep(face::run, of_face_matcher(configured), link, ending));
    }
    Ok(tasks)
}

/// Keeps an adapter running.
fn keep<C, F>(
    run: impl Fn(C, LinkConfig, watch::Receiver<bool>) -> F + Send + 'static,
    config: C,
    link: LinkConfig,
    ending: &watch::Receiver<bool>,
) -> JoinHandle<()>
where
    C: Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (device, ending) = (link.device.clone(), ending.clone());
    let life = ending.clone();
    let begin = move || run(config.clone(), link.clone(), life.clone());
    tokio::spawn(kept(device, begin, ending))
}

/// The profile's file is read here.
fn of_dispenser(configured: &ModbusDispenser) -> Result<(DeviceId, DispenserConfig), ConfigErrors> {
    let tcp = |at: &SocketAddr| (at.ip().to_string(), at.port());
    let address = match &configured.address {
        DispenserAddress::Tcp(at) => {
            let (host, port) = tcp(at);
            dispenser::Address::Tcp { host, port }
        }
        DispenserAddress::RtuOverTcp(at) => {
            let (host, port) = tcp(at);
            dispenser::Address::RtuOverTcp { host, port }
        }
        DispenserAddress::Serial(path) => dispenser::Address::Serial {
            path: path.clone(),
            line: line_settings(configured.serial),
        },
    };
    let profile = DispenserProfile::load(configured.profile.as_deref())?;
    let config = DispenserConfig {
        unit: configured.unit,
        watch_ms: u64::from(configured.watch_ms),
        poll_busy_ms: u64::from(configured.poll_ms),
        call_timeout_ms: u64::from(configured.request_timeout_ms),
        connect_timeout_ms: u64::from(configured.connect_timeout_ms),
        ..DispenserConfig::new(address, Arc::new(profile))
    };
    Ok((configured.device.clone(), config))
}

const fn line_settings(serial: SerialSettings) -> LineSettings {
    LineSettings {
        bits_per_s: serial.baud,
        parity: match serial.parity {
            edge_config::Parity::None => dispenser::Parity::None,
            edge_config::Parity::Even => dispenser::Parity::Even,
            edge_config::Parity::Odd => dispenser::Parity::Odd,
        },
        stop_bits: match serial.stop_bits {
            2 => dispenser::StopBits::Two,
            _ => dispenser::StopBits::One,
        },
    }
}

fn of_reader(configured: &SamVReader) -> ReaderConfig {
    let address = match &configured.address {
        LineAddress::Tcp(address) => reader::Address::Tcp {
            host: address.ip().to_string(),
            port: address.port(),
        },
        LineAddress::Serial(path) => reader::Address::Serial {
            path: path.clone(),
            baud: configured.baud.and_then(Baud::from_bits_per_s),
        },
    };
    ReaderConfig {
        sam_id: configured.sam_id.map(|id| SamId {
            maker: id.maker,
            numbers: id.numbers,
        }),
        poll_ms: u64::from(configured.poll_ms),
        connect_timeout_ms: u64::from(configured.connect_timeout_ms),
        request_timeout_ms: u64::from(configured.request_timeout_ms),
        read_timeout_ms: u64::from(configured.read_timeout_ms),
        ..ReaderConfig::new(address)
    }
}

fn of_scanner(configured: &ZfmScanner) -> ScannerConfig {
    let address = match &configured.address {
        LineAddress::Tcp(address) => scanner::Address::Tcp {
            host: address.ip().to_string(),
            port: address.port(),
        },
        LineAddress::Serial(path) => scanner::Address::Serial {
            path: path.clone(),
            bits_per_s: configured.baud,
        },
    };
    ScannerConfig {
        password: Password::from(configured.password.expose()),
        light: match configured.light {
            ScannerLight::None => LightKind::None,
            ScannerLight::Ring => LightKind::Ring,
        },
        matcher: configured.matcher.map(|url| {
            let timeout_ms = u64::from(configured.matcher_timeout_ms);
            MatcherConfig::new(url.0.ip().to_string(), url.0.port(), timeout_ms)
        }),
        quality: match configured.quality {
            FingerQuality::Measured => QualityBy::Measure,
            FingerQuality::Matcher => QualityBy::Matcher,
        },
        poll_ms: u64::from(configured.poll_ms),
        connect_timeout_ms: u64::from(configured.connect_timeout_ms),
        request_timeout_ms: u64::from(configured.request_timeout_ms),
        upload_timeout_ms: u64::from(configured.upload_timeout_ms),
        ..ScannerConfig::new(address)
    }
}

/// `None`: it says neither where it is nor where its still lies, which the configuration does not let pass.
fn of_camera(
    configured: &OnvifCamera,
    credentials: Option<Credentials>,
    still_kib_max: usize,
) -> Option<CameraConfig> {
    let still = configured.snapshot.as_ref().map(|at| at.url().clone());
    let source = match (&configured.url, still) {
        (Some(at), still) => Source::Onvif {
            url: at.url().clone(),
            profile: configured.profile.as_ref().map(ToString::to_string),
            still,
        },
        (None, still) => Source::Still(still?),
    };
    Some(CameraConfig {
        credentials,
        allow_basic: configured.allow_basic,
        still_bytes_max: still_kib_max.saturating_mul(1_024),
        heartbeat_ms: u64::from(configured.heartbeat_ms),
        connect_timeout_ms: u64::from(configured.connect_timeout_ms),
        request_timeout_ms: u64::from(configured.request_timeout_ms),
        ..CameraConfig::new(source)
    })
}

fn of_face_matcher(configured: &FaceMatcher) -> FaceConfig {
    let at = configured.url.0;
    let timeout_ms = u64::from(configured.timeout_ms);
    FaceConfig::new(MatcherConfig::new(
        at.ip().to_string(),
        at.port(),
        timeout_ms,
    ))
}

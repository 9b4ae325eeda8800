//! The devices that this program brings to MQTT itself: adapters of devices that do not speak it, and, in a
//! demonstration, simulated ones. All of them are clients of the broker like any other.

use std::net::SocketAddr;
use std::sync::Arc;

use adapters::camera::{self, CameraConfig, Credentials, Source};
use adapters::dispenser::{self, DispenserConfig, LineSettings};
use adapters::link::{Broker, Confirmation, LinkConfig};
use adapters::reader::request::Baud;
use adapters::reader::{self, ReaderConfig, SamId};
use adapters::scanner::{self, LightKind, MatcherConfig, Password, ScannerConfig};
use anyhow::Context as _;
use edge_config::profile::DispenserProfile;
use edge_config::{
    ConfigErrors, DispenserAddress, LineAddress, ModbusDispenser, OnvifCamera, SamVReader,
    ScannerLight, SerialSettings, Station, ZfmScanner,
};
use schemas::ids::DeviceId;
use schemas::message::device::Description;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::camera_logins::CameraLogins;
use super::devices_broker::DevicesBroker;
use super::prepare::Prepared;

/// Pause between repetitions of a message to a broker whose acknowledgement is no promise, in ms.
const AGAIN_MS: u64 = 5_000;

/// The running devices.
#[derive(Debug)]
pub(super) struct OwnDevices {
    shutdown: watch::Sender<bool>,
    adapters: Vec<JoinHandle<()>>,
    #[cfg(feature = "demo")]
    demo: Option<crate::demo::Demo>,
    #[cfg(feature = "demo")]
    stocking: Option<JoinHandle<()>>,
}

#[cfg_attr(
    not(feature = "demo"),
    allow(
        clippy::unused_async,
        reason = "simulated devices are waited for, real ones are not"
    )
)]
pub(super) async fn start(
    prepared: &Prepared,
    devices: &DevicesBroker,
    #[cfg(feature = "demo")] stock: crate::demo::Stock,
) -> anyhow::Result<OwnDevices> {
    let station = &prepared.station;
    let (shutdown, ending) = watch::channel(false);
    let adapted = station.modbus_dispensers.len()
        + station.sam_v_readers.len()
        + station.zfm_scanners.len()
        + station.onvif_cameras.len();
    let own = adapted > 0 || station.demo.simulated_devices;
    if !own {
        return Ok(OwnDevices {
            shutdown,
            adapters: Vec::new(),
            #[cfg(feature = "demo")]
            demo: None,
            #[cfg(feature = "demo")]
            stocking: None,
        });
    }
    let address = devices.address(&station.broker);
    let (host, port, is_promise) = address
        .context("adapters reach the broker over plain MQTT on loopback: set broker.embedded.tcp = \"127.0.0.1:1883\"")?;
    let broker = Broker { host, port };
    let confirmation = if is_promise {
        Confirmation::Puback
    } else {
        Confirmation::Receipt { again_ms: AGAIN_MS }
    };
    let logins = CameraLogins::read(&station.onvif_cameras)?;
    #[cfg(feature = "demo")]
    let mut logins = logins;
    #[cfg(feature = "demo")]
    let demo = if station.demo.simulated_devices {
        Some(crate::demo::Demo::start(station, broker.clone(), &mut logins).await?)
    } else {
        None
    };
    #[cfg(not(feature = "demo"))]
    anyhow::ensure!(
        !station.demo.simulated_devices,
        "this build has no simulated devices: set simulated_devices = false under [demo]"
    );
    let adapters = start_adapters(station, &logins, &broker, confirmation, &ending)?;
    #[cfg(feature = "demo")]
    let stocking = match &demo {
        Some(demo) => demo
            .stock_up(station, broker.clone(), confirmation, stock)?
            .map(tokio::spawn),
        None => None,
    };
    Ok(OwnDevices {
        shutdown,
        adapters,
        #[cfg(feature = "demo")]
        demo,
        #[cfg(feature = "demo")]
        stocking,
    })
}

fn start_adapters(
    station: &Station,
    logins: &CameraLogins,
    broker: &Broker,
    confirmation: Confirmation,
    ending: &watch::Receiver<bool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let link = |device: &DeviceId, description: Description| {
        let (broker, station) = (broker.clone(), station.id.clone());
        LinkConfig {
            confirmation,
            ..LinkConfig::new(broker, station, device.clone(), description)
        }
    };
    let dispensers = station.modbus_dispensers.iter().map(of_dispenser);
    let dispensers = dispensers.collect::<Result<Vec<_>, ConfigErrors>>()?;
    let dispensers = dispensers.into_iter().map(|(device, config)| {
        let link = link(&device, dispenser::description(&config));
        tokio::spawn(dispenser::run(config, link, ending.clone()))
    });
    let readers = station.sam_v_readers.iter().map(|configured| {
        let link = link(&configured.device, reader::description(None));
        tokio::spawn(reader::run(of_reader(configured), link, ending.clone()))
    });
    let scanners = station.zfm_scanners.iter().map(|configured| {
        let config = of_scanner(configured);
        let link = link(&configured.device, scanner::description(&config));
        tokio::spawn(scanner::run(config, link, ending.clone()))
    });
    let cameras = station.onvif_cameras.iter().filter_map(|configured| {
        let login = logins.of(&configured.device).cloned();
        let config = of_camera(configured, login, station.pipeline.blob_kib_max)?;
        let mut link = link(&configured.device, camera::description());
        link.limits.payload_bytes_max = link.limits.payload_bytes_max.max(config.still_bytes_max);
        Some(tokio::spawn(camera::run(config, link, ending.clone())))
    });
    let adapters = dispensers.chain(readers).chain(scanners);
    Ok(adapters.chain(cameras).collect())
}

/// The adapter's configuration from the station's. The profile's file is read here.
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
    blob_kib_max: usize,
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
        still_bytes_max: blob_kib_max.saturating_mul(1_024),
        heartbeat_ms: u64::from(configured.heartbeat_ms),
        connect_timeout_ms: u64::from(configured.connect_timeout_ms),
        request_timeout_ms: u64::from(configured.request_timeout_ms),
        ..CameraConfig::new(source)
    })
}

impl OwnDevices {
    /// Each says goodbye.
    pub(super) async fn stop(self) {
        #[cfg(feature = "demo")]
        if let Some(stocking) = self.stocking {
            stocking.abort();
        }
        // Whoever listens is still there: they are joined below.
        self.shutdown.send_replace(true);
        for adapter in self.adapters {
            if let Err(error) = adapter.await {
                tracing::error!(%error, "an adapter panicked");
            }
        }
        #[cfg(feature = "demo")]
        if let Some(demo) = self.demo {
            demo.stop().await;
        }
    }
}

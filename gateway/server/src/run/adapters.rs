//! The devices that this program brings to MQTT itself: adapters of devices that do not speak it, and, in a
//! demonstration, simulated ones. All of them are clients of the broker like any other.

use adapters::camera::CameraLogins;
use adapters::configured::{self, AGAIN_MS};
use adapters::link::{Broker, Confirmation, LinkConfig};
use anyhow::Context as _;
use edge_config::Station;
use panics::Unfinished;
use schemas::ids::DeviceId;
use schemas::message::device::Description;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::devices_broker::DevicesBroker;
use super::prepare::Prepared;

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
    let own = !station.adapted().is_empty() || station.demo.simulated_devices;
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
    let still_kib_max = station.pipeline.blob_kib_max;
    Ok(configured::start(
        station.adapted(),
        logins,
        still_kib_max,
        link,
        ending,
    )?)
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
            if let Err(error) = adapter.await.map_err(Unfinished::from) {
                tracing::error!(%error, "an adapter did not end by itself");
            }
        }
        #[cfg(feature = "demo")]
        if let Some(demo) = self.demo {
            demo.stop().await;
        }
    }
}

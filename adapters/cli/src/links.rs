//! How each device reaches the broker: a connection of its own, with a certificate of its own.

use std::collections::BTreeMap;
use std::path::Path;

use adapters::configured::AGAIN_MS;
use adapters::link::{Broker, Confirmation, Figures, LinkConfig, tls};
use anyhow::Context as _;
use edge_config::{Adapters, AdaptersTls, BrokerPromise};
use schemas::ids::{DeviceId, StationId};
use schemas::message::device::Description;

/// The links of all devices, ready to be started.
pub(crate) struct Links {
    broker: Broker,
    station: StationId,
    confirmation: Confirmation,
    devices: BTreeMap<DeviceId, Way>,
}

/// What differs from device to device.
#[derive(Default)]
struct Way {
    figures: Figures,
    tls: Option<std::sync::Arc<tls::ClientConfig>>,
}

impl Links {
    /// Reads the certificates. An error names the file.
    pub(crate) fn prepare(adapters: &Adapters) -> anyhow::Result<Self> {
        let configured = &adapters.broker;
        let mut devices = BTreeMap::new();
        for device in adapters.adapted().ids() {
            let tls = configured.tls.as_ref();
            let way = Way {
                figures: Figures::default(),
                tls: tls.map(|files| client(files, device)).transpose()?,
            };
            devices.insert(device.clone(), way);
        }
        Ok(Self {
            broker: Broker {
                host: configured.url.host.clone(),
                port: configured.url.port,
            },
            station: adapters.station.clone(),
            confirmation: match configured.promise {
                BrokerPromise::Durable => Confirmation::Puback,
                BrokerPromise::Received => Confirmation::Receipt { again_ms: AGAIN_MS },
            },
            devices,
        })
    }

    /// The link of a device.
    pub(crate) fn of(&self, device: &DeviceId, description: Description) -> LinkConfig {
        let way = self.devices.get(device);
        let (broker, station) = (self.broker.clone(), self.station.clone());
        LinkConfig {
            confirmation: self.confirmation,
            figures: way.map(|way| way.figures.clone()).unwrap_or_default(),
            tls: way.and_then(|way| way.tls.clone()),
            ..LinkConfig::new(broker, station, device.clone(), description)
        }
    }

    /// What each link counts, by device.
    pub(crate) fn figures(&self) -> BTreeMap<DeviceId, Figures> {
        let of = |(device, way): (&DeviceId, &Way)| (device.clone(), way.figures.clone());
        self.devices.iter().map(of).collect()
    }
}

fn client(
    files: &AdaptersTls,
    device: &DeviceId,
) -> anyhow::Result<std::sync::Arc<tls::ClientConfig>> {
    let (certificate, key) = (files.certificate(device), files.key(device));
    let (ca, chain, secret) = (read(&files.ca)?, read(&certificate)?, read(&key)?);
    let client = tls::client(&ca, &chain, &secret);
    client.with_context(|| {
        format!(
            "{device} cannot use {}, {} and {}",
            files.ca.display(),
            certificate.display(),
            key.display()
        )
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

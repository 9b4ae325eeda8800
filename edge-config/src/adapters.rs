//! `adapters.toml`: the adapters of devices on another host than the station's, and how they reach its broker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemas::ids::{DeviceId, StationId};

use crate::adapted::Adapted;
use crate::reader::{At, Section};
use crate::station::broker::BrokerUrl;
use crate::station::camera::{self, OnvifCamera};
use crate::station::device::{SamVReader, sam_v_reader};
use crate::station::dispenser::{self, ModbusDispenser};
use crate::station::face_matcher::{self, FaceMatcher};
use crate::station::scanner::{self, ZfmScanner};
use crate::station::{Http, Pipeline, loopback};

/// Port of the metrics where none is written.
const HTTP_PORT: u16 = 9469;
/// What to write for the broker.
const URL: &str = "\"mqtts://station.example:8883\"";

/// Adapters in a process of their own, every value checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapters {
    /// The station that the devices belong to.
    pub station: StationId,
    /// Longest photo that the station takes (`pipeline.blob_kib_max` there), in KiB.
    pub blob_kib_max: usize,
    /// Its broker.
    pub broker: AdaptersBroker,
    /// Metrics and health.
    pub http: Http,
    /// Dispensers reached over Modbus.
    pub modbus_dispensers: Vec<ModbusDispenser>,
    /// ID-card readers reached over their own protocol.
    pub sam_v_readers: Vec<SamVReader>,
    /// Fingerprint scanners reached over their own protocol.
    pub zfm_scanners: Vec<ZfmScanner>,
    /// Cameras reached over ONVIF or HTTP.
    pub onvif_cameras: Vec<OnvifCamera>,
    /// Services that compare faces.
    pub face_matchers: Vec<FaceMatcher>,
}

impl Adapters {
    /// The devices; at least one.
    pub fn adapted(&self) -> Adapted<'_> {
        Adapted {
            modbus_dispensers: &self.modbus_dispensers,
            sam_v_readers: &self.sam_v_readers,
            zfm_scanners: &self.zfm_scanners,
            onvif_cameras: &self.onvif_cameras,
            face_matchers: &self.face_matchers,
        }
    }
}

/// The broker that the adapters are clients of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptersBroker {
    /// Where it is. `mqtts://` goes with [`AdaptersBroker::tls`].
    pub url: BrokerUrl,
    /// Certificates, where it is reached over TLS.
    pub tls: Option<AdaptersTls>,
    /// What its acknowledgement promises.
    pub promise: BrokerPromise,
}

/// Certificates, PEM. Each device has a connection and a certificate of its own, as a device that speaks MQTT itself has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdaptersTls {
    /// The authority that signs the broker's certificate.
    pub ca: PathBuf,
    /// The folder of `{device}.pem` and `{device}.key`.
    pub certificates: PathBuf,
}

impl AdaptersTls {
    /// The certificate chain of a device.
    pub fn certificate(&self, device: &DeviceId) -> PathBuf {
        self.certificates.join(format!("{device}.pem"))
    }

    /// The key of a device.
    pub fn key(&self, device: &DeviceId) -> PathBuf {
        self.certificates.join(format!("{device}.key"))
    }
}

/// What a broker's acknowledgement (PUBACK) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerPromise {
    /// The message is durable: the station's own broker.
    Durable,
    /// The broker has it, and the station's receipt says the rest: another program's broker.
    Received,
}

/// Each kind of device that an adapter is for.
const SECTIONS: [&str; 5] = [
    "modbus_dispenser",
    "sam_v_reader",
    "zfm_scanner",
    "onvif_camera",
    "face_matcher",
];

const PROMISES: &[(&str, BrokerPromise)] = &[
    ("durable", BrokerPromise::Durable),
    ("received", BrokerPromise::Received),
];

pub(crate) fn read(root: &mut Section<'_>) -> Option<Adapters> {
    let blobs = Pipeline::default().blob_kib_max;
    let station = root.required("station", |s| {
        let blob_kib_max = s.number("blob_kib_max", 16..=4_096, blobs);
        Some((s.parsed("id", "\"demo\"")?, blob_kib_max))
    });
    let broker = root.required("broker", broker);
    let http = root.section("http", |s| s.address("listen", loopback(HTTP_PORT)));
    let dispensers = root.list("modbus_dispenser", dispenser::read);
    let readers = root.list("sam_v_reader", sam_v_reader);
    let scanners = root.list("zfm_scanner", scanner::read);
    let cameras = root.list("onvif_camera", camera::read);
    let matchers = root.list("face_matcher", face_matcher::read);
    if SECTIONS.iter().all(|key| !root.has(key)) {
        root.refuse("modbus_dispenser", "there is no device at all; write [[modbus_dispenser]], [[sam_v_reader]], [[zfm_scanner]], [[onvif_camera]] or [[face_matcher]] as in station.toml");
    }
    let mut once = Once::default();
    for at in &dispensers {
        let place = ("address", format!("{:?}", at.value.address));
        once.see(root, "modbus_dispenser", at, &at.value.device, place);
    }
    for at in &readers {
        let place = ("address", format!("{:?}", at.value.address));
        once.see(root, "sam_v_reader", at, &at.value.device, place);
    }
    for at in &scanners {
        let place = ("address", format!("{:?}", at.value.address));
        once.see(root, "zfm_scanner", at, &at.value.device, place);
    }
    for at in &cameras {
        let (url, snapshot) = (&at.value.url, &at.value.snapshot);
        let key = if url.is_some() { "url" } else { "snapshot" };
        let place = (key, format!("{:?}", url.as_ref().or(snapshot.as_ref())));
        once.see(root, "onvif_camera", at, &at.value.device, place);
    }
    for at in &matchers {
        let place = ("url", format!("{:?}", at.value.url));
        once.see(root, "face_matcher", at, &at.value.device, place);
    }
    let (station, blob_kib_max) = station??;
    Some(Adapters {
        station,
        blob_kib_max,
        broker: broker??,
        http: Http {
            listen: http.unwrap_or(loopback(HTTP_PORT)),
        },
        modbus_dispensers: dispensers.into_iter().map(|at| at.value).collect(),
        sam_v_readers: readers.into_iter().map(|at| at.value).collect(),
        zfm_scanners: scanners.into_iter().map(|at| at.value).collect(),
        onvif_cameras: cameras.into_iter().map(|at| at.value).collect(),
        face_matchers: matchers.into_iter().map(|at| at.value).collect(),
    })
}

fn broker(s: &mut Section<'_>) -> Option<AdaptersBroker> {
    let url: Option<BrokerUrl> = s.parsed("url", URL);
    let promise = s.word("promise", PROMISES, BrokerPromise::Durable);
    let allow_plain = s.flag("allow_plain_on_lan", false);
    let (ca, certificates) = (s.path("ca"), s.path("certificates"));
    let url = url?;
    if url.tls {
        for (key, example) in [
            ("ca", "tls/station-ca.pem"),
            ("certificates", "tls/devices"),
        ] {
            if !s.has(key) {
                s.refuse(
                    key,
                    format!("is missing, and mqtts:// needs it; write {key} = \"{example}\""),
                );
            }
        }
        let (ca, certificates) = (ca?, certificates?);
        let tls = Some(AdaptersTls { ca, certificates });
        return Some(AdaptersBroker { url, tls, promise });
    }
    for (key, given) in [("ca", &ca), ("certificates", &certificates)] {
        if given.is_some() {
            s.refuse(key, format!("has no use without TLS; write url = {URL}"));
        }
    }
    if !url.is_loopback() && !allow_plain {
        s.refuse("url", format!(
            "mqtt:// shows personal data to everybody on the way; write url = {URL}, ca and certificates, \
             or allow_plain_on_lan = true if nothing else can reach that network"
        ));
    }
    let tls = None;
    Some(AdaptersBroker { url, tls, promise })
}

/// No device and no address is there twice.
#[derive(Debug, Default)]
struct Once {
    devices: BTreeSet<DeviceId>,
    places: BTreeMap<String, DeviceId>,
}

impl Once {
    fn see<T>(
        &mut self,
        root: &Section<'_>,
        section: &str,
        at: &At<'_, T>,
        device: &DeviceId,
        (key, place): (&str, String),
    ) {
        if !self.devices.insert(device.clone()) {
            let what = format!("{section}.device: {device} is there twice; write each device once");
            root.refuse_at(&at.span("device"), what);
        }
        if let Some(other) = self.places.insert(place, device.clone()) {
            let what = format!("{section}.{key}: is that of {other}; write each once");
            root.refuse_at(&at.span(key), what);
        }
    }
}

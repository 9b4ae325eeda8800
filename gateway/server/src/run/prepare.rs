//! What is needed before the log can be opened: clock, keys, folders, the centre's key, pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use documents::Fonts;
use edge_config::{ClockTrustRule, DevicePolicy, FontFile, Station};
use gateway_core::{
    ApplicationRules, DeviceRules, Eligibility, FirmwarePattern, KioskRules, MachineRules,
    RegistryPolicy, Rules,
};
use schemas::envelope::Origin;
use schemas::ids::{DeviceId, RecorderReference};
use schemas::message::kiosk::Text;
use schemas::words::DeviceKind;

use super::announce::front_page;
use crate::blobs::{BlobDesk, BlobStore};
use crate::centre::GrantDesk;
use crate::clock::Clock;
use crate::effects::{Effects, Reach};
use crate::held::Held;
use crate::http::{Pages, router};
use crate::inbox::Inbox;
use crate::keys::{self, StationKeys};
use crate::metrics::Metrics;
use crate::outlet::Outlet;
use crate::papers::{CardDays, PaperDesk, Printer};
use crate::pipeline::SnapshotDesk;
use crate::sealing::{KeyStore, Recipient, SealingDesk};
use crate::service::Service;
use crate::slips::Slips;
use crate::snapshot::{EpochLimits, SnapshotStore};

/// Everything but the log.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) station: Station,
    pub(super) clock: Arc<Clock>,
    pub(super) keys: StationKeys,
    /// Held as long as the station lives.
    pub(super) _keys_lock: keys::KeysLock,
    pub(super) origin: Origin,
    pub(super) blob_store: BlobStore,
    pub(super) blobs: BlobDesk,
    pub(super) sealing: SealingDesk,
    pub(super) held: Held,
    pub(super) grants: GrantDesk,
    pub(super) printer: Option<Arc<Printer>>,
    pub(super) inbox: Inbox,
    pub(super) metrics: Metrics,
    pub(super) service: Service,
}

/// Why the station cannot be prepared.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Its keys must be looked at by its staff.
    Quarantine(anyhow::Error),
    /// Something else.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl Prepared {
    pub(super) fn snapshots(&self) -> SnapshotDesk {
        SnapshotDesk {
            limits: EpochLimits {
                events: self.station.log.epoch_events,
                days: self.station.log.epoch_days,
            },
            store: SnapshotStore::of(&self.station.storage.data_folder),
            blobs: self.blob_store.clone(),
            keys: self.sealing.store().clone(),
        }
    }

    /// Where papers lie while their kiosk may ask for them.
    pub(super) fn papers(&self, outlet: &Arc<dyn Outlet>) -> PaperDesk {
        let held = Duration::from_secs(self.station.policy.application.papers_held_s.into());
        PaperDesk::new(Arc::clone(outlet), self.metrics.clone(), held)
    }

    pub(super) fn effects(
        &self,
        outlet: Arc<dyn Outlet>,
        slips: Slips,
        papers: PaperDesk,
    ) -> Effects {
        Effects::new(Reach {
            outlet,
            inbox: self.inbox.clone(),
            blobs: self.blobs.clone(),
            sealing: self.sealing.clone(),
            held: self.held.clone(),
            grants: self.grants.clone(),
            window: window(&self.station.policy),
            lookup: self.keys.lookup.clone(),
            metrics: self.metrics.clone(),
            service: self.service.clone(),
            slips,
            papers,
            printer: self.printer.clone(),
        })
    }
}

/// By whose word the clock is believed. Where devices are simulated nobody gets a card, and often nobody says that the clock is
/// synchronised, in a container for one: there the machine's clock is believed unless the configuration says never.
fn trust(station: &Station) -> ClockTrustRule {
    match station.clock.trust {
        ClockTrustRule::Auto if station.demo.simulated_devices => ClockTrustRule::Always,
        rule @ (ClockTrustRule::Auto | ClockTrustRule::Always | ClockTrustRule::Never) => rule,
    }
}

pub(super) fn prepare(station: Station) -> Result<Prepared, Refusal> {
    let storage = &station.storage;
    let clock = Clock::new(trust(&station)).map_err(anyhow::Error::from)?;
    let marker = keys::marker_path(&storage.keys_folder);
    let opened = match keys::incarnating(&storage.keys_folder) {
        Ok(Some(_)) => Err(keys::KeysError::Incarnating),
        Ok(None) => keys::open(&storage.keys_folder, &storage.data_folder, &marker),
        Err(error) => Err(error),
    };
    let keys = opened.map_err(|error| {
        let quarantine = error.is_quarantine();
        let error = anyhow::Error::from(error).context("the station's keys cannot be used");
        if quarantine {
            Refusal::Quarantine(error)
        } else {
            Refusal::Failed(error)
        }
    })?;
    let keys_lock = keys::lock(&storage.keys_folder, false).map_err(anyhow::Error::from)?;
    let origin = station
        .origin(&keys.incarnation.to_string())
        .context("the origin of the log")?;
    let folders = || -> std::io::Result<(BlobStore, KeyStore)> {
        std::fs::create_dir_all(&storage.inbox_folder)?;
        let blobs = BlobStore::open(&storage.data_folder.join("blobs"))?;
        let keys = KeyStore::open(&storage.data_folder.join("session-keys"), origin.clone())?;
        Ok((blobs, keys))
    };
    let (blob_store, key_store) = folders().context("the station's folders cannot be made")?;
    let sealing = SealingDesk::new(key_store, recipients(&station)?, officers(&station)?);
    let limits = &station.pipeline;
    let (len_max, in_flight_max) = (limits.blob_kib_max * 1024, limits.blobs_in_flight_max);
    let held = Held::default();
    let grants = GrantDesk::new(&storage.data_folder);
    let blobs = BlobDesk::new(
        blob_store.clone(),
        sealing.clone(),
        held.clone(),
        len_max,
        in_flight_max,
    );
    Ok(Prepared {
        printer: printer(&station)?,
        inbox: Inbox::new(&storage.inbox_folder, keys.lookup.clone()),
        metrics: Metrics::new().context("metrics")?,
        service: Service::default(),
        clock: Arc::new(clock),
        _keys_lock: keys_lock,
        keys,
        origin,
        blob_store,
        blobs,
        sealing,
        held,
        grants,
        station,
    })
}

/// The pages, listening; the future serves them.
pub(super) async fn pages(
    prepared: &Prepared,
) -> anyhow::Result<impl Future<Output = std::io::Result<()>> + use<>> {
    let address = prepared.station.http.listen;
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address} for the pages"))?;
    let router = router(Pages {
        metrics: prepared.metrics.clone(),
        service: prepared.service.clone(),
        front: front_page(&prepared.station).into(),
    });
    Ok(async move { axum::serve(listener, router).await })
}

/// Who sets the papers of applications; none where nobody accepts any.
fn printer(station: &Station) -> anyhow::Result<Option<Arc<Printer>>> {
    let Some(accepting) = &station.application else {
        return Ok(None);
    };
    let mut fonts = Fonts::embedded();
    if let Some(FontFile { path, index }) = &accepting.font {
        let named = || format!("application.font: {}", path.display());
        let font = std::fs::read(path).with_context(named)?;
        fonts = fonts
            .with_rare(font, u32::from(*index))
            .with_context(named)?;
    }
    let paper = documents::Station {
        name: Text {
            zh: accepting.name.to_string(),
            en: accepting.name_en.to_string(),
        },
        address: accepting.address.to_string(),
        hours: accepting.hours.to_string(),
        window: station.policy.application.window_zh.clone(),
    };
    let days = CardDays {
        made: station.policy.application.card_days,
        held: station.policy.custody.holding_days,
    };
    Ok(Some(Arc::new(Printer::new(fonts, paper, days))))
}

/// Whoever may open personal data: the centre, then the others.
fn recipients(station: &Station) -> anyhow::Result<Vec<Recipient>> {
    let centre = &station.centre;
    let first = match &centre.seal_key {
        Some(path) => recipient("centre.seal_key", path)?,
        None => demonstration_centre(&station.storage.keys_folder)?,
    };
    let named = "centre.more_seal_keys";
    more_recipients(vec![first], named, &centre.more_seal_keys)
}

/// Officers at the window, who open keys of applications.
fn officers(station: &Station) -> anyhow::Result<Vec<Recipient>> {
    more_recipients(Vec::new(), "window.keys", &station.window.keys)
}

fn more_recipients(
    mut recipients: Vec<Recipient>,
    named: &str,
    paths: &[PathBuf],
) -> anyhow::Result<Vec<Recipient>> {
    for path in paths {
        let more = recipient(named, path)?;
        anyhow::ensure!(
            recipients.iter().all(|known| known.id() != more.id()),
            "{named}: {} holds a key that is there already; leave it out",
            path.display()
        );
        recipients.push(more);
    }
    Ok(recipients)
}

fn recipient(named: &str, path: &Path) -> anyhow::Result<Recipient> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("{named}: cannot read {}", path.display()))?;
    Recipient::from_text(&text).with_context(|| format!("{named}: {}", path.display()))
}

#[cfg(feature = "demo")]
fn demonstration_centre(keys_folder: &Path) -> anyhow::Result<Recipient> {
    crate::demo::centre_key(keys_folder)
}

#[cfg(not(feature = "demo"))]
fn demonstration_centre(_keys_folder: &Path) -> anyhow::Result<Recipient> {
    anyhow::bail!(
        "centre.seal_key is not set: personal data is sealed to the centre's key, so there must be one"
    )
}

/// The configuration as the rules need it.
pub fn rules(station: &Station) -> Rules {
    let policy = &station.policy;
    let kiosk = |kiosk: &edge_config::Kiosk| {
        (
            kiosk.id.clone(),
            KioskRules {
                machine: kiosk.machine.clone(),
                application: kiosk.application.clone(),
            },
        )
    };
    let machine = |machine: &edge_config::Machine| {
        let rules = MachineRules {
            devices: machine.devices.clone(),
            recorder: recorder(station, machine),
            columns: machine.columns,
            slots_per_column: machine.slots_per_column,
        };
        (machine.id.clone(), rules)
    };
    Rules {
        kiosks: station.kiosks.iter().map(kiosk).collect(),
        machines: station.machines.iter().map(machine).collect(),
        devices: device_rules(station),
        registry: registry_policy(&policy.devices),
        pickup: policy.pickup.session,
        eligibility: Eligibility {
            residences: policy.eligibility.residences.clone(),
            grounds: policy.eligibility.grounds.clone(),
        },
        application: station
            .application
            .as_ref()
            .map(|accepting| ApplicationRules {
                site: accepting.site.clone(),
                policy: policy.application.session.clone(),
                ticket_held_h: policy.application.ticket_held_h,
                term: policy.payment.term,
                recorders: recorders(station),
            }),
        motion_timeout_s: policy.pickup.motion_timeout_s,
        query_attempts_max: policy.pickup.query_attempts_max,
        dedupe_days: policy.custody.dedupe_days,
    }
}

/// What is installed, by machines, kiosks and the sections of the devices.
fn device_rules(station: &Station) -> BTreeMap<DeviceId, DeviceRules> {
    let rules = |(id, kind): (DeviceId, DeviceKind)| {
        let section = station.installed.iter().find(|device| device.id == id);
        let rules = DeviceRules {
            kind,
            serial: section.and_then(|device| device.serial.clone()),
            firmware: section
                .and_then(|device| device.firmware.clone())
                .map(FirmwarePattern::new),
            place: section
                .and_then(|device| device.place.as_ref())
                .map(ToString::to_string),
            owner: station.owner_of(&id).cloned(),
        };
        (id, rules)
    };
    station.device_kinds().into_iter().map(rules).collect()
}

fn registry_policy(policy: &DevicePolicy) -> RegistryPolicy {
    RegistryPolicy {
        flaps_max: policy.flaps_max,
        flap_window_s: policy.flap_window_s,
        quiet_s: policy.quiet_s,
        maintenance_s_max: u32::from(policy.maintenance_hours_max) * 3_600,
        total_step_max: policy.total_step_max,
        totals_record_s: policy.totals_record_s,
    }
}

/// What the recorder calls the footage of a machine's camera.
fn recorder(station: &Station, machine: &edge_config::Machine) -> Option<RecorderReference> {
    let mut cameras = station.onvif_cameras.iter();
    let camera = cameras.find(|camera| camera.device == machine.devices.camera)?;
    camera.recorder.clone()
}

/// The same station with real devices only. What the configuration may leave out or name only for a demonstration is
/// refused.
pub fn without_demo(mut station: Station) -> anyhow::Result<Station> {
    anyhow::ensure!(
        station.centre.seal_key.is_some(),
        "without simulated devices the centre's key is needed: write seal_key under [centre]"
    );
    let shipped = edge_config::load(None, None)?;
    let is_shipped = |operator: &&edge_config::Operator| {
        shipped
            .operators
            .iter()
            .any(|other| other.pin_hash == operator.pin_hash)
    };
    if let Some(operator) = station.operators.iter().find(is_shipped) {
        anyhow::bail!(
            "operator {} has the PIN of the demonstration: make a hash with `gateway hash-pin`",
            operator.id
        );
    }
    station.demo.simulated_devices = false;
    Ok(station)
}

/// Where the window is.
fn window(policy: &edge_config::Policy) -> Text {
    Text {
        zh: policy.application.window_zh.clone(),
        en: policy.application.window_en.clone(),
    }
}

/// What the recorder calls the footage of each camera of an application (A14).
fn recorders(station: &Station) -> BTreeMap<DeviceId, RecorderReference> {
    let cameras = station.onvif_cameras.iter();
    cameras
        .filter_map(|camera| Some((camera.device.clone(), camera.recorder.clone()?)))
        .collect()
}

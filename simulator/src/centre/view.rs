//! What the centre shows: a copy of the loop's state, for the page, for JSON, for Prometheus and for tests.

use std::collections::BTreeMap;

use schemas::time::rfc3339;
use schemas::words::{PickupOutcome, RefusalReason, ServiceReason};
use serde::Serialize;

use super::fault::Located;
use super::figures::Whereabouts;
use super::followed::Followed;
use super::follower::{Follower, wall_ms};
use super::office::OfficeShown;
use super::office::serving::Serving;
use super::seen::{Alert, Unknown};

/// Everything there is to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// The province.
    pub province: String,
    /// The key that stations are set up with, as a verifier key.
    pub vkey: String,
    /// The same key: 64 hexadecimal digits.
    pub public_key: String,
    /// Host and port of the store.
    pub store: String,
    /// Why the store, or the centre's own folder, is not usable now.
    pub trouble: Option<String>,
    /// The store does not let the centre look for streams.
    pub is_blind: bool,
    /// Unknown stations are registered by themselves: for demonstrations only.
    pub accept_unknown: bool,
    /// The registered logs, by stream.
    pub logs: BTreeMap<String, LogView>,
    /// Streams of logs that are not registered.
    pub unknown: BTreeMap<String, UnknownView>,
    /// What is done about applications, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applications: Option<OfficeShown>,
    /// The newest alerts of each station, the newest last.
    pub alerts: BTreeMap<String, Vec<Alert>>,
}

/// A stream that nobody has registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownView {
    /// What it says of itself.
    #[serde(flatten)]
    pub unknown: Unknown,
    /// A registration was offered whose key fits.
    pub is_offered: bool,
}

/// A registered log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogView {
    /// The station.
    pub station: String,
    /// The log.
    pub origin: String,
    /// Id of its first key.
    pub fingerprint: String,
    /// Events verified.
    pub size: u64,
    /// Root of the tree over them: 64 hexadecimal digits.
    pub root: String,
    /// Events that the station was told the centre has.
    pub acknowledged: u64,
    /// Size of the largest checkpoint that the station signed.
    pub signed_size: u64,
    /// Size of the newest checkpoint that agrees with the events.
    pub checked_size: u64,
    /// Events that the station has signed and the centre has not verified.
    pub lag: u64,
    /// Checkpoints that came too late to be compared.
    pub uncompared: u64,
    /// Events of types that this program does not know.
    pub unknown_types: u64,
    /// Time of the newest event by the station's clock.
    pub last_event: Option<String>,
    /// The same, in ms since 1970.
    pub last_event_ms: Option<u64>,
    /// Whether it takes new sessions; none: it has not said.
    pub in_service: Option<bool>,
    /// Why not.
    pub out_of_service: Vec<ServiceReason>,
    /// Cards by where they are.
    pub custody: BTreeMap<Whereabouts, u64>,
    /// Cards collected today, in Beijing.
    pub collected_today: u64,
    /// Cards collected.
    pub collected: u64,
    /// Pickups that ended, by how.
    pub pickups: BTreeMap<PickupOutcome, u64>,
    /// Pickups that did not begin, by why.
    pub refused: BTreeMap<RefusalReason, u64>,
    /// Photos whose file has not come.
    pub blobs_missing: usize,
    /// What is wrong with it. Nothing of it is acknowledged any more.
    pub fault: Option<Located>,
    /// Why it cannot be read or answered now.
    pub trouble: Option<String>,
}

impl View {
    pub(super) fn of(follower: &Follower) -> Self {
        let settings = &follower.settings;
        let province = settings.province.clone();
        let logs = follower.logs.iter();
        let alerts = follower.seen.alerts.iter();
        let unknown = follower.seen.unknown.iter().map(|(stream, unknown)| {
            let view = UnknownView {
                unknown: unknown.clone(),
                is_offered: follower.offer(stream, unknown).is_some(),
            };
            (stream.clone(), view)
        });
        Self {
            vkey: follower.keys.vkey(&province).unwrap_or_default(),
            public_key: follower.keys.public().to_string(),
            province,
            store: follower.link.host(),
            trouble: follower.trouble.clone(),
            is_blind: follower.is_blind,
            accept_unknown: settings.accept_unknown,
            logs: logs
                .map(|(stream, log)| (stream.clone(), LogView::of(log)))
                .collect(),
            unknown: unknown.collect(),
            applications: follower.serving.as_ref().map(Serving::shown),
            alerts: alerts
                .map(|(station, alerts)| {
                    (station.to_string(), alerts.newest.iter().cloned().collect())
                })
                .collect(),
        }
    }

    /// The newest log of a station.
    pub fn newest(&self, station: &str) -> Option<&LogView> {
        let own = self.logs.values().filter(|log| log.station == station);
        own.max_by_key(|log| log.incarnation())
    }

    /// Whether everything is as it should be.
    pub fn is_well(&self) -> bool {
        let logs = self.logs.values();
        self.trouble.is_none() && logs.into_iter().all(|log| log.fault.is_none())
    }
}

impl LogView {
    fn of(followed: &Followed) -> Self {
        let log = &followed.log;
        let (registration, figures) = (log.registration(), log.figures());
        let (size, signed_size) = (log.size(), log.checkpoints().seen());
        let short = followed
            .is_short()
            .then(|| "the store ends before what was verified; nothing is acknowledged".to_owned());
        Self {
            station: registration.station.to_string(),
            origin: registration.origin.to_string(),
            fingerprint: registration.fingerprint(),
            size,
            root: log.root().to_string(),
            acknowledged: log.acknowledged(),
            signed_size,
            checked_size: log.checkpoints().newest().map_or(0, |(size, _)| *size),
            lag: signed_size.saturating_sub(size),
            uncompared: log.checkpoints().uncompared(),
            unknown_types: log.unknown_types(),
            last_event_ms: figures.last_event_ms,
            last_event: figures.last_event_ms.map(rfc3339),
            in_service: figures.in_service,
            out_of_service: figures.out_of_service.clone(),
            custody: figures.custody(),
            collected_today: figures.collected_on(wall_ms()),
            collected: figures.collected(),
            pickups: figures.pickups.clone(),
            refused: figures.refused.clone(),
            blobs_missing: figures.blobs().len(),
            fault: log.fault().cloned(),
            trouble: followed.trouble.clone().or(short),
        }
    }

    /// The number of the log, from 1.
    pub fn incarnation(&self) -> u32 {
        let number = self.origin.rsplit('/').next();
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    }
}
